/** Budgets of an account and the floor of free disk: what has to be kept is refused, and its publisher is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Packet } from 'mqtt-packet';
import { openMemoryStore } from '../../store/rerunning-store.fixture.ts';
import { ACCOUNT, type Level, publishPacket, TestBench, type TestPeer } from '../test-bench.ts';

const LEVELS = [4, 5] as const satisfies readonly Level[];
const QUOTA_EXCEEDED = 0x97;

const kept = (level: Level) => ({ level, clean: false, properties: level === 5 ? { sessionExpiryInterval: 3600 } : undefined });

/** A persistent session whose client is away, with a subscription. */
async function away(bench: TestBench, clientId: string, filter: string): Promise<void> {
  const peer = await bench.subscribed(clientId, filter, 1, kept(5));
  peer.send({ cmd: 'disconnect' } as Packet);
  await bench.settle();
}

/** Reason codes of the PUBACKs that came, by packet identifier. */
const pubacks = (peer: TestPeer): Record<number, number> =>
  Object.fromEntries(
    peer
      .packets()
      .filter((packet) => packet.cmd === 'puback')
      .map((packet) => [packet.messageId, (packet as { reasonCode?: number }).reasonCode ?? 0]),
  );

function send(peer: TestPeer, topic: string, count: number, more: object = {}): void {
  for (let i = 1; i <= count; i += 1) peer.send(publishPacket(topic, 'x'.repeat(100), { qos: 1, messageId: i, ...more }));
}

test('messages that wait for the sessions of an account are bounded in number and bytes, over all sessions', async () => {
  for (const limits of [{ accountQueuedMessages: 10 }, { accountQueuedBytes: 1_100 }]) {
    await using bench = await TestBench.open(undefined, limits);
    for (const clientId of ['a', 'b', 'c']) await away(bench, clientId, `${clientId}/#`);
    const publisher = await bench.connected('p', { level: 5 });
    const refused: number[] = [];
    for (let i = 0; i < 20; i += 1) {
      const topic = `${['a', 'b', 'c'][i % 3]}/x`;
      publisher.send(publishPacket(topic, 'x'.repeat(100), { qos: 1, messageId: 1 }));
      await bench.settle();
      if (pubacks(publisher)[1] === QUOTA_EXCEEDED) refused.push(i);
    }
    assert.ok(refused.length >= 9 && refused.length <= 12, `${refused}`);
    assert.deepEqual(
      bench.refusals.map(({ check }) => check),
      ['limit'],
      'of one client, one in ten seconds',
    );
    assert.match(bench.refusals[0]?.reason ?? '', /persistent sessions of the account hold/);
    // What is taken makes room again, and what nobody has to keep is not refused.
    send(publisher, 'nobody', 1);
    await bench.settle();
    assert.deepEqual(pubacks(publisher), { 1: 0 });
    const reader = bench.peer(5);
    const properties = { sessionExpiryInterval: 3600 };
    reader.send({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 5, clientId: 'a', clean: false, properties } as Packet);
    await bench.settle();
    for (const { messageId } of reader.publishes()) reader.send({ cmd: 'puback', messageId, reasonCode: 0 } as Packet);
    await bench.settle();
    send(publisher, 'b/x', 1);
    await bench.settle();
    assert.deepEqual(pubacks(publisher), { 1: 0 });
    assert.deepEqual(bench.faults, []);
  }
});

test('what an account has in its queues is counted again at a start, and given back by sessions that end', async () => {
  await using store = await openMemoryStore();
  {
    await using bench = await TestBench.open(store, { accountQueuedMessages: 5 });
    await away(bench, 's', 'a');
    const publisher = await bench.connected('p', { level: 5 });
    for (let i = 0; i < 5; i += 1) {
      send(publisher, 'a', 1);
      await bench.settle();
    }
  }
  await using bench = await TestBench.open(store, { accountQueuedMessages: 5 });
  const publisher = await bench.connected('p', { level: 5 });
  await away(bench, 'other', 'b');
  send(publisher, 'b', 1);
  await bench.settle();
  assert.deepEqual(pubacks(publisher), { 1: QUOTA_EXCEEDED });
  await bench.connected('s', { level: 5, clean: true });
  await bench.settle();
  send(publisher, 'b', 1);
  await bench.settle();
  assert.deepEqual(pubacks(publisher), { 1: 0 });
});

test('MQTT 3.1.1 is told by the end of the connection', async () => {
  await using bench = await TestBench.open(undefined, { accountQueuedMessages: 1 });
  await away(bench, 's', 'a');
  const publisher = await bench.connected('p');
  send(publisher, 'a', 1);
  await bench.settle();
  assert.deepEqual(pubacks(publisher), { 1: 0 });
  send(publisher, 'a', 1);
  await bench.settle();
  assert.deepEqual([pubacks(publisher), publisher.client.state], [{}, 'closed']);
});

test('retained messages of an account are bounded in number and bytes; a topic that is kept may change, and be removed', async () => {
  for (const limits of [{ retainedMessages: 3 }, { retainedBytes: 330 }]) {
    await using bench = await TestBench.open(undefined, limits);
    const publisher = await bench.connected('p', { level: 5 });
    const retain = async (topic: string, size = 100): Promise<number | undefined> => {
      publisher.send(publishPacket(topic, 'x'.repeat(size), { qos: 1, messageId: 1, retain: true }));
      await bench.settle();
      return pubacks(publisher)[1];
    };
    for (const topic of ['1', '2', '3']) assert.equal(await retain(topic), 0);
    assert.equal(await retain('4'), QUOTA_EXCEEDED);
    assert.match(bench.refusals[0]?.reason ?? '', /retained messages/);
    assert.equal(await retain('2'), 0);
    assert.equal(await retain('1', 0), 0);
    assert.equal(await retain('4'), 0);
    assert.equal(await retain('1'), QUOTA_EXCEEDED);
    assert.deepEqual(bench.faults, []);
  }
});

test('a flood of retained messages in one turn keeps no more than the budget', async () => {
  await using bench = await TestBench.open(undefined, { retainedMessages: 50 });
  const publisher = await bench.connected('p', { level: 5 });
  for (let i = 0; i < 500; i += 1) publisher.send(publishPacket(`t/${i}`, 'x', { qos: 0, retain: true }));
  await bench.settle();
  const { items } = await bench.broker.retained.list({ accountId: ACCOUNT, region: 'us-east-1' }, { limit: 1000 });
  assert.equal(items.length, 50);
});

test('persistent sessions of an account are bounded; one that is there comes back, and clean ones come', async () => {
  for (const level of LEVELS) {
    await using bench = await TestBench.open(undefined, { persistentSessions: 2 });
    for (const clientId of ['a', 'b']) {
      const peer = await bench.connected(clientId, kept(level));
      peer.send({ cmd: 'disconnect' } as Packet);
      await bench.settle();
    }
    await assert.rejects(bench.connected('c', kept(level)), /was not let in/);
    assert.deepEqual([bench.refusals.length, bench.refusals[0]?.check], [1, 'limit']);
    await bench.connected('a', kept(level));
    await bench.connected('c', { level });
    await bench.connected('b', { level, clean: true });
    await bench.connected('d', kept(level));
  }
});

test('below the floor of free disk: queued and retained messages and new persistent sessions are refused, the rest goes on', async () => {
  await using bench = await TestBench.open();
  await away(bench, 's', 'kept');
  const live = await bench.subscribed('live', 'seen', 1, { level: 5 });
  const publisher = await bench.connected('p', { level: 5 });
  send(publisher, 'gone', 1, { retain: true });
  await bench.settle();
  publisher.packets();
  bench.disk.low = true;
  publisher.send(
    publishPacket('kept', 'a', { qos: 1, messageId: 1 }),
    publishPacket('seen', 'b', { qos: 1, messageId: 2 }),
    publishPacket('new', 'c', { qos: 1, messageId: 3, retain: true }),
    publishPacket('kept', 'd', { qos: 0 }),
    publishPacket('gone', '', { qos: 1, messageId: 4, retain: true }),
  );
  await bench.settle();
  assert.deepEqual(pubacks(publisher), { 1: QUOTA_EXCEEDED, 2: 0, 3: QUOTA_EXCEEDED, 4: 0 });
  assert.deepEqual(
    live.publishes().map(({ payload }) => payload),
    ['b'],
  );
  assert.match(bench.refusals[0]?.reason ?? '', /disk is nearly full/);
  for (const level of LEVELS) await assert.rejects(bench.connected('new', kept(level)), /was not let in/);
  await bench.connected('s', kept(5));
  bench.disk.low = false;
  send(publisher, 'kept', 1);
  await bench.settle();
  assert.deepEqual(pubacks(publisher), { 1: 0 });
  assert.deepEqual(bench.faults, []);
});

test('the budgets of an account hold over all its regions', async () => {
  await using bench = await TestBench.open(undefined, { retainedMessages: 3, persistentSessions: 2, accountQueuedMessages: 2 });
  const regions = ['us-east-1', 'eu-west-1', 'ap-south-1'];
  for (const [i, region] of regions.entries()) {
    bench.admissions.set(`p${i}`, { region });
    bench.admissions.set(`s${i}`, { region });
  }
  await away(bench, 's0', 'a');
  await away(bench, 's1', 'a');
  await assert.rejects(bench.connected('s2', kept(5)), /was not let in/);
  const codes: (number | undefined)[] = [];
  for (let i = 0; i < 3; i += 1) {
    const publisher = await bench.connected(`p${i % 2}`, { level: 5 });
    publisher.send(publishPacket('a', 'x', { qos: 1, messageId: 1 }));
    await bench.settle();
    codes.push(pubacks(publisher)[1]);
  }
  assert.deepEqual(codes, [0, 0, QUOTA_EXCEEDED]);
});
