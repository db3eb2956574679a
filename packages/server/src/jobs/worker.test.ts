/** Rollout, abort, timers, retries, schedules, windows and groups, by a clock that the test moves (fact sheet 8.4, 35.1, 36). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { counts, grouped, toGroup } from './grouped.fixture.ts';
import { groupArnOf, JobsFixture, MINUTE, START, thingArnOf } from './jobs.fixture.ts';
import { dueRecords } from '../store/due-records.ts';
import { MAX_CONCURRENT } from './concurrent-jobs.ts';
import { NOTHING_PENDING } from '../broker/messaging.ts';
import { JOB_KIND, type JobItem, TIMEOUT_KIND } from './job-unit.ts';
import { JobWriter } from './job-writer.ts';
import { activeJobs, jobs } from './store.ts';
import { executionTimeouts } from './worker.ts';

const iso = (at: number): string => new Date(at).toISOString().slice(0, 16);

describe('rollout', () => {
  test('a constant rate is kept, over a restart too, and the job shows its targets until all are done', async () => {
    await using bench = await grouped(25);
    await bench.call('CreateJob', toGroup({ jobExecutionsRolloutConfig: { maximumPerMinute: 10 } }));
    await bench.settle();
    assert.deepEqual(await counts(bench), { Queued: 1 });
    const { job } = await bench.call('DescribeJob', { jobId: 'j' });
    assert.deepEqual([job?.jobProcessDetails?.processingTargets, job?.isConcurrent], [[groupArnOf('g')], true]);
    await bench.pass(30);
    assert.deepEqual(await counts(bench), { Queued: 6 });
    await bench.restart();
    await bench.pass(29);
    assert.deepEqual(await counts(bench), { Queued: 10 });
    await bench.pass(60);
    assert.deepEqual(await counts(bench), { Queued: 20 });
    await bench.pass(60);
    assert.deepEqual(await counts(bench), { Queued: 25 });
    const after = (await bench.call('DescribeJob', { jobId: 'j' })).job;
    assert.deepEqual([after?.jobProcessDetails?.processingTargets, after?.isConcurrent], [undefined, false]);
  });

  test('another rate counts from now on, and asking for it again and again brings nothing sooner', async () => {
    await using bench = await grouped(30);
    await bench.call('CreateJob', toGroup({ jobExecutionsRolloutConfig: { maximumPerMinute: 1 } }));
    await bench.settle();
    await bench.pass(5);
    assert.deepEqual(await counts(bench), { Queued: 1 });
    for (let i = 0; i < 20; i += 1) {
      await bench.call('UpdateJob', { jobId: 'j', jobExecutionsRolloutConfig: { maximumPerMinute: 6 } });
      await bench.settle();
    }
    await bench.pass(4);
    assert.deepEqual(await counts(bench), { Queued: 1 });
    await bench.pass(1);
    assert.deepEqual(await counts(bench), { Queued: 2 });
    await bench.call('UpdateJob', { jobId: 'j', jobExecutionsRolloutConfig: { maximumPerMinute: 600 } });
    await bench.settle();
    assert.deepEqual(await counts(bench), { Queued: 11 });
  });

  test('what a standstill of an hour has missed is not rushed', async () => {
    await using bench = await grouped(30);
    await bench.call('CreateJob', toGroup({ jobExecutionsRolloutConfig: { maximumPerMinute: 6 } }));
    await bench.settle();
    await bench.jump(60 * MINUTE);
    assert.deepEqual(await counts(bench), { Queued: 2 });
    await bench.pass(50);
    assert.deepEqual(await counts(bench), { Queued: 7 });
  });

  test('a rollout waits while the disk is nearly full, its end and retries do not, and goes on with its rate', async () => {
    await using bench = await grouped(30);
    const jobExecutionsRetryConfig = { criteriaList: [{ failureType: 'FAILED' as const, numberOfRetries: 1 }] };
    const rate = { jobExecutionsRolloutConfig: { maximumPerMinute: 60 } };
    await bench.call('CreateJob', toGroup({ ...rate, jobExecutionsRetryConfig }));
    await bench.settle();
    bench.kept.disk.low = true;
    await bench.pass(40);
    await bench.ask('t0000', 'j/update', { status: 'FAILED' });
    assert.deepEqual(await counts(bench), { Failed: 1, Queued: 1 });
    bench.kept.disk.low = false;
    await bench.pass(25);
    const { Queued: queued = 0 } = await counts(bench);
    assert.ok(queued >= 4 && queued <= 7, String(queued));
    bench.kept.disk.low = true;
    await bench.call('CancelJob', { jobId: 'j' });
    assert.deepEqual(await counts(bench), { Failed: 1, Canceled: queued });
  });

  test('an exponential rate rises with the things that were notified', async () => {
    await using bench = await grouped(40);
    const exponentialRate = {
      baseRatePerMinute: 5,
      incrementFactor: 2,
      rateIncreaseCriteria: { numberOfNotifiedThings: 10 },
    };
    await bench.call('CreateJob', toGroup({ jobExecutionsRolloutConfig: { exponentialRate, maximumPerMinute: 1000 } }));
    await bench.settle();
    const after: unknown[] = [];
    for (let minute = 0; minute < 4; minute += 1) {
      await bench.pass(minute === 0 ? 59 : 60);
      after.push((await counts(bench)).Queued);
    }
    assert.deepEqual(after, [5, 10, 20, 40]);
  });

  test('a thing that is reached twice gets one execution; descendants of a group are reached; nobody completes at once', async () => {
    await using bench = await grouped(2);
    await bench.call('CreateThingGroup', { thingGroupName: 'child', parentGroupName: 'g' });
    await bench.call('CreateThingGroup', { thingGroupName: 'empty' });
    await bench.things('below');
    await bench.call('AddThingToThingGroup', { thingName: 'below', thingGroupName: 'child' });
    const targets = [thingArnOf('t0000'), groupArnOf('g'), groupArnOf('child'), thingArnOf('below')];
    await bench.call('CreateJob', toGroup({ targets }));
    await bench.settle();
    assert.deepEqual(await counts(bench), { Queued: 3 });
    await bench.call('CreateJob', toGroup({ jobId: 'none', targets: [groupArnOf('empty')] }));
    await bench.settle();
    assert.equal(await bench.jobStatus('none'), 'COMPLETED');
  });
});

describe('500 jobs of an account are rolled out at once', () => {
  /** A group of two things with 500 jobs that roll out to one of them in a minute. */
  async function crowded(): Promise<JobsFixture> {
    const bench = await grouped(2);
    await bench.call('CreateJob', toGroup({ jobId: 'first', jobExecutionsRolloutConfig: { maximumPerMinute: 1 } }));
    await bench.settle();
    const { account: accountId } = bench;
    await bench.regional.write(async (tx) => {
      const record = await tx.get(jobs, [accountId, 'first']);
      assert.ok(record !== undefined);
      for (let i = 1; i < MAX_CONCURRENT; i += 1) await tx.put(jobs, { ...record, jobId: `busy${i}` });
      await tx.put(activeJobs, { accountId, count: MAX_CONCURRENT, concurrent: MAX_CONCURRENT });
    });
    return bench;
  }

  /** Names of jobs with a step that is due at some time. */
  async function withSteps(bench: JobsFixture): Promise<string[]> {
    const { items } = await bench.store.read((tx) => tx.scan(dueRecords, { prefix: [JOB_KIND] }));
    return items.map(({ data }) => (data as JobItem).jobId);
  }

  test('the next one waits, with no step of its own, over a restart too, and goes on when another has ended', async () => {
    await using bench = await crowded();
    await bench.job('waits', ['t0000']);
    await bench.restart();
    await bench.pass(2);
    assert.deepEqual(await counts(bench, 'waits'), {});
    const { job } = await bench.call('DescribeJob', { jobId: 'waits' });
    assert.deepEqual([job?.status, job?.isConcurrent], ['IN_PROGRESS', false]);
    assert.ok(!(await withSteps(bench)).includes('waits'));
    await bench.call('DeleteJob', { jobId: 'busy7', force: true });
    await bench.settle();
    assert.deepEqual(await counts(bench, 'waits'), { Queued: 1 });
  });

  test('those that wait come in their order: jobs of one step let others go on, one that stays takes the room', async () => {
    await using bench = await crowded();
    for (let i = 0; i < 5; i += 1) {
      bench.clock.at += 1;
      await bench.job(`w${i}`, ['t0000']);
    }
    const slow = { jobExecutionsRolloutConfig: { maximumPerMinute: 1 } };
    for (const jobId of ['slow', 'late']) {
      bench.clock.at += 1;
      await bench.call('CreateJob', toGroup({ jobId, ...slow }));
    }
    await bench.settle();
    await bench.call('CancelJob', { jobId: 'busy7', force: true });
    await bench.settle();
    const notified = async (id: string) => (await counts(bench, id)).Queued ?? 0;
    const all = ['w0', 'w1', 'w2', 'w3', 'w4', 'slow', 'late'];
    assert.deepEqual(await Promise.all(all.map(notified)), [1, 1, 1, 1, 1, 1, 0]);
    assert.ok(!(await withSteps(bench)).includes('late'));
    await bench.jump(MINUTE);
    assert.deepEqual([await notified('slow'), await notified('late')], [2, 1]);
  });

  test('one that waits and is canceled, or comes to its end, waits no more', async () => {
    await using bench = await crowded();
    await bench.job('canceled', ['t0000']);
    await bench.job('over', ['t0000'], { schedulingConfig: { endTime: iso(START + 40 * MINUTE) } });
    await bench.job('stays', ['t0000']);
    await bench.call('CancelJob', { jobId: 'canceled' });
    await bench.regional.write(async (tx) => {
      for (let i = 1; i < MAX_CONCURRENT; i += 1) await tx.delete(jobs, [bench.account, `busy${i}`]);
    });
    await bench.jump(40 * MINUTE);
    assert.deepEqual([await bench.jobStatus('over'), await counts(bench, 'over')], ['COMPLETED', {}]);
    assert.deepEqual(await counts(bench, 'stays'), { Queued: 1 });
  });
});

describe('abort and retries', () => {
  const abortConfig = {
    criteriaList: [
      { failureType: 'FAILED' as const, action: 'CANCEL' as const, thresholdPercentage: 50, minNumberOfExecutedThings: 4 },
    ],
  };

  test('criteria that are met cancel what is queued, what is in progress goes on, and the rollout ends (36.2)', async () => {
    await using bench = await grouped(20);
    await bench.call('CreateJob', toGroup({ abortConfig, jobExecutionsRolloutConfig: { maximumPerMinute: 600 } }));
    await bench.settle();
    assert.deepEqual(await counts(bench), { Queued: 10 });
    await bench.ask('t0009', 'start-next');
    for (const [thing, status] of [
      ['t0000', 'SUCCEEDED'],
      ['t0001', 'FAILED'],
      ['t0002', 'SUCCEEDED'],
      ['t0003', 'FAILED'],
    ])
      await bench.ask(thing ?? '', 'j/update', { status });
    const { job } = await bench.call('DescribeJob', { jobId: 'j' });
    assert.deepEqual([job?.status, job?.reasonCode, job?.forceCanceled], ['CANCELED', 'ABORT_CRITERIA_MET', undefined]);
    assert.deepEqual(await counts(bench), { Canceled: 5, Failed: 2, Succeeded: 2, InProgress: 1 });
    await bench.pass(5);
    assert.deepEqual(await counts(bench), { Canceled: 5, Failed: 2, Succeeded: 2, InProgress: 1 });
    assert.equal((await bench.ask('t0009', 'j/update', { status: 'SUCCEEDED' })).outcome, 'accepted');
  });

  test('a failure is tried again as often as the job says, each time as an execution of its own (36.4)', async () => {
    await using bench = await JobsFixture.open();
    await bench.things('t');
    await bench.job('j', ['t'], {
      jobExecutionsRetryConfig: { criteriaList: [{ failureType: 'FAILED', numberOfRetries: 2 }] },
    });
    bench.heard('t');
    for (const attempt of [1, 2]) {
      await bench.ask('t', 'j/update', { status: 'FAILED' });
      const [notify, next] = bench.heard('t');
      assert.match(notify ?? '', new RegExp(`^notify .*"executionNumber":${attempt + 1},"versionNumber":1`));
      assert.match(next ?? '', new RegExp(`^notify-next .*"executionNumber":${attempt + 1}`));
    }
    const { executionSummaries = [] } = await bench.call('ListJobExecutionsForThing', { thingName: 't', jobId: 'j' });
    assert.deepEqual(
      executionSummaries.map(({ jobExecutionSummary: of }) => [of?.executionNumber, of?.status, of?.retryAttempt]),
      [
        [3, 'QUEUED', 2],
        [2, 'FAILED', 1],
        [1, 'FAILED', undefined],
      ],
    );
    await bench.ask('t', 'j/update', { status: 'FAILED' });
    assert.equal(await bench.jobStatus('j'), 'COMPLETED');
    assert.deepEqual(await counts(bench), { Failed: 3 });
  });
});

describe('timers (36.3)', () => {
  test('the in-progress timer ends an execution, whatever updates come, and over a restart', async () => {
    await using bench = await JobsFixture.open();
    await bench.things('t');
    await bench.job('j', ['t'], { timeoutConfig: { inProgressTimeoutInMinutes: 2 } });
    await bench.jump(60 * MINUTE);
    assert.equal(await bench.status('j', 't'), 'QUEUED');
    const { body } = await bench.ask('t', 'start-next');
    assert.equal((body.execution as { approximateSecondsBeforeTimedOut: number }).approximateSecondsBeforeTimedOut, 120);
    await bench.jump(MINUTE);
    await bench.ask('t', 'j/update', { status: 'IN_PROGRESS' });
    await bench.restart();
    await bench.jump(MINUTE - 1);
    assert.equal(await bench.status('j', 't'), 'IN_PROGRESS');
    bench.heard('t');
    await bench.jump(1);
    assert.equal(await bench.status('j', 't'), 'TIMED_OUT');
    assert.equal(await bench.jobStatus('j'), 'COMPLETED');
    assert.deepEqual(
      bench.heard('t').map((each) => each.split(' ')[0]),
      ['notify', 'notify-next'],
    );
  });

  test('the example of 12:00, 12:05, 12:10 and 12:13: the execution times out at 12:20', async () => {
    await using bench = await JobsFixture.open();
    await bench.things('t');
    await bench.job('j', ['t'], { timeoutConfig: { inProgressTimeoutInMinutes: 20 } });
    await bench.ask('t', 'start-next');
    for (const [wait, stepTimeoutInMinutes] of [
      [5, 7],
      [5, 5],
      [3, 9],
    ] as const) {
      await bench.jump(wait * MINUTE);
      await bench.ask('t', 'j/update', { status: 'IN_PROGRESS', stepTimeoutInMinutes });
    }
    await bench.jump(7 * MINUTE - 1);
    assert.equal(await bench.status('j', 't'), 'IN_PROGRESS');
    await bench.jump(1);
    assert.equal(await bench.status('j', 't'), 'TIMED_OUT');
  });

  test('a timeout stays due where the clock goes back once it is taken', async () => {
    await using bench = await JobsFixture.open();
    await bench.things('t');
    await bench.job('j', ['t'], { timeoutConfig: { inProgressTimeoutInMinutes: 2 } });
    await bench.ask('t', 'start-next');
    const [due] = (await bench.store.read((tx) => tx.scan(dueRecords, { prefix: [TIMEOUT_KIND] }))).items;
    assert.ok(due !== undefined);
    const writer = new JobWriter({
      ...{ clock: bench.clock, log: console, inRegion: () => bench.regional },
      messaging: { publish: () => NOTHING_PENDING, stored: () => undefined, hasReceivers: () => false },
      urls: { resolve: async (_place, { text }) => text },
      enabled: { of: () => new Set() },
    });
    const { signal } = new AbortController();
    const item = { ...due, accountId: bench.account, signal, isHeld: async () => true, settle: async () => true };
    bench.clock.at = START + 2 * MINUTE - 1;
    assert.deepEqual(await executionTimeouts(writer).take(item), { again: START + 2 * MINUTE });
    bench.clock.at = START + 2 * MINUTE;
    assert.equal(await executionTimeouts(writer).take(item), 'done');
    assert.equal(await bench.status('j', 't'), 'TIMED_OUT');
  });

  test('-1 ends a step timer; a timeout is tried again', async () => {
    await using bench = await JobsFixture.open();
    await bench.things('t');
    await bench.job('j', ['t'], {
      timeoutConfig: { inProgressTimeoutInMinutes: 60 },
      jobExecutionsRetryConfig: { criteriaList: [{ failureType: 'TIMED_OUT', numberOfRetries: 1 }] },
    });
    await bench.ask('t', 'start-next', { stepTimeoutInMinutes: 1 });
    await bench.ask('t', 'j/update', { status: 'IN_PROGRESS', stepTimeoutInMinutes: -1 });
    await bench.jump(59 * MINUTE);
    assert.equal(await bench.status('j', 't'), 'IN_PROGRESS');
    await bench.jump(MINUTE);
    assert.deepEqual(await counts(bench), { TimedOut: 1, Queued: 1 });
    await bench.ask('t', 'start-next', { stepTimeoutInMinutes: 1 });
    await bench.jump(MINUTE);
    assert.deepEqual(await counts(bench), { TimedOut: 2 });
    assert.equal(await bench.jobStatus('j'), 'COMPLETED');
  });
});

describe('schedules (36.5)', () => {
  test('a job waits for its start, and stops to roll out at its end', async () => {
    await using bench = await grouped(3);
    const schedulingConfig = { startTime: iso(START + 60 * MINUTE), endTime: iso(START + 120 * MINUTE) };
    await bench.call('CreateJob', toGroup({ schedulingConfig, jobExecutionsRolloutConfig: { maximumPerMinute: 1 } }));
    await bench.jump(59 * MINUTE);
    assert.equal(await bench.jobStatus('j'), 'SCHEDULED');
    assert.deepEqual(await counts(bench), {});
    await bench.restart();
    await bench.jump(MINUTE);
    assert.equal(await bench.jobStatus('j'), 'IN_PROGRESS');
    assert.deepEqual(await counts(bench), { Queued: 1 });
    await bench.jump(60 * MINUTE);
    assert.deepEqual(await counts(bench), { Queued: 1 });
    assert.equal(await bench.jobStatus('j'), 'IN_PROGRESS');
    await bench.ask('t0000', 'j/update', { status: 'SUCCEEDED' });
    assert.equal(await bench.jobStatus('j'), 'COMPLETED');
    assert.deepEqual((await bench.call('DescribeJob', { jobId: 'j' })).job?.schedulingConfig, {
      ...schedulingConfig,
      endBehavior: 'STOP_ROLLOUT',
      maintenanceWindows: undefined,
    });
  });

  test('the end behaviors cancel what is queued, or all that is pending', async () => {
    for (const endBehavior of ['CANCEL', 'FORCE_CANCEL'] as const) {
      await using bench = await grouped(2);
      const schedulingConfig = { endTime: iso(START + 40 * MINUTE), endBehavior };
      await bench.call('CreateJob', toGroup({ schedulingConfig }));
      await bench.settle();
      await bench.ask('t0000', 'start-next');
      await bench.jump(40 * MINUTE);
      const isForced = endBehavior === 'FORCE_CANCEL';
      assert.deepEqual(await counts(bench), isForced ? { Canceled: 2 } : { Canceled: 1, InProgress: 1 });
      if (!isForced) await bench.ask('t0000', 'j/update', { status: 'SUCCEEDED' });
      assert.equal(await bench.jobStatus('j'), 'COMPLETED');
    }
  });

  test('FORCE_CANCEL goes on to its end where the job is aborted, or canceled without force, while it does', async () => {
    const criterion = { failureType: 'FAILED' as const, action: 'CANCEL' as const, minNumberOfExecutedThings: 1 };
    const abortConfig = { criteriaList: [{ ...criterion, thresholdPercentage: 0.5 }] };
    const schedulingConfig = { endTime: iso(START + 40 * MINUTE), endBehavior: 'FORCE_CANCEL' as const };
    for (const isAborted of [true, false]) {
      await using bench = await grouped(230);
      await bench.call('CreateJob', toGroup({ schedulingConfig, abortConfig: isAborted ? abortConfig : undefined }));
      await bench.pass(30);
      for (let i = 0; i < 230; i += 1) await bench.ask(`t${String(i).padStart(4, '0')}`, 'start-next');
      bench.clock.at += 40 * MINUTE;
      await bench.pass(1);
      assert.deepEqual(await counts(bench), { Canceled: 100, InProgress: 130 });
      if (isAborted) await bench.ask('t0229', 'j/update', { status: 'FAILED' });
      else await bench.call('CancelJob', { jobId: 'j' });
      await bench.settle();
      assert.deepEqual(await counts(bench), isAborted ? { Canceled: 229, Failed: 1 } : { Canceled: 230 });
      const { job } = await bench.call('DescribeJob', { jobId: 'j' });
      assert.deepEqual([job?.status, job?.forceCanceled], ['CANCELED', undefined]);
    }
  });

  test('a window opens and closes at its minute, over a restart; what came and failed meanwhile waits for the next', async () => {
    await using bench = await grouped(3);
    const maintenanceWindows = [{ startTime: 'cron(0 22 * * ? *)', durationInMinutes: 60 }];
    await bench.call(
      'CreateJob',
      toGroup({
        targetSelection: 'CONTINUOUS',
        schedulingConfig: { maintenanceWindows },
        jobExecutionsRolloutConfig: { maximumPerMinute: 1 },
        jobExecutionsRetryConfig: { criteriaList: [{ failureType: 'FAILED', numberOfRetries: 1 }] },
      }),
    );
    await bench.settle();
    assert.equal(await bench.jobStatus('j'), 'SCHEDULED');
    const { job } = await bench.call('DescribeJob', { jobId: 'j' });
    assert.deepEqual(job?.scheduledJobRollouts?.slice(0, 2), [
      { startTime: '2026-11-20T22:00' },
      { startTime: '2026-11-21T22:00' },
    ]);
    await bench.jump(10 * 60 * MINUTE - 1);
    assert.deepEqual([await bench.jobStatus('j'), await counts(bench)], ['SCHEDULED', {}]);
    await bench.restart();
    await bench.jump(1);
    assert.deepEqual([await bench.jobStatus('j'), await counts(bench)], ['IN_PROGRESS', { Queued: 1 }]);
    await bench.jump(60 * MINUTE);
    assert.deepEqual([await bench.jobStatus('j'), await counts(bench)], ['SCHEDULED', { Queued: 1 }]);
    await bench.ask('t0000', 'j/update', { status: 'FAILED' });
    await bench.things('late');
    await bench.call('AddThingToThingGroup', { thingName: 'late', thingGroupName: 'g' });
    await bench.settle();
    assert.deepEqual(await counts(bench), { Failed: 1 });
    await bench.jump(23 * 60 * MINUTE);
    await bench.pass(240);
    assert.deepEqual(await counts(bench), { Failed: 1, Queued: 4 });
    assert.equal((await bench.call('DescribeJobExecution', { jobId: 'j', thingName: 't0000' })).execution?.executionNumber, 2);
  });
});

test('a job is forgotten 730 days after its end, with its executions', async () => {
  await using bench = await JobsFixture.open();
  await bench.things('t');
  await bench.job('j', ['t']);
  await bench.ask('t', 'j/update', { status: 'SUCCEEDED' });
  await bench.jump(730 * 24 * 60 * MINUTE - 1);
  assert.equal(await bench.jobStatus('j'), 'COMPLETED');
  await bench.jump(1);
  await bench.refuses('ResourceNotFoundException', 'DescribeJob', { jobId: 'j' });
  await bench.refuses('ResourceNotFoundException', 'DescribeJobExecution', { jobId: 'j', thingName: 't' });
});
