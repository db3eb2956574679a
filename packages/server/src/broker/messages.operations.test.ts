/** The data plane API of the broker (API reference, iot-data; fact sheet 1.6). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Packet } from 'mqtt-packet';
import { dataPlaneOperations, publisher } from './messages.operations.ts';
import { ACCOUNT, type ConnectOptions, publishPacket, permissionsOf, TestBench, type TestPeer } from './test-bench.ts';

const caller = { accountId: ACCOUNT, region: 'us-east-1', principal: 'p' } as never;
const over = (bench: TestBench) =>
  dataPlaneOperations(bench.broker, publisher(bench.broker)) as Required<ReturnType<typeof dataPlaneOperations>>;
const kept: ConnectOptions = { level: 5, clean: false, properties: { sessionExpiryInterval: 600 } };
const code = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'done',
    (error: { code: string }) => error.code,
  );
const WILL = { topic: 'will', payload: Buffer.from('gone'), qos: 0, retain: false };
const shown = (peer: TestPeer): unknown[] =>
  peer.packets().map((p) => (p.cmd === 'publish' ? `${p.topic}=${p.payload}` : [p.cmd, 'reasonCode' in p ? p.reasonCode : 0]));

test('a retained message is got with what it was published with, and listed page by page', async () => {
  await using bench = await TestBench.open();
  const api = over(bench);
  await api.Publish(
    { topic: 'a/1', payload: Buffer.from('one'), qos: 1, retain: true, userProperties: '[{"k":"v"},{"k":"w"}]' } as never,
    caller,
  );
  for (const n of [3, 2])
    await api.Publish({ topic: `a/${n}`, payload: Buffer.from('x'.repeat(n)), retain: true } as never, caller);
  const got = await api.GetRetainedMessage({ topic: 'a/1' }, caller);
  assert.equal(Buffer.from(got.payload as Uint8Array).toString(), 'one');
  assert.equal(got.qos, 1);
  assert.equal(got.lastModifiedTime, bench.broker.clock.now());
  assert.equal(Buffer.from(got.userProperties as Uint8Array).toString(), '[{"k":"v"},{"k":"w"}]');
  const first = await api.ListRetainedMessages({ maxResults: 2 }, caller);
  const second = await api.ListRetainedMessages({ maxResults: 2, nextToken: first.nextToken }, caller);
  assert.deepEqual(
    [...(first.retainedTopics ?? []), ...(second.retainedTopics ?? [])].map(({ topic, payloadSize, qos }) => [
      topic,
      payloadSize,
      qos,
    ]),
    [
      ['a/1', 3, 1],
      ['a/2', 2, 0],
      ['a/3', 3, 0],
    ],
  );
  assert.equal(second.nextToken, undefined);
  assert.equal(await code(api.GetRetainedMessage({ topic: 'b' }, caller)), 'ResourceNotFoundException');
  await api.Publish({ topic: 'a/1', retain: true } as never, caller);
  assert.equal(await code(api.GetRetainedMessage({ topic: 'a/1' }, caller)), 'ResourceNotFoundException');
});

test('topics and client ids with control characters or non-characters are refused, as on the wire', async () => {
  await using bench = await TestBench.open();
  const api = over(bench);
  for (const text of ['\u0001', '\u001b[2J', '\u007f', '\u009b', '\ufdd0', '\uffff']) {
    const refused = [
      api.Publish({ topic: `a${text}`, payload: Buffer.from('x') } as never, caller),
      api.Publish({ topic: 'a', responseTopic: `a${text}` } as never, caller),
      api.GetRetainedMessage({ topic: `a${text}` }, caller),
      api.DeleteConnection({ clientId: `a${text}` }, caller),
      api.GetConnection({ clientId: `a${text}` }, caller),
      api.ListSubscriptions({ clientId: `a${text}` }, caller),
      api.SendDirectMessage({ clientId: `a${text}`, topic: 'a' }, caller),
    ];
    for (const each of refused) assert.equal(await code(each), 'InvalidRequestException');
  }
});

test('Publish on a topic of a service that is not there is recorded once for its sender', async () => {
  await using bench = await TestBench.open();
  const sender = { ...(caller as object), arn: 'arn:x', sourceIp: '192.0.2.9' } as never;
  for (let i = 0; i < 3; i += 1) await over(bench).Publish({ topic: '$aws/things/x/defender/metrics/json' } as never, sender);
  await over(bench).Publish({ topic: 'a' } as never, sender);
  assert.deepEqual(
    bench.refusals.map(({ check, protocol, sourceIp, principal }) => [check, protocol, sourceIp, principal]),
    [['not-implemented', 'https', '192.0.2.9', 'arn:x']],
  );
});

test('DeleteConnection: the client is told and closed, its will comes unless prevented, its session stays unless it is to go', async () => {
  for (const preventWillMessage of [false, true])
    for (const cleanSession of [false, true]) {
      await using bench = await TestBench.open();
      const watcher = await bench.subscribed('watcher', 'will');
      const peer = await bench.subscribed('c', 'a', 1, { ...kept, will: WILL });
      await over(bench).DeleteConnection({ clientId: 'c', cleanSession, preventWillMessage }, caller);
      await bench.settle();
      assert.deepEqual(shown(peer), [['disconnect', 0x98]]);
      assert.equal(peer.channel.closed, true);
      assert.deepEqual(shown(watcher), preventWillMessage ? [] : ['will=gone']);
      assert.equal(bench.broker.account(ACCOUNT).sessions.has('c'), !cleanSession);
    }
});

test('DeleteConnection ends a session whose client is away; without either there is nothing to delete', async () => {
  await using bench = await TestBench.open();
  const api = over(bench);
  const peer = await bench.subscribed('c', 'a', 1, kept);
  peer.client.ended();
  await bench.settle();
  await api.DeleteConnection({ clientId: 'c' }, caller);
  assert.equal(bench.broker.account(ACCOUNT).sessions.has('c'), true);
  await api.DeleteConnection({ clientId: 'c', cleanSession: true }, caller);
  assert.equal(await code(api.DeleteConnection({ clientId: 'c' }, caller)), 'ResourceNotFoundException');
  assert.equal(await code(api.DeleteConnection({ clientId: '$c' }, caller)), 'InvalidRequestException');
});

test('GetConnection and ListSubscriptions know those who are connected, and persistent sessions that are away', async () => {
  await using bench = await TestBench.open();
  const api = over(bench);
  const peer = await bench.subscribed('c', 'a/#', 1, { ...kept, keepalive: 90 });
  peer.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '$share/g/b', qos: 0 }] } as Packet);
  await bench.settle();
  const there = await api.GetConnection({ clientId: 'c', includeSocketInformation: true }, caller);
  assert.deepEqual(
    { ...there, thingName: undefined },
    {
      clientId: 'c',
      cleanSession: false,
      sessionExpiry: 600,
      connected: true,
      thingName: undefined,
      keepAliveDuration: 90,
      connectedSince: bench.broker.clock.now(),
      sourceIp: '192.0.2.7',
      sourcePort: 40_000,
    },
  );
  assert.equal('sourceIp' in (await api.GetConnection({ clientId: 'c' }, caller)), false);
  const first = await api.ListSubscriptions({ clientId: 'c', maxResults: 1 }, caller);
  const second = await api.ListSubscriptions({ clientId: 'c', maxResults: 1, nextToken: first.nextToken }, caller);
  assert.deepEqual(
    [first.subscriptions, second.subscriptions, second.nextToken],
    [[{ topicFilter: 'a/#', qos: 1 }], [{ topicFilter: '$share/g/b', qos: 0 }], undefined],
  );
  peer.client.ended();
  await bench.settle();
  const away = await api.GetConnection({ clientId: 'c' }, caller);
  assert.deepEqual(
    [away.connected, away.disconnectReason, away.disconnectedSince],
    [false, 'CONNECTION_LOST', bench.broker.clock.now()],
  );
  assert.equal((await api.ListSubscriptions({ clientId: 'c' }, caller)).subscriptions?.length, 2);
  assert.equal(await code(api.GetConnection({ clientId: 'nobody' }, caller)), 'ResourceNotFoundException');
  assert.equal(await code(api.ListSubscriptions({ clientId: 'c', nextToken: 'bm8=' }, caller)), 'InvalidRequestException');
});

test('SendDirectMessage reaches a client without a subscription, and waits for its PUBACK when asked to', async () => {
  await using bench = await TestBench.open();
  const api = over(bench);
  bench.permissions.set(
    'c',
    permissionsOf((action, name) => action !== 'iot:Receive' || name !== 'secret'),
  );
  const peer = await bench.connected('c', { level: 5 });
  const others = await bench.subscribed('others', '#');
  const message = { clientId: 'c', topic: 'direct', payload: Buffer.from('hi'), contentType: 'text/plain' };
  await api.SendDirectMessage(message as never, caller);
  await bench.settle();
  const [first] = peer.packets();
  assert.deepEqual(first?.cmd === 'publish' && [first.topic, first.qos, first.properties?.contentType], [
    'direct',
    0,
    'text/plain',
  ]);
  const waiting = api.SendDirectMessage({ ...message, confirmation: true } as never, caller);
  await bench.settle();
  const [second] = peer.packets();
  peer.send({ cmd: 'puback', messageId: second?.messageId, reasonCode: 0 } as Packet);
  assert.equal((await waiting).message, 'OK');
  assert.deepEqual(others.packets(), [], 'nobody else sees it');
  assert.equal(await code(api.SendDirectMessage({ ...message, topic: 'secret' } as never, caller)), 'ForbiddenException');
  assert.equal(await code(api.SendDirectMessage({ ...message, topic: '$aws/x' } as never, caller)), 'InvalidRequestException');
  assert.equal(
    await code(api.SendDirectMessage({ ...message, clientId: 'nobody' } as never, caller)),
    'ResourceNotFoundException',
  );
});

test('a direct message that finds the window full is throttled, not queued', async () => {
  await using bench = await TestBench.open();
  const peer = await bench.subscribed('c', 'a', 1, { level: 5, properties: { receiveMaximum: 1 } });
  const publisherPeer = await bench.connected('p');
  publisherPeer.send(publishPacket('a', 'x', { qos: 1, messageId: 1 }));
  await bench.settle();
  const direct = over(bench).SendDirectMessage({ clientId: 'c', topic: 't', confirmation: true } as never, caller);
  assert.equal(await code(direct), 'ThrottlingException');
  assert.deepEqual(shown(peer), ['a=x']);
});
