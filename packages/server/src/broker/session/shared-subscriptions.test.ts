/** Shared subscriptions (fact sheet 2.4; developer guide, page mqtt; MQTT5 4.8.2). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Packet } from 'mqtt-packet';
import { openMemoryStore } from '../../store/rerunning-store.fixture.ts';
import { queued } from './queued-messages.ts';
import { sharedGroupRecords } from './shared-group.ts';
import { ACCOUNT, type ConnectOptions, publishPacket, permissionsOf, TestBench, type TestPeer } from '../test-bench.ts';

const FILTER = '$share/group/a/#';
const kept: ConnectOptions = { level: 5, clean: false, properties: { sessionExpiryInterval: 600 } };
const qos1 = (topic: string, payload: string, messageId = 1): Packet => publishPacket(topic, payload, { qos: 1, messageId });
const payloads = (peer: TestPeer): string[] => peer.publishes().map(({ payload }) => payload);
const published = (peer: TestPeer) => peer.packets().flatMap((p) => (p.cmd === 'publish' ? [p] : []));
const gone = async (bench: TestBench, peer: TestPeer): Promise<void> => {
  peer.client.ended();
  await bench.settle();
};
const suback = async (bench: TestBench, peer: TestPeer, topic: string, more: object = {}): Promise<number | undefined> => {
  peer.send({ cmd: 'subscribe', messageId: 3, subscriptions: [{ topic, qos: 1, ...more }] } as Packet);
  await bench.settle();
  const found = peer.packets().find((p) => p.cmd === 'suback');
  return found?.cmd === 'suback' ? (found.granted[0] as number) : undefined;
};

test('each message goes to one member of the group, over time to all; every group and plain subscription gets its own', async () => {
  await using bench = await TestBench.open();
  const members = [await bench.subscribed('m1', FILTER, 1), await bench.subscribed('m2', FILTER, 1, { level: 5 })];
  const other = await bench.subscribed('o', '$share/other/a/+', 0);
  const plain = await bench.subscribed('plain', 'a/#', 1);
  const both = await bench.subscribed('both', 'a/b', 0);
  assert.equal(await suback(bench, both, '$share/alone/a/b'), 1);
  const publisher = await bench.connected('p');
  const sent = Array.from({ length: 60 }, (_, n) => String(n));
  for (const [n, payload] of sent.entries()) {
    publisher.send(qos1('a/b', payload, n + 1));
    await bench.settle();
    for (const member of members) {
      const ids = member.publishes();
      member.ids.push(...ids.map(({ payload: text }) => Number(text)));
      if (ids.length > 0) member.send(...ids.map(({ messageId }) => ({ cmd: 'puback', messageId, reasonCode: 0 }) as Packet));
    }
  }
  assert.ok(
    members.every(({ ids }) => ids.length > 5),
    'no member is left out',
  );
  assert.deepEqual(
    members
      .flatMap(({ ids }) => ids)
      .sort((a, b) => a - b)
      .map(String),
    sent,
  );
  assert.deepEqual(payloads(other), sent);
  assert.deepEqual(payloads(plain), sent);
  assert.equal(payloads(both).length, 120);
});

test('a member that may not receive the topic is passed over', async () => {
  await using bench = await TestBench.open();
  bench.permissions.set(
    'blind',
    permissionsOf((action) => action !== 'iot:Receive'),
  );
  const blind = await bench.subscribed('blind', FILTER, 1);
  const sees = await bench.subscribed('sees', FILTER, 1);
  const publisher = await bench.connected('p');
  for (let n = 0; n < 20; n += 1) {
    publisher.send(publishPacket('a/b', String(n)));
    await bench.settle();
  }
  assert.equal(payloads(sees).length, 20);
  assert.deepEqual(payloads(blind), []);
});

test('the right to subscribe is asked on the filter as it was sent', async () => {
  await using bench = await TestBench.open();
  const asked: string[] = [];
  bench.permissions.set(
    'c',
    permissionsOf((action, name) => {
      if (action === 'iot:Subscribe') asked.push(name);
      return true;
    }),
  );
  await bench.subscribed('c', FILTER, 1);
  assert.deepEqual(asked, [FILTER]);
});

test('QoS 1 waits in the group only while a persistent member belongs to it and none is there; QoS 0 never does', async () => {
  await using store = await openMemoryStore();
  {
    await using bench = await TestBench.open(store);
    const publisher = await bench.connected('p');
    await bench.subscribed('clean', '$share/clean/a/#', 1).then((peer) => gone(bench, peer));
    await bench.subscribed('m1', FILTER, 1, kept).then((peer) => gone(bench, peer));
    await bench.subscribed('m2', FILTER, 1, kept).then((peer) => gone(bench, peer));
    publisher.send(publishPacket('a/b', 'lost'));
    for (let n = 0; n < 300; n += 1) publisher.send(qos1(`a/${n % 2}`, String(n), n + 1));
    await bench.settle();
    assert.equal(publisher.packets().length, 300);
  }
  // The queue of the group outlives the server, and goes to whoever comes first.
  await using bench = await TestBench.open(store);
  const first = bench.peer(5);
  first.send({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 5, clientId: 'm1', keepalive: 60, ...kept } as Packet);
  const got: string[] = [];
  for (let round = 0; round < 20; round += 1) {
    await bench.settle();
    const seen = first.publishes();
    got.push(...seen.map(({ payload }) => payload));
    if (seen.length > 0) first.send(...seen.map(({ messageId }) => ({ cmd: 'puback', messageId, reasonCode: 0 }) as Packet));
  }
  assert.deepEqual(
    got,
    Array.from({ length: 300 }, (_, n) => String(n)),
  );
  const publisher = await bench.connected('p');
  publisher.send(qos1('a/b', 'live'));
  await bench.settle();
  assert.deepEqual(payloads(first), ['live']);
});

test('the queue of a group has room again once it was handed over', async () => {
  await using bench = await TestBench.open(undefined, { queuedMessages: 3 });
  const publisher = await bench.connected('p');
  let member = await bench.subscribed('m', FILTER, 1, kept);
  for (let round = 0; round < 3; round += 1) {
    await gone(bench, member);
    for (let n = 0; n < 3; n += 1) {
      publisher.send(qos1('a/b', `${round}.${n}`, n + 1));
      await bench.settle();
    }
    member = bench.peer(5);
    member.send({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 5, clientId: 'm', keepalive: 60, ...kept } as Packet);
    await bench.settle();
    const seen = member.publishes();
    assert.deepEqual(
      seen.map(({ payload }) => payload),
      [0, 1, 2].map((n) => `${round}.${n}`),
    );
    member.send(...seen.map(({ messageId }) => ({ cmd: 'puback', messageId, reasonCode: 0 }) as Packet));
    await bench.settle();
  }
});

test('what a member has not acknowledged goes to another one when its session ends (MQTT5 4.8.2)', async () => {
  await using bench = await TestBench.open();
  const publisher = await bench.connected('p', { level: 5 });
  const first = await bench.subscribed('first', FILTER, 1, { level: 5, properties: { receiveMaximum: 3 } });
  const sent = Array.from({ length: 6 }, (_, n) => String(n));
  const userProperties = { unit: 'mm' };
  // One batch of six: three in flight, three that wait behind them.
  publisher.send(
    ...sent.map((payload, n) => publishPacket('a/b', payload, { qos: 1, messageId: n + 1, properties: { userProperties } })),
  );
  await bench.settle();
  const got = first.publishes();
  assert.deepEqual(
    got.map(({ payload }) => payload),
    ['0', '1', '2'],
  );
  first.send(ack(got[1]?.messageId));
  await bench.settle();
  first.publishes();
  const second = await bench.subscribed('second', FILTER, 1, { level: 5 });
  assert.deepEqual(payloads(second), []);
  await gone(bench, first);
  const again = published(second);
  assert.deepEqual(
    again.map(({ payload }) => String(payload)),
    ['0', '2', '3', '4', '5'],
  );
  assert.ok(again.every(({ dup, properties }) => !dup && properties?.userProperties?.unit === 'mm'));
  second.send(...again.map(({ messageId }) => ack(messageId)));
  await bench.settle();
  // Acknowledged is acknowledged: nothing is left to hand on.
  const third = await bench.subscribed('third', FILTER, 1);
  await gone(bench, second);
  assert.deepEqual(payloads(third), []);
  // Refused by its receiver is over too [MQTT-4.8.2-6].
  publisher.send(publishPacket('a/b', 'refused', { qos: 1, messageId: 9 }));
  await bench.settle();
  third.send(ack(third.publishes()[0]?.messageId));
  await bench.settle();
  const last = await bench.subscribed('last', FILTER, 1);
  await gone(bench, third);
  assert.deepEqual(payloads(last), []);
});

test('what goes back waits for a persistent member, and not beyond its expiry', async () => {
  await using bench = await TestBench.open();
  const publisher = await bench.connected('p', { level: 5 });
  const away = await bench.subscribed('away', FILTER, 1, kept);
  await gone(bench, away);
  const worker = await bench.subscribed('worker', FILTER, 1);
  const expiring = (payload: string, seconds: number, messageId: number) =>
    publishPacket('a/b', payload, { qos: 1, messageId, properties: { messageExpiryInterval: seconds } });
  publisher.send(expiring('short', 10, 1), expiring('long', 100, 2), expiring('middle', 40, 3));
  await bench.settle();
  assert.equal(worker.publishes().length, 3);
  await bench.pass(20);
  await gone(bench, worker);
  await bench.pass(30);
  const back = bench.peer(5);
  back.send({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 5, clientId: 'away', keepalive: 600, ...kept } as Packet);
  await bench.settle();
  assert.deepEqual(
    published(back).map(({ payload, properties }) => [String(payload), properties?.messageExpiryInterval]),
    [['long', 50]],
  );
});

const ack = (messageId: number | undefined) => ({ cmd: 'puback', messageId, reasonCode: 0 }) as Packet;
/** Messages of so many KiB, numbered. */
const large = (count: number, size: number, from = 0): Packet[] =>
  Array.from({ length: count }, (_, n) => qos1('a/b', `${from + n} ${'x'.repeat(size * 1024)}`, 1 + ((from + n) % 60_000)));
/** Reads and acknowledges until nothing comes; the numbers that came. */
async function workOff(bench: TestBench, member: TestPeer): Promise<number[]> {
  const got: number[] = [];
  for (;;) {
    await bench.settle();
    const seen = member.publishes();
    if (seen.length === 0) return got;
    got.push(...seen.map(({ payload }) => Number.parseInt(payload, 10)));
    member.send(...seen.map(({ messageId }) => ack(messageId)));
  }
}

test('a member that takes nothing is passed over while another one works, and nobody is sent away', async () => {
  await using bench = await TestBench.open();
  const stuck = await bench.subscribed('stuck', FILTER, 1);
  const works = await bench.subscribed('works', FILTER, 1);
  stuck.channel.stall(true);
  const publisher = await bench.connected('p');
  const got: number[] = [];
  for (let n = 0; n < 600; n += 20) {
    publisher.send(...large(20, 16, n));
    got.push(...(await workOff(bench, works)));
    await bench.pass(1);
  }
  assert.equal(stuck.channel.closed || works.channel.closed, false);
  assert.ok(got.length > 450, `${got.length} of 600`);
  stuck.channel.stall(false);
  got.push(...(await workOff(bench, stuck)), ...(await workOff(bench, works)));
  assert.deepEqual(
    got.sort((a, b) => a - b),
    Array.from({ length: 600 }, (_, n) => n),
  );
});

test('the queue of a group does not flood a member that keeps nothing on disk', async () => {
  await using bench = await TestBench.open();
  await bench.subscribed('away', FILTER, 1, kept).then((peer) => gone(bench, peer));
  const publisher = await bench.connected('p');
  for (let n = 0; n < 1_000; n += 50) {
    publisher.send(...large(50, 16, n));
    await bench.settle();
  }
  const worker = await bench.connected('worker');
  worker.send({ cmd: 'subscribe', messageId: 3, subscriptions: [{ topic: FILTER, qos: 1 }] } as Packet);
  const got = await workOff(bench, worker);
  for (let idle = 0; idle < 5; idle += 1) {
    await bench.pass(1);
    got.push(...(await workOff(bench, worker)));
  }
  assert.equal(worker.channel.closed, false);
  assert.deepEqual(
    got,
    Array.from({ length: 1_000 }, (_, n) => n),
  );
});

test('what goes back where nobody has room waits on disk, and pushes nobody out', async () => {
  await using bench = await TestBench.open();
  const leaving = await bench.subscribed('leaving', FILTER, 1);
  const publisher = await bench.connected('p');
  publisher.send(...large(100, 16));
  await bench.settle();
  const stuck = await bench.subscribed('stuck', 'a/#', 1);
  stuck.channel.stall(true);
  publisher.send(...large(130, 16, 200));
  await bench.settle();
  stuck.send({ cmd: 'subscribe', messageId: 4, subscriptions: [{ topic: FILTER, qos: 1 }] } as Packet);
  await bench.settle();
  await gone(bench, leaving);
  assert.equal(stuck.channel.closed, false);
  stuck.channel.stall(false);
  const got = await workOff(bench, stuck);
  await bench.pass(1);
  got.push(...(await workOff(bench, stuck)));
  const wanted = [...Array.from({ length: 100 }, (_, n) => n), ...Array.from({ length: 130 }, (_, n) => 200 + n)];
  for (const number of wanted) assert.ok(got.includes(number), `message ${number}`);
  let rows = 0;
  await bench.settle();
  await bench.store.read((tx) => tx.eachRow(queued, () => (rows += 1)));
  assert.equal(rows, 0);
});

test('the queue of a group goes with its last persistent member', async () => {
  await using bench = await TestBench.open();
  const publisher = await bench.connected('p');
  const member = await bench.subscribed('m', FILTER, 1, kept);
  await gone(bench, member);
  publisher.send(qos1('a/b', 'x'));
  await bench.settle();
  const stored = async (): Promise<[rows: number, records: number]> => {
    let rows = 0;
    const { items } = await bench.store.read(async (tx) => {
      await tx.eachRow(queued, () => (rows += 1));
      return tx.scan(sharedGroupRecords, { prefix: [] });
    });
    return [rows, items.length];
  };
  assert.deepEqual(await stored(), [1, 1]);
  await bench.pass(601);
  assert.deepEqual(await stored(), [0, 0]);
});

test('retained messages are not sent to shared subscriptions (page mqtt)', async () => {
  await using bench = await TestBench.open();
  const publisher = await bench.connected('p');
  publisher.send(publishPacket('a/b', 'kept', { retain: true, qos: 1 }));
  await bench.settle();
  const member = await bench.subscribed('m', '$share/group/a/b', 1);
  await bench.settle();
  assert.deepEqual(payloads(member), []);
});

test('No Local on a shared subscription is a protocol error [MQTT-3.8.3-4]', async () => {
  await using bench = await TestBench.open();
  const peer = await bench.connected('c', { level: 5 });
  assert.equal(await suback(bench, peer, FILTER, { nl: true }), undefined);
  assert.equal(peer.channel.closed, true);
});

test('groups of an account and members of a group have limits; who leaves makes room', async () => {
  await using bench = await TestBench.open(undefined, { shares: 2, shareMembers: 2 });
  const a = await bench.connected('a', { level: 5 });
  const b = await bench.connected('b', { level: 5 });
  const c = await bench.connected('c', { level: 5 });
  assert.equal(await suback(bench, a, '$share/1/x'), 1);
  assert.equal(await suback(bench, a, '$share/2/x'), 1);
  assert.equal(await suback(bench, a, '$share/3/x'), 0x97);
  assert.equal(await suback(bench, b, '$share/1/x'), 1);
  assert.equal(await suback(bench, c, '$share/1/x'), 0x97);
  await gone(bench, b);
  assert.equal(await suback(bench, c, '$share/1/x'), 1);
  a.send({ cmd: 'unsubscribe', messageId: 4, unsubscriptions: ['$share/2/x'] } as Packet);
  await bench.settle();
  assert.equal(await suback(bench, c, '$share/3/x'), 1);
  await gone(bench, a);
  await gone(bench, c);
  assert.equal(bench.broker.account(ACCOUNT).routes.shares.size, 0);
});
