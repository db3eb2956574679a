/** A change of permissions while a CONNECT is authorized, or authorized anew, is never lost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Packet } from 'mqtt-packet';
import type { Admission, AdmissionRefusal, MessagePermissions } from '../broker/contract.ts';
import { ACCOUNT, ALL, publishPacket, permissionsOf, TestBench, TestPeer } from '../broker/test-bench.ts';
import { PermissionChanges } from '../policies/permission-changes.ts';
import { DamagedRecordError } from '../store/damage.ts';
import { followLivePermissions, trackAuthorizations } from './live-permissions.ts';

const admission = (permissions: MessagePermissions = ALL): Admission => ({ accountId: ACCOUNT, principal: 'p', permissions });
const refusal: AdmissionRefusal = { refused: { check: 'policy', reason: 'no' } };
const WILL = { topic: 'will', payload: Buffer.from('gone'), qos: 0 as const, retain: false };

/** A client of certificate `a` whose authorizations a test answers, one by one. */
const workbench = async (mayKeep = true) => {
  const bench = await TestBench.open();
  const changes = new PermissionChanges();
  const answers: PromiseWithResolvers<Admission | AdmissionRefusal>[] = [];
  const { tracked, authorizedAt } = trackAuthorizations(changes);
  const authorizer = tracked(() => {
    const answer = Promise.withResolvers<Admission | AdmissionRefusal>();
    answers.push(answer);
    return answer.promise;
  });
  const mayKeepSessions = async (): Promise<boolean> => mayKeep;
  followLivePermissions({ broker: bench.broker, mayKeepSessions, authorizedAt, changes });
  const peer = new TestPeer(bench.broker, 5, authorizer, 'a');
  peer.send({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 5,
    clientId: 'c',
    clean: true,
    keepalive: 60,
    properties: { sessionExpiryInterval: 600 },
    will: WILL,
  } as Packet);
  const settle = async (at: number, answer: Admission | AdmissionRefusal): Promise<void> => {
    answers[at]?.resolve(answer);
    await bench.settle();
  };
  const mayPublish = async (): Promise<boolean> => {
    peer.packets();
    peer.send(publishPacket('x', '', { qos: 1, messageId: 1 }));
    await bench.settle();
    const [puback] = peer.packets();
    return puback?.cmd === 'puback' && puback.reasonCode === 0;
  };
  return { bench, changes, answers, peer, settle, mayPublish };
};

test('a connection is authorized anew only if a permission of its certificate changed since its CONNECT was authorized', async () => {
  const { bench, changes, answers, settle, mayPublish } = await workbench();
  await using _ = bench;
  changes.publish(['another', 'a']);
  await settle(0, admission(permissionsOf((_action, name) => name === 'will')));
  assert.equal(answers.length, 2);
  assert.equal(await mayPublish(), false);
  await settle(1, admission());
  assert.equal(await mayPublish(), true);
  changes.publish(['another']);
  assert.equal(answers.length, 2);
});

test('changes of other certificates while a CONNECT is authorized do not have it authorized anew', async () => {
  const { bench, changes, answers, settle } = await workbench();
  await using _ = bench;
  changes.publish(['another']);
  await settle(0, admission());
  assert.equal(answers.length, 1);
});

test('who may no longer connect is refused, without permissions for its will, and closed', async () => {
  const { bench, changes, peer, settle } = await workbench();
  await using _ = bench;
  const watcher = await bench.subscribed('watcher', 'will');
  await settle(0, admission());
  changes.publish(['a']);
  await settle(1, refusal);
  assert.equal(peer.channel.closed, true);
  assert.deepEqual(
    bench.refusals.map(({ check, action }) => [check, action]),
    [
      ['policy', undefined],
      ['policy', 'iot:Publish'],
    ],
  );
  assert.deepEqual(watcher.publishes(), []);
});

test('a change that may concern every certificate has each connection authorized anew', async () => {
  const { bench, changes, answers, settle, mayPublish } = await workbench();
  await using _ = bench;
  await settle(0, admission());
  const damaged = (async function* () {
    yield [];
    throw new DamagedRecordError({ collection: 'policy-attachments', key: ['k'] });
  })();
  await changes.publishPages(damaged);
  assert.equal(answers.length, 2);
  await settle(1, admission(permissionsOf(() => false)));
  assert.equal(await mayPublish(), false);
});

test('of authorizations that overlap, the newest counts, whichever ends last', async () => {
  const { bench, changes, settle, mayPublish } = await workbench();
  await using _ = bench;
  await settle(0, admission());
  changes.publish(['a']);
  changes.publish(['a']);
  await settle(2, admission(permissionsOf(() => false)));
  await settle(1, admission());
  assert.equal(await mayPublish(), false);
});

test('the session of a connection that a revocation closes ends with it; another refusal leaves it', async () => {
  for (const mayKeep of [true, false]) {
    const { bench, changes, peer, settle } = await workbench(mayKeep);
    await using _ = bench;
    // As the certificate's own admission names it: the session is the certificate's.
    await settle(0, { ...admission(), principalId: 'a' });
    changes.publish(['a']);
    await settle(1, refusal);
    assert.equal(peer.channel.closed, true);
    assert.equal(bench.broker.account(ACCOUNT).sessions.has('c'), mayKeep);
  }
});

test('a change while the client id is being claimed reaches the connection once it is there', async () => {
  for (const moment of ['before', 'after'] as const) {
    const { bench, changes, answers, peer, settle } = await workbench();
    await using _ = bench;
    const claim = Promise.withResolvers<void>();
    bench.claiming = { [moment]: claim.promise };
    await settle(0, admission());
    changes.publish(['a']);
    assert.deepEqual([answers.length, peer.client.state], [1, 'admitting']);
    claim.resolve();
    await bench.settle();
    assert.equal(answers.length, 2, 'it is authorized anew');
    await settle(1, refusal);
    assert.equal(peer.client.state, 'closed');
  }
});
