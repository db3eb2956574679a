/** A thing that is deleted and made anew under its name: what the one before had to do is not its own (fact sheet 36.6). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { groupArnOf, JobsFixture, thingArnOf } from './jobs.fixture.ts';

const JOBS = 120;

/** A thing with many jobs. */
async function busyThing(): Promise<JobsFixture> {
  const bench = await JobsFixture.open();
  await bench.things('t');
  for (let i = 0; i < JOBS; i += 1) {
    const jobId = `old${String(i).padStart(3, '0')}`;
    await bench.call('CreateJob', { jobId, targets: [thingArnOf('t')], document: '{}' });
  }
  await bench.settle();
  return bench;
}

async function renew(bench: JobsFixture): Promise<void> {
  await bench.call('DeleteThing', { thingName: 't' });
  await bench.things('t');
  await bench.call('CreateJob', { jobId: 'new', targets: [thingArnOf('t')], document: '{}' });
}

describe('a thing made anew', () => {
  test('all executions of the one before are removed, and its own stays', async () => {
    await using bench = await busyThing();
    const release = bench.hold();
    await renew(bench);
    await bench.tick();
    // Its own is first in the order, in front of those that are to be removed.
    await bench.ask('t', 'new/update', { status: 'IN_PROGRESS' });
    release();
    await bench.settle();
    const { executionSummaries = [] } = await bench.call('ListJobExecutionsForThing', { thingName: 't', maxResults: 250 });
    const statuses = executionSummaries.map((each) => each.jobExecutionSummary?.status);
    assert.deepEqual(
      [statuses.length, statuses.filter((status) => status === 'REMOVED').length, await bench.status('new', 't')],
      [JOBS + 1, JOBS, 'IN_PROGRESS'],
    );
  });

  test('its device is told of its own executions alone, also while those of the one before are still there', async () => {
    await using bench = await busyThing();
    const release = bench.hold();
    await renew(bench);
    await bench.tick();
    assert.equal(await bench.status('old000', 't'), 'QUEUED');
    const { body } = await bench.ask('t', 'get');
    assert.deepEqual(
      (body.queuedJobs as { jobId: string }[]).map(({ jobId }) => jobId),
      ['new'],
    );
    const notify = bench.heard('t').filter((each) => each.startsWith('notify '));
    assert.doesNotMatch(notify.at(-1) ?? '', /old/);
    for (const what of ['old000/get', 'old000/update']) {
      const { body: rejected } = await bench.ask('t', what, { status: 'SUCCEEDED' });
      assert.equal(rejected.code, 'ResourceNotFound', what);
    }
    assert.match((await bench.ask('t', '$next/get')).text, /"jobId":"new"/);
    assert.match((await bench.ask('t', 'start-next')).text, /"jobId":"new"/);
    bench.heard('t');
    release();
    await bench.settle();
    // What the one before had to do ends, and changes nothing for the new one.
    assert.deepEqual(bench.heard('t'), []);
    assert.equal(await bench.status('old000', 't'), 'REMOVED');
  });

  for (const [how, isMember] of [
    ['that the job names', false],
    ['that the job names and that is in its group too', true],
  ] as const)
    test(`comes into the group of a continuous job: a thing ${how} has ended its execution, and the new one gets its own`, async () => {
      await using bench = await JobsFixture.open();
      await bench.things('t');
      await bench.call('CreateThingGroup', { thingGroupName: 'g' });
      const join = () => bench.call('AddThingToThingGroup', { thingName: 't', thingGroupName: 'g' });
      if (isMember) await join();
      const targets = [thingArnOf('t'), groupArnOf('g')];
      await bench.call('CreateJob', { jobId: 'j', targets, targetSelection: 'CONTINUOUS', document: '{}' });
      await bench.settle();
      await bench.ask('t', 'j/update', { status: 'REJECTED' });
      await bench.call('DeleteThing', { thingName: 't' });
      await bench.things('t');
      await bench.settle();
      const pending = async () => ((await bench.ask('t', 'get')).body.queuedJobs as { executionNumber: number }[]).length;
      assert.equal(await pending(), 0, 'its name alone makes it no target');
      await join();
      await bench.settle();
      assert.equal(await pending(), 1);
      const { executionSummaries = [] } = await bench.call('ListJobExecutionsForJob', { jobId: 'j' });
      assert.deepEqual(executionSummaries.map((each) => each.jobExecutionSummary?.status).sort(), ['QUEUED', 'REJECTED']);
    });
});
