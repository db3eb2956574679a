/** The examples of docs/kit: programs of users, run as they stand with the places of a test. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CreateJobCommand, DescribeJobExecutionCommand, DescribeThingCommand } from '@aws-sdk/client-iot';
import { GetThingShadowCommand } from '@aws-sdk/client-iot-data-plane';
import { ALLOW_ALL, makePolicy } from './devices.ts';
import { kitDevice } from './kit-device.ts';
import { succeed } from './run-command.ts';
import { startServer } from './test-core.ts';

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'thingkeep-test-'));
after(() => rmSync(folder, { recursive: true }));

/** The programs of a page: its indented blocks with an import, in order; as modules of this checkout. */
function programsOf(page: string): string[] {
  const blocks = readFileSync(at(page), 'utf8').matchAll(/(?:^ {4}.*\n|^\n(?= {4}))+/gm);
  return [...blocks]
    .map(([block]) => block.replace(/^ {4}/gm, ''))
    .filter((block) => block.includes("from '@thingkeep/kit/"))
    .map((block) => block.replace(/'@thingkeep\/kit\/(.*)\.js'/g, (_, path: string) => `'${at(`packages/kit/src/${path}.ts`)}'`));
}

const runProgram = (text: string): Promise<string> => {
  const path = join(folder, 'program.ts');
  writeFileSync(path, text);
  return succeed(process.execPath, [path], { cwd: folder });
};

test('an element is opened and makes a key (docs/kit/README.md)', async () => {
  const [program = ''] = programsOf('docs/kit/README.md');
  const printed = await runProgram(`${program}\nconsole.log(publicKey.length);`);
  assert.equal(printed, '91\n');
});

test('an agent with its shadow, jobs and messages (docs/kit/agent.md)', async () => {
  await using server = await startServer();
  await makePolicy(server, 'all', ALLOW_ALL);
  const { certificate } = await kitDevice(server, 'lamp-1', `file:${join(folder, 'device.key')}`, 'all');
  copyFileSync(certificate, join(folder, 'device.crt'));
  copyFileSync(server.rootCa, join(folder, 'root-ca.pem'));
  const { thingArn = '' } = await server.iot.send(new DescribeThingCommand({ thingName: 'lamp-1' }));
  await server.iot.send(new CreateJobCommand({ jobId: 'one', targets: [thingArn], document: '{"do":"it"}' }));
  const [first = '', jobs = '', messages = ''] = programsOf('docs/kit/agent.md');
  assert.match(messages, /publishMessages/);
  const waits = "if (!ending.signal.aborted) await new Promise((resolve) => ending.signal.addEventListener('abort', resolve));";
  await runProgram(
    [first.replace('port: 8883', `port: ${server.ports.mqtt}`), messages, jobs, waits, 'process.exit();'].join('\n'),
  );
  const { payload } = await server.iotData.send(new GetThingShadowCommand({ thingName: 'lamp-1' }));
  assert.deepEqual(JSON.parse(Buffer.from(payload ?? []).toString()).state, { reported: { led: 'off' } });
  const { execution } = await server.iot.send(new DescribeJobExecutionCommand({ jobId: 'one', thingName: 'lamp-1' }));
  assert.equal(execution?.status, 'SUCCEEDED');
  assert.deepEqual(execution?.statusDetails?.detailsMap, { saw: '{"do":"it"}' });
});
