/** Device shadows over MQTT, the API and HTTPS with a certificate (fact sheet 5 and 34; developer guide, pages device-shadow-mqtt and -rest-api). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import {
  DeleteThingShadowCommand,
  GetThingShadowCommand,
  ListNamedShadowsForThingCommand,
  UpdateThingShadowCommand,
} from '@aws-sdk/client-iot-data-plane';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import {
  CreateDynamicThingGroupCommand,
  CreateThingCommand,
  CreateTopicRuleCommand,
  DescribeIndexCommand,
  SearchIndexCommand,
  UpdateIndexingConfigurationCommand,
} from '@aws-sdk/client-iot';
import type { IPublishPacket } from 'mqtt-packet';
import { DeviceConnection } from './device-connection.ts';
import { ACCOUNT, ALLOW_ALL, allow, arn, type Device, makeDevice, makePolicy, policyDocument } from './devices.ts';
import { plainEnvironment, succeed } from './run-command.ts';
import { startServer, type TestServer } from './test-core.ts';
import { until } from './until.ts';

interface Message {
  readonly topic: string;
  readonly text: string;
}

/** Texts with their times as 1. */
const timeless = (json: string): string => json.replace(/"timestamp":\d{10}/g, '"timestamp":1');

async function nextMessage(device: DeviceConnection): Promise<Message> {
  for (;;) {
    const seen = await device.next();
    if (seen.cmd === 'closed') throw new Error('the connection was closed');
    if (seen.cmd !== 'publish') continue;
    const { topic, payload, qos, messageId } = seen as IPublishPacket;
    if (qos === 1) device.send({ cmd: 'puback', messageId: messageId ?? 0 });
    return { topic, text: timeless(String(payload)) };
  }
}

describe('shadows', () => {
  let server: TestServer;
  let owner: Device;

  before(async () => {
    server = await startServer({ args: ['--log-level', 'warn'] });
    await makePolicy(server, 'all', ALLOW_ALL);
    owner = await makeDevice(server, 'owner', 'all');
  });
  after(() => server[Symbol.asyncDispose]());

  const connected = (clientId: string, device = owner): Promise<DeviceConnection> =>
    DeviceConnection.admitted(server, 4, clientId, device);

  const subscribed = async (clientId: string, filter: string, qos: 0 | 1 = 0): Promise<DeviceConnection> => {
    const connection = await connected(clientId);
    connection.subscribe(filter, qos);
    assert.equal((await connection.next()).cmd, 'suback');
    return connection;
  };

  const overApi = async (thingName: string, payload: string, shadowName?: string): Promise<string> => {
    const input = { thingName, shadowName, payload: Buffer.from(payload) };
    const answer = await server.iotData.send(new UpdateThingShadowCommand(input));
    return timeless(Buffer.from(answer.payload ?? []).toString());
  };

  test("the Zero Touch kit's firmware gets the deltas that it expects, within its buffer (tutorials 3.3 and 3.5)", async () => {
    const ski = '0123456789abcdef0123456789abcdef01234567';
    const prefix = `$aws/things/${ski}/shadow`;
    using board = await subscribed(ski, `${prefix}/update/delta`);
    const buttons = '"button1":"up","button2":"up","button3":"up"';
    const report = (led1: string): string => `{"state":{"reported":{${buttons},"led1":"${led1}","led2":"off","led3":"off"}}}`;
    board.publish(`${prefix}/update`, report('off'));
    const { topic, text: accepted } = await nextMessage(board);
    assert.equal(topic, `${prefix}/update/accepted`);
    assert.ok(accepted.startsWith(`{"state":{"reported":{${buttons},"led1":"off"`), accepted);
    await overApi(ski, '{"state":{"desired":{"led1":"on"}}}');
    const delta = await nextMessage(board);
    assert.deepEqual(delta, {
      topic: `${prefix}/update/delta`,
      text: '{"version":2,"timestamp":1,"state":{"led1":"on"},"metadata":{"led1":{"timestamp":1}}}',
    });
    assert.ok(Buffer.byteLength(delta.text) + delta.topic.length < 1000);
    board.publish(`${prefix}/update`, report('on'));
    assert.equal((await nextMessage(board)).topic, `${prefix}/update/accepted`);
    assert.ok(await board.nothingCame());
  });

  test('an update tells the delta, the answer and both documents, byte for byte (facts 5.2)', async () => {
    using app = await subscribed('app', '$aws/things/lamp/shadow/#');
    using device = await connected('lamp');
    device.publish('$aws/things/lamp/shadow/update', '{"state":{"desired":{"b":1.0,"a":[1,{"x":true}]}},"clientToken":"t-1"}', {
      qos: 1,
    });
    const metadata = '{"b":{"timestamp":1},"a":[{"timestamp":1},{"x":{"timestamp":1}}]}';
    const state = '{"b":1.0,"a":[1,{"x":true}]}';
    const accepted = `{"state":{"desired":${state}},"metadata":{"desired":${metadata}},"version":1,"timestamp":1,"clientToken":"t-1"}`;
    assert.deepEqual(
      [await nextMessage(app), await nextMessage(app), await nextMessage(app), await nextMessage(app)],
      [
        {
          topic: '$aws/things/lamp/shadow/update',
          text: '{"state":{"desired":{"b":1.0,"a":[1,{"x":true}]}},"clientToken":"t-1"}',
        },
        {
          topic: '$aws/things/lamp/shadow/update/delta',
          text: `{"version":1,"timestamp":1,"state":${state},"metadata":${metadata},"clientToken":"t-1"}`,
        },
        { topic: '$aws/things/lamp/shadow/update/accepted', text: accepted },
        {
          topic: '$aws/things/lamp/shadow/update/documents',
          text: `{"current":{"state":{"desired":${state}},"metadata":{"desired":${metadata}},"version":1},"timestamp":1,"clientToken":"t-1"}`,
        },
      ],
    );
    // The requester has subscribed to nothing, and its PUBACK follows its answer.
    assert.deepEqual(await nextMessage(device), { topic: '$aws/things/lamp/shadow/update/accepted', text: accepted });
    assert.equal((await device.next()).cmd, 'puback');
    device.publish('$aws/things/lamp/shadow/get', '{"clientToken":"t-2"}');
    assert.deepEqual(await nextMessage(device), {
      topic: '$aws/things/lamp/shadow/get/accepted',
      text: `{"state":{"desired":${state},"delta":${state}},"metadata":{"desired":${metadata}},"version":1,"timestamp":1,"clientToken":"t-2"}`,
    });
    device.publish('$aws/things/lamp/shadow/delete', '{"clientToken":"t-3"}');
    assert.deepEqual(await nextMessage(device), {
      topic: '$aws/things/lamp/shadow/delete/accepted',
      text: '{"version":1,"timestamp":1,"clientToken":"t-3"}',
    });
  });

  test('named shadows are apart, are listed, and go on from the version of a deleted one (facts 5.3, 5.7)', async () => {
    for (const name of [undefined, 'one', 'two', '$package'])
      await overApi('pump', '{"state":{"reported":{"a":{"version":"1"}}}}', name);
    assert.match(await overApi('pump', '{"state":{"reported":{"b":{"version":"1"}}}}', 'one'), /"version":2/);
    const list = async (more: object = {}) => {
      const { results, nextToken } = await server.iotData.send(
        new ListNamedShadowsForThingCommand({ thingName: 'pump', ...more }),
      );
      return { results, nextToken };
    };
    assert.deepEqual((await list()).results, ['$package', 'one', 'two']);
    const first = await list({ pageSize: 2 });
    assert.deepEqual(first.results, ['$package', 'one']);
    assert.deepEqual((await list({ pageSize: 2, nextToken: first.nextToken })).results, ['two']);
    await server.iotData.send(new DeleteThingShadowCommand({ thingName: 'pump', shadowName: 'one' }));
    assert.deepEqual((await list()).results, ['$package', 'two']);
    await assert.rejects(server.iotData.send(new GetThingShadowCommand({ thingName: 'pump', shadowName: 'one' })), {
      name: 'ResourceNotFoundException',
      message: "No shadow exists with name: 'one'",
    });
    assert.match(await overApi('pump', '{"state":{"reported":{"c":1}}}', 'one'), /"version":3/);
    assert.deepEqual((await list({})).results, ['$package', 'one', 'two']);
    const { results } = await server.iotData.send(new ListNamedShadowsForThingCommand({ thingName: 'nobody' }));
    assert.deepEqual(results, []);
  });

  test('what is not right is rejected with its client token, to the requester and to subscribers (facts 5.5)', async () => {
    using device = await connected('rejected');
    const ask = async (verb: string, payload: string | Buffer): Promise<string> => {
      device.publish(`$aws/things/valve/shadow/${verb}`, payload);
      const { topic, text: rejected } = await nextMessage(device);
      assert.equal(topic, `$aws/things/valve/shadow/${verb}/rejected`);
      return rejected;
    };
    assert.equal(await ask('get', ''), `{"code":404,"message":"No shadow exists with name: 'valve'","timestamp":1}`);
    assert.equal(
      await ask('update', '{"state":5,"clientToken":"x"}'),
      '{"code":400,"message":"State node must be an object","timestamp":1,"clientToken":"x"}',
    );
    assert.equal(
      await ask('update', '{"state":{"desired":{"a":1}},"version":2147483648}'),
      '{"code":409,"message":"Version conflict","timestamp":1}',
    );
    assert.equal(
      await ask('update', JSON.stringify({ state: { desired: { a: 'x'.repeat(9 * 1024) } } })),
      '{"code":413,"message":"The payload exceeds the maximum size allowed","timestamp":1}',
    );
    assert.match(await ask('update', Buffer.from([0xff])), /"code":415/);
  });

  test('a device needs the right to publish the request and to receive the answer; the shadow knows nothing of things', async () => {
    await makePolicy(server, 'mute', [allow('iot:Connect', '*'), allow('iot:Publish', arn('topic/$aws/things/own/shadow/*'))]);
    const mute = await makeDevice(server, 'mute', 'mute');
    using device = await connected('own', mute);
    device.publish('$aws/things/own/shadow/update', '{"state":{"reported":{"a":1}}}', { qos: 1 });
    assert.equal((await device.next()).cmd, 'puback');
    assert.match(await overApi('own', '{"state":{}}'), /"version":2/);
    device.publish('$aws/things/other/shadow/update', '{"state":{"reported":{"a":1}}}', { qos: 1 });
    assert.equal((await device.next()).cmd, 'closed');
    await assert.rejects(server.iotData.send(new GetThingShadowCommand({ thingName: 'other' })), {
      name: 'ResourceNotFoundException',
    });
  });

  test('HTTPS with a certificate: the same documents, policies by thing and shadow (facts 5.7)', async () => {
    await makePolicy(server, 'one-shadow', [allow(['iot:GetThingShadow', 'iot:UpdateThingShadow'], arn('thing/tank/main'))]);
    const tank = await makeDevice(server, 'tank', 'one-shadow');
    const send = async (method: string, path: string, body?: string) => {
      const { promise, resolve, reject } = Promise.withResolvers<{ status: number | undefined; body: string }>();
      const sent = request(
        {
          ...{ host: 'localhost', port: server.ports.https, method, path, agent: false },
          ...{ ca: readFileSync(server.rootCa), cert: tank.certPem, key: tank.keyPem },
        },
        (answer) => text(answer).then((got) => resolve({ status: answer.statusCode, body: timeless(got) }), reject),
      );
      sent.on('error', reject).end(body);
      return promise;
    };
    const update = '{"state":{"reported":{"level":12345678901234567890.50}}}';
    assert.deepEqual(await send('POST', '/things/tank/shadow?name=main', update), {
      status: 200,
      body: '{"state":{"reported":{"level":12345678901234567890.50}},"metadata":{"reported":{"level":{"timestamp":1}}},"version":1,"timestamp":1}',
    });
    assert.match((await send('GET', '/things/tank/shadow?name=main')).body, /"level":12345678901234567890\.50/);
    for (const path of ['/things/tank/shadow', '/things/tank/shadow?name=other'])
      assert.equal((await send('GET', path)).status, 403);
    assert.equal((await send('DELETE', '/things/tank/shadow?name=main')).status, 403);
    const { status, body } = await send('POST', '/things/tank/shadow?name=main', '{"state":');
    assert.equal(status, 400);
    assert.match(body, /"message":"Invalid JSON"/);
  });

  test('rules update shadows, see all messages of them, and read them; a will and a retain flag change nothing (facts 5.1, 5.7, 6)', async () => {
    const iam = new IAMClient({ endpoint: server.url, region: 'us-east-1', credentials: server.credentials(), maxAttempts: 1 });
    const [RoleName, ROLE] = ['rules', `arn:aws:iam::${ACCOUNT}:role/rules`];
    const trust = { Effect: 'Allow', Principal: { Service: 'iot.amazonaws.com' }, Action: 'sts:AssumeRole' };
    const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [trust] });
    await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
    const PolicyDocument = policyDocument([allow('iot:Publish', '*'), allow('iot:GetThingShadow', arn('thing/gate'))]);
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'p', PolicyDocument }));
    iam.destroy();
    const rule = (ruleName: string, sql: string, topic: string) =>
      server.iot.send(
        new CreateTopicRuleCommand({
          ruleName,
          topicRulePayload: { sql, awsIotSqlVersion: '2016-03-23', actions: [{ republish: { roleArn: ROLE, topic, qos: 1 } }] },
        }),
      );
    await rule(
      'report',
      "SELECT {'reported': {'status': status}} AS state FROM 'gate/status'",
      '$$aws/things/gate/shadow/update',
    );
    await rule('watch', "SELECT state.reported.status AS seen FROM '$aws/things/gate/shadow/update/accepted'", 'gate/seen');
    await rule('read', `SELECT get_thing_shadow('gate', '${ROLE}').state.reported AS gate FROM 'gate/ask'`, 'gate/told');
    using app = await subscribed('gate-app', 'gate/+');
    app.publish('gate/status', '{"status":"open"}');
    assert.deepEqual(await nextMessage(app), { topic: 'gate/status', text: '{"status":"open"}' });
    assert.deepEqual(await nextMessage(app), { topic: 'gate/seen', text: '{"seen":"open"}' });
    app.publish('gate/ask', '{}');
    assert.deepEqual(await nextMessage(app), { topic: 'gate/ask', text: '{}' });
    assert.deepEqual(await nextMessage(app), { topic: 'gate/told', text: '{"gate":{"status":"open"}}' });
    using device = await connected('gate');
    const update = '{"state":{"reported":{"status":"shut"}}}';
    device.publish('$aws/things/gate/shadow/update', update, { qos: 1, retain: true });
    assert.equal((await nextMessage(device)).topic, '$aws/things/gate/shadow/update/accepted');
    assert.equal((await nextMessage(app)).text, '{"seen":"shut"}');
    using late = await subscribed('late', '$aws/things/gate/shadow/update');
    assert.ok(await late.nothingCame());
    const will = {
      topic: '$aws/things/gate/shadow/update',
      payload: Buffer.from('{"state":{"reported":{"status":"lost"}}}'),
      qos: 0 as const,
      retain: false,
    };
    const { socket } = await DeviceConnection.admitted(server, 4, 'dies', owner, { will });
    socket.destroy();
    assert.deepEqual(await nextMessage(late), { topic: will.topic, text: will.payload.toString() });
    const { payload } = await server.iotData.send(new GetThingShadowCommand({ thingName: 'gate' }));
    assert.match(Buffer.from(payload ?? []).toString(), /"status":"shut".*"version":2/);
  });

  test('things are found by their shadows, and come into dynamic groups by them (facts 29, 30)', async () => {
    await server.iot.send(
      new UpdateIndexingConfigurationCommand({
        thingIndexingConfiguration: {
          thingIndexingMode: 'REGISTRY_AND_SHADOW',
          namedShadowIndexingMode: 'ON',
          filter: { namedShadowNames: ['main'] },
        },
      }),
    );
    for (const thingName of ['oven-1', 'oven-2']) await server.iot.send(new CreateThingCommand({ thingName }));
    await until('the index is whole', async () => {
      const { indexStatus } = await server.iot.send(new DescribeIndexCommand({ indexName: 'AWS_Things' }));
      return indexStatus === 'ACTIVE' ? true : undefined;
    });
    await server.iot.send(
      new CreateDynamicThingGroupCommand({ thingGroupName: 'hot', queryString: 'shadow.name.main.reported.heat>100' }),
    );
    await overApi('oven-1', '{"state":{"reported":{"heat":180}}}', 'main');
    await overApi('oven-2', '{"state":{"desired":{"on":true},"reported":{"heat":20}}}', 'main');
    await overApi('oven-2', '{"state":{"desired":{"light":"on"},"reported":{"light":"off"}}}');
    const found = async (queryString: string): Promise<string> => {
      const { things = [] } = await server.iot.send(new SearchIndexCommand({ queryString }));
      return things.map(({ thingName }) => thingName).join();
    };
    const finds = (queryString: string, wanted: string): Promise<true> =>
      until(queryString, async () => ((await found(queryString)) === wanted ? true : undefined));
    await finds('shadow.name.main.reported.heat>100', 'oven-1');
    await finds('shadow.hasDelta:true AND shadow.reported.light:off', 'oven-2');
    await finds('shadow.name.main.delta.on:true', 'oven-2');
    await finds('thingGroupNames:hot', 'oven-1');
    await overApi('oven-1', '{"state":{"reported":{"heat":30}}}', 'main');
    await server.iotData.send(new DeleteThingShadowCommand({ thingName: 'oven-2' }));
    await finds('shadow.name.main.reported.heat>100', '');
    await finds('thingGroupNames:hot', '');
    await finds('shadow.hasDelta:true AND shadow.reported.light:off', '');
  });

  test('messages of one shadow come in the order of its versions, by whatever protocol updates come (flows/shadow.md)', async () => {
    const prefix = '$aws/things/mixed/shadow/update';
    using app = await subscribed('app', `${prefix}/+`);
    using device = await connected('mixed');
    const EACH = 40;
    const overHttp = async (name: string): Promise<void> => {
      for (let i = 0; i < EACH; i += 1) await overApi('mixed', `{"state":{"desired":{"${name}":${i}}}}`);
    };
    const overMqtt = async (): Promise<void> => {
      for (let i = 0; i < EACH; i += 1) {
        device.publish(prefix, `{"state":{"desired":{"mqtt":${i}}}}`);
        await nextMessage(device);
      }
    };
    const asked = Promise.all([overHttp('one'), overHttp('two'), overMqtt(), overMqtt()]);
    const versionOf = (json: string): number => Number(/"version":(\d+)/.exec(json.slice(json.indexOf(`"current"`) + 1))?.[1]);
    const seen: [kind: string, version: number][] = [];
    for (let i = 0; i < 4 * EACH * 3; i += 1) {
      const { topic, text: json } = await nextMessage(app);
      seen.push([topic.slice(prefix.length), versionOf(json)]);
    }
    await asked;
    const expected = Array.from({ length: 4 * EACH }, (_, i) =>
      ['/delta', '/accepted', '/documents'].map((kind) => [kind, i + 1] as const),
    );
    assert.deepEqual(seen, expected.flat());
  });

  test("the shadow clients of AWS's device SDK, of both generations and over both protocols (acceptance)", async () => {
    for (const generation of ['1', '2', '5']) {
      const thingName = `sdk-${generation}`;
      const script = new URL('./sdk-shadow.ts', import.meta.url).pathname;
      const args = [script, generation, String(server.ports.mqtt), server.rootCa, owner.cert, owner.key, thingName];
      const printed = await succeed(process.execPath, args, { env: plainEnvironment() });
      const told = printed
        .replace(/"clientToken":"[^"]*",?/g, '')
        .replace(/"timestamp":"?[\d.TZ:-]+"?/g, '"timestamp":1')
        .replace(/,}/g, '}')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { step: string; code?: number; version?: number; state?: object; message?: string });
      assert.deepEqual(
        told.map(({ step, code, version, state, message }) => [step, code ?? version, message ?? state]),
        [
          ['get', 404, `No shadow exists with name: '${thingName}'`],
          ['update', 1, { desired: { led: 'on' }, reported: { led: 'off' } }],
          ['delta', 1, { led: 'on' }],
          ['documents', undefined, undefined],
          ['conflict', 409, 'Version conflict'],
          ['update', 2, { reported: { led: 'on' } }],
          ['documents', undefined, undefined],
          ['get', 2, { desired: { led: 'on' }, reported: { led: 'on' } }],
          ['delete', 2, undefined],
        ],
        generation,
      );
      const { previous, current } = told[6] as unknown as Record<'previous' | 'current', { version: number }>;
      assert.deepEqual([previous.version, current.version], [1, 2]);
    }
  });
});
