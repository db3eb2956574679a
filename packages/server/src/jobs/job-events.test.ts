/** Job events (fact sheet 39). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { grouped, toGroup } from './grouped.fixture.ts';
import { JobsFixture, START, thingArnOf } from './jobs.fixture.ts';

interface Event extends Readonly<Record<string, unknown>> {
  readonly topic: string;
}

function events(bench: JobsFixture): Event[] {
  const own = bench.published.filter(({ topic }) => topic.startsWith('$aws/events/'));
  bench.published.splice(0);
  return own.map(({ topic, payload }) => {
    const { eventId, ...event } = JSON.parse(payload) as Record<string, unknown>;
    assert.match(String(eventId), /^[0-9a-f-]{36}$/);
    return { topic: topic.slice('$aws/events/'.length), ...event };
  });
}

const enable = (bench: JobsFixture, ...kinds: readonly string[]) =>
  bench.call('UpdateEventConfigurations', {
    eventConfigurations: Object.fromEntries(kinds.map((kind) => [kind, { Enabled: true }])),
  });

test('the members of both kinds of events, and none unless the account wants them', async () => {
  await using bench = await JobsFixture.open();
  await bench.things('t');
  await bench.job('silent', ['t']);
  await bench.ask('t', 'silent/update', { status: 'SUCCEEDED' });
  assert.deepEqual(events(bench), []);
  await enable(bench, 'JOB', 'JOB_EXECUTION');
  await bench.job('j', ['t'], { description: 'd' });
  await bench.ask('t', 'j/update', { status: 'SUCCEEDED', statusDetails: { a: 'b' } });
  const timestamp = START / 1000;
  assert.deepEqual(events(bench), [
    {
      topic: 'jobExecution/j/succeeded',
      ...{ eventType: 'JOB_EXECUTION', timestamp, operation: 'succeeded', jobId: 'j', thingArn: thingArnOf('t') },
      ...{ status: 'SUCCEEDED', statusDetails: { a: 'b' } },
    },
    {
      topic: 'job/j/completed',
      ...{ eventType: 'JOB', timestamp, operation: 'completed', jobId: 'j', status: 'COMPLETED', targetSelection: 'SNAPSHOT' },
      ...{ targets: [thingArnOf('t')], description: 'd', completedAt: START, createdAt: START, lastUpdatedAt: START },
      jobProcessDetails: {
        ...{ numberOfCanceledThings: 0, numberOfRejectedThings: 0, numberOfFailedThings: 0 },
        ...{ numberOfRemovedThings: 0, numberOfSucceededThings: 1 },
      },
    },
  ]);
});

test('the exact members of each event of a job (7.5): end and counts of `completed`, the comment of three', async () => {
  await using bench = await JobsFixture.open();
  await bench.things('t');
  await enable(bench, 'JOB');
  const common = ['createdAt', 'description', 'eventType', 'jobId', 'lastUpdatedAt', 'operation', 'status'];
  const members = () =>
    events(bench).map(({ topic, ...event }) => [
      topic.split('/').at(-1),
      ...Object.keys(event)
        .filter((name) => !common.includes(name))
        .sort(),
    ]);
  const rest = ['targetSelection', 'targets', 'timestamp'];
  const targetSelection = 'CONTINUOUS' as const;
  await bench.job('done', ['t'], { description: 'd' });
  await bench.ask('t', 'done/update', { status: 'SUCCEEDED' });
  assert.deepEqual(members(), [['completed', 'completedAt', 'jobProcessDetails', ...rest]]);
  await bench.call('DeleteJob', { jobId: 'done' });
  assert.deepEqual(members(), [
    ['deletion_in_progress', ...rest],
    ['deleted', ...rest],
  ]);
  await bench.job('j', ['t'], { description: 'd', targetSelection });
  await bench.call('CancelJob', { jobId: 'j', comment: 'c' });
  assert.deepEqual(members(), [
    ['cancellation_in_progress', 'comment', ...rest],
    ['canceled', ...rest],
  ]);
  await bench.call('DeleteJob', { jobId: 'j' });
  assert.deepEqual(members(), [
    ['deletion_in_progress', 'comment', ...rest],
    ['deleted', 'comment', ...rest],
  ]);
});

test('a job with a comment that is completed does not tell it', async () => {
  await using bench = await JobsFixture.open();
  await bench.things('t', 'u');
  await enable(bench, 'JOB');
  const schedulingConfig = { endTime: new Date(START + 40 * 60_000).toISOString().slice(0, 16) };
  await bench.job('j', ['t'], { targetSelection: 'CONTINUOUS', schedulingConfig });
  await bench.call('AssociateTargetsWithJob', { jobId: 'j', targets: [thingArnOf('u')], comment: 'c' });
  await bench.settle();
  for (const name of ['t', 'u']) await bench.ask(name, 'j/update', { status: 'SUCCEEDED' });
  await bench.jump(40 * 60_000);
  assert.deepEqual(
    events(bench).map(({ operation, comment }) => [operation, comment]),
    [['completed', undefined]],
  );
});

test('a job that is deleted while its cancellation goes on page by page tells the end of both', async () => {
  await using bench = await grouped(230);
  await enable(bench, 'JOB');
  await bench.call('CreateJob', toGroup());
  await bench.pass(30);
  await bench.call('CancelJob', { jobId: 'j' });
  await bench.call('DeleteJob', { jobId: 'j' });
  await bench.settle();
  assert.deepEqual(
    events(bench).map(({ operation }) => operation),
    ['cancellation_in_progress', 'canceled', 'deletion_in_progress', 'deleted'],
  );
});

test('a cancellation and a deletion tell their begin and their end; each end of an execution has its event', async () => {
  await using bench = await JobsFixture.open();
  await bench.things('t', 'gone');
  await enable(bench, 'JOB', 'JOB_EXECUTION');
  const told = () => events(bench).map(({ topic, status }) => `${topic} ${String(status)}`);
  await bench.job('j', ['t']);
  await bench.call('CancelJob', { jobId: 'j', comment: 'c' });
  assert.deepEqual(told(), [
    ...['job/j/cancellation_in_progress CANCELLATION_IN_PROGRESS', 'jobExecution/j/canceled CANCELED', 'job/j/canceled CANCELED'],
  ]);
  await bench.call('DeleteJob', { jobId: 'j' });
  assert.deepEqual(told(), [
    ...['job/j/deletion_in_progress DELETION_IN_PROGRESS', 'jobExecution/j/deleted DELETED', 'job/j/deleted DELETED'],
  ]);
  for (const status of ['FAILED', 'REJECTED']) {
    await bench.job(status, ['t']);
    await bench.ask('t', `${status}/update`, { status });
  }
  await bench.job('late', ['t'], { timeoutConfig: { inProgressTimeoutInMinutes: 1 } });
  await bench.ask('t', 'start-next');
  await bench.jump(60_000);
  await bench.job('lost', ['gone']);
  await bench.call('DeleteThing', { thingName: 'gone' });
  await bench.settle();
  assert.deepEqual(
    told().filter((each) => each.startsWith('jobExecution')),
    [
      ...['jobExecution/FAILED/failed FAILED', 'jobExecution/REJECTED/rejected REJECTED'],
      ...['jobExecution/late/timed_out TIMED_OUT', 'jobExecution/lost/removed REMOVED'],
    ],
  );
});

test('each switch is for its own kind', async () => {
  await using bench = await JobsFixture.open();
  await bench.things('t');
  await enable(bench, 'JOB');
  await bench.job('j', ['t']);
  await bench.ask('t', 'j/update', { status: 'SUCCEEDED' });
  assert.deepEqual(
    events(bench).map(({ topic }) => topic),
    ['job/j/completed'],
  );
});
