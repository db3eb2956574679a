/** Commands across the death of the process: what was started and reported is there, and time goes on (fact sheet 41.3). */
// suite: long
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { CreateCommandCommand, GetCommandExecutionCommand } from '@aws-sdk/client-iot';
import { IoTJobsDataPlaneClient, StartCommandExecutionCommand } from '@aws-sdk/client-iot-jobs-data-plane';
import { ALLOW_ALL, arn, makeDevice, makePolicy } from './devices.ts';
import { clientOf } from './identities.ts';
import { connectDevice } from './provisioning.ts';
import { startServer, temporaryFolder, type TestServer } from './test-core.ts';
import { until } from './until.ts';

const targetArn = arn('client/lamp');
const KILLS = 3;

async function start(server: TestServer, executionTimeoutSeconds: number): Promise<string> {
  const jobs = new IoTJobsDataPlaneClient(clientOf(server, server.credentials()));
  const asked = { commandArn: arn('command/on'), targetArn, executionTimeoutSeconds };
  const { executionId = '' } = await jobs.send(new StartCommandExecutionCommand(asked));
  jobs.destroy();
  return executionId;
}

const shown = (server: TestServer, executionId: string) =>
  server.iot.send(new GetCommandExecutionCommand({ executionId, targetArn, includeResult: true }));

test('executions that were started and reported are there after kill -9, and those without an answer time out', async () => {
  const dataDir = temporaryFolder();
  let server = await startServer({ dataDir });
  await makePolicy(server, 'all', ALLOW_ALL);
  const device = await makeDevice(server, 'lamp', 'all');
  await server.iot.send(new CreateCommandCommand({ commandId: 'on', payload: { content: Buffer.from('x') } }));
  const [reported, unanswered]: [string[], string[]] = [[], []];
  for (let i = 0; i < KILLS; i += 1) {
    unanswered.push(await start(server, 1));
    const executionId = await start(server, 600);
    const lamp = await connectDevice(server, 'lamp', device);
    const report = JSON.stringify({ status: 'SUCCEEDED', result: { round: { s: String(i) } } });
    await lamp.client.publishAsync(`$aws/commands/clients/lamp/executions/${executionId}/response/json`, report, { qos: 1 });
    reported.push(executionId);
    await server.signal('SIGKILL');
    await lamp[Symbol.asyncDispose]();
    server = await startServer({ dataDir });
  }
  for (const [i, executionId] of reported.entries()) {
    const { status, result } = await shown(server, executionId);
    assert.deepEqual([status, result], ['SUCCEEDED', { round: { S: String(i) } }]);
  }
  for (const executionId of unanswered) {
    const late = await until('the end of its time', async () => {
      const found = await shown(server, executionId);
      return found.status === 'CREATED' ? undefined : found;
    });
    assert.deepEqual([late.status, late.statusReason?.reasonCode], ['TIMED_OUT', '$NO_RESPONSE_FROM_DEVICE']);
  }
  await server[Symbol.asyncDispose]();
  rmSync(dataDir, { recursive: true, force: true });
});
