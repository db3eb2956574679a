/** Log lines: errors are bounded in number and length, whatever makes them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asRefusal } from './disk-failure.ts';
import { openLog } from './log.ts';

function workbench() {
  const time = { now: 1_000_000 };
  const lines: string[] = [];
  const log = openLog('info', { write: (line: string) => void lines.push(line) }, () => time.now);
  return { time, lines, log };
}

test('a flood of errors is logged up to a rate, and then counted; other lines go on', () => {
  const { time, lines, log } = workbench();
  for (let i = 0; i < 300; i += 1) log.error({ err: new Error('no') }, `it failed in the way ${i % 30}`);
  assert.equal(lines.length, 50);
  log.info('still here');
  log.warn('and here');
  assert.equal(lines.length, 52);
  time.now += 1000;
  log.fatal('again');
  assert.equal(lines.length, 54);
  assert.deepEqual(JSON.parse(lines[52] ?? '').count, 250);
});

test('other lines have a rate too', () => {
  const { time, lines, log } = workbench();
  for (let i = 0; i < 2_000; i += 1) log[i % 2 === 0 ? 'warn' : 'info']({ i }, 'as a tenant likes');
  assert.equal(lines.length, 500);
  time.now += 1000;
  log.info('again');
  assert.equal(JSON.parse(lines[500] ?? '').count, 1_500);
});

test('the texts of an error are cut', () => {
  const { lines, log } = workbench();
  log.error({ err: new Error('x'.repeat(1_000_000)) }, 'it failed');
  assert.ok((lines[0] ?? '').length < 10_000);
  assert.match(JSON.parse(lines[0] ?? '').err.message, /^x{4096}…$/);
});

test('errors of one kind are logged ten times, and once a second while they go on; those of another kind are seen', () => {
  const { time, lines, log } = workbench();
  const flood = (): void => {
    for (let i = 0; i < 1000; i += 1) log.error({ err: new Error('disk') }, 'a message could not be stored');
  };
  flood();
  assert.equal(lines.length, 10);
  log.error('something else');
  assert.equal(lines.length, 11);
  for (let second = 0; second < 60; second += 1) {
    time.now += 1000;
    flood();
  }
  // One of the kind, and one that counts the rest.
  assert.equal(lines.length, 11 + 60 * 2);
  assert.ok(lines.join('').length < 100_000);
  time.now += 2000;
  flood();
  assert.equal(lines.length, 11 + 60 * 2 + 11);
});

test('an error of the disk, or of what is on it, has no stack', () => {
  const { lines, log } = workbench();
  const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC', syscall: 'write' });
  for (const err of [asRefusal(full), Object.assign(new Error('damaged'), { stackless: true }), new Error('a fault')])
    log.error({ err }, 'it failed');
  assert.deepEqual(
    lines.map((line) => 'stack' in JSON.parse(line).err),
    [false, false, true],
  );
  assert.match(lines[0] ?? '', /disk is full.*ENOSPC/);
});
