/** Timers of an execution (fact sheet 36.3: the guide's example of 12:00, 12:05, 12:10 and 12:13). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timesOutAt, NO_STEP_TIMER, secondsLeft, startedTimers, withStepTimer } from './timers.ts';

const at = (hours: number, minutes: number): number => Date.UTC(2026, 10, 20, hours, minutes);

test('the example: 20 minutes from 12:00; steps at 12:05, 12:10 and 12:13', () => {
  const started = startedTimers(at(12, 0), 20);
  assert.equal(timesOutAt(started), at(12, 20));
  const first = withStepTimer(started, at(12, 5), 7);
  assert.equal(timesOutAt(first), at(12, 12));
  const second = withStepTimer(first, at(12, 10), 5);
  assert.equal(timesOutAt(second), at(12, 15));
  const third = withStepTimer(second, at(12, 13), 9);
  assert.equal(timesOutAt(third), at(12, 20));
});

test('an update without the member leaves the step timer, -1 ends it', () => {
  const set = withStepTimer(startedTimers(at(12, 0), 60), at(12, 1), 5);
  assert.equal(timesOutAt(withStepTimer(set, at(12, 3), undefined)), at(12, 6));
  assert.equal(timesOutAt(withStepTimer(set, at(12, 3), NO_STEP_TIMER)), at(13, 0));
});

test('without an in-progress timer the step timer alone decides, and without both nothing does', () => {
  const none = startedTimers(at(12, 0), undefined);
  assert.equal(timesOutAt(none), undefined);
  assert.equal(secondsLeft(none, at(12, 0)), undefined);
  const step = withStepTimer(none, at(12, 1), 10_080);
  assert.equal(timesOutAt(step), at(12, 1) + 10_080 * 60_000);
  assert.equal(timesOutAt(withStepTimer(step, at(12, 2), NO_STEP_TIMER)), undefined);
  assert.equal(secondsLeft(withStepTimer(none, 0, 1), 30_500), 29);
  assert.equal(secondsLeft(withStepTimer(none, 0, 1), 90_000), 0);
});
