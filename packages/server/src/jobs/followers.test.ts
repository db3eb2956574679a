/** Continuous jobs and what comes to their targets and leaves them (fact sheet 36.6). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { counts, grouped, toGroup } from './grouped.fixture.ts';
import { groupArnOf, JobsFixture, thingArnOf } from './jobs.fixture.ts';
import { executions } from './store.ts';

describe('groups of continuous jobs (36.6)', () => {
  const continuous = toGroup({ targetSelection: 'CONTINUOUS' });

  test('joining queues at once and notifies, leaving removes, coming back gives another execution', async () => {
    await using bench = await grouped(1);
    await bench.call('CreateJob', continuous);
    await bench.settle();
    await bench.things('late');
    const join = () => bench.call('AddThingToThingGroup', { thingName: 'late', thingGroupName: 'g' });
    const leave = () => bench.call('RemoveThingFromThingGroup', { thingName: 'late', thingGroupName: 'g' });
    await join();
    await bench.settle();
    assert.deepEqual(
      bench.heard('late').map((each) => each.split(' ')[0]),
      ['notify', 'notify-next'],
    );
    await bench.ask('late', 'start-next');
    await leave();
    await bench.settle();
    assert.equal(await bench.status('j', 'late'), 'REMOVED');
    assert.deepEqual(
      bench.heard('late').map((each) => each.replace(/\d+/, 'T')),
      ['notify {"timestamp":T,"jobs":{}}', 'notify-next {"timestamp":T}'],
    );
    await join();
    await bench.settle();
    const number = async () =>
      (await bench.call('DescribeJobExecution', { jobId: 'j', thingName: 'late' })).execution?.executionNumber;
    assert.deepEqual([await bench.status('j', 'late'), await number()], ['QUEUED', 2]);
    await bench.ask('late', 'j/update', { status: 'SUCCEEDED' });
    await leave();
    await bench.settle();
    assert.equal(await bench.status('j', 'late'), 'SUCCEEDED');
    // Left and came back before anybody looked.
    await join();
    await leave();
    await join();
    await bench.settle();
    assert.equal(await bench.status('j', 'late'), 'QUEUED');
    assert.equal(await bench.jobStatus('j'), 'IN_PROGRESS');
  });

  test('a thing that moves between groups of the target keeps its execution, and one that has another target too', async () => {
    await using bench = await grouped(1);
    await bench.call('CreateThingGroup', { thingGroupName: 'a', parentGroupName: 'g' });
    await bench.call('CreateThingGroup', { thingGroupName: 'b', parentGroupName: 'g' });
    await bench.things('moving');
    await bench.call('AddThingToThingGroup', { thingName: 'moving', thingGroupName: 'a' });
    await bench.call('CreateJob', { ...continuous, targets: [groupArnOf('g'), thingArnOf('t0000')] });
    await bench.settle();
    await bench.call('UpdateThingGroupsForThing', { thingName: 'moving', thingGroupsToAdd: ['b'], thingGroupsToRemove: ['a'] });
    await bench.call('RemoveThingFromThingGroup', { thingName: 't0000', thingGroupName: 'g' });
    await bench.settle();
    assert.deepEqual(await counts(bench), { Queued: 2 });
  });

  test('a thing of two target groups leaves one and comes back: it keeps its execution until it is in neither', async () => {
    await using bench = await grouped(1);
    await bench.call('CreateThingGroup', { thingGroupName: 'h' });
    await bench.call('AddThingToThingGroup', { thingName: 't0000', thingGroupName: 'h' });
    await bench.call('CreateJob', { ...continuous, targets: [groupArnOf('g'), groupArnOf('h')] });
    await bench.settle();
    const group = (operation: 'AddThingToThingGroup' | 'RemoveThingFromThingGroup', thingGroupName: string) =>
      bench.call(operation, { thingName: 't0000', thingGroupName });
    for (const name of ['g', 'h', 'g']) {
      await group('RemoveThingFromThingGroup', name);
      await bench.settle();
      await group('AddThingToThingGroup', name);
      await bench.settle();
    }
    assert.deepEqual(await counts(bench), { Queued: 1 });
    await group('RemoveThingFromThingGroup', 'g');
    await group('RemoveThingFromThingGroup', 'h');
    await bench.settle();
    assert.deepEqual(await counts(bench), { Removed: 1 });
  });

  test('changes of memberships outlast a restart; a deleted group and a deleted thing remove', async () => {
    await using bench = await grouped(3);
    await bench.call('CreateJob', continuous);
    await bench.settle();
    await bench.call('DeleteThing', { thingName: 't0001' });
    await bench.restart();
    await bench.settle();
    assert.deepEqual(await counts(bench), { Queued: 2, Removed: 1 });
    await bench.call('DeleteThingGroup', { thingGroupName: 'g' });
    await bench.settle();
    assert.deepEqual(await counts(bench), { Removed: 3 });
    assert.equal(await bench.jobStatus('j'), 'IN_PROGRESS');
  });

  test('all that a deleted thing had to do is removed, and what another one of its name is doing is not', async () => {
    await using bench = await JobsFixture.open();
    await bench.things('t');
    const ids = Array.from({ length: 120 }, (_, i) => `j${String(i).padStart(3, '0')}`);
    for (const jobId of ids) await bench.job(jobId, ['t']);
    await bench.ask('t', 'j000/update', { status: 'IN_PROGRESS' });
    await bench.regional.write(async (tx) => {
      const record = await tx.get(executions, [bench.account, 'j000', 't', 1]);
      assert.ok(record !== undefined);
      await tx.put(executions, { ...record, thingId: 'another' });
    });
    await bench.call('DeleteThing', { thingName: 't' });
    await bench.settle();
    const left = await bench.regional.read((tx) => tx.scan(executions, { index: 'pending', prefix: [bench.account, 't'] }));
    assert.deepEqual(
      left.items.map(({ jobId }) => jobId),
      ['j000'],
    );
  });

  test('leaving the target of a snapshot job changes nothing, deleting the thing completes the job', async () => {
    await using bench = await grouped(1);
    await bench.call('CreateJob', toGroup());
    await bench.settle();
    await bench.call('RemoveThingFromThingGroup', { thingName: 't0000', thingGroupName: 'g' });
    await bench.settle();
    assert.equal(await bench.status('j', 't0000'), 'QUEUED');
    await bench.call('DeleteThing', { thingName: 't0000' });
    await bench.settle();
    assert.deepEqual([await bench.jobStatus('j'), await counts(bench)], ['COMPLETED', { Removed: 1 }]);
  });
});
