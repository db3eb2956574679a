/** The device agent of the kit against a real server: keys in files and in a PKCS #11 token, messages, shadows, reconnection. */
// needs: softhsm2 openssl mosquitto-clients
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { GetThingShadowCommand, UpdateThingShadowCommand } from '@aws-sdk/client-iot-data-plane';
import { softTokens, USER_PIN } from '../../packages/kit/src/elements/pkcs11/testing/soft-token.ts';
import { ALLOW_ALL, allow, arn, type Device, makeDevice, makePolicy } from './devices.ts';
import { Agent, type KitDevice, kitDevice, movablePort, thingkit } from './kit-device.ts';
import { mosquittoSub } from './mosquitto.ts';
import { startServer, temporaryFolder, type TestServer } from './test-core.ts';
import { until } from './until.ts';

const tokens = softTokens('agent');
after(() => tokens[Symbol.dispose]());
const env = { SOFTHSM2_CONF: process.env.SOFTHSM2_CONF ?? '' };

let server: TestServer;
let owner: Device;
before(async () => {
  server = await startServer();
  await makePolicy(server, 'all', ALLOW_ALL);
  await makePolicy(server, 'only-others', [allow('iot:Connect', arn('client/others'))]);
  owner = await makeDevice(server, 'owner', 'all');
});
after(() => server[Symbol.asyncDispose]());

/** What the thing's shadow has reported. */
async function reportedOf(thingName: string): Promise<unknown> {
  const { payload } = await server.iotData.send(new GetThingShadowCommand({ thingName }));
  return (JSON.parse(Buffer.from(payload ?? []).toString()) as { state: { reported?: unknown } }).state.reported;
}

const ELEMENTS = {
  file: () => kitDevice(server, 'file-device', `file:${join(server.dataDir, 'device.key')}`, 'all'),
  'a PKCS #11 token': () => kitDevice(server, 'token-device', tokens.uri('agent', 'device-key'), 'all', env),
};

for (const [name, make] of Object.entries(ELEMENTS))
  describe(`the agent with its key in ${name}`, () => {
    let device: KitDevice;
    before(async () => {
      device = await make();
    });

    test('publishes a message that mosquitto_sub sees, and ends', async () => {
      const topic = `from/${device.name}`;
      const listening = await mosquittoSub(server, { cert: owner.cert, key: owner.key, clientId: `sub-${device.name}`, topic });
      const { code, json, stderr } = await thingkit(
        ['run', ...device.flags, '--publish', topic, '--message', 'hello', '--count', '3'],
        device,
      );
      assert.equal(code, 0, JSON.stringify(json) + stderr);
      assert.equal(json.published, 3);
      assert.equal(await listening.message, `${topic} hello`);
    });

    test('reports to its shadow and reads it back', async () => {
      const { code, json } = await thingkit(['run', ...device.flags, '--report', '{"level":7}'], device);
      assert.equal(code, 0, JSON.stringify(json));
      assert.deepEqual(json.shadow, { version: 1, state: { reported: { level: 7 } } });
      assert.deepEqual(await reportedOf(device.name), { level: 7 });
    });

    test('is the board: reports at once, follows a delta, and presses buttons; SIGTERM ends it well', async () => {
      await using agent = new Agent([...device.flags, '--board'], device.env);
      await agent.says(/^button1 up {2}button2 up {2}button3 up {2}led1 off/);
      const payload = Buffer.from(JSON.stringify({ state: { desired: { led2: 'on', led3: 'blue' } } }));
      await server.iotData.send(new UpdateThingShadowCommand({ thingName: device.name, payload }));
      await agent.says(/led1 off {2}led2 on {2}led3 off/);
      agent.line('3');
      await agent.says(/button3 down/);
      await until('the shadow', async () =>
        JSON.stringify(await reportedOf(device.name)).includes('"button3":"down"') ? true : undefined,
      );
      assert.equal(
        JSON.stringify(await reportedOf(device.name)).replace('"level":7,', ''),
        '{"button1":"up","button2":"up","button3":"down","led1":"off","led2":"on","led3":"off"}',
      );
      assert.equal(await agent.end(), 0);
    });

    test('the environment message goes out at its interval', async () => {
      const topic = `things/${device.name}/environment`;
      const listening = await mosquittoSub(server, { cert: owner.cert, key: owner.key, clientId: `env-${device.name}`, topic });
      await using agent = new Agent([...device.flags, '--telemetry-interval', '1'], device.env);
      assert.match(await listening.message, /^\S+ \{"temperature":-?[\d.]+,"humidity":[\d.]+\}$/);
      assert.equal(await agent.end('SIGINT'), 0);
    });
  });

test('the PIN of the token is in no argument, and in nothing that is said', async () => {
  const device = await kitDevice(server, 'secret-device', tokens.uri('agent', 'secret-key'), 'all', env);
  await using agent = new Agent([...device.flags, '--board'], env);
  await agent.says(/^button1 up/);
  assert.ok(!readFileSync(`/proc/${agent.pid}/cmdline`, 'utf8').includes(USER_PIN));
  assert.equal(await agent.end(), 0);
  assert.ok(!`${agent.said.join()}${agent.printed}`.includes(USER_PIN));
});

test('a server that goes away and comes back: the agent says why, and goes on', async () => {
  const dataDir = temporaryFolder();
  try {
    await using first = await startServer({ dataDir });
    await makePolicy(first, 'all', ALLOW_ALL);
    const device = await kitDevice(first, 'steady', `file:${join(dataDir, 'steady.key')}`, 'all');
    await using way = await movablePort(first.ports.mqtt);
    const flags = device.flags.map((each) => each.replace(`localhost:${first.ports.mqtt}`, `localhost:${way.port}`));
    await using agent = new Agent([...flags, '--board']);
    await agent.says(/^button1 up/);
    await first.stop();
    await agent.says(/^connection lost: /);
    await agent.says(/^no connection: .*\(AWS_/);
    const since = agent.said.length;
    await using second = await startServer({ dataDir });
    way.target = second.ports.mqtt;
    await agent.says(/^connected/, since);
    const payload = Buffer.from('{"state":{"desired":{"led1":"on"}}}');
    await second.iotData.send(new UpdateThingShadowCommand({ thingName: 'steady', payload }));
    await agent.says(/led1 on/, since);
    assert.equal(await agent.end(), 0);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});

test('what is wrong is said: a certificate of another key, a policy that forbids, a server that is not there', async () => {
  const device = await kitDevice(server, 'wrong', `file:${join(server.dataDir, 'wrong.key')}`, 'all');
  const flags = (from: string, to: string): string[] => [...device.flags].map((each) => (each === from ? to : each));
  const publish = ['--publish', 'x', '--message', 'x', '--connect-timeout', '4'];
  const other = await thingkit(['run', ...flags(device.certificate, owner.cert), ...publish]);
  assert.equal(other.code, 1);
  assert.match(JSON.stringify(other.json), /is not that of key wrong\.key/);
  const nobody = await thingkit(['run', ...flags(`localhost:${server.ports.mqtt}`, 'localhost:1'), ...publish]);
  assert.equal(nobody.code, 7);
  assert.match(JSON.stringify(nobody.json), /REFUSED/);
  const stranger = await kitDevice(server, 'stranger', `file:${join(server.dataDir, 'stranger.key')}`, 'only-others');
  const forbidden = await thingkit(['run', ...stranger.flags, ...publish]);
  assert.equal(forbidden.code, 7);
  assert.match(JSON.stringify(forbidden.json), /iot:Connect/);
});
