/** A group of things for tests of jobs, and how many executions of a job are in which state. */
import { groupArnOf, JobsFixture } from './jobs.fixture.ts';

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `t${String(i).padStart(4, '0')}`);

/** A group with as many things. */
export async function grouped(count: number, groupName = 'g', path?: string): Promise<JobsFixture> {
  const bench = await JobsFixture.open(path);
  await bench.call('CreateThingGroup', { thingGroupName: groupName });
  for (const thingName of names(count)) {
    await bench.call('CreateThing', { thingName });
    await bench.call('AddThingToThingGroup', { thingName, thingGroupName: groupName });
  }
  return bench;
}

export const counts = async (bench: JobsFixture, jobId = 'j') => {
  const { job } = await bench.call('DescribeJob', { jobId });
  const { processingTargets: _, ...details } = job?.jobProcessDetails ?? {};
  return Object.fromEntries(
    Object.entries(details).flatMap(([name, count]) => (count === 0 ? [] : [[name.replace(/^numberOf|Things$/g, ''), count]])),
  );
};

export const toGroup = (more: object = {}) => ({ jobId: 'j', targets: [groupArnOf('g')], document: '{}', ...more });
