/** A guest, as the holder of a temporary provisioning claim: it neither takes over, resumes nor ends what is another's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Packet } from 'mqtt-packet';
import type { ConnectionInfo } from '../messaging.ts';
import { type Level, publishPacket, TestBench, type TestPeer } from '../test-bench.ts';
import { sessionRecords } from '../session/session.ts';

const KEPT = {
  4: { level: 4, clean: false },
  5: { level: 5, clean: false, properties: { sessionExpiryInterval: 3600 } },
} as const;

/** A CONNECT under a client id, which asks for a session to be kept. */
async function connect(bench: TestBench, clientId: string, level: Level, clean = false): Promise<TestPeer> {
  const peer = bench.peer(level);
  const options = { ...KEPT[level], clean };
  peer.send({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: level, clientId, keepalive: 60, ...options } as Packet);
  await bench.settle();
  return peer;
}

async function connectGuest(bench: TestBench, clientId: string, level: Level, clean = false): Promise<TestPeer> {
  bench.admissions.set(clientId, { principal: 'claim', isGuest: true });
  const peer = await connect(bench, clientId, level, clean);
  bench.admissions.delete(clientId);
  return peer;
}

const stored = async (bench: TestBench): Promise<number> =>
  (await bench.store.read((tx) => tx.scan(sessionRecords, { prefix: [] }))).items.length;

for (const level of [4, 5] as const)
  for (const clean of [false, true]) {
    const how = `MQTT ${level}, ${clean ? 'clean' : 'not clean'}`;

    test(`${how}: the session of a device that is away is left as it is, with what waits for it`, async () => {
      await using bench = await TestBench.open();
      const device = await bench.subscribed('device', 'a', 1, KEPT[level]);
      device.client.ended();
      await bench.settle();
      const guest = await connectGuest(bench, 'device', level, clean);
      assert.deepEqual(
        guest.packets().map((packet) => 'reasonCode' in packet && packet.reasonCode),
        level === 5 ? [135] : [],
      );
      assert.ok(guest.channel.closed);
      const { check, reason } = bench.refusals.at(-1) ?? {};
      assert.equal(check, 'take-over');
      assert.match(reason ?? '', /temporary provisioning claim takes no client id/);
      const other = await bench.connected('other');
      other.send(publishPacket('a', 'waits', { qos: 1 }));
      await bench.settle();
      const back = await connect(bench, 'device', level);
      assert.deepEqual(
        back.publishes().map(({ payload }) => payload),
        ['waits'],
      );
    });
  }

test('a session that a restart has found again is another principal’s too', async () => {
  await using first = await TestBench.open();
  await first.subscribed('device', 'a', 1, KEPT[5]);
  await first.broker.close();
  await using bench = await TestBench.open(first.store);
  assert.ok((await connectGuest(bench, 'device', 5)).channel.closed);
  assert.equal(await stored(bench), 1);
});

for (const level of [4, 5] as const)
  test(`MQTT ${level}: the session of a guest ends with its connection, whatever it has asked for`, async () => {
    await using bench = await TestBench.open();
    const guest = await connectGuest(bench, 'free', level);
    const [connack] = guest.packets();
    if (connack?.cmd !== 'connack') assert.fail('it was not let in');
    assert.equal(connack.sessionPresent, false);
    if (level === 5) assert.equal(connack.properties?.sessionExpiryInterval, 0, 'it is told');
    guest.send({ cmd: 'subscribe', messageId: 9, subscriptions: [{ topic: 'a', qos: 1 }] } as Packet);
    await bench.settle();
    assert.equal(await stored(bench), 0);
    guest.client.ended();
    await bench.settle();
    const device = await bench.connected('free', KEPT[level]);
    assert.equal(
      bench.broker.account('000000000000').sessions.get('free')?.subscriptions.size,
      0,
      'it leaves the device nothing',
    );
    assert.equal(device.client.identity.principal, 'cert/free');
  });

test('a guest takes its client id over from itself', async () => {
  await using bench = await TestBench.open();
  const first = await connectGuest(bench, 'guest', 5);
  const second = await connectGuest(bench, 'guest', 5);
  assert.deepEqual([first.channel.closed, second.channel.closed], [true, false]);
});

test('a device whose session comes while the claim of a guest waits keeps it', async () => {
  await using bench = await TestBench.open();
  const { promise, resolve } = Promise.withResolvers<void>();
  bench.claiming = { before: promise };
  const guest = await connectGuest(bench, 'device', 5);
  const device = await connect(bench, 'device', 5);
  bench.claiming = undefined;
  resolve();
  await bench.settle();
  assert.deepEqual([guest.channel.closed, device.channel.closed], [true, false]);
  assert.equal(await stored(bench), 1);
});

test('who hears of connections is told that one is a guest’s', async () => {
  await using bench = await TestBench.open();
  const told: (readonly [string, boolean | undefined])[] = [];
  const note = ({ clientId, isGuest }: ConnectionInfo): void => void told.push([clientId, isGuest]);
  const nothing = (): void => undefined;
  const ofOthers = { connectFailed: nothing, subscribed: nothing, unsubscribed: nothing };
  bench.broker.messaging.onConnections({ connected: note, disconnected: note, ...ofOthers });
  const guest = await connectGuest(bench, 'guest', 5);
  await bench.connected('device');
  guest.client.ended();
  await bench.settle();
  assert.deepEqual(told, [
    ['guest', true],
    ['device', undefined],
    ['guest', true],
  ]);
});
