/** Continuous jobs of many accounts: what one has to follow, or can't, holds up no other. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as pathOf } from 'node:path';
import { after, describe, test } from 'node:test';
import type { Caller } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { caller, stranger } from '../testing/operations-fixture.ts';
import { grouped } from './grouped.fixture.ts';
import { type JobsFixture, MINUTE } from './jobs.fixture.ts';
import { executions, jobCounts } from './store.ts';

const groupOf = ({ region, accountId }: Caller): string => `arn:aws:iot:${region}:${accountId}:thinggroup/g`;

const continuous = (jobId: string, who: Caller): IotOperations['CreateJob']['input'] => ({
  jobId,
  targets: [groupOf(who)],
  document: '{}',
  targetSelection: 'CONTINUOUS',
});

/** The group of another account, with a continuous job. */
async function withStranger(bench: JobsFixture): Promise<JobsFixture> {
  await bench.call('CreateThingGroup', { thingGroupName: 'g' }, stranger);
  await bench.call('CreateJob', continuous('j', stranger), stranger);
  await bench.settle();
  return bench;
}

async function join(bench: JobsFixture, thingName: string, who: Caller): Promise<void> {
  await bench.call('CreateThing', { thingName }, who);
  await bench.call('AddThingToThingGroup', { thingName, thingGroupName: 'g' }, who);
}

const leave = (bench: JobsFixture, thingName: string) =>
  bench.call('RemoveThingFromThingGroup', { thingName, thingGroupName: 'g' });

/** How many executions of each status a thing has. */
async function statusesOf(bench: JobsFixture, thingName: string, who: Caller): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (let nextToken: string | undefined; ; ) {
    const page = await bench.call('ListJobExecutionsForThing', { thingName, nextToken }, who);
    for (const { jobExecutionSummary } of page.executionSummaries ?? []) {
      const status = jobExecutionSummary?.status ?? '';
      found[status] = (found[status] ?? 0) + 1;
    }
    nextToken = page.nextToken;
    if (nextToken === undefined) return found;
  }
}

describe('turns of accounts', () => {
  const JOBS = 120;

  async function busy(): Promise<JobsFixture> {
    const bench = await withStranger(await grouped(0));
    for (let i = 0; i < JOBS; i += 1) await bench.call('CreateJob', continuous(`j${i}`, caller));
    await bench.settle();
    return bench;
  }

  test('a thing of another account gets its execution while an account with many jobs is behind', async () => {
    await using bench = await busy();
    for (const name of ['a', 'b', 'c']) await join(bench, name, caller);
    await join(bench, 'x', stranger);
    await bench.followed();
    assert.deepEqual(await statusesOf(bench, 'x', stranger), { QUEUED: 1 });
    assert.ok(((await statusesOf(bench, 'c', caller)).QUEUED ?? 0) < JOBS);
    await bench.settle();
    for (const name of ['a', 'b', 'c']) assert.deepEqual(await statusesOf(bench, name, caller), { QUEUED: JOBS }, name);
  });

  test('changes of one account are followed in their order, across a restart too', async () => {
    await using bench = await busy();
    await join(bench, 'a', caller);
    await bench.followed();
    await leave(bench, 'a');
    await bench.followed();
    await bench.restart();
    await bench.settle();
    const { REMOVED = 0, ...rest } = await statusesOf(bench, 'a', caller);
    assert.deepEqual(rest, {});
    await bench.call('AddThingToThingGroup', { thingName: 'a', thingGroupName: 'g' });
    await bench.settle();
    assert.deepEqual(await statusesOf(bench, 'a', caller), { REMOVED, QUEUED: JOBS });
    await bench.call('DeleteThing', { thingName: 'a' });
    await join(bench, 'a', caller);
    await bench.settle();
    assert.deepEqual(await statusesOf(bench, 'a', caller), { REMOVED: REMOVED + JOBS, QUEUED: JOBS });
  });
});

describe('damaged records', () => {
  const folder = mkdtempSync(pathOf(tmpdir(), 'thingkeep-jobs-'));
  after(() => rmSync(folder, { recursive: true }));

  test('a damaged execution holds up nobody, and its owner can remove it', async () => {
    const path = pathOf(folder, 'execution.db');
    await using bench = await withStranger(await grouped(2, 'g', path));
    for (const jobId of ['bad', 'good']) await bench.call('CreateJob', continuous(jobId, caller));
    await bench.settle();
    await bench.damage(path, executions, '%"bad"%"t0000"%');
    // The device goes on with what can be read.
    const { body } = await bench.ask('t0000', 'get');
    assert.deepEqual(
      (body.queuedJobs as { jobId: string }[]).map(({ jobId }) => jobId),
      ['good'],
    );
    assert.match((await bench.ask('t0000', 'start-next')).text, /"jobId":"good"/);
    assert.match((await bench.ask('t0000', '$next/get')).text, /"jobId":"good"/);
    await leave(bench, 't0000');
    await join(bench, 'x', stranger);
    await join(bench, 'y', caller);
    await bench.followed();
    assert.deepEqual(await statusesOf(bench, 'x', stranger), { QUEUED: 1 });
    assert.deepEqual(await statusesOf(bench, 'y', caller), { QUEUED: 2 });
    assert.equal(await bench.status('good', 't0000'), 'REMOVED');
    const told = bench.kept.refusals.filter(({ reason }) => /job bad .* thing t0000: its execution is damaged/.test(reason));
    assert.equal(told.length > 0, true);
    const { queued } = await countsOf(bench, 'bad');
    const named = { jobId: 'bad', thingName: 't0000', executionNumber: 1 };
    await bench.refuses('InvalidStateTransitionException', 'DeleteJobExecution', named, /damaged/);
    await bench.call('DeleteJobExecution', { ...named, force: true });
    assert.equal((await countsOf(bench, 'bad')).queued, queued - 1);
  });

  test('a job with a damaged execution can be canceled and deleted', async () => {
    const path = pathOf(folder, 'deletion.db');
    await using bench = await grouped(150, 'g', path);
    await bench.call('CreateJob', { ...continuous('bad', caller), targetSelection: 'SNAPSHOT' });
    await bench.pass(12);
    await bench.damage(path, executions, '%"bad"%"t0003"%');
    await bench.call('CancelJob', { jobId: 'bad', force: true });
    await bench.settle();
    assert.deepEqual(await countsOf(bench, 'bad'), { queued: 1, canceled: 149 });
    await bench.call('DeleteJob', { jobId: 'bad', force: true });
    await bench.settle();
    await bench.refuses('ResourceNotFoundException', 'DescribeJob', { jobId: 'bad' });
  });

  test('a change that can not be followed is set aside, job by job, with a record for its owner', async () => {
    const path = pathOf(folder, 'poison.db');
    await using bench = await withStranger(await grouped(1, 'g', path));
    for (const jobId of ['a', 'bad', 'c']) await bench.call('CreateJob', continuous(jobId, caller));
    await bench.settle();
    await bench.damage(path, jobCounts, '%"bad"%');
    await join(bench, 'y', caller);
    await join(bench, 'x', stranger);
    await bench.followed();
    assert.deepEqual(await statusesOf(bench, 'x', stranger), { QUEUED: 1 });
    for (let i = 0; i < 5; i += 1) await bench.jump(MINUTE);
    assert.deepEqual(await statusesOf(bench, 'y', caller), { QUEUED: 2 });
    assert.deepEqual(
      bench.kept.refusals.map(({ resource, reason }) => [resource?.split('/').at(-1), /thing y: .*damaged/.test(reason)]),
      [['bad', true]],
    );
    await leave(bench, 'y');
    for (let i = 0; i < 5; i += 1) await bench.jump(MINUTE);
    assert.deepEqual(await statusesOf(bench, 'y', caller), { REMOVED: 2 });
  });
});

async function countsOf(bench: JobsFixture, jobId: string): Promise<{ queued: number; canceled?: number }> {
  const { numberOfQueuedThings: queued = 0, numberOfCanceledThings: canceled = 0 } =
    (await bench.call('DescribeJob', { jobId })).job?.jobProcessDetails ?? {};
  return { queued, canceled };
}
