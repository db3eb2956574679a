/** Whose permissions have changed: told by whatever changes a record, with no word of the operation that does it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { policies, policyAttachments } from '../policies/store.ts';
import { caller, RegistryFixture } from '../testing/registry-fixture.ts';
import { certificates, thingPrincipals, things } from './store.ts';

const { accountId } = caller;

const policy = (defaultVersionId: string) => ({
  accountId,
  policyName: 'P',
  defaultVersionId,
  nextVersion: 3,
  generation: 1,
  versions: [],
  createdAt: 0,
  lastModifiedAt: 0,
});

test('attaching, detaching and another default version of a policy concern its targets', async () => {
  await using bench = await RegistryFixture.open();
  const { id, arn } = await bench.certificate();
  const group = `arn:aws:iot:${caller.region}:${accountId}:thinggroup/g`;
  await bench.store.write((tx) => tx.put(policies, policy('1')));
  bench.rung();
  const attached = { accountId, policyName: 'P', target: arn, attachedAt: 0 };
  await bench.store.write(async (tx) => {
    await tx.put(policyAttachments, attached);
    await tx.put(policyAttachments, { ...attached, target: group });
  });
  assert.deepEqual(bench.rung(), [id]);
  await bench.store.write((tx) => tx.put(policies, { ...policy('1'), generation: 2 }));
  assert.deepEqual(bench.rung(), [], 'a new version that is not the default changes nothing');
  await bench.store.write((tx) => tx.put(policies, policy('2')));
  assert.deepEqual(bench.rung(), [id]);
  await bench.store.write((tx) => tx.delete(policies, [accountId, 'P']));
  assert.deepEqual(bench.rung(), [id], 'a policy that is lost');
  await bench.store.write((tx) => tx.put(policies, policy('1')));
  assert.deepEqual(bench.rung(), [id], 'and that is made again');
  await bench.store.write((tx) => tx.delete(policyAttachments, [accountId, 'P', arn]));
  assert.deepEqual(bench.rung(), [id]);
});

test('a certificate concerns itself, where its status or content differs', async () => {
  await using bench = await RegistryFixture.open();
  const { id } = await bench.certificate();
  bench.rung();
  const record = await bench.store.read((tx) => tx.get(certificates, [accountId, id]));
  assert.ok(record !== undefined);
  await bench.store.write((tx) => tx.put(certificates, { ...record, lastModifiedAt: 9 }));
  assert.deepEqual(bench.rung(), []);
  await bench.store.write((tx) => tx.put(certificates, { ...record, status: 'REVOKED' }));
  assert.deepEqual(bench.rung(), [id]);
  await bench.store.write((tx) => tx.delete(certificates, [accountId, id]));
  assert.deepEqual(bench.rung(), [id]);
});

test('a thing concerns the certificates on it, page by page, where its type or attributes differ', async () => {
  await using bench = await RegistryFixture.open();
  await bench.call('CreateThing', { thingName: 'lamp' });
  const principalOf = (i: number) => `arn:aws:iot:${caller.region}:${accountId}:cert/${String(i).padStart(64, '0')}`;
  await bench.store.write(async (tx) => {
    for (let i = 0; i < 1_200; i += 1)
      await tx.put(thingPrincipals, { accountId, thingName: 'lamp', principal: principalOf(i), exclusive: false });
  });
  assert.equal(bench.rung().length, 1_200);
  const lamp = await bench.store.read((tx) => tx.get(things, [accountId, 'lamp']));
  assert.ok(lamp !== undefined);
  await bench.store.write((tx) => tx.put(things, { ...lamp, version: 2 }));
  assert.equal(bench.permissionChanges.length, 0);
  await bench.store.write((tx) => tx.put(things, { ...lamp, attributes: { room: 'hall' } }));
  assert.equal(bench.permissionChanges.length, 3);
  assert.equal(new Set(bench.rung()).size, 1_200);
});
