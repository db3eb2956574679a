/**
 * AWS's rates (`--rate-limits aws`) and limits of one account (config file) as clients meet them: General Reference,
 * "AWS IoT Core endpoints and quotas" (facts 2.2, 12). Where the clock is the real one, a
 * second's worth of what is sent at once passes, and as much more as the sending takes.
 */
// needs: mosquitto-clients
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { IoTClient } from '@aws-sdk/client-iot';
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { readConfig } from '../../packages/server/src/config/config.ts';
import { openDataFolder } from '../../packages/server/src/config/data-folder.ts';
import { readAccessKeys } from '../../packages/server/src/config/secrets.ts';
import { openCore } from '../../packages/server/src/core.ts';
import { openLog } from '../../packages/server/src/runtime/log.ts';
import { DeviceConnection } from './device-connection.ts';
import { ALLOW_ALL, type Device, makeDevice, makePolicy } from './devices.ts';
import { connectMqtt } from './mqtt-client.ts';
import { run } from './run-command.ts';
import { startServer, temporaryFolder, type TestServer, thingkeep } from './test-core.ts';
import { until } from './until.ts';

const temporary = temporaryFolder();
after(() => rmSync(temporary, { recursive: true, force: true }));

const metric = async (server: TestServer, name: string): Promise<number> => {
  const text = await (await fetch(server.metrics)).text();
  const values = [...text.matchAll(new RegExp(`^thingkeep_${name}(?:\\{.*\\})? (\\d+)$`, 'gm'))];
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
};

describe('--rate-limits aws', () => {
  let server: TestServer;
  let device: Device;
  before(async () => {
    server = await startServer({ args: ['--rate-limits', 'aws'] });
    await makePolicy(server, 'all', ALLOW_ALL);
    device = await makeDevice(server, 'device', 'all');
  });
  after(() => server[Symbol.asyncDispose]());

  test('mosquitto_pub with 1,000 messages of QoS 0: a hundred and a few arrive, it ends well, and its owner can find out why', async () => {
    using watcher = await DeviceConnection.admitted(server, 4, 'watcher', device);
    watcher.subscribe('$thingkeep/events/refusals/flooder');
    assert.equal((await watcher.next()).cmd, 'suback');
    const input = Array.from({ length: 1000 }, (_, i) => `${i}\n`).join('');
    const where = ['-h', 'localhost', '-p', String(server.ports.mqtt), '--cafile', server.rootCa];
    const who = ['--cert', device.cert, '--key', device.key, '-i', 'flooder'];
    const began = performance.now();
    const { code } = await run('mosquitto_pub', [...where, ...who, '-t', 'flood', '-q', '0', '-l'], { input, deadline: 20_000 });
    const seconds = (performance.now() - began) / 1000;
    assert.equal(code, 0);
    const [received, throttled] = await until('all 1,000', async () => {
      const seen = [await metric(server, 'messages_received_total'), await metric(server, 'throttled_total')] as const;
      return seen[0] + seen[1] >= 1000 ? seen : undefined;
    });
    assert.equal(received + throttled, 1000);
    assert.ok(received >= 100 && received <= 100 + 100 * seconds + 1, `${received} in ${seconds} s`);
    const told = await watcher.next();
    assert.equal(told.cmd === 'publish' && JSON.parse(String(told.payload)).check, 'rate');
    assert.ok(await watcher.nothingCame(), 'one refusal for all of them');
    const { stdout } = await thingkeep(['refusals', '--check', 'rate', '--data-dir', server.dataDir]);
    assert.match(stdout, /flooder.*too many messages published in a second/);
  });

  test('MQTT.js with MQTT 5: QoS 1 beyond the rate is refused with 0x97, message by message, and the client stays', async () => {
    const client = await connectMqtt(server, 'modern', device, 5);
    try {
      const began = performance.now();
      const sent = Array.from({ length: 400 }, (_, i) => client.publishAsync('t', String(i), { qos: 1 }));
      const answers = await Promise.allSettled(sent);
      const seconds = (performance.now() - began) / 1000;
      const refused = answers.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
      const passed = answers.length - refused.length;
      assert.ok(passed >= 100 && passed <= 100 + 100 * seconds + 1, `${passed} in ${seconds} s`);
      assert.ok(refused.length > 0);
      for (const { reason } of refused) assert.equal((reason as { code?: number }).code, 0x97);
      assert.equal(client.connected, true);
    } finally {
      await client.endAsync();
    }
  });
});

/** A server in this process whose clock stands still: nothing that a test does takes time. */
async function standingStill(
  test: (server: TestServer) => Promise<void>,
  ...settings: [flag: string, value: string][]
): Promise<void> {
  const dataDir = temporaryFolder();
  const began = Date.now();
  try {
    const ports = ['api-port', 'mqtt-port', 'https-port'].map((name): [string, string] => [name, '0']);
    const config = readConfig(new Map([['data-dir', dataDir], ...ports, ...settings]), { settings: new Map(), unknown: [] });
    const folder = openDataFolder(dataDir);
    const clock = { now: () => began, monotonic: () => 1000 };
    await using core = await openCore({ config, folder, clock, log: openLog('silent') });
    const [credentials] = readAccessKeys(folder.credentials, config.accountId);
    assert(credentials !== undefined);
    const client = { endpoint: `http://127.0.0.1:${core.ports.api}`, region: 'us-east-1', credentials, maxAttempts: 1 };
    const iot = new IoTClient(client);
    const iotData = new IoTDataPlaneClient(client);
    try {
      await test({ rootCa: folder.rootCa, ports: core.ports, dataDir, iot, iotData } as TestServer);
    } finally {
      iot.destroy();
      iotData.destroy();
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

test('a second CONNECT of a client id within the second is refused; the connection that stands is not touched', () =>
  standingStill(
    async (server) => {
      await makePolicy(server, 'all', ALLOW_ALL);
      const device = await makeDevice(server, 'device', 'all');
      using first = await DeviceConnection.admitted(server, 5, 'twin', device);
      const { device: second, answer } = await DeviceConnection.connect(server, 5, 'twin', device);
      second[Symbol.dispose]();
      assert.equal(answer.cmd === 'connack' && answer.reasonCode, 0x97);
      const { device: third, answer: silence } = await DeviceConnection.connect(server, 4, 'twin', device);
      third[Symbol.dispose]();
      assert.equal(silence.cmd, 'closed');
      assert.ok(await first.nothingCame());
    },
    ['rate-limits', 'aws'],
  ));

const configFile = (accounts: object): string => {
  const path = join(temporary, 'thingkeep.json');
  writeFileSync(path, JSON.stringify({ accounts }));
  return path;
};

test('limits and rates of one account, by the config file', () =>
  standingStill(
    async (server) => {
      await makePolicy(server, 'all', ALLOW_ALL);
      const device = await makeDevice(server, 'device', 'all');
      const properties = { sessionExpiryInterval: 1000 };
      const { device: only, answer } = await DeviceConnection.connect(server, 5, 'only', device, { properties });
      assert.equal(answer.cmd === 'connack' && answer.properties?.sessionExpiryInterval, 120);
      const { device: other, answer: no } = await DeviceConnection.connect(server, 5, 'other', device);
      assert.equal(no.cmd === 'connack' && no.reasonCode, 0x97);
      other[Symbol.dispose]();
      only[Symbol.dispose]();

      const publish = (): Promise<unknown> =>
        server.iotData.send(new PublishCommand({ topic: 'kept', retain: true, payload: Buffer.from('x') }));
      await publish();
      await assert.rejects(publish(), (error: { name: string; $metadata: { httpStatusCode: number } }) => {
        assert.deepEqual([error.name, error.$metadata.httpStatusCode], ['ThrottlingException', 429]);
        return true;
      });
    },
    [
      'config',
      configFile({
        '000000000000': { sessionExpiry: 120, connections: 1, retainedPublishesPerTopic: 1 },
        '*': { sessionExpiry: 60 },
      }),
    ],
  ));

test('a config file with a limit out of range is refused at the start, in one line', async () => {
  const path = configFile({ '*': { sessionExpiry: 1_000_000 } });
  const { code, stderr } = await thingkeep(['start', '--config', path, '--data-dir', temporary]);
  assert.equal(code, 2);
  assert.match(stderr, /^thingkeep: config file .*: accounts\.\*\.sessionExpiry is not a whole number from 1 to 604800\n$/);
});
