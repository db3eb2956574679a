/**
 * Jobs against a small reference: random jobs, devices, groups, jumps of the clock and restarts; after each step every job, every
 * execution, every list of pending executions and the last notifications are the same.
 */
// suite: long
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { groupArnOf, JobsFixture, MINUTE, START, thingArnOf } from './jobs.fixture.ts';
import { type ModelJobInput, ReferenceJobs } from './reference.fixture.ts';
import { isActiveJob } from './states.ts';
import { activeJobs, isConcurrent, jobs } from './store.ts';

const THINGS = ['t0', 't1', 't2'];
const GROUPS = ['g0', 'g1'];
const JOBS = ['j0', 'j1', 'j2'];

const thing = fc.constantFrom(...THINGS);
const group = fc.constantFrom(...GROUPS);
const jobId = fc.constantFrom(...JOBS);
const force = fc.boolean();

const retries = fc.record({ FAILED: fc.nat(2), TIMED_OUT: fc.nat(1) });
const job = fc
  .record({
    jobId,
    isContinuous: fc.boolean(),
    things: fc.uniqueArray(thing, { maxLength: 3 }),
    groups: fc.uniqueArray(group, { maxLength: 2 }),
    timeout: fc.constantFrom(undefined, MINUTE, 3 * MINUTE),
    retries,
    abort: fc.option(fc.constant({ percent: 60, least: 3 }), { freq: 1, nil: undefined }),
  })
  .filter(({ things, groups }) => things.length + groups.length > 0)
  // Which of several timeouts of one moment comes first would decide what an abort finds.
  .map(
    (input): ModelJobInput =>
      input.abort === undefined && input.timeout !== undefined
        ? input
        : { ...input, timeout: undefined, retries: { ...input.retries, TIMED_OUT: 0 } },
  );

const reported = fc.constantFrom('IN_PROGRESS', 'SUCCEEDED', 'FAILED', 'FAILED', 'FAILED', 'REJECTED');
/** Most often no version is expected. */
const version = fc.option(fc.integer({ min: 1, max: 3 }), { freq: 4, nil: undefined });
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('create'), job }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('startNext'), thing }) },
  { weight: 12, arbitrary: fc.record({ do: fc.constant('report'), thing, which: fc.nat(2), status: reported, version }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('update'), thing, jobId, status: reported, version }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancelJob'), jobId, force }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('deleteJob'), jobId, force }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cancelExecution'), jobId, thing, force }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('deleteExecution'), jobId, thing, force }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('join'), thing, group }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('leave'), thing, group }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('replace'), thing }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pass'), by: fc.constantFrom(1000, 30_000, MINUTE, 2 * MINUTE) }) },
  // The clock goes back.
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass'), by: fc.constantFrom(-1000, -30_000, -MINUTE) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart') }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

const done = async (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  );

async function create(bench: JobsFixture, input: ModelJobInput): Promise<boolean> {
  const criteria = (['FAILED', 'TIMED_OUT'] as const).flatMap((failureType) =>
    input.retries[failureType] === 0 ? [] : [{ failureType, numberOfRetries: input.retries[failureType] }],
  );
  const { abort, timeout } = input;
  return done(
    bench.call('CreateJob', {
      jobId: input.jobId,
      targets: [...input.things.map(thingArnOf), ...input.groups.map(groupArnOf)],
      targetSelection: input.isContinuous ? 'CONTINUOUS' : 'SNAPSHOT',
      document: '{}',
      timeoutConfig: timeout === undefined ? undefined : { inProgressTimeoutInMinutes: timeout / MINUTE },
      jobExecutionsRetryConfig: criteria.length === 0 ? undefined : { criteriaList: criteria },
      abortConfig:
        abort === undefined
          ? undefined
          : {
              criteriaList: [
                {
                  failureType: 'FAILED',
                  action: 'CANCEL',
                  thresholdPercentage: abort.percent,
                  minNumberOfExecutedThings: abort.least,
                },
              ],
            },
    }),
  );
}

interface Update {
  readonly thing: string;
  readonly jobId: string;
  readonly status: 'IN_PROGRESS' | 'SUCCEEDED' | 'FAILED' | 'REJECTED';
  readonly version: number | undefined;
}

async function update(bench: JobsFixture, model: ReferenceJobs, asked: Update): Promise<void> {
  const { thing: name, jobId: id, status, version: expectedVersion } = asked;
  const { outcome, body } = await bench.ask(name, `${id}/update`, { status, expectedVersion });
  assert.equal(outcome === 'accepted' ? outcome : body.code, model.update(name, id, status, expectedVersion));
}

/** Does a step on both sides; they agree on how it went. */
async function take(bench: JobsFixture, model: ReferenceJobs, each: Step): Promise<void> {
  switch (each.do) {
    case 'create': {
      const isNew = !model.jobs.has(each.job.jobId);
      assert.equal(await create(bench, each.job), isNew, 'CreateJob');
      if (isNew) model.create(each.job);
      return;
    }
    case 'startNext': {
      const { body } = await bench.ask(each.thing, 'start-next');
      const { jobId: started, versionNumber } = (body.execution ?? {}) as { jobId?: string; versionNumber?: number };
      const first = model.startNext(each.thing);
      assert.deepEqual([started, versionNumber], [first?.jobId, first?.version]);
      return;
    }
    case 'report': {
      const pending = model.pending(each.thing);
      const chosen = pending[each.which % pending.length];
      if (chosen !== undefined) await update(bench, model, { ...each, jobId: chosen.jobId });
      return;
    }
    case 'update':
      await update(bench, model, each);
      return;
    case 'cancelJob':
      assert.equal(
        await done(bench.call('CancelJob', { jobId: each.jobId, force: each.force })),
        model.cancelJob(each.jobId, each.force),
      );
      return;
    case 'deleteJob':
      assert.equal(
        await done(bench.call('DeleteJob', { jobId: each.jobId, force: each.force })),
        model.deleteJob(each.jobId, each.force),
      );
      return;
    case 'cancelExecution':
      assert.equal(
        await done(bench.call('CancelJobExecution', { jobId: each.jobId, thingName: each.thing, force: each.force })),
        model.cancelExecution(each.jobId, each.thing, each.force),
      );
      return;
    case 'deleteExecution': {
      const executionNumber = model.latest(each.jobId, each.thing)?.number ?? 1;
      const input = { jobId: each.jobId, thingName: each.thing, executionNumber, force: each.force };
      assert.equal(
        await done(bench.call('DeleteJobExecution', input)),
        model.deleteExecution(each.jobId, each.thing, each.force),
      );
      return;
    }
    case 'join':
      await bench.call('AddThingToThingGroup', { thingName: each.thing, thingGroupName: each.group });
      if (model.members.get(each.group)?.has(each.thing) === false) model.join(each.thing, each.group);
      return;
    case 'leave':
      await bench.call('RemoveThingFromThingGroup', { thingName: each.thing, thingGroupName: each.group });
      if (model.members.get(each.group)?.has(each.thing) === true) model.leave(each.thing, each.group);
      return;
    case 'replace':
      await bench.call('DeleteThing', { thingName: each.thing });
      await bench.settle();
      await bench.things(each.thing);
      model.replace(each.thing);
      return;
    case 'pass':
      bench.clock.at += each.by;
      model.pass(each.by);
      return;
    case 'restart':
      await bench.restart();
      return;
  }
}

const pendingOf = (model: ReferenceJobs, thingName: string): string[] =>
  model.pending(thingName).map(({ jobId: of, number, status, version }) => `${status} ${of}/${number} ${version}`);

interface Summary {
  readonly jobId: string;
  readonly executionNumber: number;
  readonly versionNumber: number;
}

/** The last notifications of a thing say what the reference does; and there are some where that has changed. */
function checkHeard(heard: readonly string[], before: readonly string[], after: readonly string[]): void {
  const ids = (list: readonly string[]): string[] => list.map((each) => each.split(' ')[1] ?? '');
  const last = (name: string) => heard.findLast((each) => each.startsWith(`${name} `))?.slice(name.length + 1);
  const notify = last('notify');
  if (notify !== undefined) {
    const { jobs } = JSON.parse(notify) as { jobs: Readonly<Record<string, readonly Summary[] | undefined>> };
    const told = ['IN_PROGRESS', 'QUEUED'].flatMap((status) =>
      (jobs[status] ?? []).map((each) => `${each.jobId}/${each.executionNumber}`),
    );
    assert.deepEqual(told, ids(after), 'notify');
  } else assert.deepEqual(ids(after).sort(), ids(before).sort(), 'a notify is missing');
  const next = last('notify-next');
  if (next !== undefined) {
    const { execution } = JSON.parse(next) as { execution?: Summary };
    assert.equal(
      execution === undefined ? undefined : `${execution.jobId}/${execution.executionNumber}`,
      ids(after)[0],
      'notify-next',
    );
  } else assert.equal(ids(after)[0], ids(before)[0], 'a notify-next is missing');
}

/** The account's counts of jobs are those of its records. */
async function checkCounted(bench: JobsFixture): Promise<void> {
  const prefix = [bench.account];
  const [record, { items }] = await bench.regional.read((tx) =>
    Promise.all([tx.get(activeJobs, prefix), tx.scan(jobs, { prefix })]),
  );
  const active = items.filter(({ status }) => isActiveJob(status)).length;
  assert.deepEqual([record?.count ?? 0, record?.concurrent ?? 0], [active, items.filter(isConcurrent).length]);
}

async function compare(bench: JobsFixture, model: ReferenceJobs): Promise<void> {
  await checkCounted(bench);
  const { jobs = [] } = await bench.call('ListJobs', {});
  const state = jobs.map(({ jobId: id, status }) => `${id} ${status}`).sort();
  assert.deepEqual(state, [...model.jobs.values()].map(({ jobId: id, status }) => `${id} ${status}`).sort());
  for (const { jobId: id, executions } of model.jobs.values()) {
    const { executionSummaries = [] } = await bench.call('ListJobExecutionsForJob', { jobId: id });
    const shown = executionSummaries.map(
      ({ thingArn = '', jobExecutionSummary: of }) => `${thingArn.split('/')[1]}/${of?.executionNumber} ${of?.status}`,
    );
    assert.deepEqual(shown.sort(), executions.map((each) => `${each.thing}/${each.number} ${each.status}`).sort(), id);
    const { job: described } = await bench.call('DescribeJob', { jobId: id });
    const counted = described?.jobProcessDetails;
    const count = (status: string) => executions.filter((each) => each.status === status).length;
    assert.deepEqual(
      [
        counted?.numberOfQueuedThings,
        counted?.numberOfInProgressThings,
        counted?.numberOfFailedThings,
        counted?.numberOfRemovedThings,
      ],
      ['QUEUED', 'IN_PROGRESS', 'FAILED', 'REMOVED'].map(count),
    );
  }
  for (const name of THINGS) {
    const { body } = await bench.ask(name, 'get');
    const of = (member: string, status: string) =>
      ((body[member] ?? []) as Summary[]).map((each) => `${status} ${each.jobId}/${each.executionNumber} ${each.versionNumber}`);
    assert.deepEqual([...of('inProgressJobs', 'IN_PROGRESS'), ...of('queuedJobs', 'QUEUED')], pendingOf(model, name), name);
  }
}

/** JOBS_SEED tries other histories. */
const SEED = Number(process.env.JOBS_SEED ?? 1);

test('a hundred random histories of jobs never differ from the reference', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 40, maxLength: 100 }), async (steps) => {
      await using bench = await JobsFixture.open();
      await bench.things(...THINGS);
      for (const thingGroupName of GROUPS) await bench.call('CreateThingGroup', { thingGroupName });
      const model = new ReferenceJobs(START, GROUPS);
      for (const each of steps) {
        const before = new Map(THINGS.map((name) => [name, pendingOf(model, name)]));
        await take(bench, model, each);
        await bench.settle();
        await compare(bench, model);
        for (const name of THINGS) checkHeard(bench.heard(name), before.get(name) ?? [], pendingOf(model, name));
      }
    }),
    { numRuns: 100, seed: SEED },
  );
});
