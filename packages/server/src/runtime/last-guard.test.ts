/** What nothing else caught: logged within bounds, and the process goes on. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { lastGuard } from './last-guard.ts';

function bench() {
  let now = 0;
  const lines: Record<string, unknown>[] = [];
  const log = { error: (line: unknown) => void lines.push(line as Record<string, unknown>) };
  const clock = { now: () => 0, monotonic: () => now };
  const later = (ms: number): void => {
    now += ms;
  };
  return { guard: lastGuard({ clock, log: log as never }), lines, later };
}

test('ten lines a second, and how many there were beyond them', () => {
  const { guard, lines, later } = bench();
  for (let n = 0; n < 1000; n += 1) guard('rejection', new TypeError(`number ${n}`));
  assert.equal(lines.length, 10);
  assert.match(String(lines[0]?.error), /^TypeError: number 0\n\s+at /);
  later(1000);
  guard('exception', 'just text');
  assert.deepEqual(lines[10], { event: 'uncaught', kind: 'exception', error: 'just text', untold: 990 });
});

test('whatever is thrown is shown, and no longer than 4,096 characters', () => {
  const { guard, lines } = bench();
  const hostile = {
    toString() {
      throw new TypeError('not even this');
    },
  };
  for (const thrown of [undefined, null, Symbol('s'), hostile, 'x'.repeat(100_000), Object.create(null)])
    guard('rejection', thrown);
  assert.equal(lines.length, 6);
  assert.ok(lines.every(({ error }) => typeof error === 'string' && error.length <= 4096));
});

test('a process that is guarded goes on after rejections and exceptions, in every way that they come', () => {
  const code = `
    import { EventEmitter } from 'node:events';
    import { standGuard } from '${new URL('./last-guard.ts', import.meta.url).href}';
    const lines = [];
    standGuard({ clock: { now: () => 0, monotonic: () => 0 }, log: { error: ({ kind }) => lines.push(kind) } });
    void Promise.reject(new TypeError('a'));
    setTimeout(() => { throw new TypeError('b'); }, 1);
    process.nextTick(() => new EventEmitter().emit('error', new TypeError('c')));
    setTimeout(() => console.log(lines.sort().join(' ')), 50);`;
  const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', code], { encoding: 'utf8' });
  assert.deepEqual([stdout, status], ['exception exception rejection\n', 0]);
});
