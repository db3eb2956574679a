/** Persistent sessions (fact sheet 2.3; developer guide, page mqtt; MQTT 4.1, 4.4): what they keep, and for how long. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IConnackPacket, Packet } from 'mqtt-packet';
import type { Store } from '../../store/contract.ts';
import { openMemoryStore } from '../../store/rerunning-store.fixture.ts';
import { openSqliteStore } from '../../store/sqlite/sqlite-store.ts';
import { BODY_OWNER, bodies, queued } from '../session/queued-messages.ts';
import { ACCOUNT, type ConnectOptions, type Level, publishPacket, permissionsOf, TestBench, TestPeer } from '../test-bench.ts';

const LEVELS: readonly Level[] = [4, 5];
/** Options of a CONNECT that keeps its session. */
const kept = (level: Level, expiry = 600): ConnectOptions => ({
  level,
  clean: false,
  properties: level === 5 ? { sessionExpiryInterval: expiry } : undefined,
});
const qos1 = (topic: string, payload: string, messageId = 1, properties?: object): Packet =>
  publishPacket(topic, payload, { qos: 1, messageId, properties });
const acknowledge = (peer: TestPeer, ...ids: (number | undefined)[]): TestPeer =>
  peer.send(...ids.map((messageId) => ({ cmd: 'puback', messageId, reasonCode: 0 }) as Packet));
const payloads = (peer: TestPeer): string[] => peer.publishes().map(({ payload }) => payload);
/** Connects and says whether a session was there; what came behind the CONNACK stays to be read. */
const back = async (
  bench: TestBench,
  clientId: string,
  options: ConnectOptions,
): Promise<{ peer: TestPeer; present: boolean; got: string[] }> => {
  const { level = 4, clean = true, ...more } = options;
  const peer = bench.peer(level);
  peer.send({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: level, clientId, clean, keepalive: 60, ...more } as Packet);
  await bench.settle();
  const [connack, ...rest] = peer.packets();
  assert.equal(connack?.cmd, 'connack', JSON.stringify(bench.refusals.at(-1)));
  const got = rest.flatMap((p) => (p.cmd === 'publish' ? [p.payload.toString()] : []));
  peer.ids.push(...rest.flatMap((p) => (p.cmd === 'publish' ? [p.messageId as number] : [])));
  return { peer, present: (connack as IConnackPacket).sessionPresent, got };
};
const leave = async (bench: TestBench, peer: TestPeer): Promise<void> => {
  peer.client.ended();
  await bench.settle();
};
/** Rows of the queues, and of messages that several share. */
const rowsIn = (store: Store): Promise<[number, number]> =>
  store.read(async (tx) => {
    const counts: [number, number] = [0, 0];
    await tx.eachRow(queued, () => (counts[0] += 1));
    await tx.eachRow(bodies, ({ owner }) => (counts[1] += owner === BODY_OWNER ? 1 : 0));
    return counts;
  });

test('subscriptions and QoS 1 messages wait for a client that is away, in order; QoS 0 does not', async () => {
  for (const level of LEVELS) {
    await using bench = await TestBench.open();
    const away = await bench.subscribed('s', 'a/#', 1, kept(level));
    await leave(bench, away);
    const publisher = await bench.connected('p');
    publisher.send(
      qos1('a/1', 'one', 1),
      publishPacket('a/1', 'lost'),
      qos1('a/2', 'two', 2),
      qos1('a/1', 'three', 3),
      qos1('b', 'other', 4),
    );
    await bench.settle();
    assert.equal(publisher.packets().length, 4, 'each QoS 1 message is acknowledged');
    const { peer, present, got } = await back(bench, 's', kept(level));
    assert.equal(present, true);
    assert.deepEqual(got, ['one', 'two', 'three']);
    acknowledge(peer, ...peer.ids);
    await bench.settle();
    assert.deepEqual(await rowsIn(bench.store), [0, 0]);
    publisher.send(qos1('a/1', 'four', 5));
    await bench.settle();
    assert.deepEqual(payloads(peer), ['four']);
  }
});

test('a session, its subscriptions and its messages outlive the server', async () => {
  for (const level of LEVELS) {
    await using store = await openMemoryStore();
    {
      await using bench = await TestBench.open(store);
      await leave(bench, await bench.subscribed('s', 'a', 1, kept(level)));
      const publisher = await bench.connected('p');
      for (let n = 0; n < 5; n += 1) publisher.send(qos1('a', `before ${n}`, n + 1));
      await bench.settle();
    }
    await using bench = await TestBench.open(store);
    const publisher = await bench.connected('p');
    publisher.send(qos1('a', 'after', 1));
    await bench.settle();
    const { present, got } = await back(bench, 's', kept(level));
    assert.equal(present, true);
    assert.deepEqual(got, ['before 0', 'before 1', 'before 2', 'before 3', 'before 4', 'after']);
  }
});

test('PUBACK comes after the commit when a session has to keep the message, and not at all when that fails', async () => {
  const inner = await openMemoryStore();
  await using _ = inner;
  let gate: Promise<void> = Promise.resolve();
  let broken = false;
  const store: Store = {
    read: (work) => inner.read(work),
    write: async (work) => {
      await gate;
      if (broken) throw new RangeError('the disk is full');
      return inner.write(work);
    },
    [Symbol.asyncDispose]: async () => {},
  };
  await using bench = await TestBench.open(store);
  await leave(bench, await bench.subscribed('s', 'a', 1, kept(4)));
  const publisher = await bench.connected('p');
  const opened = Promise.withResolvers<void>();
  gate = opened.promise;
  publisher.send(qos1('a', 'x', 7), qos1('nobody', 'y', 8));
  await bench.settle();
  // The second is for nobody, but acknowledgements keep their order [MQTT-4.6.0-2].
  assert.deepEqual(publisher.packets(), []);
  opened.resolve();
  await bench.settle();
  assert.deepEqual(
    publisher.packets().map((p) => ('messageId' in p ? p.messageId : 0)),
    [7, 8],
  );
  broken = true;
  publisher.send(qos1('a', 'z', 9));
  await bench.settle();
  assert.deepEqual(publisher.packets(), []);
  assert.equal(publisher.channel.closed, true, 'the client is closed, so that it sends the message again');
  broken = false;
  // What could not be stored of the publisher's end is tried again first.
  await bench.broker.journal.committed();
  assert.deepEqual((await back(bench, 's', kept(4))).got, ['x']);
  bench.faults.length = 0;
});

test('what was in flight is sent again on the next connection, first and in order; what was acknowledged is not', async () => {
  await using bench = await TestBench.open();
  const first = await bench.subscribed('s', 'a', 1, kept(5));
  const publisher = await bench.connected('p');
  // One batch of five: a row of five messages, of which two get acknowledged.
  publisher.send(...[1, 2, 3, 4, 5].map((n) => qos1('a', `${n}`, n)));
  await bench.settle();
  const seen = first.publishes();
  acknowledge(first, seen[1]?.messageId, seen[3]?.messageId);
  await leave(bench, first);
  publisher.send(qos1('a', '6', 6));
  await bench.settle();
  const second = await back(bench, 's', kept(5));
  assert.deepEqual(second.got, ['1', '3', '5', '6']);
  await leave(bench, second.peer);
  const third = await back(bench, 's', kept(5));
  assert.deepEqual(third.got, ['1', '3', '5', '6']);
  acknowledge(third.peer, ...third.peer.ids);
  await bench.settle();
  assert.deepEqual(await rowsIn(bench.store), [0, 0]);
});

test('a long queue comes back whole and in order through the window, page by page', async () => {
  await using store = await openMemoryStore();
  const COUNT = 3_000;
  {
    await using bench = await TestBench.open(store);
    await leave(bench, await bench.subscribed('s', 'a/+', 1, kept(4)));
    const publisher = await bench.connected('p');
    for (let n = 0; n < COUNT; n += 1) {
      publisher.send(qos1(`a/${n % 3}`, String(n).padStart(6, '0').padEnd(300, '.'), 1 + (n % 60_000)));
      if (n % 50 === 0) await bench.settle();
    }
    await bench.settle();
  }
  await using bench = await TestBench.open(store);
  const { peer, got } = await back(bench, 's', kept(4));
  const publisher = await bench.connected('p');
  assert.equal(got.length, 100, 'the in-flight window');
  let live = 0;
  for (let round = 0; got.length < COUNT + live && round < 500; round += 1) {
    // New messages take their place behind the old ones.
    if (live < 20) publisher.send(qos1('a/9', `9${String(live++).padStart(5, '0')}`, 1 + live));
    acknowledge(peer, ...peer.ids.splice(0));
    await bench.settle();
    for (const { payload, messageId } of peer.publishes()) {
      got.push(payload);
      peer.ids.push(messageId as number);
    }
  }
  assert.deepEqual(
    got.map((text) => text.slice(0, 6)),
    [
      ...Array.from({ length: COUNT }, (_, n) => String(n).padStart(6, '0')),
      ...Array.from({ length: 20 }, (_, n) => `9${String(n).padStart(5, '0')}`),
    ],
  );
  acknowledge(peer, ...peer.ids);
  await bench.settle();
  assert.deepEqual(await rowsIn(store), [0, 0]);
});

test('a message for many sessions is stored once, and goes with the last of them', async () => {
  await using bench = await TestBench.open();
  for (const name of ['s1', 's2', 's3']) await leave(bench, await bench.subscribed(name, 'a', 1, kept(name === 's2' ? 5 : 4)));
  const publisher = await bench.connected('p', { level: 5 });
  publisher.send(qos1('a', 'x', 1, { contentType: 'text/plain' }));
  await bench.settle();
  assert.deepEqual(await rowsIn(bench.store), [3, 1]);
  for (const [i, name] of ['s1', 's2', 's3'].entries()) {
    const { peer, got } = await back(bench, name, kept(name === 's2' ? 5 : 4));
    assert.deepEqual(got, ['x']);
    acknowledge(peer, ...peer.ids);
    await bench.settle();
    assert.deepEqual(await rowsIn(bench.store), [2 - i, i === 2 ? 0 : 1]);
  }
});

test('a clean start, and the other version of MQTT, end the old session (page mqtt: sessions are not interchangeable)', async () => {
  for (const options of [{ level: 4, clean: true }, kept(5)] as ConnectOptions[]) {
    await using bench = await TestBench.open();
    await leave(bench, await bench.subscribed('s', 'a', 1, kept(4)));
    const publisher = await bench.connected('p');
    publisher.send(qos1('a', 'x'));
    await bench.settle();
    const { present, got } = await back(bench, 's', options);
    assert.equal(present, false);
    assert.deepEqual(got, []);
    publisher.send(qos1('a', 'y', 2));
    await bench.settle();
    assert.deepEqual(await rowsIn(bench.store), [0, 0]);
  }
});

test('a session ends when its time is over, counted from the disconnect, also over a restart', async () => {
  await using store = await openMemoryStore();
  {
    await using bench = await TestBench.open(store);
    await leave(bench, await bench.subscribed('short', 'a', 1, kept(5, 60)));
    await leave(bench, await bench.subscribed('long', 'a', 1, kept(5, 600)));
    await leave(bench, await bench.subscribed('v3', 'a', 1, kept(4)));
    await bench.pass(50);
    const again = await back(bench, 'short', kept(5, 60));
    assert.equal(again.present, true);
    await leave(bench, again.peer);
    await bench.pass(50);
  }
  await using bench = await TestBench.open(store);
  const publisher = await bench.connected('p');
  publisher.send(qos1('a', 'x'));
  await bench.settle();
  // Time stands still between the two benches: ten seconds of the sixty are left.
  await bench.pass(111);
  assert.equal((await back(bench, 'short', kept(5, 60))).present, false);
  assert.equal((await back(bench, 'long', kept(5, 600))).present, true);
  const v3 = await back(bench, 'v3', kept(4));
  assert.equal(v3.present, true);
  await leave(bench, v3.peer);
  await bench.pass(3601);
  assert.equal((await back(bench, 'v3', kept(4))).present, false);
});

/** A session of so many seconds whose client has left; then a restart, so much wall time later. */
async function restarted(store: Store, expiry: number, secondsLater: number): Promise<TestBench> {
  const limits = { sessionExpiry: 7200 };
  {
    await using bench = await TestBench.open(store, limits);
    await leave(bench, await bench.subscribed('s', 'a', 1, kept(5, expiry)));
    // The clock that never jumps is far on when the process ends, and begins anew with the next one.
    await bench.pass(100);
  }
  return TestBench.open(store, limits, {}, 100 + secondsLater);
}

test('a session whose time has passed while the server was down is not resumed', async () => {
  await using store = await openSqliteStore({ path: ':memory:' });
  await using bench = await restarted(store, 3600, 3600);
  assert.equal((await back(bench, 's', kept(5, 3600))).present, false);
});

test('a session has what is left of its time after an hour of wall time, and no more where the wall clock was set back', async () => {
  for (const [secondsLater, left] of [
    [3600, 1700],
    [-86_400, 5400],
  ] as const) {
    await using store = await openSqliteStore({ path: ':memory:' });
    await using bench = await restarted(store, 5400, secondsLater);
    const { sessions } = bench.broker.account(ACCOUNT);
    await bench.pass(left - 1);
    assert.equal(sessions.has('s'), true);
    await bench.pass(2);
    assert.equal(sessions.has('s'), false);
    assert.deepEqual(await rowsIn(store), [0, 0]);
  }
});

test('a queued message has what is left of its expiry after an hour of wall time [MQTT-3.3.2-6]', async () => {
  await using store = await openSqliteStore({ path: ':memory:' });
  {
    await using bench = await TestBench.open(store);
    await leave(bench, await bench.subscribed('s', 'a', 1, kept(5, 3600)));
    const publisher = await bench.connected('p', { level: 5 });
    for (const [id, messageExpiryInterval] of [
      [1, 1800],
      [2, 5400],
    ] as const)
      publisher.send(publishPacket('a', 'x', { qos: 1, messageId: id, properties: { messageExpiryInterval } }));
    await bench.settle();
  }
  await using bench = await TestBench.open(store, {}, {}, 3000);
  const peer = bench.peer(5);
  peer.send({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 5, clientId: 's', keepalive: 60, ...kept(5, 3600) } as Packet);
  await bench.settle();
  const left = peer.packets().flatMap((p) => (p.cmd === 'publish' ? [p.properties?.messageExpiryInterval] : []));
  assert.deepEqual(left, [2400]);
});

test('DISCONNECT may change the expiry, to 0 to end the session; from 0 it may not [MQTT-3.14.2-2]', async () => {
  await using bench = await TestBench.open();
  const disconnect = (expiry: number): Packet =>
    ({ cmd: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: expiry } }) as Packet;
  (await bench.subscribed('s', 'a', 1, kept(5))).send(disconnect(0));
  await bench.settle();
  const second = await back(bench, 's', kept(5, 600));
  assert.equal(second.present, false);
  second.peer.send(disconnect(30));
  await bench.settle();
  await bench.pass(31);
  const third = await back(bench, 's', { level: 5, clean: false });
  assert.equal(third.present, false);
  third.peer.send(disconnect(30));
  await bench.settle();
  assert.deepEqual(
    third.peer.packets().map((p) => [p.cmd, 'reasonCode' in p ? p.reasonCode : 0]),
    [['disconnect', 0x82]],
  );
});

test('messages that wait are authorized by the permissions of the next connection', async () => {
  await using bench = await TestBench.open();
  await leave(bench, await bench.subscribed('s', 'a/#', 1, kept(4)));
  const publisher = await bench.connected('p');
  publisher.send(qos1('a/yes', '1', 1), qos1('a/no', '2', 2), qos1('a/yes', '3', 3));
  await bench.settle();
  bench.permissions.set(
    's',
    permissionsOf((action, name) => action !== 'iot:Receive' || name === 'a/yes'),
  );
  const { peer, got } = await back(bench, 's', kept(4));
  assert.deepEqual(got, ['1', '3']);
  assert.equal(bench.refusals.at(-1)?.action, 'iot:Receive');
  acknowledge(peer, ...peer.ids);
  await bench.settle();
  assert.deepEqual(await rowsIn(bench.store), [0, 0], 'what may not be delivered is gone');
});

test('messages in flight are not sent again to whoever may not receive them any more', async () => {
  await using bench = await TestBench.open();
  const peer = await bench.subscribed('s', 'a', 1, kept(4));
  const publisher = await bench.connected('p');
  publisher.send(qos1('a', 'x'));
  await bench.settle();
  assert.deepEqual(payloads(peer), ['x']);
  peer.client.permissions.replace(permissionsOf((action) => action !== 'iot:Receive'));
  await bench.pass(31);
  assert.deepEqual(payloads(peer), []);
  assert.deepEqual(await rowsIn(bench.store), [0, 0]);
});

test('a session that is away ends with its certificate', async () => {
  await using bench = await TestBench.open();
  bench.admissions.set('s', { principalId: 'cert-a' });
  const peer = new TestPeer(bench.broker, 4, bench.authorizer, 'cert-a');
  peer.send({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId: 's', clean: false, keepalive: 60 } as Packet);
  peer.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'a', qos: 1 }] } as Packet);
  await bench.settle();
  await leave(bench, peer);
  assert.deepEqual(bench.broker.sessions.certificates, ['cert-a']);
  const { region } = bench.broker.account(ACCOUNT).place;
  assert.deepEqual(bench.broker.sessions.placesOf('cert-a'), [{ accountId: ACCOUNT, region }]);
  bench.broker.sessions.endOf('cert-a', { accountId: '999999999999', region });
  assert.deepEqual(bench.broker.sessions.certificates, ['cert-a'], 'the end of another account is none of its own');
  bench.broker.sessions.endOf('cert-a', { accountId: ACCOUNT, region });
  assert.equal((await back(bench, 's', kept(4))).present, false);
  assert.equal(bench.broker.account(ACCOUNT).routes.resolve('a').sessions.length, 0);
});

test('an unacknowledged message is sent again after 30 s on a live connection, with DUP clear, and not once acknowledged', async () => {
  for (const level of LEVELS) {
    await using bench = await TestBench.open();
    const peer = await bench.subscribed('s', 'a', 1, { level });
    const publisher = await bench.connected('p');
    publisher.send(qos1('a', 'x', 1), qos1('a', 'y', 2));
    await bench.settle();
    const [x, y] = peer.publishes();
    acknowledge(peer, x?.messageId);
    await bench.pass(29);
    assert.deepEqual(peer.packets(), []);
    await bench.pass(2);
    const [again] = peer.packets();
    assert.deepEqual(again?.cmd === 'publish' && [again.payload.toString(), again.dup, again.messageId], [
      'y',
      false,
      y?.messageId,
    ]);
    acknowledge(peer, y?.messageId);
    await bench.pass(40);
    assert.deepEqual(peer.packets(), []);
  }
});

test('a queue has a bound: later messages are dropped, acknowledged, and counted', async () => {
  await using bench = await TestBench.open(undefined, { queuedMessages: 3 });
  await leave(bench, await bench.subscribed('s', 'a', 1, kept(4)));
  const publisher = await bench.connected('p');
  for (let n = 1; n <= 5; n += 1) {
    publisher.send(qos1('a', `${n}`, n));
    await bench.settle();
  }
  assert.equal(publisher.packets().length, 5);
  assert.deepEqual((await back(bench, 's', kept(4))).got, ['1', '2', '3']);
  assert.equal(bench.broker.counters.dropped['queue-full'], 2);
});

test('an expired message is not sent; another one says what is left of its interval [MQTT-3.3.2-5, 3.3.2-6]', async () => {
  await using bench = await TestBench.open();
  await leave(bench, await bench.subscribed('s', 'a', 1, kept(5)));
  await leave(bench, await bench.subscribed('v3', 'a', 1, kept(4)));
  const publisher = await bench.connected('p', { level: 5 });
  publisher.send(
    qos1('a', 'short', 1, { messageExpiryInterval: 10 }),
    qos1('a', 'long', 2, { messageExpiryInterval: 100 }),
    qos1('a', 'ever', 3),
  );
  await bench.settle();
  await bench.pass(20);
  const peer = bench.peer(5);
  peer.send({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 5, clientId: 's', clean: false, keepalive: 60 } as Packet);
  await bench.settle();
  assert.deepEqual(
    peer.packets().flatMap((p) => (p.cmd === 'publish' ? [[p.payload.toString(), p.properties?.messageExpiryInterval]] : [])),
    [
      ['long', 80],
      ['ever', undefined],
    ],
  );
  assert.deepEqual((await back(bench, 'v3', kept(4))).got, ['long', 'ever']);
});

test('the session of a client id passes from connection to connection at a take-over', async () => {
  await using bench = await TestBench.open();
  const old = await bench.subscribed('s', 'a', 1, kept(5));
  const publisher = await bench.connected('p');
  publisher.send(qos1('a', 'x'));
  await bench.settle();
  assert.deepEqual(payloads(old), ['x']);
  const { present, got } = await back(bench, 's', kept(5));
  assert.equal(present, true);
  assert.deepEqual(got, ['x'], 'it had not been acknowledged');
  assert.equal(old.packets().at(-1)?.cmd, 'disconnect');
});

test('a retained message counts down and expires where it is kept (MQTT5 3.3.2.3.3)', async () => {
  await using bench = await TestBench.open();
  const publisher = await bench.connected('p', { level: 5 });
  publisher.send(publishPacket('a', 'x', { qos: 1, messageId: 1, retain: true, properties: { messageExpiryInterval: 60 } }));
  await bench.settle();
  await bench.pass(20);
  const seen = async (clientId: string): Promise<unknown[]> => {
    const peer = await bench.connected(clientId, { level: 5 });
    peer.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'a', qos: 1 }] } as Packet);
    await bench.settle();
    return peer.packets().flatMap((p) => (p.cmd === 'publish' ? [[p.retain, p.properties?.messageExpiryInterval]] : []));
  };
  assert.deepEqual(await seen('early'), [[true, 40]]);
  await bench.pass(41);
  assert.deepEqual(await seen('late'), []);
});
