/** A CONNECT whose claim of its client id takes time: what happens meanwhile ends as it should. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Packet } from 'mqtt-packet';
import type { DisconnectReason } from '../contract.ts';
import { ACCOUNT, publishPacket, TestBench, type TestPeer } from '../test-bench.ts';
import { connectionRecords } from './connection-record.ts';

/** A claim waits before it is made, as for a node that does not answer, or once it is made, as for one that answers late. */
const MOMENTS = ['before', 'after'] as const;
type Moment = (typeof MOMENTS)[number];

interface Held {
  /** Lets all claims go on. */
  readonly grant: () => Promise<void>;
  /** Makes them fail. */
  readonly fail: () => Promise<void>;
}

function hold(bench: TestBench, moment: Moment): Held {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  bench.claiming = { [moment]: promise };
  const settled = async (): Promise<void> => {
    bench.claiming = undefined;
    await bench.settle();
  };
  return {
    grant: () => {
      resolve();
      return settled();
    },
    fail: () => {
      reject(new TypeError('no node answers'));
      return settled();
    },
  };
}

/** Sends a CONNECT of MQTT 5 with an hour for the session, and whatever is to come behind it. */
async function connecting(bench: TestBench, clientId: string, ...behind: Packet[]): Promise<TestPeer> {
  const peer = bench.peer(5);
  const properties = { sessionExpiryInterval: 3600 };
  const connect = { cmd: 'connect', protocolId: 'MQTT', protocolVersion: 5, clientId, clean: false, keepalive: 60, properties };
  peer.send(connect as Packet, ...behind);
  await bench.settle();
  return peer;
}

/** What came since the last look: packets by name and reason code, and whether the connection is closed. */
const seen = (peer: TestPeer): unknown[] => [
  ...peer.packets().map((packet) => `${packet.cmd} ${'reasonCode' in packet ? packet.reasonCode : ''}`.trim()),
  ...(peer.channel.closed ? ['closed'] : []),
];

/** Presence events, as they are published. */
function presenceOf(bench: TestBench): string[] {
  const events: string[] = [];
  bench.broker.connections.listen({
    connected: ({ clientId, identity }) => void events.push(`connected ${clientId} ${identity.claim?.version}`),
    disconnected: ({ clientId, identity }, why: DisconnectReason) =>
      void events.push(`disconnected ${clientId} ${identity.claim?.version} ${why}`),
  });
  return events;
}

const heldIds = (bench: TestBench): number => bench.broker.account(ACCOUNT).clients.size;

for (const moment of MOMENTS) {
  test(`held ${moment}: of two CONNECTs the later one gets the client id, and the old connection ends first`, async () => {
    await using bench = await TestBench.open();
    const events = presenceOf(bench);
    const old = await connecting(bench, 'c');
    seen(old);
    const held = hold(bench, moment);
    const earlier = await connecting(bench, 'c');
    const later = await connecting(bench, 'c');
    assert.deepEqual(seen(earlier), ['closed']);
    assert.deepEqual(seen(later), []);
    assert.deepEqual(seen(old), moment === 'before' ? [] : ['disconnect 142', 'closed']);
    await held.grant();
    assert.deepEqual(seen(earlier), ['closed']);
    assert.deepEqual(seen(later), ['connack 0']);
    const [connectedFirst, disconnected, connected, ...more] = events;
    assert.deepEqual([connectedFirst, disconnected, more], ['connected c 0', 'disconnected c 0 DUPLICATE_CLIENTID', []]);
    assert.equal(connected, 'connected c 2', 'the claim of the earlier one has used up a number');
    assert.equal(heldIds(bench), 1);
    assert.equal(bench.broker.connections.clientOf(bench.broker.account(ACCOUNT), 'c'), later.client);
  });

  test(`held ${moment}: a third and a fourth CONNECT wait behind, and the last one is connected`, async () => {
    await using bench = await TestBench.open();
    const events = presenceOf(bench);
    const held = hold(bench, moment);
    const peers: TestPeer[] = [];
    for (let i = 0; i < 4; i += 1) peers.push(await connecting(bench, 'c'));
    await held.grant();
    assert.deepEqual(peers.map(seen), [['closed'], ['closed'], ['closed'], ['connack 0']]);
    assert.equal(events.length, 1);
    assert.equal(bench.refusals.filter(({ check }) => check === 'take-over').length, 1, 'one record in a minute');
    assert.equal(heldIds(bench), 1);
  });

  test(`held ${moment}: a peer that goes meanwhile leaves its client id free, and no event`, async () => {
    await using bench = await TestBench.open();
    const events = presenceOf(bench);
    const held = hold(bench, moment);
    const gone = await connecting(bench, 'c');
    gone.client.ended();
    await held.grant();
    assert.deepEqual(seen(gone), ['closed']);
    assert.deepEqual([events, heldIds(bench), bench.broker.connections.count], [[], 0, 0]);
    assert.deepEqual(seen(await connecting(bench, 'c')), ['connack 0']);
    assert.deepEqual(bench.faults, []);
  });

  test(`held ${moment}: the old connection may end by itself meanwhile; its session is resumed`, async () => {
    await using bench = await TestBench.open();
    const events = presenceOf(bench);
    const old = await connecting(bench, 'c');
    const held = hold(bench, moment);
    const next = await connecting(bench, 'c');
    old.client.ended();
    await held.grant();
    const [connack] = next.packets();
    assert.equal(connack?.cmd === 'connack' && connack.sessionPresent, true);
    const why = moment === 'before' ? 'CONNECTION_LOST' : 'DUPLICATE_CLIENTID';
    assert.deepEqual(events.slice(1, 2), [`disconnected c 0 ${why}`]);
    assert.equal(events[2], 'connected c 1');
  });

  test(`held ${moment}: the server closes meanwhile; nobody is connected after that`, async () => {
    await using bench = await TestBench.open();
    const events = presenceOf(bench);
    const held = hold(bench, moment);
    const peer = await connecting(bench, 'c');
    await bench.broker.close();
    assert.deepEqual(seen(peer), ['closed']);
    await held.grant();
    assert.deepEqual([seen(peer), events, heldIds(bench)], [['closed'], [], 0]);
    assert.equal(await bench.store.read((tx) => tx.get(connectionRecords, ['us-east-1', ACCOUNT, 'c'])), undefined);
  });

  test(`held ${moment}: a claim that fails closes its CONNECT alone`, async () => {
    await using bench = await TestBench.open();
    const held = hold(bench, moment);
    const peer = await connecting(bench, 'c');
    await held.fail();
    assert.deepEqual(seen(peer), ['closed']);
    assert.equal(bench.faults.length, 1);
    assert.deepEqual(seen(await connecting(bench, 'c')), ['connack 0']);
  });

  test(`held ${moment}: the account's limit of connections counts those whose client id is being claimed`, async () => {
    await using bench = await TestBench.open(undefined, { connections: 2 });
    await connecting(bench, 'a');
    const held = hold(bench, moment);
    const b = await connecting(bench, 'b');
    assert.equal(heldIds(bench), 2);
    assert.deepEqual(seen(await connecting(bench, 'c')), ['connack 151', 'closed']);
    // A connection that takes the place of another is none more.
    const again = await connecting(bench, 'a');
    const later = await connecting(bench, 'b');
    assert.equal(heldIds(bench), 2);
    await held.grant();
    assert.deepEqual([again, b, later].map(seen), [['connack 0'], ['closed'], ['connack 0']]);
    assert.equal(heldIds(bench), 2);
    again.client.ended();
    assert.equal(heldIds(bench), 1);
    assert.deepEqual(seen(await connecting(bench, 'c')), ['connack 0']);
  });

  test(`held ${moment}: room that others have taken meanwhile is not given twice`, async () => {
    await using bench = await TestBench.open(undefined, { persistentSessions: 1 });
    const held = hold(bench, moment);
    const peers = [await connecting(bench, 'a'), await connecting(bench, 'b')];
    await held.grant();
    assert.deepEqual(peers.map(seen), [['connack 0'], ['connack 151', 'closed']]);
    assert.equal(heldIds(bench), 1);
  });
}

test('what came behind a CONNECT is read once its client id has been granted', async () => {
  await using bench = await TestBench.open();
  const held = hold(bench, 'before');
  const peer = await connecting(bench, 'c', publishPacket('a', 'x', { qos: 1, messageId: 7 }));
  peer.send(publishPacket('a', 'y', { qos: 1, messageId: 8 }));
  assert.equal(bench.broker.figures.traffic.received, 0);
  await held.grant();
  assert.deepEqual(seen(peer), ['connack 0', 'puback 0', 'puback 0']);
});

test('a CONNECT whose claim does not settle is closed after a minute, with a reason, and its client id is free again', async () => {
  await using bench = await TestBench.open();
  const held = hold(bench, 'before');
  const peer = await connecting(bench, 'c');
  await bench.pass(59);
  assert.deepEqual(seen(peer), []);
  await bench.pass(2);
  assert.deepEqual(seen(peer), ['closed']);
  assert.match(bench.refusals.at(-1)?.reason ?? '', /no answer to CONNECT within 60 seconds/);
  await held.grant();
  assert.equal(heldIds(bench), 0);
});
