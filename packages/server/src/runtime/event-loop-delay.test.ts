/** The event loop's delay: noted by a timer, and a delay that has not ended counts too. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventLoopDelay } from './event-loop-delay.ts';

test('the longest delay since the last look is reported once', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let now = 0;
  const pass = (milliseconds: number): void => {
    now += milliseconds;
    t.mock.timers.tick(20);
  };
  using delay = new EventLoopDelay({ now: () => now, monotonic: () => now });
  pass(20);
  pass(320);
  pass(20);
  assert.equal(delay.takeLongest(), 0.3);
  assert.equal(delay.takeLongest(), 0);
  assert.deepEqual([delay.time.cumulative.at(-1), delay.time.sum], [3, 0.3]);
  now += 1020;
  assert.equal(delay.takeLongest(), 1, 'one that goes on');
});
