/** Refusals are kept within bounds, found again, and no flood of them drowns the log. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adminOperations } from '../admin/admin.operations.ts';
import { caller } from '../testing/registry-fixture.ts';
import { openLog } from '../runtime/log.ts';
import { announceRefusals } from './topics.ts';
import { type Refusal, Refusals } from './refusals.ts';

const refusal: Refusal = { check: 'policy', reason: 'no', protocol: 'mqtt', sourceIp: '192.0.2.1' };
const owned: Refusal = { ...refusal, accountId: '000000000000', region: 'us-east-1' };
const workbench = () => {
  const time = { now: 1_000_000 };
  const lines: string[] = [];
  const log = openLog('info', { write: (line: string) => void lines.push(line) });
  return { time, lines, refusals: new Refusals({ now: () => time.now, monotonic: () => time.now }, log) };
};

test('the newest that fit are listed, oldest first', () => {
  const { refusals } = workbench();
  for (let i = 0; i < 10_005; i += 1) refusals.record({ ...owned, clientId: `c${i % 2}` });
  const numbers = (query: object) => refusals.list(query).map(({ sequence }) => sequence);
  assert.deepEqual(numbers({ limit: 3 }), [10_003, 10_004, 10_005]);
  assert.deepEqual(numbers({ after: 10_000, clientId: 'c1' }), [10_002, 10_004]);
  assert.equal(numbers({ limit: 20_000 })[0], 6, 'what is older than the last ten thousand is gone');
});

test('what a stranger sends is cut', () => {
  const { refusals } = workbench();
  refusals.record({ ...refusal, clientId: 'x'.repeat(60_000) });
  assert.equal(refusals.list()[0]?.clientId?.length, 1025);
});

test('a flood is logged up to a rate, and then counted', () => {
  const { refusals, lines, time } = workbench();
  for (let i = 0; i < 300; i += 1) refusals.record(owned);
  assert.equal(lines.length, 100);
  refusals.record({ ...owned, accountId: 'another' });
  assert.equal(lines.length, 101, 'another account has log lines of its own');
  time.now += 1000;
  refusals.record(owned);
  assert.equal(lines.length, 103);
  assert.equal(JSON.parse(lines[101] ?? '').count, 200);
});

test('what costs something to find out is found out for 10 refusals of an account in a second', () => {
  const { refusals, lines } = workbench();
  let asked = 0;
  const explain = () => {
    asked += 1;
    return `for reason ${asked}`;
  };
  for (let i = 0; i < 300; i += 1) refusals.record({ ...owned, explain });
  assert.equal(asked, 10);
  refusals.record({ ...owned, accountId: 'another', explain });
  assert.equal(asked, 11);
  assert.equal(refusals.list({ limit: 301 })[0]?.reason, 'no: for reason 1');
  assert.equal(refusals.list({ limit: 1, accountId: owned.accountId })[0]?.reason, 'no');
  assert.equal(JSON.parse(lines[0] ?? '').msg, 'no: for reason 1');
});

test('a stranger leaves 60 in a minute, and pushes out none that has an owner', () => {
  const { refusals, lines, time } = workbench();
  refusals.record({ ...owned, clientId: 'mine' });
  for (let i = 0; i < 100; i += 1) refusals.record(refusal);
  assert.deepEqual(
    [refusals.list({ limit: 1000 }).length, lines.length, Object.values(refusals.byCheck).reduce((sum, count) => sum + count, 0)],
    [61, 61, 101],
  );
  time.now += 60_000;
  refusals.record(refusal);
  assert.equal(refusals.list().at(-1)?.reason, 'no (40 more refusals of this address were not recorded)');
  for (let i = 0; i < 20_000; i += 1) {
    if (i % 100 === 0) time.now += 1_000;
    refusals.record({ ...refusal, sourceIp: `2001:db8:0:${i.toString(16)}::1` });
  }
  const kept = refusals.list({ limit: 20_000 });
  assert.deepEqual([kept.length, kept[0]?.clientId], [2_001, 'mine']);
  assert.deepEqual(
    kept.map(({ sequence }) => sequence),
    kept.map(({ sequence }) => sequence).toSorted((a, b) => a - b),
  );
});

test('what names an account without proof leaves 60 in a minute, for that account, and pushes out none of its own', () => {
  const { refusals } = workbench();
  const unproven: Refusal = { ...refusal, accountId: '000000000000', isUnproven: true };
  refusals.record({ ...owned, clientId: 'mine' });
  for (let i = 0; i < 100; i += 1) refusals.record(unproven);
  const counts = ['000000000000', '111111111111'].map((accountId) => refusals.list({ accountId, limit: 1000 }).length);
  assert.deepEqual(counts, [61, 0]);
  for (let i = 0; i < 12_000; i += 1) refusals.record({ ...unproven, sourceIp: `2001:db8::${i.toString(16)}` });
  assert.equal(refusals.list({ accountId: '000000000000', limit: 20_000 })[0]?.clientId, 'mine');
});

test('an account pushes out its own records, and those of no other', () => {
  const { refusals } = workbench();
  for (const accountId of ['one', 'two']) for (let i = 0; i < 20; i += 1) refusals.record({ ...refusal, accountId });
  for (let i = 0; i < 12_000; i += 1) refusals.record({ ...refusal, accountId: 'loud' });
  const ofAccount = (accountId: string) => refusals.list({ accountId, limit: 20_000 }).length;
  assert.deepEqual([ofAccount('one'), ofAccount('two'), ofAccount('loud')], [20, 20, 9_960]);
  assert.equal(refusals.list({ limit: 20_000 }).length, 10_000);
  for (let i = 0; i < 12_000; i += 1) refusals.record({ ...refusal, accountId: 'two' });
  assert.equal(ofAccount('one'), 20);
  assert.ok(Math.abs(ofAccount('two') - ofAccount('loud')) <= 1);
});

test('the failure of a rule is kept for its owner, and neither logged again nor announced', () => {
  const { refusals, lines } = workbench();
  const topics: string[] = [];
  announceRefusals(refusals, (_place, topic) => topics.push(topic));
  refusals.record({ check: 'rule', reason: 'no', protocol: 'rule', accountId: '000000000000', region: 'us-east-1' });
  assert.deepEqual([refusals.list().length, lines.length, topics.length], [1, 0, 0]);
});

test('unidentified peers of one network count as one, and all of them leave 100 in a second', () => {
  const { refusals, time } = workbench();
  const left = (addresses: readonly string[]): number => {
    time.now += 60_000;
    const before = refusals.list({ limit: 20_000 }).at(-1)?.sequence ?? 0;
    for (const sourceIp of addresses) refusals.record({ ...refusal, sourceIp });
    return (refusals.list({ limit: 20_000 }).at(-1)?.sequence ?? 0) - before;
  };
  const many = (address: (n: string) => string): string[] => Array.from({ length: 500 }, (_, n) => address((n + 1).toString(16)));
  assert.equal(left(many((n) => `2001:db8:1:2::${n}`)), 60);
  assert.equal(left(many((n) => `2001:db8:1:2:${n}:4:5:6`)), 60);
  assert.equal(left(many((n) => `2001:db8::${n}`)), 60);
  assert.equal(left(many((n) => `2001:db8:0:${n}::1`)), 100);
  assert.equal(left(many((n) => `::ffff:10.0.0.${Number.parseInt(n, 16) % 250}`)), 100);
});

test('a peer that names an account without a proof is bounded as one that names none', () => {
  const { refusals } = workbench();
  for (let i = 0; i < 100; i += 1) refusals.record({ ...owned, isUnproven: true });
  assert.equal(refusals.list({ accountId: owned.accountId, limit: 1_000 }).length, 60);
  assert.equal(refusals.list({ accountId: 'another' }).length, 0);
});

test('the oldest records go of the account that has the most, whatever came before', () => {
  const { refusals } = workbench();
  const record = (accountId: string, count: number): void => {
    for (let i = 0; i < count; i += 1) refusals.record({ ...refusal, accountId });
  };
  record('a', 5_001);
  record('b', 4_999);
  for (let n = 0; n < 20; n += 1) record(`c${n}`, 238);
  const size = (accountId: string): number => refusals.list({ accountId, limit: 20_000 }).length;
  assert.ok(Math.abs(size('a') - size('b')) <= 1);
  assert.equal(size('c7'), 238);
});

test('an explanation that fails is left out', () => {
  const { refusals, lines } = workbench();
  refusals.record({
    ...owned,
    explain: () => {
      throw new Error('broken');
    },
  });
  assert.equal(refusals.list()[0]?.reason, 'no');
  assert.equal(JSON.parse(lines[0] ?? '').event, 'explain-failed');
});

test('announced to their account, under - when the client id is no topic level, and never about an event itself', () => {
  const { refusals } = workbench();
  const topics: string[] = [];
  announceRefusals(refusals, (_place, topic) => topics.push(topic));
  const ours = { ...refusal, accountId: '000000000000', region: 'us-east-1' };
  refusals.record(refusal);
  for (const clientId of ['lamp', 'a/b', '#', '+']) refusals.record({ ...ours, clientId });
  refusals.record(ours);
  refusals.record({ ...ours, action: 'iot:Receive' });
  assert.deepEqual(
    topics.map((topic) => topic.slice('$thingkeep/events/refusals/'.length)),
    ['lamp', '-', '-', '-', '-'],
  );
});

test('a caller sees the refusals of its account and of nobody, and a parameter that is no number is refused', async () => {
  const { refusals } = workbench();
  refusals.record({ ...refusal, accountId: caller.accountId, clientId: 'mine' });
  refusals.record({ ...refusal, accountId: '111111111111', clientId: 'theirs' });
  refusals.record({ ...refusal, clientId: 'nobody' });
  const list = adminOperations({
    refusals,
    rootKeys: { create: () => ({}), renew: () => ({}) },
    listExpiring: async () => ({}),
    auditState: () => ({}),
    backup: async () => ({}),
    isOperator: () => true,
  }).get('GET /admin/refusals');
  assert.ok(list);
  const answer = (await list(new URLSearchParams(), caller)) as { refusals: Refusal[] };
  assert.deepEqual(
    answer.refusals.map(({ clientId }) => clientId),
    ['mine', 'nobody'],
  );
  await assert.rejects(list(new URLSearchParams('limit=-1'), caller), { code: 'InvalidRequestException' });
});
