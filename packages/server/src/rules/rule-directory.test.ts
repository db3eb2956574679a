/** How many evaluations an account has in a second (General Reference, AWS IoT Core rules engine quotas). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '@thingkeep/wire/limits.ts';
import { RuleMetrics } from './metrics.ts';
import { RuleDirectory, type RuleDirectoryOptions } from './rule-directory.ts';

const directory = (evaluationsPerSecond: number): RuleDirectory =>
  new RuleDirectory({ evaluationsPerSecond } as RuleDirectoryOptions, new RuleMetrics());
const place = { accountId: '000000000000', region: 'us-east-1' };

test('each account has its rate in each region, a second of it at once', () => {
  const rules = directory(LIMITS.ruleEvaluations);
  const passed = (now: number, where = place): number => {
    let count = 0;
    while (count < 100_000 && rules.mayEvaluate(where, () => now)) count += 1;
    return count;
  };
  assert.equal(passed(5000), 20_000);
  assert.equal(passed(5100), 2_000);
  assert.equal(passed(5100, { ...place, region: 'eu-west-1' }), 20_000);
  assert.equal(passed(5100, { ...place, accountId: '111111111111' }), 20_000);
});

test('without a rate nobody looks at the clock', () => {
  assert.ok(directory(0).mayEvaluate(place, () => assert.fail('the clock was asked')));
});
