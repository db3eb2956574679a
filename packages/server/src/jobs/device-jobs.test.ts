/** What devices ask of their jobs, and what they are told (fact sheet 8.1, 38.1 to 38.3). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { caller } from '../testing/operations-fixture.ts';
import { JobsFixture } from './jobs.fixture.ts';

const T = 1_795_176_000;

const summary = (jobId: string, more: object = {}): string =>
  JSON.stringify({ jobId, queuedAt: T, lastUpdatedAt: T, executionNumber: 1, versionNumber: 1, ...more });

describe('the worked series of the guide (38.1), byte for byte', () => {
  test('each event, and what notify and notify-next carry then', async () => {
    await using bench = await JobsFixture.open();
    await bench.things('t');
    const started = (jobId: string, versionNumber = 2) =>
      `{"jobId":"${jobId}","queuedAt":${T},"lastUpdatedAt":${T},"startedAt":${T},"executionNumber":1,"versionNumber":${versionNumber}}`;
    const queued = (...jobs: string[]) => jobs.map((job) => summary(job)).join(',');
    const nextQueued = (jobId: string) =>
      `notify-next {"timestamp":${T},"execution":{"jobId":"${jobId}","status":"QUEUED","queuedAt":${T},"lastUpdatedAt":${T},"versionNumber":1,"executionNumber":1,"jobDocument":{"job":"${jobId}"}}}`;
    const nextStarted = (jobId: string) =>
      `notify-next {"timestamp":${T},"execution":{"jobId":"${jobId}","status":"IN_PROGRESS","queuedAt":${T},"startedAt":${T},"lastUpdatedAt":${T},"versionNumber":2,"executionNumber":1,"jobDocument":{"job":"${jobId}"}}}`;

    await bench.job('job1', ['t']);
    assert.deepEqual(bench.heard('t'), [`notify {"timestamp":${T},"jobs":{"QUEUED":[${queued('job1')}]}}`, nextQueued('job1')]);
    await bench.job('job2', ['t']);
    assert.deepEqual(bench.heard('t'), [`notify {"timestamp":${T},"jobs":{"QUEUED":[${queued('job1', 'job2')}]}}`]);
    await bench.ask('t', 'job1/update', { status: 'IN_PROGRESS' });
    assert.deepEqual(bench.heard('t'), []);
    await bench.job('job3', ['t']);
    assert.deepEqual(bench.heard('t'), [
      `notify {"timestamp":${T},"jobs":{"IN_PROGRESS":[${started('job1')}],"QUEUED":[${queued('job2', 'job3')}]}}`,
    ]);
    await bench.ask('t', 'job1/update', { status: 'SUCCEEDED' });
    assert.deepEqual(bench.heard('t'), [
      `notify {"timestamp":${T},"jobs":{"QUEUED":[${queued('job2', 'job3')}]}}`,
      nextQueued('job2'),
    ]);
    await bench.ask('t', 'job3/update', { status: 'IN_PROGRESS' });
    assert.deepEqual(bench.heard('t'), [nextStarted('job3')]);
    await bench.ask('t', 'job2/update', { status: 'REJECTED' });
    assert.deepEqual(bench.heard('t'), [`notify {"timestamp":${T},"jobs":{"IN_PROGRESS":[${started('job3')}]}}`]);
    await bench.call('DeleteJob', { jobId: 'job3', force: true });
    assert.deepEqual(bench.heard('t'), [`notify {"timestamp":${T},"jobs":{}}`, `notify-next {"timestamp":${T}}`]);
    assert.equal((await bench.ask('t', 'get')).text, `{"inProgressJobs":[],"queuedJobs":[],"timestamp":${T}}`);
    assert.equal((await bench.ask('t', '$next/get')).text, `{"timestamp":${T}}`);
  });
});

test('while the disk is nearly full an execution starts and ends, and its details do not grow', async () => {
  await using bench = await JobsFixture.open();
  await bench.things('t');
  await bench.job('j', ['t']);
  bench.kept.disk.low = true;
  const statusDetails = { step: 'one' };
  const refused = await bench.ask('t', 'start-next', { statusDetails });
  assert.deepEqual([refused.outcome, refused.body.code], ['rejected', 'InternalError']);
  assert.match(String(refused.body.message), /disk is nearly full/);
  await bench.ask('t', 'start-next', { statusDetails });
  assert.deepEqual(
    bench.kept.refusals.map(({ check, clientId }) => [check, clientId]),
    [['limit', 't']],
  );
  assert.equal((await bench.ask('t', 'start-next')).outcome, 'accepted');
  const update = bench.data.UpdateJobExecution;
  const report = { thingName: 't', jobId: 'j', status: 'IN_PROGRESS' as const };
  await assert.rejects(async () => update?.({ ...report, statusDetails }, caller), { name: 'ServiceUnavailableException' });
  await update?.(report, caller);
  await update?.({ ...report, status: 'SUCCEEDED', statusDetails }, caller);
  const { execution } = await bench.call('DescribeJobExecution', { jobId: 'j', thingName: 't' });
  assert.deepEqual([execution?.status, execution?.statusDetails], ['SUCCEEDED', { detailsMap: statusDetails }]);
});

describe('requests', () => {
  test('an execution of a number that is none is not found, over HTTPS and in the control plane', async () => {
    await using bench = await JobsFixture.open();
    await bench.things('t');
    await bench.job('j', ['t']);
    const { DescribeJobExecution: describeOne, UpdateJobExecution: update } = bench.data;
    for (const executionNumber of [-1, 0, 0.5, 2, -1e300, 1e300, Number.MAX_SAFE_INTEGER]) {
      const asked = { thingName: 't', jobId: 'j', executionNumber };
      await assert.rejects(async () => describeOne?.(asked, caller), { name: 'ResourceNotFoundException' });
      await assert.rejects(async () => update?.({ ...asked, status: 'SUCCEEDED' }, caller), {
        name: 'ResourceNotFoundException',
      });
      await bench.refuses('ResourceNotFoundException', 'DescribeJobExecution', asked);
      await bench.refuses('ResourceNotFoundException', 'DeleteJobExecution', { ...asked, force: true });
    }
  });

  test('start-next gives thing and document, is echoed its token, and starts once', async () => {
    await using bench = await JobsFixture.open();
    await bench.things('t');
    const document = '{ "n" : 1.0, "big": 12345678901234567890, "s" : "a \\" b" }';
    await bench.job('j', ['t'], { document });
    const first = await bench.ask('t', 'start-next', { clientToken: 'c', statusDetails: { step: '1' } });
    assert.equal(
      first.text,
      `{"execution":{"jobId":"j","thingName":"t","status":"IN_PROGRESS","statusDetails":{"step":"1"},"queuedAt":${T},"startedAt":${T},` +
        `"lastUpdatedAt":${T},"versionNumber":2,"executionNumber":1,"jobDocument":{"n":1.0,"big":12345678901234567890,"s":"a \\" b"}},` +
        `"timestamp":${T},"clientToken":"c"}`,
    );
    bench.clock.at += 5000;
    const again = await bench.ask('t', 'start-next', { statusDetails: { step: '2' } });
    assert.equal(again.outcome, 'accepted');
    assert.deepEqual((again.body.execution as { statusDetails: object }).statusDetails, { step: '1' });
    const pending = await bench.ask('t', 'get', { clientToken: 'x' });
    assert.deepEqual(pending.body, {
      inProgressJobs: [{ jobId: 'j', queuedAt: T, lastUpdatedAt: T, startedAt: T, executionNumber: 1, versionNumber: 2 }],
      queuedJobs: [],
      timestamp: T + 5,
      clientToken: 'x',
    });
  });

  test('updates: IN_PROGRESS again and again, details replaced or left, state and document on request', async () => {
    await using bench = await JobsFixture.open();
    await bench.things('t');
    await bench.job('j', ['t']);
    const update = (body: object) => bench.ask('t', 'j/update', body);
    assert.equal((await update({ status: 'IN_PROGRESS' })).text, `{"timestamp":${T}}`);
    const wanted = { includeJobExecutionState: true, includeJobDocument: true };
    assert.equal(
      (await update({ status: 'IN_PROGRESS', statusDetails: { a: '1' }, expectedVersion: '2', ...wanted })).text,
      `{"executionState":{"status":"IN_PROGRESS","statusDetails":{"a":"1"},"versionNumber":3},"jobDocument":{"job":"j"},"timestamp":${T}}`,
    );
    const left = await update({ status: 'IN_PROGRESS', executionNumber: '1', includeJobExecutionState: true });
    assert.deepEqual(left.body.executionState, { status: 'IN_PROGRESS', statusDetails: { a: '1' }, versionNumber: 4 });
    const ended = await update({ status: 'FAILED', statusDetails: { b: '2' }, includeJobExecutionState: true });
    assert.deepEqual(ended.body.executionState, { status: 'FAILED', statusDetails: { b: '2' }, versionNumber: 5 });
    assert.equal(await bench.jobStatus('j'), 'COMPLETED');
  });

  test('a queued execution can be ended at once', async () => {
    for (const status of ['SUCCEEDED', 'FAILED', 'REJECTED']) {
      await using bench = await JobsFixture.open();
      await bench.things('t');
      await bench.job('j', ['t']);
      assert.equal((await bench.ask('t', 'j/update', { status })).outcome, 'accepted');
      assert.equal(await bench.status('j', 't'), status);
    }
  });

  test('each rejection (38.3)', async () => {
    await using bench = await JobsFixture.open();
    await bench.things('t', 'other');
    await bench.job('done', ['t']);
    await bench.ask('t', 'done/update', { status: 'SUCCEEDED', statusDetails: { k: 'v' } });
    await bench.job('j', ['t']);
    const ok = { status: 'IN_PROGRESS' };
    const details = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 'v']));
    const cases: readonly (readonly [thing: string, what: string, body: object | string, code: string, more?: object])[] = [
      ['t', 'get', '{', 'InvalidJson'],
      ['t', 'get', '[]', 'InvalidRequest'],
      ['t', 'get', { clientToken: 'x'.repeat(65) }, 'InvalidRequest'],
      ['t', 'get', { clientToken: 7 }, 'InvalidRequest'],
      ['nobody', 'get', '', 'ResourceNotFound'],
      ['nobody', 'start-next', '', 'ResourceNotFound'],
      ['t', 'none/get', '', 'ResourceNotFound'],
      ['t', 'j/get', { executionNumber: 2 }, 'ResourceNotFound'],
      ['other', 'j/update', ok, 'ResourceNotFound'],
      ['t', 'a.b/get', '', 'InvalidRequest'],
      ['t', '$next/update', ok, 'InvalidRequest'],
      ['t', 'done/get', '', 'TerminalStateReached'],
      ['t', 'j/update', '', 'InvalidRequest'],
      ['t', 'j/update', { status: 'QUEUED' }, 'InvalidRequest'],
      ['t', 'j/update', { status: 'CANCELED' }, 'InvalidRequest'],
      ['t', 'j/update', { ...ok, expectedVersion: -1 }, 'InvalidRequest'],
      ['t', 'j/update', { ...ok, includeJobDocument: 'yes' }, 'InvalidRequest'],
      ['t', 'j/update', { ...ok, stepTimeoutInMinutes: 0 }, 'InvalidRequest'],
      ['t', 'j/update', { ...ok, stepTimeoutInMinutes: 10_081 }, 'InvalidRequest'],
      ['t', 'j/update', { ...ok, statusDetails: details(11) }, 'InvalidRequest'],
      ['t', 'j/update', { ...ok, statusDetails: { 'a b': 'v' } }, 'InvalidRequest'],
      ['t', 'j/update', { ...ok, statusDetails: { a: 1 } }, 'InvalidRequest'],
      ['t', 'j/update', { ...ok, statusDetails: { a: 'x'.repeat(1025) } }, 'InvalidRequest'],
      ['t', 'j/update', { ...ok, statusDetails: 'a' }, 'InvalidRequest'],
      [
        't',
        'done/update',
        { ...ok, clientToken: 'c' },
        'InvalidStateTransition',
        { clientToken: 'c', executionState: { status: 'SUCCEEDED', statusDetails: { k: 'v' }, versionNumber: 2 } },
      ],
      [
        't',
        'j/update',
        { ...ok, expectedVersion: 7 },
        'VersionMismatch',
        { executionState: { status: 'QUEUED', statusDetails: {}, versionNumber: 1 } },
      ],
    ];
    for (const [thing, what, body, code, more = {}] of cases) {
      const { outcome, body: rejected } = await bench.ask(thing, what, body);
      const { message, ...rest } = rejected;
      assert.ok(typeof message === 'string' && message !== '', what);
      assert.deepEqual([outcome, rest], ['rejected', { code, timestamp: T, ...more }], `${what} ${JSON.stringify(body)}`);
    }
    assert.equal(await bench.status('j', 't'), 'QUEUED');
    assert.equal((await bench.ask('t', 'j/update', { ...ok, statusDetails: details(10) })).outcome, 'accepted');
  });

  test('describe leaves the document out on request, and finds an execution by number', async () => {
    await using bench = await JobsFixture.open();
    await bench.things('t');
    await bench.job('j', ['t']);
    const plain = await bench.ask('t', 'j/get', { includeJobDocument: false, executionNumber: 1 });
    assert.deepEqual(plain.body.execution, {
      ...{ jobId: 'j', thingName: 't', status: 'QUEUED', queuedAt: T, lastUpdatedAt: T, versionNumber: 1, executionNumber: 1 },
    });
    assert.deepEqual((await bench.ask('t', '$next/get')).body.execution, {
      ...{ jobId: 'j', thingName: 't', status: 'QUEUED', queuedAt: T, lastUpdatedAt: T, versionNumber: 1, executionNumber: 1 },
      jobDocument: { job: 'j' },
    });
  });

  test('notify shows ten executions at most, in their order', async () => {
    await using bench = await JobsFixture.open();
    await bench.things('t');
    for (let i = 0; i < 12; i += 1) {
      bench.clock.at += 1000;
      await bench.job(`j${i}`, ['t']);
    }
    const last = bench.heard('t').at(-1) ?? '';
    const { jobs } = JSON.parse(last.slice('notify '.length)) as { jobs: { QUEUED: { jobId: string }[] } };
    assert.deepEqual(
      jobs.QUEUED.map(({ jobId }) => jobId),
      Array.from({ length: 10 }, (_, i) => `j${i}`),
    );
    const { queuedJobs } = (await bench.ask('t', 'get')).body as { queuedJobs: object[] };
    assert.equal(queuedJobs.length, 12);
  });
});

test('rates of an account: reads and writes by themselves, and one record of a client in ten seconds', async () => {
  await using bench = await JobsFixture.open();
  await bench.things('t');
  await bench.job('j', ['t']);
  Object.assign(bench.kept.rates, { jobReads: 2, jobWrites: 1 });
  const asked = async (what: string, body: object = {}) => {
    const { outcome, body: answer } = await bench.ask('t', what, body);
    return outcome === 'accepted' ? outcome : answer.code;
  };
  const reads = [await asked('get'), await asked('j/get'), await asked('$next/get'), await asked('get')];
  assert.deepEqual(reads, ['accepted', 'accepted', 'RequestThrottled', 'RequestThrottled']);
  const update = { status: 'IN_PROGRESS' };
  assert.deepEqual([await asked('j/update', update), await asked('start-next')], ['accepted', 'RequestThrottled']);
  bench.clock.at += 1000;
  assert.equal(await asked('start-next'), 'accepted');
  assert.deepEqual(
    bench.kept.refusals.map(({ check, clientId }) => [check, clientId]),
    [['rate', 't']],
  );
});

test('over HTTPS the document is a string, and rejections are exceptions (8.2)', async () => {
  await using bench = await JobsFixture.open();
  await bench.things('t');
  const document = '{ "a": 1.0 }';
  await bench.job('j', ['t'], { document });
  const { data } = bench;
  const caller = { accountId: '123456789012', region: 'us-east-1', arn: 'a', userId: 'u', sourceIp: '::1', requestId: 'r' };
  const pending = await data.GetPendingJobExecutions?.({ thingName: 't' }, caller);
  assert.equal(pending?.queuedJobs?.[0]?.queuedAt, T);
  const started = await data.StartNextPendingJobExecution?.({ thingName: 't' }, caller);
  assert.equal(started?.execution?.jobDocument, document);
  const described = await data.DescribeJobExecution?.({ thingName: 't', jobId: '$next' }, caller);
  assert.equal(described?.execution?.versionNumber, 2);
  const update = (status: 'SUCCEEDED' | 'IN_PROGRESS' | 'QUEUED', expectedVersion?: number) =>
    data.UpdateJobExecution?.({ thingName: 't', jobId: 'j', status, expectedVersion, includeJobExecutionState: true }, caller);
  await assert.rejects(async () => update('IN_PROGRESS', 9), { code: 'InvalidRequestException' });
  await assert.rejects(async () => update('QUEUED'), { code: 'InvalidRequestException' });
  assert.equal((await update('SUCCEEDED', 2))?.executionState?.versionNumber, 3);
  await assert.rejects(async () => update('IN_PROGRESS'), { code: 'InvalidStateTransitionException' });
  await assert.rejects(async () => data.DescribeJobExecution?.({ thingName: 't', jobId: 'j' }, caller), {
    code: 'TerminalStateException',
  });
  await assert.rejects(async () => data.GetPendingJobExecutions?.({ thingName: 'nobody' }, caller), {
    code: 'ResourceNotFoundException',
  });
});
