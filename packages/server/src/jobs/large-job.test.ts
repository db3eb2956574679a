/** A job to 10,000 things: the documented arithmetic of rollout and abort at its full size (fact sheet 36.1, 36.2). */
// suite: long
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memberships, thingGroups } from '../registry/groups/store.ts';
import { things } from '../registry/store.ts';
import { counts, toGroup } from './grouped.fixture.ts';
import { JobsFixture } from './jobs.fixture.ts';

const THINGS = 10_000;
const nameOf = (i: number): string => `t${String(i).padStart(5, '0')}`;

/** A group with things, whose records are written at once. */
async function fleet(): Promise<JobsFixture> {
  const bench = await JobsFixture.open();
  await bench.call('CreateThingGroup', { thingGroupName: 'g' });
  const accountId = bench.account;
  const group = await bench.regional.read((tx) => tx.get(thingGroups, [accountId, 'g']));
  assert.ok(group !== undefined);
  const { groupName, groupId } = group;
  for (let from = 0; from < THINGS; from += 1000)
    await bench.regional.write(async (tx) => {
      for (let i = from; i < from + 1000; i += 1) {
        const thing = { accountId, thingName: nameOf(i), thingId: `id${i}` };
        await tx.put(things, { ...thing, attributes: {}, version: 1, createdAt: 0 });
        const known = { groupName, groupId, membershipId: `m${i}`, hierarchy: [groupId], isByQuery: false, joinedAt: 0 };
        await tx.put(memberships, { ...thing, ...known });
      }
    });
  return bench;
}

test('exponential: base 50, factor 2, each 1000 notified; the thresholds come at their minutes, and an abort ends it', async () => {
  await using bench = await fleet();
  const exponentialRate = {
    baseRatePerMinute: 50,
    incrementFactor: 2,
    rateIncreaseCriteria: { numberOfNotifiedThings: 1000 },
  };
  const criterion = { failureType: 'FAILED', action: 'CANCEL', thresholdPercentage: 10, minNumberOfExecutedThings: 100 } as const;
  await bench.call(
    'CreateJob',
    toGroup({
      jobExecutionsRolloutConfig: { exponentialRate, maximumPerMinute: 1000 },
      abortConfig: { criteriaList: [criterion] },
    }),
  );
  await bench.settle();
  const queued = async () => (await counts(bench)).Queued;
  await bench.pass(20 * 60 - 1);
  assert.equal(await queued(), 1000);
  await bench.pass(10 * 60);
  assert.equal(await queued(), 2000);
  await bench.pass(5 * 60);
  assert.equal(await queued(), 3000);
  await bench.pass(150);
  assert.equal(await queued(), 4000);
  await bench.pass(75);
  assert.equal(await queued(), 5000);
  await bench.pass(60);
  assert.equal(await queued(), 6000);
  for (let i = 0; i < 99; i += 1) await bench.ask(nameOf(i), 'j/update', { status: i < 10 ? 'FAILED' : 'SUCCEEDED' });
  assert.equal(await bench.jobStatus('j'), 'IN_PROGRESS');
  await bench.ask(nameOf(99), 'j/update', { status: 'SUCCEEDED' });
  assert.equal(await bench.jobStatus('j'), 'CANCELED');
  await bench.settle();
  assert.deepEqual(await counts(bench), { Canceled: 5900, Failed: 10, Succeeded: 90 });
});
