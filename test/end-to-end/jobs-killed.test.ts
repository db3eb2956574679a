/**
 * Jobs over `kill -9`: what was acknowledged is kept, each thing that came to the group of a continuous job has its execution, and
 * the counts of the job are those of its executions.
 */
// suite: long
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import {
  AddThingToThingGroupCommand,
  CreateJobCommand,
  CreateThingCommand,
  CreateThingGroupCommand,
  DescribeJobCommand,
  ListJobExecutionsForJobCommand,
} from '@aws-sdk/client-iot';
import { IoTJobsDataPlaneClient, UpdateJobExecutionCommand } from '@aws-sdk/client-iot-jobs-data-plane';
import { arn } from './devices.ts';
import { startServer, type TestServer, temporaryFolder } from './test-core.ts';

const ROUNDS = 4;
const JOB = 'rolling';

/** Status of each thing's execution; no thing has two. */
async function statuses(server: TestServer): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (let nextToken: string | undefined; ; ) {
    const page = await server.iot.send(new ListJobExecutionsForJobCommand({ jobId: JOB, nextToken }));
    for (const { thingArn = '', jobExecutionSummary: of } of page.executionSummaries ?? []) {
      const name = thingArn.split('/')[1] ?? '';
      assert.ok(!found.has(name), `${name} has two executions`);
      found.set(name, of?.status ?? '');
    }
    nextToken = page.nextToken;
    if (nextToken === undefined) return found;
  }
}

test(`${ROUNDS} times kill -9 while things join and devices report`, { timeout: 120_000 }, async (t) => {
  const dataDir = temporaryFolder();
  t.after(() => rmSync(dataDir, { recursive: true, force: true }));
  const joined: string[] = [];
  const succeeded: string[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    await using server = await startServer({ dataDir });
    if (round === 0) {
      await server.iot.send(new CreateThingGroupCommand({ thingGroupName: 'g' }));
      const targets = [arn('thinggroup/g')];
      await server.iot.send(new CreateJobCommand({ jobId: JOB, targets, document: '{}', targetSelection: 'CONTINUOUS' }));
    }
    const { credentials } = server.iot.config;
    const data = new IoTJobsDataPlaneClient({ endpoint: server.url, region: 'us-east-1', credentials, maxAttempts: 1 });
    let begun = 0;
    const join = async (): Promise<void> => {
      for (;;) {
        const thingName = `t-${round}-${begun}`;
        begun += 1;
        await server.iot.send(new CreateThingCommand({ thingName }));
        await server.iot.send(new AddThingToThingGroupCommand({ thingName, thingGroupName: 'g' }));
        joined.push(thingName);
        if (joined.length >= (20 + round * 7) * (round + 1)) await server.signal('SIGKILL');
      }
    };
    let isOver = false;
    /** Reports of one thing after the other, once it has an execution; ends with the server. */
    const report = async (): Promise<void> => {
      while (!isOver) {
        const thingName = joined[succeeded.length];
        await new Promise((resolve) => setImmediate(resolve));
        if (thingName === undefined) continue;
        const update = new UpdateJobExecutionCommand({ thingName, jobId: JOB, status: 'SUCCEEDED' });
        const answer = await data.send(update).catch((error: Error) => error.name);
        // One that has ended already was stored, and its answer was lost.
        if (typeof answer !== 'string' || answer === 'InvalidStateTransitionException') succeeded.push(thingName);
      }
    };
    const joining = Promise.all(Array.from({ length: 3 }, () => join().catch(() => undefined)));
    await Promise.all([
      joining.finally(() => {
        isOver = true;
      }),
      report(),
    ]);
    data.destroy();
  }
  await using server = await startServer({ dataDir });
  assert.ok(joined.length > ROUNDS * 20 && succeeded.length > 0);
  let found = await statuses(server);
  while (!joined.every((name) => found.has(name))) found = await statuses(server);
  for (const name of succeeded) assert.equal(found.get(name), 'SUCCEEDED', name);
  const details = (await server.iot.send(new DescribeJobCommand({ jobId: JOB }))).job?.jobProcessDetails;
  const count = (status: string): number => [...found.values()].filter((each) => each === status).length;
  assert.deepEqual([details?.numberOfQueuedThings, details?.numberOfSucceededThings], [count('QUEUED'), count('SUCCEEDED')]);
});
