/**
 * Requests on a reserved topic, served by a domain of this test and asked by real clients: over MQTT, HTTPS, the API and a
 * rule.
 */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { CreateTopicRuleCommand } from '@aws-sdk/client-iot';
import { PublishCommand } from '@aws-sdk/client-iot-data-plane';
import type mqtt from 'mqtt';
import { topicService } from '../../packages/server/src/broker/messaging.ts';
import { openCore } from '../../packages/server/src/core.ts';
import type { Domain } from '../../packages/server/src/domain.ts';
import { type CoreInProcess, coreOptions, openInProcess } from './core-in-process.ts';
import { ALLOW_ALL, allow, arn, type Device, makeDevice, makePolicy } from './devices.ts';
import { connectMqtt } from './mqtt-client.ts';
import { run } from './run-command.ts';
import { type TestServer, temporaryFolder } from './test-core.ts';

const GET = '$aws/things/lamp/defender/metrics/cbor';

/** A domain that answers what it was asked, and by whom. */
const echoDomain: Domain = {
  name: 'echo',
  topics: [
    topicService('$aws/things/{thingName}/defender/metrics/cbor', async ({ topic, parts: { thingName }, payload, requester }) => [
      {
        topic: `${topic}/accepted`,
        payload: Buffer.from(JSON.stringify({ thingName, asked: String(payload), by: requester.clientId ?? null })),
        to: 'both',
      },
    ]),
  ],
};

describe('requests on reserved topics', () => {
  let running: CoreInProcess;
  let server: TestServer;
  let device: Device;
  const clients: mqtt.MqttClient[] = [];

  before(async () => {
    running = await openInProcess([{ collections: [], open: () => echoDomain }]);
    server = running.server;
    await makePolicy(server, 'all', ALLOW_ALL);
    device = await makeDevice(server, 'device', 'all');
  });

  after(async () => {
    for (const client of clients) client.end(true);
    await running[Symbol.asyncDispose]();
  });

  const connect = async (clientId: string, protocolVersion: 4 | 5, credentials = device) => {
    const client = await connectMqtt(server, clientId, credentials, protocolVersion);
    clients.push(client);
    const came: string[] = [];
    const waiting: (() => void)[] = [];
    client.on('message', (topic, payload) => {
      came.push(`${topic} ${payload}`);
      waiting.shift()?.();
    });
    /** The messages since the last call, at least one. */
    const next = async (): Promise<string[]> => {
      if (came.length === 0) await new Promise<void>((resolve) => waiting.push(resolve));
      return came.splice(0);
    };
    return { client, next };
  };
  const answered = (asked: string, by: string | null): string =>
    `${GET}/accepted ${JSON.stringify({ thingName: 'lamp', asked, by })}`;

  test('MQTT.js: the answer comes without a subscription, and once with one; PUBACK comes in any case', async () => {
    for (const version of [4, 5] as const) {
      const { client, next } = await connect('lamp', version);
      await client.publishAsync(GET, 'first', { qos: 1 });
      assert.deepEqual(await next(), [answered('first', 'lamp')]);
      await client.subscribeAsync(`${GET}/accepted`, { qos: 1 });
      await client.publishAsync(GET, 'second', { qos: 1 });
      await client.publishAsync(GET, 'third');
      assert.deepEqual([...(await next()), ...(await next())], [answered('second', 'lamp'), answered('third', 'lamp')]);
      await client.endAsync();
    }
  });

  test('a request over the API, over HTTPS and from a rule is answered to subscribers', async () => {
    const { client, next } = await connect('watcher', 5);
    await client.subscribeAsync(`${GET}/accepted`, { qos: 1 });
    await server.iotData.send(new PublishCommand({ topic: GET, payload: Buffer.from('api'), qos: 1 }));
    assert.deepEqual(await next(), [answered('api', null)]);
    const url = `https://localhost:${server.ports.https}/topics/${encodeURIComponent(GET)}?qos=1`;
    const tls = ['--cacert', server.rootCa, '--cert', device.cert, '--key', device.key];
    assert.match((await run('curl', ['-s', ...tls, '-X', 'POST', '--data', 'https', url])).stdout, /OK/);
    assert.deepEqual(await next(), [answered('https', null)]);
    const republish = { roleArn: 'arn:aws:iam::000000000000:role/rules', topic: `$${GET}`, qos: 1 };
    const topicRulePayload = { sql: "SELECT * FROM 'ask'", actions: [{ republish }] };
    await server.iot.send(new CreateTopicRuleCommand({ ruleName: 'ask', topicRulePayload }));
    await client.publishAsync('ask', '{"from":"rule"}', { qos: 1 });
    assert.deepEqual(await next(), [answered('{"from":"rule"}', null)]);
  });

  test('two domains that serve one topic are a fault at the start', async () => {
    const twin: Domain = { name: 'twin', topics: [topicService('$aws/things/{name}/defender/metrics/{format}', () => [])] };
    const more: Domain = { name: 'more', topics: [topicService('$aws/device_location/{name}/get_position_estimate', () => [])] };
    const folder = temporaryFolder();
    try {
      const start = async (...served: Domain[]): Promise<void> => {
        const domains = served.map((domain) => ({ collections: [], open: () => domain }));
        await using _ = await openCore({ ...coreOptions(folder), domains });
      };
      await assert.rejects(start(echoDomain, twin), { name: 'TopicServiceFault' });
      await start(echoDomain, more);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('a client needs iot:Publish on the topic of the request', async () => {
    await makePolicy(server, 'connect', [allow('iot:Connect', '*'), allow('iot:Publish', arn('topic/other'))]);
    const { client } = await connect('stranger', 4, await makeDevice(server, 'stranger', 'connect'));
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
    client.publish(GET, 'mine?', { qos: 1 });
    await closed;
  });
});
