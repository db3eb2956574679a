/**
 * Whose messages a rule sees: its own account's, in its own region, from whoever its policies let publish (fact sheet 6.9,
 * 6.1).
 */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import {
  AttachPolicyCommand,
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  CreateTopicRuleCommand,
  IoTClient,
  ListTopicRulesCommand,
} from '@aws-sdk/client-iot';
import { PublishCommand } from '@aws-sdk/client-iot-data-plane';
import type { IPublishPacket } from 'mqtt-packet';
import { DeviceConnection, type DeviceOptions } from './device-connection.ts';
import { ALLOW_ALL, allow, arn, makeDevice, makePolicy, policyDocument } from './devices.ts';
import { message, republish, RuleBench } from './rule-bench.ts';
import { startServer, temporaryFolder } from './test-core.ts';

async function deviceOf(iot: IoTClient): Promise<DeviceOptions> {
  await iot.send(new CreatePolicyCommand({ policyName: 'all', policyDocument: policyDocument(ALLOW_ALL) }));
  const { certificateArn, certificatePem, keyPair } = await iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
  await iot.send(new AttachPolicyCommand({ policyName: 'all', target: certificateArn }));
  return { certPem: certificatePem ?? '', keyPem: keyPair?.PrivateKey ?? '' };
}

test('rules of one name in two accounts and two regions each see their own messages', async () => {
  const dataDir = temporaryFolder();
  try {
    await using server = await startServer({ dataDir });
    const other = await server.createAccount('999999999999');
    const own = server.credentials();
    const clients = (
      [
        ['home', 'us-east-1', own],
        ['west', 'us-west-2', own],
        ['other', 'us-east-1', other],
      ] as const
    ).map(([name, region, credentials]) => ({
      name,
      iot: new IoTClient({ endpoint: server.url, region, credentials, maxAttempts: 1 }),
    }));
    const spaces: { name: string; listener: DeviceConnection; sender: DeviceConnection; iot: IoTClient }[] = [];
    for (const { name, iot } of clients) {
      const sql = `SELECT n, '${name}' AS rule, accountid() AS account FROM 'in'`;
      const roleArn = `arn:aws:iam::${name === 'other' ? '999999999999' : '000000000000'}:role/not-kept-here`;
      await iot.send(
        new CreateTopicRuleCommand({
          ruleName: 'same',
          topicRulePayload: { sql, actions: [{ republish: { topic: 'out', qos: 1, roleArn } }], awsIotSqlVersion: '2016-03-23' },
        }),
      );
      const device = await deviceOf(iot);
      const listener = await DeviceConnection.admitted(server, 4, 'listener', device);
      listener.subscribe('out', 1);
      assert.equal((await listener.next()).cmd, 'suback');
      spaces.push({ name, listener, iot, sender: await DeviceConnection.admitted(server, 4, 'sender', device) });
    }
    for (const [n, { sender }] of spaces.entries()) {
      sender.publish('in', `{"n":${n}}`, { qos: 1 });
      assert.equal((await sender.next()).cmd, 'puback');
    }
    for (const [n, { name, listener, iot }] of spaces.entries()) {
      const account = name === 'other' ? '999999999999' : '000000000000';
      assert.deepEqual(await message(listener), ['out', JSON.stringify({ n, rule: name, account })]);
      assert.ok(await listener.nothingCame());
      assert.equal((await iot.send(new ListTopicRulesCommand({}))).rules?.length, 1);
    }
    for (const { listener, sender, iot } of spaces) {
      listener.socket.destroy();
      sender.socket.destroy();
      iot.destroy();
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});

test('Basic Ingest needs the right to publish on the whole topic, over MQTT and HTTPS; nobody can subscribe to it (6.9)', async () => {
  await using bench = await RuleBench.open();
  const { server } = bench;
  await makePolicy(server, 'ingest', [allow('iot:Connect', '*'), allow('iot:Publish', arn('topic/$aws/rules/mine/*'))]);
  const device = await makeDevice(server, 'ingester', 'ingest');
  await bench.rule('mine', "SELECT *, topic() AS t, topic(1) AS one FROM 'not/this'", [republish('got')]);
  await bench.rule('others', 'SELECT *', [republish('got')]);
  using listener = await bench.listener('got');
  using allowed = await DeviceConnection.admitted(server, 4, 'allowed', device);
  allowed.publish('$aws/rules/mine/a/b/c', '{"n":1}', { qos: 1 });
  assert.equal((await allowed.next()).cmd, 'puback');
  assert.deepEqual(await message(listener), ['got', '{"n":1,"t":"a/b/c","one":"a"}']);
  // Without the prefix the topic may have its 256 bytes and 7 slashes.
  const long = `${'x/'.repeat(7)}${'y'.repeat(242)}`;
  allowed.publish(`$aws/rules/mine/${long}`, '{"n":2}', { qos: 1 });
  assert.equal((await allowed.next()).cmd, 'puback');
  assert.deepEqual(await message(listener), ['got', `{"n":2,"t":"${long}","one":"x"}`]);
  allowed.publish('$aws/rules/others/a', '{}', { qos: 1 });
  assert.equal((await allowed.next()).cmd, 'closed');
  using curious = await bench.connect('curious');
  curious.subscribe('$aws/rules/#');
  assert.equal((await curious.next()).cmd, 'closed');
  await server.iotData.send(new PublishCommand({ topic: '$aws/rules/mine/over/http', payload: Buffer.from('{"n":3}') }));
  assert.deepEqual(await message(listener), ['got', '{"n":3,"t":"over/http","one":"over"}']);
  assert.ok(await listener.nothingCame());
});

test('MQTT 5: properties are there for the SQL, and what is republished has those of its headers alone (6.5, 6.7)', async () => {
  await using bench = await RuleBench.open();
  await bench.rule('props', "SELECT *, get_mqtt_property('content_type') AS type, get_user_properties('k') AS k FROM 'in'", [
    republish('plain'),
    republish('headers', {
      headers: { userProperties: [{ key: 'k', value: "${get(get_user_properties('k'), 0)}" }], messageExpiry: '5' },
    }),
  ]);
  await bench.rule(
    'later',
    `SELECT get_user_properties('k') AS k, get_or_default(aws_lambda('arn:aws:lambda:us-east-1:000000000000:function:none', n), 'none') AS f FROM 'in'`,
    [republish('later')],
  );
  using listener = await bench.listener('+', 5);
  using device = await bench.connect('d', 5);
  device.send({
    cmd: 'publish',
    topic: 'in',
    payload: '{"n":1}',
    qos: 1,
    messageId: 1,
    dup: false,
    retain: true,
    properties: { contentType: 'text/x', messageExpiryInterval: 100, userProperties: { k: ['v', 'w'] } },
  });
  const got = new Map<string, IPublishPacket>();
  while (got.size < 4) {
    const packet = (await listener.next()) as IPublishPacket;
    got.set(packet.topic, packet);
  }
  const { plain, headers, later } = Object.fromEntries(got);
  const expected = '{"n":1,"type":"text/x","k":["v","w"]}';
  assert.deepEqual([plain?.payload.toString(), plain?.retain, plain?.properties], [expected, false, undefined]);
  assert.equal(headers?.payload.toString(), expected);
  assert.deepEqual({ ...headers?.properties?.userProperties }, { k: 'v' });
  assert.equal(headers?.properties?.messageExpiryInterval, 5);
  assert.equal(later?.payload.toString(), '{"k":["v","w"],"f":"none"}');
});

test('a payload of 128 KB goes through, as JSON and as bytes; a result over it fails the republish action alone (6.2, section 12)', async () => {
  await using bench = await RuleBench.open();
  await bench.rule('same', "SELECT * FROM 'in'", [republish('out')]);
  await bench.rule('twice', "SELECT p AS a, p AS b FROM 'in'", [republish('out')], { errorAction: republish('failed') });
  using listener = await bench.listener('out');
  using failed = await bench.listener('failed');
  using device = await bench.connect('d');
  const json = `{"p":"${'x'.repeat(128 * 1024 - 8)}"}`;
  device.publish('in', json, { qos: 1 });
  assert.deepEqual(await message(listener), ['out', json]);
  // Base64 of the message is over 128 KB itself: the failure is told in the log and by events.
  assert.ok(await failed.nothingCame());
  const line = await bench.server.logged(({ event, ruleName }) => event === 'rule-failed' && ruleName === 'twice');
  assert.match(String(line.reason), /over 128 KB/);
  const bytes = Buffer.alloc(128 * 1024, 0xff);
  device.send({ cmd: 'publish', topic: 'in', payload: bytes, qos: 0, dup: false, retain: false });
  const raw = (await listener.next()) as IPublishPacket;
  assert.ok(Buffer.compare(raw.payload as Buffer, bytes) === 0);
});
