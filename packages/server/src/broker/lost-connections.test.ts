/**
 * Ends of connections that were there when the process died: told by the next start, once; wills by the permissions of then.
 * A death is the end of a bench without its goodbye: its store goes on with the next one.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Packet } from 'mqtt-packet';
import { Lifecycle } from '../events/lifecycle.ts';
import type { Store } from '../store/contract.ts';
import { openMemoryStore } from '../store/rerunning-store.fixture.ts';
import { connectionRecords, willRecords } from './connection/connection-record.ts';
import { publishLostConnections } from './lost-connections.ts';
import { type Level, permissionsOf, TestBench, type TestPeer } from './test-bench.ts';

const HOUR = 3600;
/** A test that fails behind a closed gate never gets to its end. */
const LIMIT = { timeout: 10_000 };
const WILL = { topic: 'wills/w', payload: Buffer.from('gone'), qos: 1, retain: false };
const DELAYED = { ...WILL, properties: { willDelayInterval: 30 } };
const KEPT = { level: 5 as const, clean: false, properties: { sessionExpiryInterval: 3000 } };

interface Told {
  readonly topic: string;
  readonly payload: string;
}

/** A start over the store, some seconds later; `prepare` sets what has changed since the last run. */
async function start(store: Store, prepare: (bench: TestBench) => void = () => {}, later = 0): Promise<TestBench> {
  const bench = await TestBench.open(store, {}, {}, later);
  const { broker } = bench;
  const { clock, messaging } = broker;
  messaging.onConnections(new Lifecycle({ clock, messaging }));
  prepare(bench);
  await publishLostConnections(broker, () => bench.authorizer);
  return bench;
}

const subscribePacket = (...topics: string[]): Packet =>
  ({ cmd: 'subscribe', messageId: 9, subscriptions: topics.map((topic) => ({ topic, qos: 1 })) }) as Packet;

/** The persistent watcher comes, or comes back, and reads all that waits for it. */
async function watch(bench: TestBench): Promise<TestPeer> {
  const peer = bench.peer(4);
  const connect = { cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId: 'watcher', clean: false, keepalive: 1200 };
  peer.send(connect as Packet, subscribePacket('wills/#', '$aws/events/presence/#'));
  await bench.settle();
  return peer;
}

function read(peer: TestPeer): Told[] {
  return peer.publishes().flatMap(({ topic, payload, messageId }) => {
    if (messageId !== undefined) peer.send({ cmd: 'puback', messageId, reasonCode: 0 } as Packet);
    return topic.endsWith('/watcher') ? [] : [{ topic, payload }];
  });
}

const versionsOf = (told: readonly Told[], kind: string, clientId: string): number[] =>
  told.flatMap(({ topic, payload }) =>
    topic === `$aws/events/presence/${kind}/${clientId}`
      ? [(JSON.parse(payload) as { versionNumber: number }).versionNumber]
      : [],
  );
const willsOf = (told: readonly Told[]): string[] => told.flatMap(({ topic }) => (topic.startsWith('wills/') ? [topic] : []));
const records = (store: Store) => store.read(async (tx) => (await tx.scan(connectionRecords, { prefix: [] })).items);
const storedWills = (store: Store) => store.read(async (tx) => (await tx.scan(willRecords, { prefix: [] })).items);

test('the end of each connection is told once, with its own facts, and its will is published', async () => {
  await using store = await openMemoryStore();
  const first = await start(store);
  first.admissions.set('lamp', { principalId: 'cert-id', thingName: 'kitchen-lamp' });
  const live = await watch(first);
  await first.connected('lamp', { will: WILL });
  await first.connected('plain', { level: 5 });
  const before = read(live);
  await first.settle();
  const second = await start(store);
  const told = read(await watch(second));
  const { sessionIdentifier } = JSON.parse(before.find(({ topic }) => topic.endsWith('connected/lamp'))?.payload ?? '{}') as {
    sessionIdentifier: string;
  };
  assert.deepEqual(JSON.parse(told.find(({ topic }) => topic.endsWith('disconnected/lamp'))?.payload ?? '{}'), {
    clientId: 'lamp',
    thingName: 'kitchen-lamp',
    timestamp: second.broker.clock.now(),
    eventType: 'disconnected',
    sessionIdentifier,
    principalIdentifier: 'cert-id',
    clientInitiatedDisconnect: false,
    disconnectReason: 'CONNECTION_LOST',
    versionNumber: 0,
  });
  assert.deepEqual(versionsOf(told, 'disconnected', 'plain'), [0]);
  assert.deepEqual(
    told.filter(({ topic }) => topic.startsWith('wills/')),
    [{ topic: 'wills/w', payload: 'gone' }],
  );
  await second.settle();
  const third = await start(store);
  const again = read(await watch(third));
  assert.deepEqual([versionsOf(again, 'disconnected', 'lamp'), willsOf(again)], [[], []]);
  assert.deepEqual([...first.faults, ...second.faults, ...third.faults], []);
});

test('versions rise over deaths and stops, and begin again for a client that was away for an hour', async () => {
  await using store = await openMemoryStore();
  const seen: number[] = [];
  for (const dies of [true, true, false, true]) {
    const bench = await start(store);
    const watcher = await watch(bench);
    read(watcher);
    await bench.connected('lamp');
    seen.push(...versionsOf(read(watcher), 'connected', 'lamp'));
    await bench.settle();
    if (!dies) await bench[Symbol.asyncDispose]();
  }
  assert.deepEqual(seen, [0, 1, 2, 3]);
  const stopped = await start(store);
  await stopped[Symbol.asyncDispose]();
  const late = await start(store, () => {}, HOUR + 1);
  const watcher = await watch(late);
  read(watcher);
  await late.connected('lamp');
  assert.deepEqual(versionsOf(read(watcher), 'connected', 'lamp'), [0]);
  await late.settle();
});

test('an orderly stop leaves nothing to tell', async () => {
  await using store = await openMemoryStore();
  const first = await start(store);
  await watch(first);
  await first.connected('lamp', { will: WILL });
  await first.connected('late', { ...KEPT, will: DELAYED });
  await first[Symbol.asyncDispose]();
  assert.deepEqual(
    (await records(store)).map(({ connection }) => connection),
    [undefined, undefined, undefined],
  );
  assert.deepEqual(await storedWills(store), []);
});

/** A store whose commits wait for a gate that a test closes and opens. */
function gatedStore(inner: Store): { readonly store: Store; readonly close: () => () => void } {
  let gate = Promise.resolve();
  const store: Store = {
    read: (work) => inner.read(work),
    write: async (work) => {
      await gate;
      return inner.write(work);
    },
    [Symbol.asyncDispose]: async () => {},
  };
  const close = (): (() => void) => {
    const opened = Promise.withResolvers<void>();
    gate = opened.promise;
    return opened.resolve;
  };
  return { store, close };
}

test(
  'a client that has a queue on disk hears of an end once it is stored: a death before that would have it told again',
  LIMIT,
  async () => {
    await using inner = await openMemoryStore();
    const { store, close } = gatedStore(inner);
    await using bench = await start(store);
    const watcher = await watch(bench);
    const clean = await bench.subscribed('clean', 'wills/#', 1);
    read(watcher);
    const waiting = await bench.connected('waits', { ...KEPT, will: DELAYED });
    waiting.client.ended();
    const lamp = await bench.connected('lamp', { will: WILL });
    await bench.settle();
    read(watcher);
    const open = close();
    lamp.client.ended();
    await bench.pass(31);
    assert.deepEqual(read(watcher), []);
    assert.equal(clean.publishes().length, 2, 'a clean session is gone after a death: it need not wait');
    open();
    await bench.settle();
    const told = read(watcher);
    assert.deepEqual([willsOf(told), versionsOf(told, 'disconnected', 'lamp')], [['wills/w', 'wills/w'], [0]]);
  },
);

test('a connection is in the register before its CONNACK, and its `connected` event comes no earlier', LIMIT, async () => {
  await using inner = await openMemoryStore();
  const { store, close } = gatedStore(inner);
  await using bench = await start(store);
  const watcher = await watch(bench);
  read(watcher);
  const open = close();
  const peers = ([4, 5] as Level[]).map((level) => {
    const peer = bench.peer(level);
    peer.send({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: level,
      clientId: `c${level}`,
      clean: true,
      keepalive: 60,
    } as Packet);
    return peer;
  });
  await bench.settle();
  assert.deepEqual([...peers.map((peer) => peer.packets()), read(watcher)], [[], [], []]);
  open();
  await bench.settle();
  for (const peer of peers) assert.equal(peer.packets()[0]?.cmd, 'connack');
  assert.equal(read(watcher).length, 2);
});

test('wills are authorized by the permissions of the start: of a client that may not publish or connect any more none goes out', async () => {
  for (const change of [
    (bench: TestBench) =>
      bench.permissions.set(
        'mortal',
        permissionsOf((action) => action !== 'iot:Publish'),
      ),
    (bench: TestBench) =>
      bench.permissions.set(
        'mortal',
        permissionsOf((action) => action !== 'iot:RetainPublish'),
      ),
    (bench: TestBench) => bench.admissions.set('mortal', { refused: { check: 'certificate-not-active', reason: 'REVOKED' } }),
    (bench: TestBench) => bench.admissions.set('mortal', { accountId: '999999999999' }),
  ]) {
    await using store = await openMemoryStore();
    const first = await start(store);
    await watch(first);
    await first.connected('mortal', { will: { ...WILL, retain: true } });
    await first.settle();
    const second = await start(store, (bench) => void change(bench));
    const told = read(await watch(second));
    assert.deepEqual([willsOf(told), versionsOf(told, 'disconnected', 'mortal')], [[], [0]]);
    assert.equal(second.refusals.at(-1)?.clientId, 'mortal');
    assert.equal(await second.broker.retained.get({ accountId: '000000000000', region: 'us-east-1' }, 'wills/w'), undefined);
    await second.settle();
  }
});

test('a retained will is retained; one whose death came between delivery and retaining is retained by the next start, and not told again', async () => {
  await using store = await openMemoryStore();
  const first = await start(store);
  await watch(first);
  await first.connected('mortal', { level: 5, will: { ...WILL, retain: true, properties: { contentType: 't' } } });
  await first.settle();
  const second = await start(store);
  await second.settle();
  const place = { accountId: '000000000000', region: 'us-east-1' };
  const record = await second.broker.retained.get(place, 'wills/w');
  assert.equal(Buffer.from(record?.payload ?? '', 'base64').toString(), 'gone');
  assert.deepEqual(await storedWills(store), []);
  // As a death before the message was retained leaves it: delivered, and the record of the will there.
  await second.broker.retained.set('us-east-1', { ...place, topic: 'wills/w', payload: '', qos: 0, lastModifiedAt: 0 });
  const [connected] = (await records(store)).filter(({ clientId }) => clientId === 'mortal');
  assert.ok(connected?.leftAt !== undefined);
  const third = await start(store);
  read(await watch(third));
  const live = await third.connected('mortal', { level: 5, will: { ...WILL, retain: true } });
  await third.settle();
  const connection = (await records(store)).find(({ clientId }) => clientId === 'mortal')?.connection;
  assert.ok(connection !== undefined);
  live.send({ cmd: 'disconnect' } as Packet);
  await third.settle();
  await store.write((tx) => tx.put(willRecords, { ...place, clientId: 'mortal', connection, dueAt: 0, delivered: true }));
  const fourth = await start(store);
  await fourth.settle();
  assert.deepEqual(willsOf(read(await watch(fourth))), []);
  assert.notEqual(await fourth.broker.retained.get(place, 'wills/w'), undefined);
  assert.deepEqual(await storedWills(store), []);
});

test('a delayed will waits on, by the clock of its first waiting; its client cancels it by coming back, and not by a clean start (MQTT5 3.1.3.2.2)', async () => {
  for (const [comesBack, clean, expected] of [
    [false, false, 1],
    [true, false, 0],
    [true, true, 1],
  ] as const) {
    await using store = await openMemoryStore();
    const first = await start(store);
    await watch(first);
    await first.connected('dies-connected', { ...KEPT, will: DELAYED });
    const waiting = await first.connected('waits-already', { ...KEPT, will: { ...DELAYED, topic: 'wills/waiting' } });
    waiting.client.ended();
    await first.pass(10);
    const second = await start(store, () => {}, 10);
    const watcher = await watch(second);
    assert.deepEqual(willsOf(read(watcher)), []);
    if (comesBack)
      for (const clientId of ['dies-connected', 'waits-already']) await second.connected(clientId, { ...KEPT, clean });
    else {
      await second.pass(19);
      assert.deepEqual(willsOf(read(watcher)), []);
      await second.pass(2);
      assert.deepEqual(willsOf(read(watcher)), ['wills/waiting']);
      await second.pass(10);
      assert.deepEqual(willsOf(read(watcher)), ['wills/w']);
    }
    const came = willsOf(read(watcher)).length;
    if (comesBack) assert.equal(came, 2 * expected);
    await second.pass(40);
    assert.deepEqual(willsOf(read(watcher)), []);
    await second.settle();
    assert.deepEqual(await storedWills(store), []);
  }
});

test('a will that waits comes with the end of its session, and by the permissions of that moment', async () => {
  await using store = await openMemoryStore();
  const first = await start(store);
  await watch(first);
  const will = { ...WILL, properties: { willDelayInterval: 600 } };
  await first.connected('ends', { ...KEPT, properties: { sessionExpiryInterval: 40 }, will });
  await first.connected('loses', { ...KEPT, will: { ...DELAYED, topic: 'wills/lost' } });
  await first.settle();
  const second = await start(store);
  const watcher = await watch(second);
  read(watcher);
  second.permissions.set(
    'loses',
    permissionsOf(() => false),
  );
  await second.pass(31);
  assert.equal(second.refusals.at(-1)?.clientId, 'loses');
  await second.pass(10);
  assert.deepEqual(willsOf(read(watcher)), ['wills/w']);
  await second.settle();
});

test('a commit that fails while ends are told loses none: the next start tells them', async () => {
  const inner = await openMemoryStore();
  await using _ = inner;
  const first = await start(inner);
  await watch(first);
  await first.connected('mortal', { will: WILL });
  await first.settle();
  let failures = 0;
  const failing: Store = {
    read: (work) => inner.read(work),
    write: async (work) => {
      if (failures > 0) {
        failures -= 1;
        throw new RangeError('the disk is full');
      }
      return inner.write(work);
    },
    [Symbol.asyncDispose]: async () => {},
  };
  const second = await start(failing, () => {
    failures = 1;
  });
  await second.broker.journal.committed();
  const third = await start(inner);
  const told = read(await watch(third));
  assert.deepEqual([willsOf(told), versionsOf(told, 'disconnected', 'mortal')], [['wills/w'], [0]]);
});

test('what is stored is bounded: one record for each client that is or was there within the hour, and none for others', async () => {
  await using store = await openMemoryStore();
  await using bench = await start(store);
  for (let i = 0; i < 5; i += 1) await bench.connected('again', { will: WILL });
  bench.admissions.set('stranger', { refused: { check: 'policy', reason: 'no' } });
  bench
    .peer()
    .send({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId: 'stranger', clean: true, keepalive: 60 } as Packet);
  const leaver = await bench.connected('leaver', { will: WILL });
  leaver.send({ cmd: 'disconnect' } as Packet);
  await bench.settle();
  await bench.broker.journal.committed();
  const [again, left, ...more] = await records(store);
  assert.deepEqual([again?.clientId, again?.version, again?.connection?.will?.topic], ['again', 4, 'wills/w']);
  assert.deepEqual([left?.clientId, left?.connection, more], ['leaver', undefined, []]);
  bench.moveClock(HOUR + 1);
  bench.broker.register.sweep();
  await bench.settle();
  assert.deepEqual(
    (await records(store)).map(({ clientId }) => clientId),
    ['again'],
  );
});
