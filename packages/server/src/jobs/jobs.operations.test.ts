/** The control plane of jobs: what it makes, shows, refuses and deletes (fact sheet 8.3, 8.4, 35, 37, 40). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stranger } from '../testing/operations-fixture.ts';
import { groupArnOf, JobsFixture, MINUTE, START, thingArnOf } from './jobs.fixture.ts';
import { activeJobs, executions, jobCounts, jobDocuments, jobs } from './store.ts';

const ROLE = 'arn:aws:iam::123456789012:role/presign';
const iso = (at: number): string => new Date(at).toISOString().slice(0, 16);
const create = (more: object = {}) => ({ jobId: 'j', targets: [thingArnOf('t')], document: '{}', ...more });

async function opened(): Promise<JobsFixture> {
  const bench = await JobsFixture.open();
  await bench.things('t');
  return bench;
}

const kept = (bench: JobsFixture) =>
  bench.regional.read(async (tx) => {
    const all = { prefix: [] };
    const of = [jobs, jobDocuments, jobCounts, executions].map(
      async (each) => (await tx.scan(each as typeof jobs, all)).items.length,
    );
    return Promise.all(of);
  });

describe('CreateJob', () => {
  test('answers, and shows what it was given', async () => {
    await using bench = await opened();
    const config = {
      description: 'd',
      presignedUrlConfig: { roleArn: ROLE, expiresInSec: 60 },
      jobExecutionsRolloutConfig: {
        maximumPerMinute: 500,
        exponentialRate: { baseRatePerMinute: 5, incrementFactor: 1.5, rateIncreaseCriteria: { numberOfSucceededThings: 3 } },
      },
      abortConfig: {
        criteriaList: [
          { failureType: 'ALL' as const, action: 'CANCEL' as const, thresholdPercentage: 0.5, minNumberOfExecutedThings: 3 },
        ],
      },
      timeoutConfig: { inProgressTimeoutInMinutes: 10 },
      jobExecutionsRetryConfig: { criteriaList: [{ failureType: 'ALL' as const, numberOfRetries: 10 }] },
    };
    const made = await bench.call('CreateJob', { ...create(), ...config, namespaceId: 'n', tags: [{ Key: 'a', Value: 'b' }] });
    const jobArn = 'arn:aws:iot:us-east-1:123456789012:job/j';
    assert.deepEqual(made, { jobArn, jobId: 'j', description: 'd' });
    const { job = {} } = await bench.call('DescribeJob', { jobId: 'j' });
    for (const [name, value] of Object.entries(config)) assert.deepEqual(job[name as keyof typeof job], value, name);
    assert.deepEqual(
      [job.status, job.targetSelection, job.targets, job.namespaceId, job.createdAt?.getTime()],
      ['IN_PROGRESS', 'SNAPSHOT', [thingArnOf('t')], 'n', START],
    );
    assert.deepEqual((await bench.call('ListTagsForResource', { resourceArn: jobArn })).tags, [{ Key: 'a', Value: 'b' }]);
    assert.deepEqual(await bench.call('GetJobDocument', { jobId: 'j' }), { document: '{}' });
  });

  test('a document keeps the numbers that no double holds, in templates and on their way to devices too', async () => {
    await using bench = await opened();
    const document = '{"a":1e400,"b":[12345678901234567890,1.0,-0]}';
    await bench.call('CreateJobTemplate', { jobTemplateId: 'a', document, description: 'd' });
    const jobTemplateArn = 'arn:aws:iot:us-east-1:123456789012:jobtemplate/a';
    await bench.call('CreateJob', { jobId: 'j', targets: [thingArnOf('t')], jobTemplateArn });
    await bench.settle();
    assert.equal((await bench.call('GetJobDocument', { jobId: 'j' })).document, document);
    const { text } = await bench.ask('t', '$next/get');
    assert.ok(text.includes(`"jobDocument":${document}`), text);
    for (const bad of ['{"a":1e}', '{"a":01}', '{"a":.5}', '{"a":1e400,"a":1}'])
      await bench.refuses('InvalidRequestException', 'CreateJob', create({ document: bad }), /not valid JSON/);
  });

  test('what it refuses', async () => {
    await using bench = await opened();
    await bench.call('CreateThingGroup', { thingGroupName: 'g' });
    const bad: readonly (readonly [more: object, words: RegExp, code?: string])[] = [
      [{ targets: ['t'] }, /Invalid target ARN/],
      [{ targets: [thingArnOf('t').replace('us-east-1', 'eu-west-1')] }, /Invalid target ARN/],
      [{ targets: [thingArnOf('t').replace('thing/', 'policy/')] }, /Invalid target ARN/],
      [{ targets: [thingArnOf('nobody')] }, /nobody does not exist/, 'ResourceNotFoundException'],
      [{ targets: [groupArnOf('nobody')] }, /nobody does not exist/, 'ResourceNotFoundException'],
      [{ targets: Array.from({ length: 101 }, (_, i) => thingArnOf(`t${i}`)) }, /at most 100 targets/],
      [{ document: undefined }, /Neither job document/],
      [{ documentSource: 'https://s3.amazonaws.com/b/k' }, /cannot be specified at the same time/],
      [{ document: '[]' }, /has to be a JSON object/],
      [{ document: '{' }, /not valid JSON/],
      [{ document: `{"a":"${'x'.repeat(32_768)}"}` }, /at most 32768 bytes/],
      [{ document: '{"a":"${aws:iot:s3-presigned-url:https://s3.amazonaws.com/b/k}"}' }, /role ARN is required/],
      [{ document: '{"a":"${aws:iot:s3-presigned-url:"}' }, /not terminated/],
      [{ document: '{"a":"${aws:iot:parameter:x}"}' }, /managed job templates/],
      [{ documentParameters: { a: 'b' } }, /managed job templates/],
      [{ jobExecutionsRolloutConfig: { maximumPerMinute: 1001 } }, /MaximumPerMinute/],
      [{ timeoutConfig: { inProgressTimeoutInMinutes: 10_081 } }, /InProgressTimeoutInMinutes/],
      [{ jobExecutionsRetryConfig: { criteriaList: [{ failureType: 'FAILED', numberOfRetries: 11 }] } }, /at most 10/],
      [
        { jobExecutionsRetryConfig: { criteriaList: [{ failureType: 'TIMED_OUT', numberOfRetries: 1 }] } },
        /need a timeoutConfig/,
      ],
      [{ schedulingConfig: { startTime: 'soon' } }, /yyyy-MM-ddTHH:mm/],
      [{ schedulingConfig: { startTime: '2026-02-30T12:00' } }, /yyyy-MM-ddTHH:mm/],
      [{ schedulingConfig: { startTime: iso(START + 20 * MINUTE) } }, /at least 30 minutes ahead/],
      [{ schedulingConfig: { startTime: iso(START + 367 * 1440 * MINUTE) } }, /one year/],
      [{ schedulingConfig: { endTime: iso(START + 20 * MINUTE) } }, /at least 30 minutes/],
      [{ schedulingConfig: { endTime: iso(START + 740 * 1440 * MINUTE) } }, /two years/],
      [{ schedulingConfig: { endBehavior: 'CANCEL' } }, /needs an endTime/],
      [{ schedulingConfig: { maintenanceWindows: [{ startTime: 'cron(0 22 * * ? *)', durationInMinutes: 60 }] } }, /CONTINUOUS/],
      [
        { targetSelection: 'CONTINUOUS', schedulingConfig: { maintenanceWindows: [{ startTime: 'x', durationInMinutes: 60 }] } },
        /cron/,
      ],
      [{ jobTemplateArn: 'arn:aws:iot:us-east-1:123456789012:jobtemplate/x' }, /cannot be specified at the same time/],
      [
        { document: undefined, jobTemplateArn: 'arn:aws:iot:us-east-1:123456789012:jobtemplate/x' },
        /does not exist/,
        'ResourceNotFoundException',
      ],
      [
        { document: undefined, jobTemplateArn: 'arn:aws:iot:us-east-1::jobtemplate/AWS-Nothing:1.0' },
        /does not exist/,
        'ResourceNotFoundException',
      ],
    ];
    for (const [more, words, code = 'InvalidRequestException'] of bad)
      await bench.refuses(code, 'CreateJob', create(more), words);
    assert.deepEqual(await kept(bench), [0, 0, 0, 0]);
    await bench.call('CreateJob', create());
    await bench.refuses('ResourceAlreadyExistsException', 'CreateJob', create(), /already exists/);
    await bench.regional.write((tx) => tx.put(activeJobs, { accountId: bench.account, count: 100_000 }));
    await bench.refuses('LimitExceededException', 'CreateJob', create({ jobId: 'k' }), /100000 active jobs/);
  });

  test('another account sees nothing of it', async () => {
    await using bench = await opened();
    await bench.job('j', ['t']);
    await bench.refuses('ResourceNotFoundException', 'DescribeJob', { jobId: 'j' }, /does not exist/, stranger);
    assert.deepEqual((await bench.call('ListJobs', {}, stranger)).jobs, []);
  });
});

describe('lists', () => {
  test('jobs, newest first, by status, selection, group and namespace, page by page', async () => {
    await using bench = await opened();
    const { thingGroupId } = await bench.call('CreateThingGroup', { thingGroupName: 'g' });
    for (const [i, more] of [
      { namespaceId: 'n' },
      { targets: [groupArnOf('g')], targetSelection: 'CONTINUOUS' as const },
      {},
      { targets: [groupArnOf('g')] },
    ].entries()) {
      bench.clock.at += 1000;
      await bench.call('CreateJob', create({ jobId: `j${i}`, ...more }));
    }
    await bench.settle();
    const ids = async (input: object = {}): Promise<string> => {
      const found: string[] = [];
      for (let nextToken: string | undefined; ; ) {
        const page: Awaited<ReturnType<typeof bench.call<'ListJobs'>>> = await bench.call('ListJobs', {
          maxResults: 1,
          nextToken,
          ...input,
        });
        found.push(...(page.jobs ?? []).map(({ jobId = '' }) => jobId));
        nextToken = page.nextToken;
        if (nextToken === undefined) return found.join(' ');
      }
    };
    assert.equal(await ids(), 'j3 j2 j1 j0');
    assert.equal(await ids({ status: 'COMPLETED' }), 'j3');
    assert.equal(await ids({ status: 'IN_PROGRESS' }), 'j2 j1 j0');
    assert.equal(await ids({ targetSelection: 'CONTINUOUS' }), 'j1');
    assert.equal(await ids({ namespaceId: 'n' }), 'j0');
    assert.equal(await ids({ thingGroupName: 'g' }), 'j3 j1');
    assert.equal(await ids({ thingGroupId, status: 'COMPLETED' }), 'j3');
    assert.equal(await ids({ thingGroupName: 'g', thingGroupId: 'other' }), '');
    await bench.refuses('ResourceNotFoundException', 'ListJobs', { thingGroupName: 'none' });
  });

  test('executions of a job and of a thing, by status and job', async () => {
    await using bench = await opened();
    await bench.things('u', 'v');
    await bench.job('a', ['t', 'u', 'v']);
    bench.clock.at += 1000;
    await bench.job('b', ['t'], { namespaceId: 'n' });
    await bench.ask('u', 'a/update', { status: 'FAILED' });
    const ofJob = async (input: object) => {
      const { executionSummaries = [], nextToken } = await bench.call('ListJobExecutionsForJob', { jobId: 'a', ...input });
      const names = executionSummaries.map(({ thingArn, jobExecutionSummary: of }) => `${thingArn?.split('/')[1]} ${of?.status}`);
      return { names: names.join(', '), nextToken };
    };
    assert.equal((await ofJob({})).names, 't QUEUED, u FAILED, v QUEUED');
    assert.equal((await ofJob({ status: 'QUEUED' })).names, 't QUEUED, v QUEUED');
    const first = await ofJob({ status: 'QUEUED', maxResults: 1 });
    assert.equal(first.names, 't QUEUED');
    assert.equal((await ofJob({ status: 'QUEUED', maxResults: 1, nextToken: first.nextToken })).names, 'v QUEUED');
    const ofThing = async (input: object) =>
      (await bench.call('ListJobExecutionsForThing', { thingName: 't', ...input })).executionSummaries?.map(({ jobId }) => jobId);
    assert.deepEqual(await ofThing({}), ['b', 'a']);
    assert.deepEqual(await ofThing({ status: 'QUEUED' }), ['b', 'a']);
    assert.deepEqual(await ofThing({ status: 'FAILED' }), []);
    assert.deepEqual(await ofThing({ jobId: 'a' }), ['a']);
    assert.deepEqual(await ofThing({ namespaceId: 'n' }), ['b']);
    await bench.refuses('ResourceNotFoundException', 'ListJobExecutionsForThing', { thingName: 'nobody' });
    await bench.refuses('ResourceNotFoundException', 'ListJobExecutionsForJob', { jobId: 'none' });
  });
});

describe('cancel and delete', () => {
  test('CancelJob cancels what is queued, with force what is in progress too; a job that has ended is refused', async () => {
    for (const force of [false, true]) {
      await using bench = await opened();
      await bench.things('u');
      await bench.job('j', ['t', 'u']);
      await bench.ask('t', 'start-next');
      bench.heard('u');
      const answer = await bench.call('CancelJob', { jobId: 'j', force, reasonCode: 'WRONG', comment: 'c' });
      assert.equal(answer.jobId, 'j');
      const { job } = await bench.call('DescribeJob', { jobId: 'j' });
      assert.deepEqual(
        [job?.status, job?.reasonCode, job?.comment, job?.forceCanceled],
        ['CANCELED', 'WRONG', 'c', force || undefined],
      );
      assert.deepEqual(
        [await bench.status('j', 't'), await bench.status('j', 'u')],
        [force ? 'CANCELED' : 'IN_PROGRESS', 'CANCELED'],
      );
      assert.deepEqual(
        bench.heard('u').map((each) => each.split(' ')[0]),
        ['notify', 'notify-next'],
      );
      await bench.refuses('InvalidRequestException', 'CancelJob', { jobId: 'j' }, /CANCELED/);
      await bench.refuses('ResourceNotFoundException', 'CancelJob', { jobId: 'none' });
    }
  });

  test('a large job is canceled and deleted page by page, and one more deletion than ten is refused', async () => {
    await using bench = await JobsFixture.open();
    const names = Array.from({ length: 250 }, (_, i) => `t${i}`);
    await bench.call('CreateThingGroup', { thingGroupName: 'g' });
    for (const thingName of names) {
      await bench.call('CreateThing', { thingName });
      await bench.call('AddThingToThingGroup', { thingName, thingGroupName: 'g' });
    }
    await bench.call('CreateJob', create({ targets: [groupArnOf('g')] }));
    await bench.pass(20);
    await bench.call('CancelJob', { jobId: 'j' });
    const counts = async () => (await bench.call('DescribeJob', { jobId: 'j' })).job?.jobProcessDetails;
    assert.equal((await counts())?.numberOfCanceledThings, 100);
    await bench.restart();
    await bench.settle();
    assert.equal((await counts())?.numberOfCanceledThings, 250);
    await bench.call('DeleteJob', { jobId: 'j' });
    assert.equal(await bench.jobStatus('j'), 'DELETION_IN_PROGRESS');
    await bench.refuses('InvalidStateTransitionException', 'DeleteJob', { jobId: 'j' });
    const record = await bench.regional.read((tx) => tx.get(jobs, [bench.account, 'j']));
    assert.ok(record !== undefined);
    await bench.regional.write(async (tx) => {
      for (let i = 0; i < 9; i += 1) await tx.put(jobs, { ...record, jobId: `gone${i}` });
    });
    await bench.call('CreateJob', create({ jobId: 'k', targets: [thingArnOf('t1')] }));
    await bench.refuses('LimitExceededException', 'DeleteJob', { jobId: 'k', force: true }, /At most 10/);
    await bench.settle();
    await bench.refuses('ResourceNotFoundException', 'DescribeJob', { jobId: 'j' });
    await bench.call('CreateJob', create({ targets: [thingArnOf('t1')] }));
  });

  test('DeleteJob asks for force while the job is active, and leaves nothing', async () => {
    await using bench = await opened();
    await bench.job('j', ['t'], { tags: [{ Key: 'a', Value: 'b' }] });
    await bench.refuses('InvalidStateTransitionException', 'DeleteJob', { jobId: 'j' }, /IN_PROGRESS/);
    bench.heard('t');
    await bench.call('DeleteJob', { jobId: 'j', force: true });
    assert.equal(bench.heard('t').length, 2);
    assert.deepEqual(await kept(bench), [0, 0, 0, 0]);
    await bench.job('j', ['t']);
    const jobArn = 'arn:aws:iot:us-east-1:123456789012:job/j';
    assert.deepEqual((await bench.call('ListTagsForResource', { resourceArn: jobArn })).tags, []);
    assert.equal(await bench.status('j', 't'), 'QUEUED');
  });

  test('the active jobs of an account are counted', async () => {
    await using bench = await opened();
    const count = async () => (await bench.regional.read((tx) => tx.get(activeJobs, [bench.account])))?.count;
    await bench.job('a', ['t']);
    await bench.job('b', ['t']);
    await bench.job('c', ['t']);
    assert.equal(await count(), 3);
    await bench.ask('t', 'a/update', { status: 'SUCCEEDED' });
    await bench.call('CancelJob', { jobId: 'b' });
    await bench.call('DeleteJob', { jobId: 'b' });
    await bench.call('DeleteJob', { jobId: 'c', force: true });
    assert.equal(await count(), 0);
  });
});

describe('single executions', () => {
  test('CancelJobExecution: versions, states, force, details', async () => {
    await using bench = await opened();
    await bench.job('j', ['t']);
    const execution = { jobId: 'j', thingName: 't' };
    await bench.refuses('VersionConflictException', 'CancelJobExecution', { ...execution, expectedVersion: 7 });
    await bench.ask('t', 'start-next', { statusDetails: { a: 'b' } });
    await bench.refuses('InvalidStateTransitionException', 'CancelJobExecution', execution, /IN_PROGRESS/);
    const bad = { 'a b': 'c' };
    await bench.refuses('InvalidRequestException', 'CancelJobExecution', { ...execution, force: true, statusDetails: bad });
    await bench.call('CancelJobExecution', { ...execution, force: true, expectedVersion: 2, statusDetails: { c: 'd' } });
    const { execution: shown } = await bench.call('DescribeJobExecution', execution);
    assert.deepEqual(
      [shown?.status, shown?.forceCanceled, shown?.statusDetails, shown?.versionNumber, shown?.thingArn],
      ['CANCELED', true, { detailsMap: { c: 'd' } }, 3, thingArnOf('t')],
    );
    assert.equal(await bench.jobStatus('j'), 'COMPLETED');
    await bench.refuses('InvalidStateTransitionException', 'CancelJobExecution', { ...execution, force: true }, /has ended/);
    await bench.refuses('ResourceNotFoundException', 'CancelJobExecution', { jobId: 'j', thingName: 'nobody' });
  });

  test('DeleteJobExecution: by number, with force while it is pending; the number is used again', async () => {
    await using bench = await opened();
    await bench.call('CreateThingGroup', { thingGroupName: 'g' });
    await bench.call('AddThingToThingGroup', { thingName: 't', thingGroupName: 'g' });
    await bench.call('CreateJob', create({ targets: [groupArnOf('g')], targetSelection: 'CONTINUOUS' }));
    await bench.settle();
    const execution = { jobId: 'j', thingName: 't', executionNumber: 1 };
    await bench.refuses('InvalidStateTransitionException', 'DeleteJobExecution', execution, /QUEUED/);
    await bench.refuses('ResourceNotFoundException', 'DeleteJobExecution', { ...execution, executionNumber: 2, force: true });
    bench.heard('t');
    await bench.call('DeleteJobExecution', { ...execution, force: true });
    assert.equal(bench.heard('t').length, 2);
    await bench.refuses('ResourceNotFoundException', 'DescribeJobExecution', { jobId: 'j', thingName: 't' });
    const details = (await bench.call('DescribeJob', { jobId: 'j' })).job?.jobProcessDetails;
    assert.equal(details?.numberOfQueuedThings, 0);
  });
});

describe('changes of jobs', () => {
  test('UpdateJob replaces settings; retries can only be ended; a job that has ended stays', async () => {
    await using bench = await opened();
    await bench.job('j', ['t'], {
      timeoutConfig: { inProgressTimeoutInMinutes: 5 },
      jobExecutionsRetryConfig: { criteriaList: [{ failureType: 'FAILED', numberOfRetries: 3 }] },
    });
    const retries = (numberOfRetries: number) => ({
      jobExecutionsRetryConfig: { criteriaList: [{ failureType: 'FAILED' as const, numberOfRetries }] },
    });
    await bench.refuses('InvalidRequestException', 'UpdateJob', { jobId: 'j', ...retries(5) }, /only be updated to 0/);
    await bench.call('UpdateJob', {
      jobId: 'j',
      description: 'new',
      timeoutConfig: { inProgressTimeoutInMinutes: 7 },
      ...retries(0),
    });
    const { job } = await bench.call('DescribeJob', { jobId: 'j' });
    assert.deepEqual([job?.description, job?.timeoutConfig], ['new', { inProgressTimeoutInMinutes: 7 }]);
    await bench.ask('t', 'j/update', { status: 'FAILED' });
    assert.equal(await bench.jobStatus('j'), 'COMPLETED');
    await bench.refuses('InvalidRequestException', 'UpdateJob', { jobId: 'j', description: 'x' }, /COMPLETED/);
    await bench.refuses('ResourceNotFoundException', 'UpdateJob', { jobId: 'none' });
  });

  test('AssociateTargetsWithJob: continuous jobs in progress alone, 100 targets in all', async () => {
    await using bench = await opened();
    await bench.things('u');
    await bench.job('snapshot', ['t']);
    await bench.job('j', ['t'], { targetSelection: 'CONTINUOUS' });
    const targets = [thingArnOf('u'), thingArnOf('t')];
    await bench.refuses('InvalidRequestException', 'AssociateTargetsWithJob', { jobId: 'snapshot', targets }, /continuous/);
    await bench.call('AssociateTargetsWithJob', { jobId: 'j', targets, comment: 'more' });
    await bench.settle();
    assert.equal(await bench.status('j', 'u'), 'QUEUED');
    assert.equal((await bench.call('DescribeJob', { jobId: 'j' })).job?.targets?.length, 2);
    const names = Array.from({ length: 99 }, (_, i) => `m${i}`);
    await bench.things(...names);
    const many = names.map(thingArnOf);
    await bench.refuses('LimitExceededException', 'AssociateTargetsWithJob', { jobId: 'j', targets: many }, /at most 100/);
    await bench.call('CancelJob', { jobId: 'j' });
    await bench.refuses('InvalidRequestException', 'AssociateTargetsWithJob', { jobId: 'j', targets }, /CANCELED/);
  });

  test('AssociateTargetsWithJob is refused from the end time on, which the job outlives while executions go on', async () => {
    await using bench = await opened();
    await bench.things('u');
    const schedulingConfig = { endTime: iso(START + 40 * MINUTE) };
    await bench.job('j', ['t'], { targetSelection: 'CONTINUOUS', schedulingConfig });
    const more = { jobId: 'j', targets: [thingArnOf('u')] };
    bench.clock.at = START + 40 * MINUTE;
    await bench.refuses('InvalidRequestException', 'AssociateTargetsWithJob', more, /end time of job j has passed/);
    await bench.settle();
    assert.equal(await bench.jobStatus('j'), 'IN_PROGRESS');
    await bench.refuses('InvalidRequestException', 'AssociateTargetsWithJob', more, /end time of job j has passed/);
    assert.equal((await bench.call('DescribeJob', { jobId: 'j' })).job?.targets?.length, 1);
  });
});
