/** Message enrichment: attributes of a thing on what its device publishes, for subscribers and for rules (fact 6.10). */
// needs: aws
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AttachThingPrincipalCommand, CreateThingCommand, CreateTopicRuleCommand, UpdateThingCommand } from '@aws-sdk/client-iot';
import type { IPublishPacket } from 'mqtt-packet';
import { aws, awsOutcome } from './aws-command.ts';
import { DeviceConnection } from './device-connection.ts';
import { ACCOUNT, ALLOW_ALL, type Device, makeDevice, makePolicy } from './devices.ts';
import { startServer, type TestServer } from './test-core.ts';
import { until } from './until.ts';

let server: TestServer;
let lamp: Device;
before(async () => {
  server = await startServer();
  await makePolicy(server, 'all', ALLOW_ALL);
  lamp = await makeDevice(server, 'lamp', 'all');
});
after(() => server[Symbol.asyncDispose]());

const shorthand = (...attributes: string[]): string =>
  `mqtt5Configuration={propagatingAttributes=[${attributes.map((each) => `{${each}}`).join(',')}]}`;
const room = 'userPropertyKey=room,thingAttribute=room';

test('the aws command sets it up; devices of both versions, readers and rules see it; changes count at once', async () => {
  const { env, iot } = server;
  const more = [
    'userPropertyKey=thing,connectionAttribute=iot:Thing.ThingName',
    'userPropertyKey=none,thingAttribute=floor',
    'userPropertyKey=no,thingAttribute=constructor',
  ];
  const create = ['iot', 'create-thing-type', '--thing-type-name', 'light', '--thing-type-properties'];
  await aws(env, ...create, shorthand(room, ...more));
  const wrong = await awsOutcome({ env }, ...create, shorthand('userPropertyKey=x,connectionAttribute=iot:SourceIp'));
  assert.match(wrong.stderr, /InvalidRequestException/);
  const attributes = { room: 'kitchen' };
  await iot.send(new CreateThingCommand({ thingName: 'lamp', thingTypeName: 'light', attributePayload: { attributes } }));
  await iot.send(new AttachThingPrincipalCommand({ thingName: 'lamp', principal: lamp.certificateArn }));
  await iot.send(
    new CreateTopicRuleCommand({
      ruleName: 'rooms',
      topicRulePayload: {
        sql: `SELECT get_user_properties('room') AS room FROM 'state'`,
        awsIotSqlVersion: '2016-03-23',
        actions: [{ republish: { roleArn: `arn:aws:iam::${ACCOUNT}:role/r`, topic: 'rooms' } }],
      },
    }),
  );

  using reader = await DeviceConnection.admitted(server, 5, 'reader', await makeDevice(server, 'reader', 'all'));
  for (const topic of ['state', 'rooms']) {
    reader.subscribe(topic);
    assert.equal((await reader.next()).cmd, 'suback');
  }
  using old = await DeviceConnection.admitted(server, 4, 'lamp', lamp);
  let state = 0;
  /** What a new message brings with it, and what the rule made of it. */
  const seen = async (from: DeviceConnection): Promise<unknown[]> => {
    state += 1;
    from.send({ cmd: 'publish', topic: 'state', payload: `{"n":${state}}`, qos: 0, dup: false, retain: false });
    const got = [(await reader.next()) as IPublishPacket, (await reader.next()) as IPublishPacket];
    const message = got.find(({ topic }) => topic === 'state');
    const made = got.find(({ topic }) => topic === 'rooms');
    assert.equal(String(message?.payload), `{"n":${state}}`);
    return [{ ...message?.properties?.userProperties }, JSON.parse(String(made?.payload))];
  };
  assert.deepEqual(await seen(old), [{ room: 'kitchen', thing: 'lamp' }, { room: ['kitchen'] }]);
  old.socket.destroy();
  using modern = await DeviceConnection.admitted(server, 5, 'lamp', lamp);
  assert.deepEqual(await seen(modern), [{ room: 'kitchen', thing: 'lamp' }, { room: ['kitchen'] }]);

  await iot.send(new UpdateThingCommand({ thingName: 'lamp', attributePayload: { attributes: { room: 'hall' } } }));
  await until('the new room', async () => {
    const [properties] = await seen(modern);
    return (properties as { room?: string }).room === 'hall' ? true : undefined;
  });
  const update = ['iot', 'update-thing-type', '--thing-type-name', 'light', '--thing-type-properties'];
  await aws(env, ...update, shorthand('userPropertyKey=where,thingAttribute=room'));
  await until('the new name', async () => {
    const [properties] = await seen(modern);
    return (properties as { where?: string }).where === 'hall' ? true : undefined;
  });
});
