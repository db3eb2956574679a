/** What the broker counts of its connections and messages. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { permissionsOf, publishPacket, TestBench } from './test-bench.ts';

test('connections: waiting and connected, by version; sessions; subscriptions, one for each filter of a session', async () => {
  await using bench = await TestBench.open();
  const { figures } = bench.broker;
  const first = await bench.subscribed('a', 'x', 1);
  first.send({
    cmd: 'subscribe',
    messageId: 3,
    subscriptions: [
      { topic: 'x', qos: 0 },
      { topic: 'y', qos: 0 },
    ],
  });
  await bench.connected('b', { level: 5, properties: { sessionExpiryInterval: 60 } });
  bench.peer();
  await bench.settle();
  const { connected, ...others } = figures.connections();
  assert.deepEqual(
    connected.map(({ level, transport, count }) => [level, transport, count]),
    [
      [4, 'mqtts', 1],
      [5, 'mqtts', 1],
    ],
  );
  assert.deepEqual(others, { waiting: 1, clean: 1, persistent: 1, inFlight: 0 });
  assert.equal(figures.subscriptions, 2);
  first.send({ cmd: 'unsubscribe', messageId: 4, unsubscriptions: ['y', 'z'] });
  await bench.settle();
  assert.equal(figures.subscriptions, 1);
  first.send({ cmd: 'disconnect' });
  await bench.settle();
  assert.equal(figures.subscriptions, 0, 'those of a clean session end with it');
});

test('what is in flight ends with its acknowledgement, or its connection', async () => {
  await using bench = await TestBench.open();
  const inFlight = (): number => bench.broker.figures.connections().inFlight;
  const subscriber = await bench.subscribed('s', 'a', 1);
  const publisher = await bench.connected('p');
  publisher.send(...[1, 2, 3].map((messageId) => publishPacket('a', 'x', { qos: 1, messageId })));
  await bench.settle();
  assert.equal(inFlight(), 3);
  subscriber.send({ cmd: 'puback', messageId: subscriber.publishes()[0]?.messageId ?? 0 });
  await bench.settle();
  assert.equal(inFlight(), 2);
  subscriber.client.close('CONNECTION_LOST');
  assert.equal(inFlight(), 0);
});

test('ends by their reason; a CONNECT that is refused is no end, and a peer that leaves before the answer is not refused', async () => {
  await using bench = await TestBench.open();
  const { counters } = bench.broker;
  await bench.connected('a');
  await bench.connected('a');
  bench.peer().raw(Buffer.from('GET / HTTP/1.1'));
  bench.peer().client.close('CONNECTION_LOST');
  await bench.settle();
  assert.deepEqual(counters.connects, { accepted: 2, refused: 1 });
  const ends = Object.entries(counters.disconnects).filter(([, count]) => count > 0);
  assert.deepEqual(ends, [['DUPLICATE_CLIENTID', 1]]);
});

test('messages that wait and are dropped then: expired ones, and those that are not allowed any more', async () => {
  await using bench = await TestBench.open();
  const { dropped } = bench.broker.counters;
  const subscriber = await bench.subscribed('s', 'a/#', 1, { level: 5, properties: { receiveMaximum: 1 } });
  const publisher = await bench.connected('p', { level: 5 });
  publisher.send(
    publishPacket('a/1', 'sent', { qos: 1, messageId: 1 }),
    publishPacket('a/2', 'expires', { qos: 1, messageId: 2, properties: { messageExpiryInterval: 5 } }),
    publishPacket('a/3', 'is forbidden', { qos: 1, messageId: 3 }),
  );
  await bench.settle();
  subscriber.client.permissions.replace(permissionsOf((action, name) => action !== 'iot:Receive' || name !== 'a/3'));
  await bench.pass(10);
  subscriber.send({ cmd: 'puback', messageId: subscriber.publishes()[0]?.messageId ?? 0 });
  await bench.settle();
  assert.deepEqual([dropped.expired, dropped['not-allowed']], [1, 1]);
});

test('bytes of both directions, and what waits on disk over all accounts', async () => {
  await using bench = await TestBench.open();
  const { figures } = bench.broker;
  const kept = { level: 5, properties: { sessionExpiryInterval: 60 } } as const;
  const subscriber = await bench.subscribed('s', 'a', 1, kept);
  subscriber.send({ cmd: 'disconnect', reasonCode: 0 });
  await bench.settle();
  const publisher = await bench.connected('p');
  const before = figures.counters.receivedBytes;
  const packet = publisher.encoded(publishPacket('a', 'x'.repeat(1000), { qos: 1, messageId: 1 }))[0] ?? Buffer.alloc(0);
  publisher.raw(packet);
  await bench.settle();
  assert.equal(figures.counters.receivedBytes - before, packet.length);
  assert.ok(figures.output.sent > 0);
  assert.equal(figures.queued.messages, 1);
  assert.ok(figures.queued.bytes > 1000);
  assert.equal(figures.offline, 1);
});
