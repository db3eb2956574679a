/** Rules in memory: how many evaluations an account has in a second, how much its rules are, and what a start leaves out. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { LIMITS } from '@thingkeep/wire/limits.ts';
import { openLog } from '../runtime/log.ts';
import { byRegion } from '../store/regional.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import { AccountSizes, ruleSize } from './account-sizes.ts';
import { parseRule } from './compiled-rule.ts';
import { RuleMetrics } from './metrics.ts';
import { RuleDirectory, type RuleDirectoryOptions } from './rule-directory.ts';
import { PATTERNS } from './sql/functions/pattern-cache.ts';
import { SQL_LIMITS } from './sql/limits.ts';
import { type RuleRecord, rules as ruleRecords } from './store.ts';

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

const record = (ruleName: string, sql: string): RuleRecord => ({
  accountId: place.accountId,
  ruleName,
  sql,
  awsIotSqlVersion: '2016-03-23',
  actions: [],
  ruleDisabled: false,
  createdAt: 0,
});

test('a start leaves out stored rules beyond the bounds, compiles no expression, and keeps the others', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'thingkeep-rules-'));
  const store = await openSqliteStore({ path: join(folder, 'data') });
  const lines: string[] = [];
  const log = {
    ...openLog('silent'),
    error: ({ ruleName, event }: { ruleName: string; event: string }) => lines.push(`${event} ${ruleName}`),
  };
  const states = Array.from({ length: 100 }, (_, i) => `regexp_matches(a,'(abcdefghij?){999}${i}') AS x${i}`).join(',');
  const stored = [
    record('a-states', `SELECT ${states} FROM 'a'`),
    record('b-nodes', `SELECT a IN [${'1,'.repeat(80_000)}1] AS r FROM 'a'`),
    record('c-text', 'SELECT'),
    // As large as one may be; an account has room for some of them.
    ...Array.from({ length: 100 }, (_, i) =>
      record(
        `d${String(i).padStart(3, '0')}`,
        `SELECT regexp_matches(a, '(abc){600}${i}'), a IN [${'1,'.repeat(3_990)}1] AS r FROM 'a'`,
      ),
    ),
    record('e', "SELECT * FROM 'a'"),
  ];
  const inRegion = byRegion(store);
  await inRegion(place.region).write(async (tx) => {
    for (const each of stored) await tx.put(ruleRecords, each);
  });
  const { compiled } = PATTERNS;
  const services = {
    accountId: place.accountId,
    region: place.region,
    random: () => 0,
    uuid: () => '',
    call: async () => undefined,
  };
  const options = { evaluationsPerSecond: 0, log, inRegion, regions: async () => [place.region], services: () => services };
  const rules = new RuleDirectory(options as unknown as RuleDirectoryOptions, new RuleMetrics());
  try {
    await rules.load();
    assert.equal(PATTERNS.compiled, compiled);
    assert.deepEqual(lines.slice(0, 3), ['rule-unreadable a-states', 'rule-unreadable b-nodes', 'rule-unreadable c-text']);
    const kept = rules.covering(place, 'a');
    const size = kept.reduce((sum, each) => sum + ruleSize(each.record, each.query), 0);
    assert.ok(size <= SQL_LIMITS.accountNodes && size > SQL_LIMITS.accountNodes * 0.9, `${size}`);
    assert.equal(kept.length + lines.length, stored.length);
    assert.ok(rules.find(place, 'd000') !== undefined && rules.find(place, 'e') !== undefined);
    // One that is left out stays so when it is changed, and the change does not fail.
    await inRegion(place.region).write((tx) => tx.put(ruleRecords, { ...(stored[0] as RuleRecord), ruleDisabled: true }));
    const roles = { learn: async () => undefined, retain: () => undefined };
    Object.assign(options, { roles });
    await rules.refresh(place, 'a-states');
    assert.equal(rules.find(place, 'a-states'), undefined);
  } finally {
    await store[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  }
});

test('rules of an account have a bound together, in all regions, also those that are about to be stored', () => {
  const sizes = new AccountSizes(100);
  const elsewhere = { ...place, region: 'eu-west-1' };
  const beyond = { code: 'InvalidRequestException' };
  sizes.put(place, 'a', 40);
  sizes.put(elsewhere, 'a', 40);
  assert.throws(() => sizes.put(place, 'b', 21), beyond);
  const release = sizes.reserve(place, 'b', 20);
  assert.throws(() => sizes.reserve(elsewhere, 'c', 1), beyond);
  sizes.put(place, 'b', 20);
  release();
  release();
  // A rule that is replaced counts once.
  sizes.reserve(place, 'a', 40)();
  assert.throws(() => sizes.reserve(place, 'a', 41), beyond);
  sizes.put({ ...place, accountId: '111111111111' }, 'a', 100);
  sizes.remove(elsewhere, 'a');
  sizes.put(place, 'a', 80);
  const { query } = parseRule(record('x', "SELECT a FROM 'a'"));
  assert.ok(ruleSize(record('x', "SELECT a FROM 'a'"), query) < 10);
});
