/** Jobs that the kit's agent does: allowed commands, files over streams, and what it rejects or reports as failed. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CreateJobCommand, DescribeJobExecutionCommand, DescribeThingCommand } from '@aws-sdk/client-iot';
import { ALLOW_ALL, makePolicy } from './devices.ts';
import { Agent, type KitDevice, kitDevice, thingkit } from './kit-device.ts';
import { makeStream } from './streams.ts';
import { startServer, type TestServer } from './test-core.ts';
import { until } from './until.ts';

const FIRMWARE = randomBytes(300_000);
const sha256 = createHash('sha256').update(FIRMWARE).digest('hex');

let server: TestServer;
let device: KitDevice;
let agent: Agent;
let folder: string;
let thingArn: string;
before(async () => {
  server = await startServer();
  await makePolicy(server, 'all', ALLOW_ALL);
  await makeStream(server, 'firmware', [FIRMWARE]);
  device = await kitDevice(server, 'worker', `file:${join(server.dataDir, 'worker.key')}`, 'all');
  thingArn = (await server.iot.send(new DescribeThingCommand({ thingName: 'worker' }))).thingArn ?? '';
  folder = join(server.dataDir, 'downloads');
  const list = join(server.dataDir, 'commands.json');
  const commands = {
    say: { argv: ['/bin/echo', 'done', '$HOME', ';ls'] },
    fail: { argv: ['/bin/sh', '-c', 'echo broken >&2; exit 3'] },
    hang: { argv: ['/bin/sh', '-c', 'sleep 300 & sleep 300'], timeoutSeconds: 1 },
    absent: { argv: ['/nowhere/at/all'] },
  };
  writeFileSync(list, JSON.stringify({ commands }), { mode: 0o600 });
  agent = new Agent([...device.flags, '--jobs', list, '--download-folder', folder, '--download-limit', '1000000'], device.env);
  await agent.says(/^connected/);
});
after(async () => {
  await agent[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** Makes a job, and waits until its execution has ended. */
async function done(jobId: string, document: object) {
  await server.iot.send(new CreateJobCommand({ jobId, targets: [thingArn], document: JSON.stringify(document) }));
  return until(
    `job ${jobId}`,
    async () => {
      const { execution } = await server.iot
        .send(new DescribeJobExecutionCommand({ jobId, thingName: 'worker' }))
        .catch(() => ({ execution: undefined }));
      return ['SUCCEEDED', 'FAILED', 'REJECTED'].includes(execution?.status ?? '') ? execution : undefined;
    },
    20_000,
  );
}

const detailsOf = (execution: Awaited<ReturnType<typeof done>>): Record<string, string> =>
  execution?.statusDetails?.detailsMap ?? {};

describe('jobs of the agent', () => {
  test('an allowed command runs as it is written, without a shell', async () => {
    const execution = await done('say', { operation: 'run', command: 'say' });
    assert.equal(execution?.status, 'SUCCEEDED');
    assert.deepEqual(detailsOf(execution), { exitCode: '0', output: 'done $HOME ;ls' });
  });

  test("so does the handler of one of AWS's managed templates", async () => {
    const steps = [{ action: { name: 'say', type: 'runHandler', input: { handler: 'say', args: [], path: 'default' } } }];
    assert.equal((await done('handler', { version: '1.0', steps }))?.status, 'SUCCEEDED');
  });

  test('a command that fails, hangs or is not there is FAILED, with the reason', async () => {
    const failed = await done('fail', { operation: 'run', command: 'fail' });
    assert.deepEqual([failed?.status, detailsOf(failed)], ['FAILED', { exitCode: '3', output: 'broken' }]);
    const hung = await done('hang', { operation: 'run', command: 'hang' });
    assert.equal(hung?.status, 'FAILED');
    assert.equal(detailsOf(hung).reason, 'not done within 1 s');
    const absent = await done('absent', { operation: 'run', command: 'absent' });
    assert.equal(absent?.status, 'FAILED');
    assert.match(detailsOf(absent).reason ?? '', /ENOENT/);
  });

  test('what is not allowed or not known is REJECTED', async () => {
    for (const [jobId, document] of [
      ['unlisted', { operation: 'run', command: 'rm' }],
      ['prototype', { operation: 'run', command: 'constructor' }],
      ['unknown', { operation: 'dance' }],
      ['empty', {}],
      ['arguments', { steps: [{ action: { type: 'runHandler', input: { handler: 'say', args: ['x'] } } }] }],
      ['elsewhere', { operation: 'download', file: '../worker.key', sha256, stream: { id: 'firmware', file: 0 } }],
      ['hashless', { operation: 'download', file: 'x', stream: { id: 'firmware', file: 0 } }],
    ] as const)
      assert.equal((await done(jobId, document))?.status, 'REJECTED', jobId);
  });

  test('a file of a stream comes whole, and is there when its hash is right', async () => {
    const execution = await done('firmware-2', {
      operation: 'download',
      file: 'lamp.bin',
      sha256,
      stream: { id: 'firmware', file: 0 },
    });
    assert.equal(execution?.status, 'SUCCEEDED', JSON.stringify(detailsOf(execution)));
    const path = join(folder, 'lamp.bin');
    assert.deepEqual(readFileSync(path), FIRMWARE);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(detailsOf(execution).sha256, sha256);
  });

  test('a file of another hash, of no stream, or over plain HTTP is FAILED, and what was there stays', async () => {
    const wrong = 'a'.repeat(64);
    for (const [jobId, document, reason] of [
      ['wrong', { stream: { id: 'firmware', file: 0 }, sha256: wrong }, /SHA-256 is [0-9a-f]{64}, not a{64}/],
      ['none', { stream: { id: 'nothing', file: 0 }, sha256 }, /ResourceNotFound/],
      ['second', { stream: { id: 'firmware', file: 7 }, sha256 }, /has no file 7/],
      ['plain', { url: `${server.url}/firmware`, sha256 }, /https/],
    ] as const) {
      const execution = await done(jobId, { operation: 'download', file: 'lamp.bin', ...document });
      assert.equal(execution?.status, 'FAILED', jobId);
      assert.match(detailsOf(execution).reason ?? '', reason);
    }
    assert.deepEqual(readFileSync(join(folder, 'lamp.bin')), FIRMWARE);
    assert.equal(existsSync(join(folder, 'lamp.bin.part')), false);
  });

  test('a list of commands that others can change is not taken', async () => {
    const list = join(server.dataDir, 'open.json');
    writeFileSync(list, '{"commands":{}}');
    chmodSync(list, 0o666);
    const other = await kitDevice(server, 'other', `file:${join(server.dataDir, 'other.key')}`, 'all');
    const { code, json } = await thingkit(['run', ...other.flags, '--jobs', list]);
    assert.equal(code, 1);
    assert.match(JSON.stringify(json), /can be changed by others/);
  });
});
