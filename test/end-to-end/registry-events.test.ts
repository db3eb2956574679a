/**
 * Registry events on the wire: switched on and off by account, to subscribers, to sessions whose client is away, and to rules.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import {
  CreateThingCommand,
  CreateTopicRuleCommand,
  DescribeEventConfigurationsCommand,
  type EventType,
  UpdateEventConfigurationsCommand,
} from '@aws-sdk/client-iot';
import mqtt from 'mqtt';
import { type CoreInProcess, openInProcess } from './core-in-process.ts';
import { ALLOW_ALL, type Device, makeDevice, makePolicy } from './devices.ts';
import type { TestServer } from './test-core.ts';
import { until } from './until.ts';

let running: CoreInProcess;
let server: TestServer;
let device: Device;
const clients: mqtt.MqttClient[] = [];
before(async () => {
  running = await openInProcess([]);
  server = running.server;
  await makePolicy(server, 'all', ALLOW_ALL);
  device = await makeDevice(server, 'device', 'all');
});
after(async () => {
  for (const client of clients) client.end(true);
  await running[Symbol.asyncDispose]();
});

/** A client that keeps the topics of what it gets. */
async function connected(clientId: string, clean = true): Promise<{ client: mqtt.MqttClient; topics: string[] }> {
  const client = mqtt.connect({
    protocol: 'mqtts',
    host: 'localhost',
    port: server.ports.mqtt,
    ca: readFileSync(server.rootCa),
    cert: device.certPem,
    key: device.keyPem,
    clientId,
    clean,
    reconnectPeriod: 0,
  });
  clients.push(client);
  const topics: string[] = [];
  client.on('message', (topic) => void topics.push(topic));
  await new Promise<void>((resolve, reject) => {
    client.once('connect', () => resolve());
    client.once('error', reject);
  });
  return { client, topics };
}

const set = (kind: EventType, Enabled: boolean) =>
  server.iot.send(new UpdateEventConfigurationsCommand({ eventConfigurations: { [kind]: { Enabled } } }));
const createThing = (thingName: string) => server.iot.send(new CreateThingCommand({ thingName }));
const gets = (topics: readonly string[], topic: string) => until(topic, async () => topics.includes(topic) || undefined);

test('events come once they are switched on, to all who want them, and no more once they are switched off', async () => {
  const { client: watcher, topics } = await connected('watcher');
  await watcher.subscribeAsync('$aws/events/thing/#', { qos: 1 });
  await watcher.subscribeAsync('seen/#', { qos: 1 });
  const away = await connected('away', false);
  await away.client.subscribeAsync('$aws/events/thing/+/created', { qos: 1 });
  await away.client.endAsync();
  await server.iot.send(
    new CreateTopicRuleCommand({
      ruleName: 'events',
      topicRulePayload: {
        sql: "SELECT thingName FROM '$aws/events/thing/+/created'",
        actions: [{ republish: { roleArn: 'arn:aws:iam::000000000000:role/rules', topic: 'seen/${thingName}', qos: 1 } }],
      },
    }),
  );

  await createThing('before');
  const { eventConfigurations } = await server.iot.send(new DescribeEventConfigurationsCommand({}));
  assert.equal(eventConfigurations?.THING?.Enabled, false);
  await set('THING', true);
  await createThing('lamp');
  await gets(topics, '$aws/events/thing/lamp/created');
  await gets(topics, 'seen/lamp');
  await set('THING', false);
  await createThing('after');
  // What is published now comes behind what was before.
  await watcher.publishAsync('seen/fence', '', { qos: 1 });
  await gets(topics, 'seen/fence');
  assert.deepEqual(
    topics.filter((topic) => topic.startsWith('$aws')),
    ['$aws/events/thing/lamp/created'],
  );

  const back = await connected('away', false);
  await gets(back.topics, '$aws/events/thing/lamp/created');
});
