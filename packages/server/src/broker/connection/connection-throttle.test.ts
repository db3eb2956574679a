/**
 * What happens beyond a rate, in both versions of MQTT and over HTTP (General Reference, "AWS IoT Core endpoints and quotas":
 * fact sheet 2.2 and 12; reason codes: fact sheet 2.5). The clock stands still unless a test moves it.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RATES } from '@thingkeep/wire/limits.ts';
import type { Packet } from 'mqtt-packet';
import { dataPlaneOperations, publisher } from '../messages.operations.ts';
import { ACCOUNT, type ConnectOptions, type Level, publishPacket, TestBench, type TestPeer } from '../test-bench.ts';

const LEVELS: readonly Level[] = [4, 5];
const caller = { accountId: ACCOUNT, region: 'us-east-1', arn: 'p', userId: 'p', sourceIp: '192.0.2.1', requestId: 'r' };
const aws = (): Promise<TestBench> => TestBench.open(undefined, {}, RATES);
const messages = (count: number, qos: 0 | 1 = 0, topic = 't'): Packet[] =>
  Array.from({ length: count }, (_, i) => publishPacket(topic, String(i), qos === 1 ? { qos, messageId: i + 1 } : {}));
/** Packet identifiers by the reason code of their PUBACK. */
const pubacks = (peer: TestPeer): Map<number, number[]> => {
  const found = new Map<number, number[]>();
  for (const packet of peer.packets()) {
    if (packet.cmd !== 'puback') continue;
    const code = packet.reasonCode ?? 0;
    found.set(code, [...(found.get(code) ?? []), packet.messageId ?? 0]);
  }
  return found;
};
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const rateRefusals = (bench: TestBench): string[] =>
  bench.refusals.flatMap(({ check, clientId = '-' }) => (check === 'rate' ? [clientId] : []));
const code = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'done',
    (error: { code: string }) => error.code,
  );
/** Answers every QoS 1 message that came. */
const acknowledge = (peer: TestPeer): number => {
  const came = peer.publishes();
  peer.send(...came.filter(({ qos }) => qos === 1).map(({ messageId = 0 }): Packet => ({ cmd: 'puback', messageId })));
  return came.length;
};

test('without rates there is nothing of them', async () => {
  await using bench = await TestBench.open();
  const peer = await bench.connected('c');
  assert.equal(bench.broker.account(ACCOUNT).throttle, undefined);
  assert.equal(peer.client.throttle, undefined);
});

describe('messages from a client: 100 a second', () => {
  for (const level of LEVELS)
    test(`QoS 1, MQTT ${level}: a run is cut; the rest is not delivered, and ${level === 5 ? 'gets PUBACK 0x97' : 'no PUBACK'}`, async () => {
      await using bench = await aws();
      const watchers = [await bench.subscribed('w1', '#'), await bench.subscribed('w2', '#')];
      const peer = await bench.connected('c', { level });
      peer.send(...messages(130, 1));
      await bench.settle();
      const acks = pubacks(peer);
      assert.deepEqual(acks.get(0), range(1, 100));
      assert.deepEqual(acks.get(0x97), level === 5 ? range(101, 130) : undefined);
      for (const watcher of watchers)
        assert.deepEqual(
          watcher.publishes().map(({ payload }) => payload),
          range(0, 99).map(String),
        );
      assert.equal(peer.client.state, 'connected');
      assert.equal(bench.broker.counters.throttled, 30);
      assert.deepEqual(rateRefusals(bench), ['c']);
      await bench.pass(0.5);
      peer.send(...messages(60, 1));
      await bench.settle();
      assert.deepEqual(pubacks(peer).get(0), range(1, 50));
    });

  test('QoS 1 that a persistent session keeps: what the rate refuses comes behind what waits for the disk', async () => {
    await using bench = await aws();
    await bench.subscribed('keeper', '#', 1, { clean: false });
    const peer = await bench.connected('c', { level: 5 });
    peer.send(...messages(110, 1));
    await bench.settle();
    const ids = peer.packets().map((packet) => (packet.cmd === 'puback' ? packet.messageId : 0));
    assert.deepEqual(ids, range(1, 110));
  });

  for (const level of LEVELS)
    test(`QoS 0, MQTT ${level}: discarded; the connection stays`, async () => {
      await using bench = await aws();
      const watcher = await bench.subscribed('w', '#');
      const peer = await bench.connected('c', { level });
      peer.send(...messages(101), publishPacket('u', 'alone'), { cmd: 'pingreq' });
      await bench.settle();
      assert.deepEqual(
        peer.packets().map(({ cmd }) => cmd),
        ['pingresp'],
      );
      assert.equal(watcher.publishes().length, 100);
      assert.equal(bench.broker.counters.throttled, 2);
    });

  test('messages that go alone (with an alias) count as those in a run', async () => {
    await using bench = await aws();
    const peer = await bench.connected('c', { level: 5 });
    peer.send(...messages(99, 1));
    peer.send(
      publishPacket('t', 'x', { qos: 1, messageId: 200, properties: { topicAlias: 1 } }),
      publishPacket('t', 'x', { qos: 1, messageId: 201, properties: { topicAlias: 1 } }),
    );
    await bench.settle();
    const acks = pubacks(peer);
    assert.deepEqual([acks.get(0)?.at(-1), acks.get(0x97)], [200, [201]]);
  });

  test('all clients of an account share its rate, and another account has its own', async () => {
    await using bench = await TestBench.open(undefined, {}, { publishesIn: 5 });
    bench.admissions.set('other', { accountId: '111111111111' });
    const one = await bench.connected('one', { level: 5 });
    const two = await bench.connected('two', { level: 5 });
    const other = await bench.connected('other', { level: 5 });
    one.send(...messages(3, 1));
    two.send(...messages(3, 1));
    other.send(...messages(5, 1));
    await bench.settle();
    assert.deepEqual([...pubacks(one)], [[0, [1, 2, 3]]]);
    assert.deepEqual(
      [...pubacks(two)],
      [
        [0, [1, 2]],
        [0x97, [3]],
      ],
    );
    assert.deepEqual([...pubacks(other)], [[0, range(1, 5)]]);
  });
});

test('512 KiB a second from a client: what is more is read later, and nothing of it is lost', async () => {
  await using bench = await TestBench.open(undefined, {}, { bytesPerConnection: RATES.bytesPerConnection });
  await bench.subscribed('w', '#', 0, { level: 5 });
  const peer = await bench.connected('c');
  for (let i = 0; i < 12; i += 1) peer.send(publishPacket('t', Buffer.alloc(100_000)));
  await bench.settle();
  assert.equal(peer.channel.paused, true);
  assert.equal(bench.broker.figures.traffic.received, 6);
  assert.ok(peer.unread > 500_000);
  await bench.pass(0.1);
  assert.equal(peer.channel.paused, true, 'the debt is larger than what has come back');
  await bench.pass(0.1);
  assert.equal(bench.broker.figures.traffic.received, 7);
  for (let i = 0; i < 20; i += 1) await bench.pass(0.1);
  assert.equal(bench.broker.figures.traffic.received, 12);
  assert.equal(peer.channel.paused, false);
  assert.ok(bench.broker.counters.throttled > 0);
  assert.deepEqual(rateRefusals(bench), ['c']);
});

describe('messages to a client: 100 a second', () => {
  test('QoS 0 beyond it is discarded', async () => {
    await using bench = await TestBench.open(undefined, {}, { publishesPerConnection: 100 });
    const watcher = await bench.subscribed('w', '#');
    for (const name of ['a', 'b']) (await bench.connected(name)).send(...messages(80));
    await bench.settle();
    assert.equal(watcher.publishes().length, 100);
    assert.equal(bench.broker.counters.throttled, 60);
    assert.deepEqual(rateRefusals(bench), ['w']);
    await bench.pass(1);
    (await bench.connected('c')).send(...messages(100));
    await bench.settle();
    assert.equal(watcher.publishes().length, 100);
  });

  for (const [kept, clean] of [
    ['a clean session', true],
    ['a persistent session', false],
  ] as const)
    test(`QoS 1 to ${kept} waits and goes on, in order and none lost`, async () => {
      await using bench = await TestBench.open(undefined, {}, { publishesPerConnection: 100 });
      const watcher = await bench.subscribed('w', '#', 1, { clean });
      for (const name of ['a', 'b', 'c', 'd']) (await bench.connected(name)).send(...messages(60, 1, name));
      await bench.settle();
      const came = [acknowledge(watcher)];
      await bench.settle();
      for (let tenth = 1; tenth <= 20; tenth += 1) {
        await bench.pass(0.1);
        came.push(acknowledge(watcher));
      }
      assert.deepEqual(came, [100, ...Array(14).fill(10), ...Array(6).fill(0)]);
      assert.ok(bench.broker.counters.throttled > 0);
      assert.deepEqual(rateRefusals(bench), ['w']);
      assert.equal(watcher.client.state, 'connected');
    });

  test('512 KiB a second: QoS 1 waits for bytes too', async () => {
    await using bench = await TestBench.open(undefined, {}, { bytesPerConnection: 512 * 1024 });
    const watcher = await bench.subscribed('w', '#', 1);
    for (let i = 0; i < 12; i += 1) (await bench.connected(`p${i}`)).send(publishPacket('t', Buffer.alloc(100_000), { qos: 1 }));
    await bench.settle();
    assert.equal(acknowledge(watcher), 6);
    let came = 6;
    for (let tenth = 1; came < 12; tenth += 1) {
      assert.ok(tenth <= 15, `${came} messages after ${tenth} tenths of a second`);
      await bench.pass(0.1);
      came += acknowledge(watcher);
      assert.ok((came - 1) * 100_000 <= 512 * 1024 * (1 + tenth / 10));
    }
  });

  test("where the account's rate is not enough for all, each waiting client has its turn", async () => {
    await using bench = await TestBench.open(undefined, {}, { publishesOut: 10 });
    const watchers = await Promise.all(range(1, 5).map((i) => bench.subscribed(`w${i}`, '#', 1)));
    (await bench.connected('p')).send(...messages(40, 1));
    await bench.settle();
    const came = watchers.map(acknowledge);
    for (let tenth = 1; tenth <= 100; tenth += 1) {
      await bench.pass(0.1);
      for (const [i, watcher] of watchers.entries()) came[i] = (came[i] as number) + acknowledge(watcher);
    }
    assert.equal(
      came.reduce((sum, each) => sum + each, 0),
      110,
    );
    assert.ok(Math.min(...came) >= 20, String(came));
  });

  test('a direct message beyond it is ThrottlingException', async () => {
    await using bench = await TestBench.open(undefined, {}, { publishesPerConnection: 1 });
    const api = dataPlaneOperations(bench.broker, publisher(bench.broker));
    const peer = await bench.connected('c');
    assert.equal(await code(api.SendDirectMessage?.({ clientId: 'c', topic: 'd' }, caller) as Promise<object>), 'done');
    assert.equal(
      await code(api.SendDirectMessage?.({ clientId: 'c', topic: 'd' }, caller) as Promise<object>),
      'ThrottlingException',
    );
    await bench.settle();
    assert.equal(peer.publishes().length, 1);
  });
});

test('what waited for a persistent session is replayed at 10 a second; newer messages come behind it', async () => {
  await using bench = await aws();
  const kept: ConnectOptions = { clean: false };
  const away = await bench.subscribed('away', 't', 1, kept);
  away.client.ended();
  await bench.pass(2);
  const sender = await bench.connected('p');
  sender.send(...messages(35, 1));
  await bench.settle();
  const back = bench.peer();
  back.send({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId: 'away', keepalive: 60, ...kept } as Packet);
  await bench.settle();
  sender.send(...messages(5, 1));
  await bench.settle();
  const came = [acknowledge(back)];
  for (let i = 1; i <= 5; i += 1) {
    await bench.pass(1);
    came.push(acknowledge(back));
  }
  assert.deepEqual(came, [10, 10, 10, 10, 0, 0]);
  assert.equal(rateRefusals(bench).includes('away'), false, 'a replay is no refusal');
});

describe('CONNECT', () => {
  for (const level of LEVELS)
    test(`MQTT ${level}: one a second of a client id; ${level === 5 ? 'CONNACK 0x97, closed' : 'closed without a CONNACK'}`, async () => {
      await using bench = await aws();
      const first = await bench.connected('c', { level });
      const connect = { cmd: 'connect', protocolId: 'MQTT', protocolVersion: level, clientId: 'c', clean: true, keepalive: 60 };
      for (let i = 0; i < 3; i += 1) {
        const second = bench.peer(level).send(connect as Packet);
        await bench.settle();
        assert.deepEqual(
          second.packets().map((packet) => packet.cmd === 'connack' && packet.reasonCode),
          level === 5 ? [0x97] : [],
        );
        assert.equal(second.channel.closed, true);
      }
      assert.equal(first.client.state, 'connected', 'who was there stays');
      assert.equal(bench.broker.counters.throttled, 3);
      assert.deepEqual(rateRefusals(bench), ['c']);
      assert.equal(bench.refusals.at(-1)?.accountId, ACCOUNT);
      await bench.pass(1);
      await bench.connected('c', { level });
      assert.equal(first.client.state, 'closed');
    });

  test('who is not admitted does not use up the turn of the client whose id it says', async () => {
    await using bench = await aws();
    bench.admissions.set('c', { refused: { check: 'policy', reason: 'no' } });
    const connect = { cmd: 'connect', protocolId: 'MQTT', protocolVersion: 5, clientId: 'c', clean: true, keepalive: 60 };
    bench.peer(5).send(connect as Packet);
    await bench.settle();
    bench.admissions.delete('c');
    await bench.connected('c', { level: 5 });
  });

  test("the account's rate, and then its number of connections", async () => {
    await using bench = await TestBench.open(undefined, { connections: 3 }, { connects: 2 });
    await bench.connected('a', { level: 5 });
    await bench.connected('b', { level: 5 });
    await assert.rejects(bench.connected('c', { level: 5 }), /"reasonCode":151.*rate/);
    await bench.pass(1);
    const c = await bench.connected('c', { level: 5 });
    await assert.rejects(bench.connected('d', { level: 5 }), /"reasonCode":151.*more than 3 connections/);
    await bench.connected('c', { level: 5 });
    assert.equal(c.client.state, 'closed', 'a take-over needs no room');
  });
});

for (const level of LEVELS)
  test(`SUBSCRIBE, MQTT ${level}: filters beyond the account's rate get ${level === 5 ? '0x97' : '0x80'}`, async () => {
    await using bench = await TestBench.open(undefined, {}, { subscriptions: 5 });
    const peer = await bench.connected('c', { level });
    const subscribe = (count: number): TestPeer =>
      peer.send({
        cmd: 'subscribe',
        messageId: 9,
        subscriptions: range(1, count).map((i) => ({ topic: `t/${i}`, qos: 0 })),
      } as Packet);
    subscribe(4);
    subscribe(3);
    await bench.settle();
    const refused = level === 5 ? 0x97 : 0x80;
    assert.deepEqual(
      peer.packets().map((packet) => packet.cmd === 'suback' && packet.granted),
      [
        [0, 0, 0, 0],
        [0, refused, refused],
      ],
    );
    assert.equal(bench.broker.counters.throttled, 2);
    await bench.pass(1);
    subscribe(5);
    await bench.settle();
    assert.deepEqual(
      peer.packets().map((packet) => packet.cmd === 'suback' && packet.granted),
      [[0, 0, 0, 0, 0]],
    );
  });

test('retained messages: one a second on a topic, and a rate of the account; what is refused is neither kept nor sent', async () => {
  await using bench = await TestBench.open(undefined, {}, { retainedPublishes: 3, retainedPublishesPerTopic: 1 });
  const watcher = await bench.subscribed('w', '#');
  const peer = await bench.connected('c', { level: 5 });
  const retained = (topic: string, messageId: number): Packet =>
    publishPacket(topic, `m${messageId}`, { qos: 1, messageId, retain: true });
  peer.send(retained('a', 1), retained('a', 2), retained('b', 3), retained('c', 4), retained('d', 5));
  await bench.settle();
  const acks = pubacks(peer);
  assert.deepEqual(
    [acks.get(0), acks.get(0x97)],
    [
      [1, 3, 4],
      [2, 5],
    ],
  );
  assert.deepEqual(
    watcher.publishes().map(({ payload }) => payload),
    ['m1', 'm3', 'm4'],
  );
  await bench.pass(1);
  peer.send(retained('a', 6));
  await bench.settle();
  assert.deepEqual(pubacks(peer).get(0), [6]);
});

describe('over HTTP: ThrottlingException', () => {
  test('Publish, plain and retained', async () => {
    await using bench = await TestBench.open(undefined, {}, { publishesIn: 3, retainedPublishesPerTopic: 1 });
    const watcher = await bench.subscribed('w', '#');
    const publish = publisher(bench.broker);
    assert.equal(await code(publish(caller, { topic: 'a', retain: true })), 'done');
    assert.equal(await code(publish(caller, { topic: 'a', retain: true })), 'ThrottlingException');
    assert.equal(await code(publish(caller, { topic: 'a' })), 'done');
    assert.equal(await code(publish(caller, { topic: 'a' })), 'done');
    assert.equal(await code(publish(caller, { topic: 'a' })), 'ThrottlingException');
    assert.equal(await code(publish(caller, { topic: 'a' })), 'ThrottlingException');
    await bench.settle();
    assert.equal(watcher.publishes().length, 3);
    assert.equal(bench.broker.counters.throttled, 3);
    assert.deepEqual(
      bench.refusals.map(({ check, principal, sourceIp }) => [check, principal, sourceIp]),
      Array(2).fill(['rate', 'p', '192.0.2.1']),
    );
  });

  test('requests about connections: one a second on a client, and a rate of the account', async () => {
    await using bench = await TestBench.open(undefined, {}, { connectionRequests: 3, connectionRequestsPerClientId: 1 });
    const api = dataPlaneOperations(bench.broker, publisher(bench.broker));
    const get = (clientId: string): Promise<string> => code(api.GetConnection?.({ clientId }, caller) as Promise<object>);
    for (const name of ['a', 'b', 'c', 'd']) await bench.connected(name);
    assert.deepEqual(
      [await get('a'), await get('a'), await get('b'), await get('c'), await get('d')],
      ['done', 'ThrottlingException', 'done', 'done', 'ThrottlingException'],
    );
    await bench.pass(1);
    assert.equal(await get('a'), 'done');
  });
});

test('refusals of one client and kind are recorded once in ten seconds; all are counted', async () => {
  await using bench = await aws();
  const peer = await bench.connected('c');
  for (let second = 0; second < 21; second += 1) {
    peer.send(...messages(150));
    await bench.pass(1);
  }
  assert.deepEqual(rateRefusals(bench), ['c', 'c', 'c']);
  assert.equal(bench.broker.counters.throttled, 21 * 50);
});

test('a smaller window of one account: told in the CONNACK, and kept', async () => {
  await using bench = await TestBench.open(undefined, { inFlight: 3 });
  const peer = bench.peer(5);
  peer.send({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 5, clientId: 'c', clean: true, keepalive: 60 } as Packet);
  await bench.settle();
  const [connack] = peer.packets();
  assert.equal(connack?.cmd === 'connack' && connack.properties?.receiveMaximum, 3);
  peer.send({ cmd: 'subscribe', messageId: 9, subscriptions: [{ topic: 't', qos: 1 }] } as Packet);
  (await bench.connected('p')).send(...messages(10, 1));
  await bench.settle();
  assert.equal(acknowledge(peer), 3);
});
