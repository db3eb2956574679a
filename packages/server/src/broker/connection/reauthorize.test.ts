/** Time ends what an admission gave: a certificate's validity, a login's refresh, a connection's life (fact sheet 7.2). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Admission, DisconnectReason } from '../contract.ts';
import { ALL, type Level, publishPacket, TestBench, type TestPeer } from '../test-bench.ts';

const EXPIRED = { refused: { check: 'certificate-expired', reason: 'the certificate expired' } } as const;
const WILL = { topic: 'will', payload: Buffer.from('gone'), qos: 0, retain: false };

/** Why clients were disconnected, by client id. */
const reasonsOf = (bench: TestBench): Map<string, DisconnectReason> => {
  const reasons = new Map<string, DisconnectReason>();
  bench.broker.connections.listen({ disconnected: ({ clientId }, why) => void reasons.set(clientId, why) });
  return reasons;
};
/** A client that the authorizer lets in for so many seconds; the broker hears of it now and then. */
const letIn = (bench: TestBench, level: Level, admission: Partial<Admission>): Promise<TestPeer> => {
  bench.admissions.set('c', admission);
  return bench.connected('c', { level, keepalive: 1200, will: WILL });
};

for (const level of [4, 5] as const)
  test(`MQTT ${level}: whoever is refused when authorized anew is closed, without its will and without what waits for it`, async () => {
    await using bench = await TestBench.open();
    const reasons = reasonsOf(bench);
    const watcher = await bench.subscribed('w', 'will', 0, { keepalive: 1200 });
    const peer = await letIn(bench, level, { reauthorizeAfter: 100 });
    peer.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 't', qos: 0 }] });
    await bench.settle();
    peer.packets();
    bench.admissions.set('c', EXPIRED);
    await bench.pass(99);
    assert.equal(peer.client.state, 'connected', 'nobody asks before the time');
    peer.channel.stall(true);
    for (let i = 0; i < 3; i += 1) {
      watcher.send(publishPacket('t', String(i)));
      await bench.settle();
    }
    await bench.pass(1);
    assert.equal(peer.client.state, 'closed');
    assert.equal(reasons.get('c'), 'AUTH_ERROR');
    assert.equal(bench.refusals.filter(({ check, clientId }) => check === 'certificate-expired' && clientId === 'c').length, 1);
    const seen = peer.packets().map((packet) => (packet.cmd === 'disconnect' ? packet.reasonCode : packet.cmd));
    assert.deepEqual(seen, level === 5 ? ['publish', 0x87] : ['publish']);
    assert.equal(peer.channel.closed, true);
    assert.deepEqual(watcher.publishes(), []);
  });

test('whoever is admitted again stays, for as long as the new answer says, with its permissions', async () => {
  await using bench = await TestBench.open();
  const reasons = reasonsOf(bench);
  const peer = await letIn(bench, 5, { reauthorizeAfter: 100 });
  bench.admissions.set('c', {
    reauthorizeAfter: 300,
    permissions: { volatile: false, decide: () => ({ effect: 'IMPLICIT_DENY' }) },
  });
  await bench.pass(100);
  peer.send(publishPacket('t', 'x', { qos: 1 }));
  await bench.settle();
  assert.deepEqual(
    peer.packets().map((packet) => packet.cmd === 'puback' && packet.reasonCode),
    [0x87],
  );
  bench.admissions.set('c', EXPIRED);
  await bench.pass(299);
  assert.equal(reasons.size, 0);
  await bench.pass(1);
  assert.equal(reasons.get('c'), 'AUTH_ERROR');
});

test('an answer without a time is not asked for again, and the end of a connection is kept whatever the answers say', async () => {
  await using bench = await TestBench.open();
  const reasons = reasonsOf(bench);
  const peer = await letIn(bench, 5, {
    reauthorizeAfter: 100,
    permissions: ALL,
    endsAfter: { seconds: 500, why: 'CUSTOMAUTH_TTL_EXPIRATION' },
  });
  bench.admissions.set('c', { endsAfter: { seconds: 9000, why: 'CUSTOMAUTH_TTL_EXPIRATION' } });
  await bench.pass(100);
  bench.admissions.set('c', EXPIRED);
  await bench.pass(399);
  assert.equal(peer.client.state, 'connected');
  await bench.pass(1);
  assert.equal(reasons.get('c'), 'CUSTOMAUTH_TTL_EXPIRATION');
  assert.deepEqual(
    peer.packets().map((packet) => packet.cmd === 'disconnect' && packet.reasonCode),
    [0x98],
  );
});
