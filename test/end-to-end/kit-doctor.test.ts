/** `thingkit doctor` beside a real server: a device that is well, one that the server refuses, one whose server is not there. */
// suite: long
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ALLOW_ALL, allow, arn, makePolicy } from './devices.ts';
import { type KitDevice, kitDevice, thingkit } from './kit-device.ts';
import { startServer, type TestServer } from './test-core.ts';

interface Finding {
  readonly check: string;
  readonly status: string;
  readonly text: string;
  readonly hint?: string;
}

let server: TestServer;
before(async () => {
  server = await startServer();
  await makePolicy(server, 'all', ALLOW_ALL);
  await makePolicy(server, 'only-others', [allow('iot:Connect', arn('client/others'))]);
});
after(() => server[Symbol.asyncDispose]());

const device = (name: string, policy: string): Promise<KitDevice> =>
  kitDevice(server, name, `file:${join(server.dataDir, `${name}.key`)}`, policy);

async function examined(flags: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { code, json } = await thingkit(['doctor', ...flags], { env });
  const findings = (json.findings ?? []) as readonly Finding[];
  return { code, findings, connect: findings.find(({ check }) => check === 'connect') };
}

test('a device that is well', async () => {
  const { code, findings } = await examined((await device('well', 'all')).flags);
  assert.equal(code, 0);
  assert.deepEqual(
    findings.map(({ status }) => status),
    findings.map(() => 'good'),
  );
});

test('a device that the server refuses: why, where its owner asks, and that a stranger may not', async () => {
  const { flags } = await device('refused', 'only-others');
  const asked = await examined(flags, server.env);
  assert.equal(asked.code, 1);
  assert.equal(asked.connect?.status, 'bad');
  assert.match(asked.connect?.hint ?? '', /policy {2}iot:Connect as refused is not allowed/);
  const stranger = await examined(flags, { ...server.env, AWS_ACCESS_KEY_ID: 'AKIANOBODY', AWS_SECRET_ACCESS_KEY: 'x' });
  assert.match(stranger.connect?.hint ?? '', /can't be asked: .* answers 403/);
});

test('a server that is not there', async () => {
  const { flags } = await device('alone', 'all');
  const { code, findings } = await examined(flags.map((each) => each.replace(/^localhost:\d+$/, 'localhost:1')));
  assert.equal(code, 1);
  assert.deepEqual(
    findings.filter(({ status }) => status === 'bad').map(({ check }) => check),
    ['port'],
  );
});
