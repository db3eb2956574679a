/** Job events (fact sheet 39). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
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
