/** The application of the virtual chip: faults and how long they are remembered, bounds, conditions. Written by hand, in bytes. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { memoryOnly } from '../memory-file.ts';
import { newOptiga, type OptigaState, type VirtualOptigaKind } from './chip-state.ts';
import { CommandSet } from './command-set.ts';
import { ObjectStore } from './object-store.ts';

const OPEN = '70000010d27600000447656e417574684170706c';
const LAST_ERROR = '01000006f1c200000001';

function chip(kind: VirtualOptigaKind = 'optiga-trust-m') {
  const commands = new CommandSet(new ObjectStore(memoryOnly<OptigaState>(), newOptiga(kind)));
  const run = (command: string): string => commands.execute(Buffer.from(command, 'hex')).answer.toString('hex');
  return {
    run,
    /** The code of the error that a command ends with. */
    fails: (command: string): string => {
      assert.equal(run(command), 'ff000000');
      return run(LAST_ERROR).slice(8);
    },
    opened: () => assert.equal(run(OPEN), '00000000'),
  };
}

test('nothing is done before the application is open, or after it is closed', () => {
  const { fails, opened, run } = chip();
  assert.equal(fails('81000006e0c20000001b'), '0b');
  assert.equal(fails(OPEN.replace('d276', 'd277')), '05');
  opened();
  assert.equal(run('81000006e0c20000001b').slice(0, 8), '0000001b');
  assert.equal(run('f1000000'), '00000000');
  assert.equal(fails('8c0000020020'), '0b');
});

test('the last error is the highest one, until it is read or cleared', () => {
  const { run, opened } = chip();
  opened();
  assert.equal(run('01000002eeee'), 'ff000000');
  assert.equal(run('0c0000020001'), 'ff000000');
  assert.equal(run('01000002eeee'), 'ff000000');
  assert.equal(run(LAST_ERROR), '0000000105');
  assert.equal(run(LAST_ERROR), '0000000100');
  assert.equal(run('01000002eeee'), 'ff000000');
  assert.equal(run('81000002e0c2').slice(0, 2), '00');
  assert.equal(run(LAST_ERROR), '0000000100');
});

test('codes', () => {
  const { fails, opened } = chip();
  opened();
  const codes: Readonly<Record<string, string>> = {
    '81000002eeee': '01',
    '81050002e0c2': '03',
    '810000 03e0c200': '04',
    ba000000: '0a',
    '81000006e0c2001b0001': '08',
    '81000002e0f1': '07',
    '82000005e0c2000000': '07',
    '82000005f1d0008c00': '08',
    '82000005f1d0008000': '08',
    '82030005f1d0000000': '03',
    '82010009f1d000002003c40120': '11',
    '82010009f1d000002003c00105': '11',
    '82010008f1d000002003c001': '09',
    b8040009010002e0f102000110: '03',
    'b803000 9010002e0f002000110': '07',
    b8030009010002e0f102000140: '05',
    b8030009010002e0e102000110: '01',
    b1110005030002e0f1: '05',
    '8c0000020107': '05',
  };
  for (const [command, code] of Object.entries(codes)) assert.equal(fails(command.replaceAll(' ', '')), code, command);
});

test('a Trust X has no objects of a Trust M', () => {
  const { fails, run, opened } = chip('optiga-trust-x');
  opened();
  for (const id of ['e0e9', 'e0fc', 'e120', 'e140']) assert.equal(fails(`81010002${id}`), '01', id);
  assert.equal(run('81010002e0e8').slice(0, 4), '0000');
});

test('objects: parts, erasing, used size', () => {
  const { run, opened } = chip();
  opened();
  assert.equal(run('82400007f1d00000aabbcc'), '00000000');
  assert.equal(run('81000002f1d0'), '00000003aabbcc');
  assert.equal(run('82000006f1d00002ddee'), '00000000');
  assert.equal(run('81000006f1d00001ffff'), '00000003bbddee');
  assert.match(run('81010002f1d0'), /c50104/);
  assert.equal(run('82400005f1d0000011'), '00000000');
  assert.equal(run('81000002f1d0'), '0000000111');
});

test('an exported key, sessions, and hashes of objects', () => {
  const { run, fails, opened } = chip();
  opened();
  assert.match(run('b8030003070000'), /^0000006c0100220420[0-9a-f]{64}02004403420004/);
  const peer = run('b8030009010002e0f102000120').slice(14);
  const own = `010002e0f10500010306${peer.length / 2 > 255 ? '' : '00'}${(peer.length / 2).toString(16)}${peer}`;
  const agree = (end: string) => `b301${((own.length + end.length) / 2).toString(16).padStart(4, '0')}${own}${end}`;
  assert.match(run(agree('070000')), /^00000020[0-9a-f]{64}$/);
  assert.equal(run(agree('080002e100')), '00000000');
  assert.equal(fails(agree('080002e200')), '01');
  run('82400007f1d00000aabbcc');
  const digest = createHash('sha256').update(Buffer.from('aabbcc', 'hex')).digest('hex');
  assert.equal(run('b0e20009110006f1d00000ffff'), `00000023010020${digest}`);
  assert.equal(fails('b0e2000403000100'), '0b');
  const context = run('b0e20007000001aa070000').slice(14);
  assert.match(context, /^[0-9a-f]{32}$/);
  const end = (bytes: string, of: string) => `b0e20018${`030002${bytes}060010${of}`}`;
  assert.equal(run(end('bbcc', context)), `00000023010020${digest}`);
  assert.notEqual(run(end('bbcd', context)), `00000023010020${digest}`);
  assert.equal(fails(end('bbcc', '00'.repeat(16))), '0b');
});
