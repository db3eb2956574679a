/** Rates of a rollout (fact sheet 36.1: AWS's example of base 50, factor 2, threshold 1000). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { caughtUp, isInStep, dueAfter, dueAtRate, ratePerMinute, type RolloutRate, STEP } from './rollout.ts';

/** Fractions are less exact in a time of today. */
const START = Date.UTC(2026, 10, 20);

/** Executions that a rollout of as many things makes in each second. */
function perSecond(rate: RolloutRate, things: number, succeeds: (notified: number) => number = () => 0): number[] {
  const seconds: number[] = [];
  let due = START;
  let notified = 0;
  for (let now = START; notified < things; now += STEP) {
    let made = 0;
    for (; isInStep(due, now) && notified < things; made += 1) {
      due = dueAfter(due, rate, { notified, succeeded: succeeds(notified) });
      notified += 1;
    }
    seconds.push(made);
  }
  return seconds;
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

describe('rollout', () => {
  test('1000 per minute, which is the default, is 1000 in a minute exactly, and as many in each second', () => {
    for (const rate of [{}, { maximumPerMinute: 1000 }]) {
      const seconds = perSecond(rate, 5000);
      assert.equal(sum(seconds.slice(0, 60)), 1000);
      assert.equal(sum(seconds.slice(60, 120)), 1000);
      assert.deepEqual([...new Set(seconds.slice(0, 120))].sort(), [16, 17]);
    }
  });

  test('any constant rate is kept in each minute', () => {
    for (const maximumPerMinute of [1, 7, 59, 60, 61, 999]) {
      const seconds = perSecond({ maximumPerMinute }, maximumPerMinute * 4);
      for (let minute = 0; minute < 4; minute += 1)
        assert.equal(sum(seconds.slice(minute * 60, minute * 60 + 60)), maximumPerMinute, `${maximumPerMinute} in ${minute}`);
    }
  });

  test("AWS's example: 50 per minute to 1000 things, 100 to 2000, 200 to 3000, 400 to 4000", () => {
    const exponential = {
      baseRatePerMinute: 50,
      incrementFactor: 2,
      criteria: { of: 'notified', things: 1000 },
    } as const;
    const rate = { exponential, maximumPerMinute: 1000 };
    const at = (notified: number) => ratePerMinute(rate, { notified, succeeded: 0 });
    assert.deepEqual([0, 999, 1000, 1999, 2000, 3000, 4000, 5000, 50_000].map(at), [50, 50, 100, 100, 200, 400, 800, 1000, 1000]);
    const seconds = perSecond(rate, 4000);
    assert.equal(sum(seconds.slice(0, 20 * 60)), 1000);
    assert.equal(sum(seconds.slice(20 * 60, 30 * 60)), 1000);
    assert.equal(sum(seconds.slice(30 * 60, 35 * 60)), 1000);
    assert.equal(seconds.length, 37.5 * 60);
  });

  test('by successes the rate rises only as things succeed', () => {
    const exponential = {
      baseRatePerMinute: 10,
      incrementFactor: 1.5,
      criteria: { of: 'succeeded', things: 5 },
    } as const;
    assert.equal(ratePerMinute({ exponential }, { notified: 100, succeeded: 4 }), 10);
    assert.equal(ratePerMinute({ exponential }, { notified: 100, succeeded: 10 }), 22.5);
  });

  test('a rollout that was held up for long goes on from now; a late step catches up', () => {
    assert.equal(caughtUp(1000, 3000), 1000);
    assert.equal(caughtUp(1000, 600_000), 600_000);
    // The slowest one is a minute ahead of its step; what is beyond was set by a clock that was ahead.
    assert.equal(caughtUp(660_000, 600_000), 660_000);
    assert.equal(caughtUp(86_400_000, 600_000), 600_000);
  });

  test('another rate counts from the last execution on, and no change brings one sooner than its rate', () => {
    const counts = { notified: 1, succeeded: 0 };
    const slow = { maximumPerMinute: 1 };
    const fast = { maximumPerMinute: 60 };
    const now = START + 10_000;
    assert.equal(dueAtRate(START + 60_000, { before: slow, after: fast, now }, counts), now);
    assert.equal(dueAtRate(START + 60_000, { before: slow, after: { maximumPerMinute: 4 }, now }, counts), START + 15_000);
    assert.equal(dueAtRate(START + 60_000, { before: slow, after: slow, now }, counts), START + 60_000);
    assert.equal(dueAtRate(now + 1000, { before: fast, after: slow, now }, counts), now + 60_000);
    assert.equal(dueAtRate(START, { before: slow, after: fast, now }, { notified: 0, succeeded: 0 }), START);
  });

  test('a rollout of one thing in a minute waits for its minute, and not for a clock that was ahead', () => {
    assert.equal(caughtUp(61_000, 1000), 61_000);
    assert.equal(caughtUp(3_600_000, 1000), 1000);
  });
});
