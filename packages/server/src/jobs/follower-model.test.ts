/**
 * Things that come, leave, are deleted and made anew while their changes are followed late or twice: in the end a continuous
 * job has one execution for each thing in its groups, and none for another.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { caller } from '../testing/operations-fixture.ts';
import { JobsFixture } from './jobs.fixture.ts';
import { isPending } from './states.ts';
import { executions, targetChanges } from './store.ts';

const GROUPS = ['g0', 'g1', 'g2'];
const THINGS = ['t0', 't1', 't2', 't3'];
/** More than are followed at once. */
const JOBS = 60;
const TARGETS = [['g0'], ['g1', 'g0'], GROUPS];
const targetsOf = (job: number): readonly string[] => TARGETS[job % TARGETS.length] ?? [];

const groupArn = (name: string): string => `arn:aws:iot:${caller.region}:${caller.accountId}:thinggroup/${name}`;

/** Numbers below a bound, by a seed. */
function randomBy(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
}

async function step(bench: JobsFixture, groupsOf: Map<string, Set<string>>, random: (below: number) => number): Promise<void> {
  const thingName = THINGS[random(THINGS.length)] ?? '';
  const thingGroupName = GROUPS[random(GROUPS.length)] ?? '';
  const groups = groupsOf.get(thingName) ?? new Set();
  const what = random(10);
  if (what < 5) {
    await bench.call('AddThingToThingGroup', { thingName, thingGroupName });
    groups.add(thingGroupName);
  } else if (what < 8) {
    await bench.call('RemoveThingFromThingGroup', { thingName, thingGroupName });
    groups.delete(thingGroupName);
  } else if (what === 8) {
    await bench.call('DeleteThing', { thingName });
    await bench.things(thingName);
    groups.clear();
  } else if (random(10) < 3) await bench.restart();
  else await bench.tick();
  if (random(10) < 3) await bench.followed();
}

async function differences(bench: JobsFixture, groupsOf: Map<string, Set<string>>): Promise<string[]> {
  const found: string[] = [];
  for (const [thingName, groups] of groupsOf)
    for (let job = 0; job < JOBS; job += 1) {
      const prefix = [bench.account, `j${job}`, thingName];
      const { items } = await bench.regional.read((tx) => tx.scan(executions, { prefix }));
      const pending = items.filter(({ status }) => isPending(status)).length;
      if (pending !== Number(targetsOf(job).some((each) => groups.has(each)))) found.push(`${thingName} j${job}: ${pending}`);
    }
  return found;
}

for (const seed of [2, 3, 6, 8])
  test(`things in groups and their executions are the same in the end, seed ${seed}`, async () => {
    await using bench = await JobsFixture.open();
    for (const thingGroupName of GROUPS) await bench.call('CreateThingGroup', { thingGroupName });
    await bench.things(...THINGS);
    for (let job = 0; job < JOBS; job += 1)
      await bench.call('CreateJob', {
        jobId: `j${job}`,
        targets: targetsOf(job).map(groupArn),
        document: '{}',
        targetSelection: 'CONTINUOUS',
      });
    await bench.settle();
    await bench.pass(3);
    const random = randomBy(seed);
    const groupsOf = new Map(THINGS.map((name) => [name, new Set<string>()]));
    for (let round = 0; round < 10; round += 1) {
      for (let i = 0; i < 8; i += 1) await step(bench, groupsOf, random);
      await bench.settle();
      await bench.settle();
      assert.deepEqual(await differences(bench, groupsOf), [], `round ${round}`);
      const left = await bench.regional.read((tx) => tx.scan(targetChanges, { prefix: [bench.account] }));
      assert.equal(left.items.length, 0);
    }
  });
