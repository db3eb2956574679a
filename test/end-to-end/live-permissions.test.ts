/**
 * Permissions that change under a live connection: a publisher and a subscriber are connected, the API call returns, and
 * within one second the connection is bound by what is so now. AWS promises minutes (developer guide, page
 * activate-or-deactivate-device-cert; page iot-policies); here it is a second, and the server is never restarted.
 */
import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import {
  AddThingToThingGroupCommand,
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreatePolicyVersionCommand,
  CreateThingCommand,
  CreateThingGroupCommand,
  DeleteCertificateCommand,
  DeleteThingGroupCommand,
  DetachPolicyCommand,
  DetachThingPrincipalCommand,
  ListAttachedPoliciesCommand,
  RemoveThingFromThingGroupCommand,
  SetDefaultPolicyVersionCommand,
  UpdateCertificateCommand,
  UpdateThingCommand,
} from '@aws-sdk/client-iot';
import { DeviceConnection, type Level, type Seen } from './device-connection.ts';
import { ALLOW_ALL, allow, arn, type Device, makeDevice, makePolicy, policyDocument, type Statement } from './devices.ts';
import { startServer, type TestServer } from './test-core.ts';
import { until } from './until.ts';

/** Milliseconds within which a change must have reached live connections. */
const PROMISED = 1_000;

let server: TestServer;
let witness: Device;
before(async () => {
  server = await startServer();
  await makePolicy(server, 'all', ALLOW_ALL);
  witness = await makeDevice(server, 'witness', 'all');
});
after(() => server[Symbol.asyncDispose]());

/** Runs a change; measures from the moment that its answer is here until the effect has been seen. */
async function effective(t: TestContext, change: () => Promise<unknown>, effect: () => Promise<unknown>): Promise<void> {
  await change();
  const begin = performance.now();
  await effect();
  const took = performance.now() - begin;
  t.diagnostic(`in effect ${took.toFixed(1)} ms after the answer`);
  assert.ok(took <= PROMISED, `took ${took} ms`);
}

/** A connection ends: MQTT 5 is told that it is not authorized (0x87), MQTT 3.1.1 is closed. */
async function sentAway(connection: DeviceConnection): Promise<void> {
  let seen: Seen = await connection.next(PROMISED);
  if (connection.level === 5) {
    assert.equal(seen.cmd, 'disconnect');
    assert.equal('reasonCode' in seen ? seen.reasonCode : undefined, 0x87);
    seen = await connection.next(PROMISED);
  }
  assert.equal(seen.cmd, 'closed');
}

/** Publishes until it is refused (MQTT 5: PUBACK 0x87; MQTT 3.1.1: the end). */
const publishRefused = (connection: DeviceConnection, topic: string): Promise<unknown> =>
  until(
    `a refusal of ${topic}`,
    async () => {
      connection.publish(topic, 'x', { qos: 1 });
      const seen = await connection.next(PROMISED);
      if (seen.cmd === 'closed') return true;
      return seen.cmd === 'puback' && 'reasonCode' in seen && seen.reasonCode === 0x87 ? true : undefined;
    },
    PROMISED,
  );

interface Pair extends Disposable {
  readonly device: Device;
  readonly publisher: DeviceConnection;
  readonly subscriber: DeviceConnection;
}

/** A device with its own policy, connected twice, and seen to pass a message. */
async function connectedPair(
  level: Level,
  name: string,
  statements: readonly Statement[] = ALLOW_ALL,
  clientIds = [`${name}-pub`, `${name}-sub`],
): Promise<Pair> {
  await makePolicy(server, name, statements);
  const device = await makeDevice(server, name, name);
  const [publisherId = '', subscriberId = ''] = clientIds;
  const publisher = await DeviceConnection.admitted(server, level, publisherId, device);
  const subscriber = await DeviceConnection.admitted(server, level, subscriberId, device);
  subscriber.subscribe(`${name}/topic`);
  assert.equal((await subscriber.next()).cmd, 'suback');
  publisher.publish(`${name}/topic`, 'before', { qos: 1 });
  assert.equal((await publisher.next()).cmd, 'puback');
  assert.equal((await subscriber.next()).cmd, 'publish');
  return {
    device,
    publisher,
    subscriber,
    [Symbol.dispose]: () => {
      publisher[Symbol.dispose]();
      subscriber[Symbol.dispose]();
    },
  };
}

/** A policy variable of the connection. */
const variable = (name: string): string => `\${iot:Connection.${name}}`;

const update = (device: Device, newStatus: 'ACTIVE' | 'INACTIVE' | 'REVOKED') => (): Promise<unknown> =>
  server.iot.send(new UpdateCertificateCommand({ certificateId: device.certificateId, newStatus }));

for (const level of [4, 5] as const)
  describe(`with ${level === 4 ? 'MQTT 3.1.1' : 'MQTT 5'}`, () => {
    test('deactivating a certificate ends its connections, and activating lets it in again', async (t) => {
      using pair = await connectedPair(level, `deactivated-${level}`);
      const { device, publisher, subscriber } = pair;
      await effective(t, update(device, 'INACTIVE'), () => Promise.all([sentAway(publisher), sentAway(subscriber)]));
      const { device: refused, answer } = await DeviceConnection.connect(server, level, `deactivated-${level}-pub`, device);
      refused[Symbol.dispose]();
      assert.ok(answer.cmd === 'closed' || ('reasonCode' in answer && answer.reasonCode === 0x87));
      await update(device, 'ACTIVE')();
      using again = await DeviceConnection.admitted(server, level, `deactivated-${level}-pub`, device);
      assert.ok(await again.nothingCame());
    });

    test('revoking a certificate ends its connections', async (t) => {
      using pair = await connectedPair(level, `revoked-${level}`);
      await effective(t, update(pair.device, 'REVOKED'), () =>
        Promise.all([sentAway(pair.publisher), sentAway(pair.subscriber)]),
      );
    });

    test('deleting a certificate: inactive first, which ends its connections; then it is unknown', async (t) => {
      using pair = await connectedPair(level, `deleted-${level}`);
      const { certificateId } = pair.device;
      await assert.rejects(server.iot.send(new DeleteCertificateCommand({ certificateId })), {
        name: 'CertificateStateException',
      });
      assert.ok(await pair.publisher.nothingCame());
      const remove = async (): Promise<void> => {
        await update(pair.device, 'INACTIVE')();
        await server.iot.send(new DeleteCertificateCommand({ certificateId, forceDelete: true }));
      };
      await effective(t, remove, () => Promise.all([sentAway(pair.publisher), sentAway(pair.subscriber)]));
      const { device: refused } = await DeviceConnection.connect(server, level, `deleted-again-${level}`, pair.device);
      refused[Symbol.dispose]();
      await server.logged((line) => line.check === 'certificate-unknown' && line.certificateId === certificateId);
    });

    test('detaching the only policy ends its connections', async (t) => {
      const name = `detached-${level}`;
      using pair = await connectedPair(level, name);
      const detach = () => server.iot.send(new DetachPolicyCommand({ policyName: name, target: pair.device.certificateArn }));
      await effective(t, detach, () => Promise.all([sentAway(pair.publisher), sentAway(pair.subscriber)]));
    });

    test('a new default version that takes publishing away: refused, still connected for the rest (MQTT 5)', async (t) => {
      const name = `narrowed-${level}`;
      using pair = await connectedPair(level, name);
      const narrower = policyDocument([allow('iot:Connect', '*'), allow(['iot:Subscribe', 'iot:Receive'], '*')]);
      const narrow = () =>
        server.iot.send(new CreatePolicyVersionCommand({ policyName: name, policyDocument: narrower, setAsDefault: true }));
      await effective(t, narrow, () => publishRefused(pair.publisher, `${name}/topic`));
      if (level === 5) assert.ok(await pair.publisher.nothingCame());
      assert.ok(await pair.subscriber.nothingCame(), 'what may still receive stays');
    });

    test('a version that takes receiving away stops deliveries; going back to the first lets them through again', async (t) => {
      const name = `unread-${level}`;
      using pair = await connectedPair(level, name);
      const narrower = policyDocument([allow(['iot:Connect', 'iot:Publish', 'iot:Subscribe'], '*')]);
      const narrow = () =>
        server.iot.send(new CreatePolicyVersionCommand({ policyName: name, policyDocument: narrower, setAsDefault: true }));
      using other = await DeviceConnection.admitted(server, level, `${name}-other`, witness);
      const publishOnce = async (): Promise<Seen> => {
        other.publish(`${name}/topic`, 'x', { qos: 1 });
        assert.equal((await other.next()).cmd, 'puback');
        pair.subscriber.send({ cmd: 'pingreq' });
        const seen = await pair.subscriber.next(PROMISED);
        if (seen.cmd === 'publish') assert.equal((await pair.subscriber.next()).cmd, 'pingresp');
        return seen;
      };
      const seesOnly = (cmd: string) => () =>
        until(cmd, async () => ((await publishOnce()).cmd === cmd ? true : undefined), PROMISED);
      await effective(t, narrow, seesOnly('pingresp'));
      const widen = () => server.iot.send(new SetDefaultPolicyVersionCommand({ policyName: name, policyVersionId: '1' }));
      await effective(t, widen, seesOnly('publish'));
    });

    test('a policy attached later gives a live connection more', async (t) => {
      const name = `widened-${level}`;
      await makePolicy(server, name, [allow('iot:Connect', '*')]);
      await makePolicy(server, `${name}-more`, [allow(['iot:Subscribe'], arn(`topicfilter/${name}`))]);
      const device = await makeDevice(server, name, name);
      // MQTT 3.1.1 gets one try: a refusal would end the connection, so it is asked after the change.
      using connection = await DeviceConnection.admitted(server, level, name, device);
      const attach = () =>
        server.iot.send(new AttachPolicyCommand({ policyName: `${name}-more`, target: device.certificateArn }));
      await effective(t, attach, async () => {
        connection.subscribe(name);
        const seen = await connection.next(PROMISED);
        assert.deepEqual(seen.cmd === 'suback' && seen.granted, [0]);
      });
    });

    test('a policy with thing variables: detaching the thing ends the connection (page thing-policy-variables)', async (t) => {
      const name = `thing-${level}`;
      await makePolicy(server, name, [
        allow('iot:Connect', arn(`client/${variable('Thing.ThingName')}`)),
        allow('iot:*', arn(`topic/${variable('Thing.Attributes[site]')}/*`)),
      ]);
      const device = await makeDevice(server, name, name);
      await server.iot.send(new CreateThingCommand({ thingName: name, attributePayload: { attributes: { site: 'north' } } }));
      await server.iot.send(new AttachThingPrincipalCommand({ thingName: name, principal: device.certificateArn }));
      using connection = await DeviceConnection.admitted(server, level, name, device);
      connection.publish('north/x', 'x', { qos: 1 });
      assert.equal((await connection.next()).cmd, 'puback');
      const detach = () =>
        server.iot.send(new DetachThingPrincipalCommand({ thingName: name, principal: device.certificateArn }));
      await effective(t, detach, () => sentAway(connection));
    });

    test("a policy with thing variables: the thing's attribute changes, and the topic with it", async (t) => {
      const name = `moved-${level}`;
      await makePolicy(server, name, [
        allow('iot:Connect', '*'),
        allow('iot:Publish', arn(`topic/${variable('Thing.Attributes[site]')}/*`)),
      ]);
      const device = await makeDevice(server, name, name);
      await server.iot.send(new CreateThingCommand({ thingName: name, attributePayload: { attributes: { site: 'north' } } }));
      await server.iot.send(new AttachThingPrincipalCommand({ thingName: name, principal: device.certificateArn }));
      using connection = await DeviceConnection.admitted(server, level, name, device);
      const move = () =>
        server.iot.send(new UpdateThingCommand({ thingName: name, attributePayload: { attributes: { site: 'south' } } }));
      await effective(t, move, async () => {
        connection.publish('south/x', 'x', { qos: 1 });
        const seen = await connection.next(PROMISED);
        assert.equal(seen.cmd, 'puback');
        assert.notEqual('reasonCode' in seen ? seen.reasonCode : 0, 0x87);
      });
      await publishRefused(connection, 'north/x');
    });

    test('policies of thing groups: joining, a policy on the parent, leaving, and the end of the group (page thing-groups)', async (t) => {
      const name = `grouped-${level}`;
      const [root, leaf] = [`${name}-root`, `${name}-leaf`];
      await makePolicy(server, `${name}-connect`, [allow('iot:Connect', '*')]);
      await makePolicy(server, `${name}-a`, [allow('iot:Publish', arn(`topic/${name}/a`))]);
      await makePolicy(server, `${name}-b`, [allow('iot:Publish', arn(`topic/${name}/b`))]);
      const device = await makeDevice(server, name, `${name}-connect`);
      await server.iot.send(new CreateThingCommand({ thingName: name }));
      await server.iot.send(new AttachThingPrincipalCommand({ thingName: name, principal: device.certificateArn }));
      await server.iot.send(new CreateThingGroupCommand({ thingGroupName: root }));
      await server.iot.send(new CreateThingGroupCommand({ thingGroupName: leaf, parentGroupName: root }));
      await server.iot.send(new AttachPolicyCommand({ policyName: `${name}-a`, target: arn(`thinggroup/${leaf}`) }));
      const isAllowed = (connection: DeviceConnection, topic: string) => async (): Promise<void> => {
        connection.publish(`${name}/${topic}`, 'x', { qos: 1 });
        const seen = await connection.next(PROMISED);
        assert.ok(seen.cmd === 'puback' && !('reasonCode' in seen && seen.reasonCode === 0x87), `${topic}: ${seen.cmd}`);
      };
      // Another client id than the thing's name: no group counts.
      using other = await DeviceConnection.admitted(server, level, `${name}-other`, device);
      using connection = await DeviceConnection.admitted(server, level, name, device);
      const membership = { thingName: name, thingGroupName: leaf };
      const join = () => server.iot.send(new AddThingToThingGroupCommand(membership));
      await effective(t, join, isAllowed(connection, 'a'));
      await publishRefused(other, `${name}/a`);
      const attach = () =>
        server.iot.send(new AttachPolicyCommand({ policyName: `${name}-b`, target: arn(`thinggroup/${root}`) }));
      await effective(t, attach, isAllowed(connection, 'b'));
      const leave = () => server.iot.send(new RemoveThingFromThingGroupCommand(membership));
      await effective(t, leave, () => publishRefused(connection, `${name}/a`));
      await join();
      using again = await DeviceConnection.admitted(server, level, name, device);
      for (const topic of ['a', 'b']) await isAllowed(again, topic)();
      const remove = () => server.iot.send(new DeleteThingGroupCommand({ thingGroupName: leaf }));
      await effective(t, remove, () => publishRefused(again, `${name}/b`));
      await server.iot.send(new CreateThingGroupCommand({ thingGroupName: leaf, parentGroupName: root }));
      const { policies } = await server.iot.send(new ListAttachedPoliciesCommand({ target: arn(`thinggroup/${leaf}`) }));
      assert.deepEqual(policies, [], 'a group that is made anew has no policies of the old one');
    });

    test('other devices are not touched', async () => {
      using pair = await connectedPair(level, `bystander-${level}`);
      using gone = await connectedPair(level, `gone-${level}`);
      await update(gone.device, 'INACTIVE')();
      await sentAway(gone.publisher);
      assert.ok(await pair.publisher.nothingCame());
      assert.ok(await pair.subscriber.nothingCame());
    });
  });
