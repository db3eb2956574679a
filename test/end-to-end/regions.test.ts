/** One server, several regions: data and topics of each are apart, and a device connects where its certificate lives. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AttachPolicyCommand,
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  CreateThingCommand,
  IoTClient,
  ListThingsCommand,
} from '@aws-sdk/client-iot';
import type { MqttClient } from 'mqtt';
import { connectMqtt } from './mqtt-client.ts';
import { startServer, type TestServer } from './test-core.ts';

const document = (region: string): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 'iot:*', Resource: `arn:aws:iot:${region}:000000000000:*` }],
  });

async function device(server: TestServer, iot: IoTClient, region: string): Promise<MqttClient> {
  await iot.send(new CreatePolicyCommand({ policyName: 'own-region', policyDocument: document(region) }));
  const made = await iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
  assert.match(made.certificateArn ?? '', new RegExp(`^arn:aws:iot:${region}:000000000000:cert/`));
  await iot.send(new AttachPolicyCommand({ policyName: 'own-region', target: made.certificateArn }));
  return connectMqtt(server, 'same-id', { certPem: made.certificatePem ?? '', keyPem: made.keyPair?.PrivateKey ?? '' });
}

test('each region is a space of its own', async () => {
  await using server = await startServer();
  const credentials = await server.iot.config.credentials();
  const west = new IoTClient({ endpoint: server.url, region: 'us-west-2', credentials });
  const thing = await west.send(new CreateThingCommand({ thingName: 'lamp' }));
  assert.equal(thing.thingArn, 'arn:aws:iot:us-west-2:000000000000:thing/lamp');
  assert.deepEqual((await server.iot.send(new ListThingsCommand({}))).things, []);
  assert.equal((await west.send(new ListThingsCommand({}))).things?.length, 1);

  const [inEast, inWest] = [await device(server, server.iot, 'us-east-1'), await device(server, west, 'us-west-2')];
  const heard: string[] = [];
  for (const [name, client] of [
    ['east', inEast],
    ['west', inWest],
  ] as const) {
    client.on('message', (_topic, payload) => heard.push(`${name} ${payload}`));
    await client.subscribeAsync('news', { qos: 1 });
  }
  await inEast.publishAsync('news', 'from the east', { qos: 1 });
  await inWest.publishAsync('news', 'from the west', { qos: 1 });
  // A message to oneself comes behind all that was sent before it.
  await Promise.all([inEast, inWest].map((client) => client.endAsync()));
  assert.deepEqual(heard.sort(), ['east from the east', 'west from the west']);
  west.destroy();
});
