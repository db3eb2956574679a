/** Below the floor of free disk the server says so, refuses what it would have to keep, and goes on with all else. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { CloudWatchLogsClient, PutLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { CreateUserCommand, IAMClient } from '@aws-sdk/client-iam';
import {
  CreateThingCommand,
  CreateTopicRuleCommand,
  DeleteThingCommand,
  DescribeThingCommand,
  UpdateCertificateCommand,
} from '@aws-sdk/client-iot';
import { PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { DeviceConnection } from './device-connection.ts';
import { ALLOW_ALL, makeDevice, makePolicy } from './devices.ts';
import { republish } from './rule-bench.ts';
import { startServer, temporaryFolder, thingkeep } from './test-core.ts';

test('API changes are 503, what frees or takes away is done, retained messages are refused, others pass', async () => {
  const dataDir = temporaryFolder();
  let server = await startServer({ dataDir });
  try {
    await server.iot.send(new CreateThingCommand({ thingName: 'lamp' }));
    await makePolicy(server, 'all', ALLOW_ALL);
    const device = await makeDevice(server, 'device', 'all');
    await server.createAccount('222222222222');
    const topicRulePayload = { sql: "SELECT * FROM 'ruled'", actions: [republish('b')] };
    await server.iot.send(new CreateTopicRuleCommand({ ruleName: 'ruled', topicRulePayload }));
    assert.equal(await server.stop(), 0);
    server = await startServer({ dataDir, args: ['--disk-floor', String(2 ** 50)] });
    assert.equal((await server.logged(({ event }) => event === 'disk-low')).level, 50);
    await assert.rejects(server.iot.send(new CreateThingCommand({ thingName: 'more' })), {
      name: 'ServiceUnavailableException',
      message: /disk is nearly full/,
    });
    assert.deepEqual(
      server.log.filter(({ msg }) => msg === 'API request failed'),
      [],
    );
    await server.iot.send(new DescribeThingCommand({ thingName: 'lamp' }));
    await server.iot.send(new DeleteThingCommand({ thingName: 'lamp' }));
    await server.iotData.send(new PublishCommand({ topic: 'a', payload: Buffer.from('x') }));
    const retained = server.iotData.send(new PublishCommand({ topic: 'a', payload: Buffer.from('x'), retain: true }));
    await assert.rejects(retained, { name: 'ServiceUnavailableException' });
    const iam = new IAMClient({ endpoint: server.url, region: 'us-east-1', credentials: server.credentials(), maxAttempts: 1 });
    await assert.rejects(iam.send(new CreateUserCommand({ UserName: 'ann' })), { name: 'ServiceUnavailable' });
    iam.destroy();
    using client = await DeviceConnection.admitted(server, 5, 'device', device);
    client.publish('a', 'x', { qos: 1 });
    assert.equal((await client.next()).cmd, 'puback');
    for (const [topic, retain] of [
      ['a', true],
      ['ruled', false],
    ] as const) {
      client.publish(topic, 'x', { qos: 1, retain });
      assert.equal(((await client.next()) as { reasonCode?: number }).reasonCode, 0x97, topic);
    }
    const logs = new CloudWatchLogsClient({
      endpoint: server.url,
      region: 'us-east-1',
      credentials: server.credentials(),
      maxAttempts: 1,
    });
    const events = { logGroupName: 'g', logStreamName: 's', logEvents: [{ timestamp: Date.now(), message: 'x' }] };
    await assert.rejects(logs.send(new PutLogEventsCommand(events)), { name: 'ServiceUnavailableException' });
    logs.destroy();
    const renewed = await thingkeep(['accounts', 'keys', '222222222222', '--new', '--data-dir', dataDir]);
    assert.equal(renewed.code, 0, renewed.stderr);
    assert.equal((await server.logged(({ event, check }) => event === 'refused' && check === 'limit')).clientId, 'device');
    await server.iot.send(new UpdateCertificateCommand({ certificateId: device.certificateId, newStatus: 'REVOKED' }));
    assert.equal(await server.stop(), 0);
    server = await startServer({ dataDir, args: ['--disk-floor', '0'] });
    await server.iot.send(new CreateThingCommand({ thingName: 'more' }));
  } finally {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
});
