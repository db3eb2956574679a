/** Commands with the API's own client and real MQTT clients (fact sheet 41). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import {
  CreateCommandCommand,
  CreateThingCommand,
  DeleteCommandCommand,
  GetCommandExecutionCommand,
  UpdateCommandCommand,
} from '@aws-sdk/client-iot';
import { IoTJobsDataPlaneClient, StartCommandExecutionCommand } from '@aws-sdk/client-iot-jobs-data-plane';
import { decode, encode } from 'cbor2';
import mqtt, { type IPublishPacket, type MqttClient } from 'mqtt';
import { ALLOW_ALL, allow, arn, type Device, makeDevice, makePolicy } from './devices.ts';
import { clientOf, makeUser } from './identities.ts';
import { connectDevice } from './provisioning.ts';
import { startServer, type TestServer } from './test-core.ts';
import { until, within } from './until.ts';

/** Messages as they come, in order. */
class Inbox {
  readonly #packets: IPublishPacket[] = [];

  constructor(client: MqttClient) {
    client.on('message', (_topic, _payload, packet) => this.#packets.push(packet));
  }

  next(end: string): Promise<IPublishPacket> {
    return until(`a message on ...${end}`, () => {
      const at = this.#packets.findIndex(({ topic }) => topic.endsWith(end));
      return at < 0 ? undefined : this.#packets.splice(at, 1)[0];
    });
  }
}

describe('commands', () => {
  let server: TestServer;
  let device: Device;
  let jobs: IoTJobsDataPlaneClient;
  const start = async (commandId: string, more: object = {}): Promise<string> => {
    const asked = { commandArn: arn(`command/${commandId}`), targetArn: arn('thing/lamp'), ...more };
    return (await jobs.send(new StartCommandExecutionCommand(asked))).executionId ?? '';
  };

  before(async () => {
    server = await startServer({ args: ['--log-level', 'warn'] });
    jobs = new IoTJobsDataPlaneClient(clientOf(server, server.credentials()));
    await makePolicy(server, 'all', ALLOW_ALL);
    device = await makeDevice(server, 'lamp', 'all');
    await server.iot.send(new CreateThingCommand({ thingName: 'lamp' }));
    for (const [commandId, contentType] of [
      ['on', 'application/json'],
      ['raw', 'text/plain'],
    ] as const) {
      const payload = { content: Buffer.from('{"on": 1.0}'), contentType };
      await server.iot.send(new CreateCommandCommand({ commandId, payload }));
    }
    await server.iot.send(
      new CreateCommandCommand({
        commandId: 'level',
        payloadTemplate: '{"level":"${aws:iot:commandexecution::parameter:level}"}',
        preprocessor: { awsJsonSubstitution: { outputFormat: 'CBOR' } },
        mandatoryParameters: [{ name: 'level', type: 'INTEGER' }],
      }),
    );
  });
  after(async () => {
    jobs.destroy();
    await server[Symbol.asyncDispose]();
  });

  for (const version of [4, 5] as const)
    test(`a device of MQTT ${version === 4 ? '3.1.1' : '5'} gets commands, reports, and events tell of it`, async () => {
      await using lamp = await connectDevice(server, `lamp-${version}`, device, version);
      const inbox = new Inbox(lamp.client);
      const base = '$aws/commands/things/lamp/executions';
      await lamp.client.subscribeAsync([`${base}/+/request`, `${base}/+/request/+`, '$aws/events/commandExecution/+/#'], {
        qos: 1,
      });
      // Eight slashes: AWS lists it as a topic to subscribe to.
      const granted = await lamp.client.subscribeAsync(`${base}/+/response/accepted/json`);
      assert.ok(granted.every(({ qos }) => qos < 0x80));

      const first = await start('on');
      const request = await inbox.next(`${first}/request/json`);
      assert.equal(request.payload.toString(), '{"on": 1.0}');
      const created = JSON.parse((await inbox.next('/on/CREATED')).payload.toString());
      assert.deepEqual([created.executionId, created.commandArn], [first, arn('command/on')]);
      const report = {
        status: 'SUCCEEDED',
        statusReason: { reasonCode: 'LIT' },
        result: { level: { s: '7' } },
        clientToken: 't',
      };
      await lamp.client.publishAsync(`${base}/${first}/response/json`, JSON.stringify(report), { qos: 1 });
      const accepted = JSON.parse((await inbox.next('/response/accepted/json')).payload.toString());
      assert.deepEqual(accepted, { executionId: first, clientToken: 't' });
      await inbox.next('/on/SUCCEEDED');
      const asked = { executionId: first, targetArn: arn('thing/lamp'), includeResult: true };
      const shown = await server.iot.send(new GetCommandExecutionCommand(asked));
      assert.deepEqual(
        [shown.status, shown.result, shown.statusReason],
        ['SUCCEEDED', { level: { S: '7' } }, { reasonCode: 'LIT' }],
      );
      await lamp.client.publishAsync(`${base}/${first}/response/cbor`, Buffer.from(encode({ status: 'FAILED' })));
      const rejected = decode<{ error: string }>((await inbox.next('/response/rejected/cbor')).payload as Buffer);
      assert.equal(rejected.error, 'TerminalStateReached');

      const second = await start('level', { parameters: { level: { I: 40 } } });
      assert.deepEqual(decode((await inbox.next(`${second}/request/cbor`)).payload as Buffer), { level: 40 });
      const third = await start('raw', { executionTimeoutSeconds: 1 });
      const raw = await inbox.next(`${third}/request`);
      if (version === 5) assert.equal(raw.properties?.contentType, 'text/plain');
      const late = JSON.parse((await inbox.next('/raw/TIMED_OUT')).payload.toString());
      assert.deepEqual(late.statusReason, { reasonCode: '$NO_RESPONSE_FROM_DEVICE' });
    });

  test('a persistent session gets the command once it is back, if there is still time', async () => {
    const filter = '$aws/commands/clients/sleeper/executions/+/request/json';
    const session = { clean: false, properties: { sessionExpiryInterval: 60 } };
    const before = await connectDevice(server, 'sleeper', device, 5, session);
    await before.client.subscribeAsync(filter, { qos: 1 });
    await before[Symbol.asyncDispose]();
    const target = { targetArn: arn('client/sleeper') };
    const gone = await start('on', { ...target, executionTimeoutSeconds: 1 });
    const kept = await start('on', { ...target, executionTimeoutSeconds: 600 });
    const ended = async () => {
      const { status } = await server.iot.send(new GetCommandExecutionCommand({ executionId: gone, ...target }));
      return status === 'TIMED_OUT' ? status : undefined;
    };
    await until('the time of the first is over', ended);
    const got: string[] = [];
    // Its messages come right behind CONNACK: the listener is there before.
    const again = mqtt.connect({
      ...{ protocol: 'mqtts', host: 'localhost', port: server.ports.mqtt, ca: readFileSync(server.rootCa), reconnectPeriod: 0 },
      ...{ cert: device.certPem, key: device.keyPem, clientId: 'sleeper', protocolVersion: 5, ...session },
    });
    again.on('message', (topic) => got.push(topic));
    await until('the command', () => got.find((topic) => topic.includes(kept)));
    assert.deepEqual(got, [`$aws/commands/clients/sleeper/executions/${kept}/request/json`]);
    await again.endAsync(true);
  });

  test('a start needs iot:StartCommandExecution on the command and on the target', async () => {
    const action = 'iot:StartCommandExecution';
    const startAs = async (name: string, ...resources: string[]) => {
      const { credentials } = await makeUser(server, name, [allow(action, ...resources)]);
      const client = new IoTJobsDataPlaneClient(clientOf(server, credentials));
      const asked = { commandArn: arn('command/on'), targetArn: arn('thing/lamp') };
      return client.send(new StartCommandExecutionCommand(asked)).finally(() => client.destroy());
    };
    await startAs('both', arn('command/on'), arn('thing/lamp'));
    await assert.rejects(startAs('command', arn('command/on')), { name: 'ForbiddenException' });
    await assert.rejects(startAs('target', arn('thing/*')), { name: 'ForbiddenException' });
  });

  test('DeleteCommand answers 202 for one that goes later, 204 for one that is gone (41.1)', async () => {
    const status = async (commandId: string) =>
      (await within('DeleteCommand', server.iot.send(new DeleteCommandCommand({ commandId })))).statusCode;
    await server.iot.send(new CreateCommandCommand({ commandId: 'old', payload: { content: Buffer.from('x') } }));
    assert.deepEqual([await status('old'), await status('none')], [202, 204]);
    await assert.rejects(server.iot.send(new UpdateCommandCommand({ commandId: 'old' })), { name: 'ConflictException' });
  });
});
