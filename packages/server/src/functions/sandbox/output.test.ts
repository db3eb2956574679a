/** Lines out of whatever bytes a process writes, and never more than there is room for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FunctionOutput, type LogLine } from './output.ts';

function bench() {
  const told: LogLine[] = [];
  const output = new FunctionOutput({ now: () => 5, writeLog: (lines) => void told.push(...lines) });
  return { output, told, messages: () => told.map(({ message }) => message) };
}

test('lines are told with those of Lambda around them, whole however they come', () => {
  const { output, messages } = bench();
  const bytes = Buffer.from('one\ntwo \u00e9\u{1F600}\r\n\nthree');
  output.begin('id', '7');
  for (const byte of bytes) output.write(Buffer.of(byte));
  const tail = output.end('id', 'Duration: 1 ms');
  const expected = [
    ...['START RequestId: id Version: 7', 'one', 'two \u00e9\u{1F600}', 'three'],
    ...['END RequestId: id', 'REPORT RequestId: id\tDuration: 1 ms'],
  ];
  assert.deepEqual(messages(), expected);
  assert.ok(tail.startsWith('START RequestId: id'));
});

test('the tail has the last 4 KB of one invocation', () => {
  const { output } = bench();
  output.begin('a', '1');
  output.write(Buffer.from(`${'x'.repeat(10_000)}\n`));
  assert.equal(output.end('a', '').length, 4096);
  output.begin('b', '1');
  assert.equal(output.end('b', '').includes('xxx'), false);
});

test('what one invocation writes is bounded, said so, and the next one has its own room', () => {
  const { output, messages } = bench();
  output.begin('a', '1');
  for (let n = 0; n < 100; n += 1) output.write(Buffer.from(`${String(n).repeat(10_000)}\n`.repeat(3)));
  output.end('a', '');
  assert.ok(messages().reduce((sum, message) => sum + message.length, 0) < 1_100_000);
  assert.ok(messages().some((message) => /^The function wrote \d+ bytes/.test(message)));
  output.begin('b', '1');
  output.write(Buffer.from('seen\n'));
  output.end('b', '');
  assert.ok(messages().includes('seen'));
});

test('a line without an end is cut', () => {
  const { output, messages } = bench();
  output.begin('a', '1');
  output.write(Buffer.from('y'.repeat(300_000)));
  output.end('a', '');
  assert.ok(messages().every((message) => message.length <= 256 * 1024));
});

test('a million short lines are as bounded as few long ones', () => {
  const { output, told } = bench();
  output.begin('a', '1');
  output.write(Buffer.from('a\n'.repeat(1_000_000)));
  for (let n = 0; n < 30; n += 1) output.write(Buffer.from('b\n'.repeat(30_000)));
  const tail = output.end('a', '');
  assert.ok(told.length < 45_000, `${told.length} lines`);
  assert.ok(tail.length <= 4096);
});

test('a batch has fewer lines than the ids of events leave room for', () => {
  const batches: number[] = [];
  const output = new FunctionOutput({ now: () => 5, writeLog: (lines) => void batches.push(lines.length) });
  output.begin('a', '1');
  output.write(Buffer.from('a\n'.repeat(30_000)));
  output.end('a', '');
  assert.ok(Math.max(...batches) < 10_000);
});
