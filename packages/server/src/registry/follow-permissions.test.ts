/** Whose permissions have changed: told by whatever changes a record, with no word of the operation that does it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { policies, policyAttachments } from '../policies/store.ts';
import { caller, RegistryFixture } from '../testing/registry-fixture.ts';
import { putMembership } from './groups/memberships.ts';
import { thingGroups } from './groups/store.ts';
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

/** A thing with a certificate on it. */
async function thingWithCertificate(bench: RegistryFixture, thingName: string): Promise<string> {
  const { id, arn } = await bench.certificate();
  await bench.call('CreateThing', { thingName });
  await bench.call('AttachThingPrincipal', { thingName, principal: arn });
  return id;
}

test('joining and leaving a thing group concerns the certificates on the thing', async () => {
  await using bench = await RegistryFixture.open();
  const id = await thingWithCertificate(bench, 'lamp');
  await bench.call('CreateThingGroup', { thingGroupName: 'g' });
  bench.rung();
  const change = { thingName: 'lamp', thingGroupName: 'g' };
  await bench.call('AddThingToThingGroup', change);
  assert.deepEqual(bench.rung(), [id]);
  await bench.call('AddThingToThingGroup', change);
  assert.deepEqual(bench.rung(), [], 'it is in the group already');
  await bench.call('RemoveThingFromThingGroup', change);
  assert.deepEqual(bench.rung(), [id]);
});

test('a policy of a thing group concerns the things of the groups below it too, and a group that is deleted its own', async () => {
  await using bench = await RegistryFixture.open();
  const outer = await thingWithCertificate(bench, 'outer');
  const inner = await thingWithCertificate(bench, 'inner');
  await thingWithCertificate(bench, 'stranger');
  await bench.call('CreateThingGroup', { thingGroupName: 'root' });
  await bench.call('CreateThingGroup', { thingGroupName: 'leaf', parentGroupName: 'root' });
  await bench.call('AddThingToThingGroup', { thingName: 'outer', thingGroupName: 'root' });
  await bench.call('AddThingToThingGroup', { thingName: 'inner', thingGroupName: 'leaf' });
  bench.rung();
  const concerned = async (change: Promise<unknown>): Promise<string[]> => {
    await change;
    return [...new Set(bench.rung())].sort();
  };
  const attach = (name: string) => {
    const target = `arn:aws:iot:${caller.region}:${accountId}:thinggroup/${name}`;
    return bench.store.write((tx) => tx.put(policyAttachments, { accountId, policyName: 'P', target, attachedAt: 0 }));
  };
  assert.deepEqual(await concerned(attach('leaf')), [inner]);
  assert.deepEqual(await concerned(attach('root')), [outer, inner].sort());
  assert.deepEqual(await concerned(bench.store.write((tx) => tx.put(policies, policy('1')))), [outer, inner].sort());
  assert.deepEqual(await concerned(bench.call('DeleteThingGroup', { thingGroupName: 'leaf' })), [inner]);
  assert.deepEqual(await concerned(bench.call('DeleteThing', { thingName: 'stranger' }).catch(() => undefined)), []);
});

test('a policy of a group of very many things is published in pages: some before the answer, the others in the background', async () => {
  await using bench = await RegistryFixture.open();
  await bench.call('CreateThingGroup', { thingGroupName: 'g' });
  const [group] = (await bench.store.read((tx) => tx.scan(thingGroups, { prefix: [accountId] }))).items;
  assert.ok(group !== undefined);
  await bench.store.write(async (tx) => {
    for (let i = 0; i < 3_000; i += 1) {
      const thingName = `t${i}`;
      const principal = `arn:aws:iot:${caller.region}:${accountId}:cert/${String(i).padStart(64, '0')}`;
      await tx.put(thingPrincipals, { accountId, thingName, principal, exclusive: false });
      const thing = { accountId, thingName, thingId: 'id', attributes: {}, version: 1, createdAt: 0 };
      await putMembership(tx, thing, group, 0);
    }
  });
  bench.rung();
  const target = `arn:aws:iot:${caller.region}:${accountId}:thinggroup/g`;
  await bench.store.write((tx) => tx.put(policyAttachments, { accountId, policyName: 'P', target, attachedAt: 0 }));
  assert.equal(bench.rung().length, 2_000);
  await bench.background.idle();
  assert.equal(new Set(bench.rung()).size, 1_000);
});
