/**
 * The kafka action against a broker that keeps to Kafka's protocol (fact sheet 6.7; developer guide, apache-kafka-rule-action).
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { CreateTopicRuleCommand, CreateTopicRuleDestinationCommand } from '@aws-sdk/client-iot';
import type { IPublishPacket } from 'mqtt-packet';
import { DeviceConnection } from './device-connection.ts';
import { ACCOUNT, ALLOW_ALL, makeDevice, makePolicy } from './devices.ts';
import { KafkaBroker } from './kafka-broker.ts';
import { startServer } from './test-core.ts';
import { until } from './until.ts';

const roleArn = `arn:aws:iam::${ACCOUNT}:role/not-kept-here`;

test('records with key, headers and partition; a topic that is not there and a broker that is not named fail', async () => {
  await using broker = await KafkaBroker.open();
  broker.topics.set('telemetry', 3);
  await using server = await startServer({ args: ['--log-level', 'warn', '--action-endpoints', `kafka=${broker.address}`] });
  await makePolicy(server, 'all', ALLOW_ALL);
  const device = await makeDevice(server, 'device', 'all');
  const { topicRuleDestination } = await server.iot.send(
    new CreateTopicRuleDestinationCommand({
      destinationConfiguration: { vpcConfiguration: { vpcId: 'vpc-1', subnetIds: ['subnet-1'], roleArn } },
    }),
  );
  const { arn: destinationArn = '', status } = topicRuleDestination ?? {};
  assert.equal(status, 'ENABLED');
  const clientProperties = { 'bootstrap.servers': broker.address, 'security.protocol': 'PLAINTEXT', acks: 'all' };
  const rule = (ruleName: string, kafka: object) =>
    server.iot.send(
      new CreateTopicRuleCommand({
        ruleName,
        topicRulePayload: {
          sql: `SELECT * FROM '${ruleName}'`,
          awsIotSqlVersion: '2016-03-23',
          actions: [{ kafka: { destinationArn, topic: 'telemetry', clientProperties, ...kafka } }],
          errorAction: { republish: { roleArn, topic: 'failed' } },
        },
      }),
    );
  await rule('good', { key: '${clientid()}', partition: '${p}', headers: [{ key: 'trace', value: 't-${p}' }] });
  await rule('no_topic', { topic: 'nowhere' });
  await rule('mad', { topic: 'mad' });
  await rule('stranger', { clientProperties: { ...clientProperties, 'bootstrap.servers': '127.0.0.1:1' } });
  await rule('not_there', { destinationArn: `${destinationArn.slice(0, -4)}0000` });
  await rule('java', { clientProperties: { ...clientProperties, 'ssl.keystore': 'x' } });
  await assert.rejects(rule('odd', { clientProperties: { ...clientProperties, 'linger.ms': '5' } }), {
    name: 'InvalidRequestException',
  });
  using sender = await DeviceConnection.admitted(server, 4, 'sender', device);
  using listener = await DeviceConnection.admitted(server, 4, 'listener', device);
  listener.subscribe('failed');
  assert.equal((await listener.next()).cmd, 'suback');
  const publish = async (topic: string, text: string): Promise<void> => {
    sender.publish(topic, text, { qos: 1 });
    assert.equal((await sender.next()).cmd, 'puback');
  };
  await publish('good', '{"p":2}');
  const record = await until('the record', () => broker.records[0]);
  assert.deepEqual(record, { topic: 'telemetry', partition: 2, key: 'sender', value: '{"p":2}', headers: { trace: 't-2' } });
  for (const [topic, reason] of [
    ['no_topic', /the record was not taken/],
    ['mad', /the Kafka client ended with a fault/],
    ['stranger', /the broker 127\.0\.0\.1:1 is none of those/],
    ['not_there', /the destination is not there/],
    ['java', /can not use ssl\.keystore/],
  ] as const) {
    await publish(topic, '{}');
    const { payload } = (await listener.next(20_000)) as IPublishPacket;
    const { failures } = JSON.parse(payload.toString()) as { failures: { failedAction: string; errorMessage: string }[] };
    assert.equal(failures[0]?.failedAction, 'KafkaAction');
    assert.match(failures[0]?.errorMessage ?? '', reason);
  }
  await publish('good', '{"p":0}');
  await until('the next record', () => broker.records[1]);
});

test('a broker that the metadata name is connected to if it is of the internet, or named by the operator', async () => {
  await using broker = await KafkaBroker.open();
  await using other = await KafkaBroker.open();
  broker.topics.set('telemetry', 1);
  other.topics.set('telemetry', 1);
  let connections = 0;
  const inner = createServer(() => {
    connections += 1;
  }).listen(0, '127.0.0.1');
  await once(inner, 'listening');
  const { port } = inner.address() as AddressInfo;
  try {
    const args = ['--log-level', 'warn', '--action-endpoints', `kafka=${broker.address},kafka=${other.address}`];
    await using server = await startServer({ args });
    await makePolicy(server, 'all', ALLOW_ALL);
    const device = await makeDevice(server, 'device', 'all');
    const { topicRuleDestination } = await server.iot.send(
      new CreateTopicRuleDestinationCommand({
        destinationConfiguration: { vpcConfiguration: { vpcId: 'vpc-1', subnetIds: ['subnet-1'], roleArn } },
      }),
    );
    const rule = (ruleName: string, more: object = {}) => {
      const clientProperties = { 'bootstrap.servers': broker.address, 'security.protocol': 'PLAINTEXT', ...more };
      const kafka = { destinationArn: topicRuleDestination?.arn, topic: 'telemetry', clientProperties };
      return server.iot.send(
        new CreateTopicRuleCommand({
          ruleName,
          topicRulePayload: {
            sql: `SELECT * FROM '${ruleName}'`,
            awsIotSqlVersion: '2016-03-23',
            actions: [{ kafka }],
            errorAction: { republish: { roleArn, topic: 'failed' } },
          },
        }),
      );
    };
    using sender = await DeviceConnection.admitted(server, 4, 'sender', device);
    using listener = await DeviceConnection.admitted(server, 4, 'listener', device);
    listener.subscribe('failed');
    assert.equal((await listener.next()).cmd, 'suback');
    const names = [`127.0.0.1:${port}`, `localhost:${port}`, `169.254.169.254:80`, `127.0.0.1:${server.ports.api}`];
    for (const [i, named] of names.entries()) {
      broker.named = named;
      // Properties of its own: a client of its own, which asks for metadata again.
      await rule(`r${i}`, { 'key.serializer': `k${i}` });
      sender.publish(`r${i}`, '{}', { qos: 1 });
      assert.equal((await sender.next()).cmd, 'puback');
      const { payload } = (await listener.next(20_000)) as IPublishPacket;
      const { failures } = JSON.parse(payload.toString()) as { failures: { errorMessage: string }[] };
      assert.match(failures[0]?.errorMessage ?? '', new RegExp(`--outgoing-allow ${named.replaceAll('.', '\\.')}`), named);
    }
    assert.equal(connections, 0);
    broker.named = other.address;
    await rule('named', { 'key.serializer': 'k' });
    sender.publish('named', '{}', { qos: 1 });
    await until('the record', () => other.records[0]);
  } finally {
    inner.close();
  }
});
