import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { caller, stranger, RegistryFixture } from '../testing/registry-fixture.ts';
import { findCertificate, thingOf } from './admission.ts';
import { putMembership } from './groups/memberships.ts';
import { createThingGroup } from './groups/thing-groups.ts';
import { certificatesUnder, policyTargets, principalFacts } from './policy-principals.ts';
import { getThing } from './things.ts';

const EXCLUSIVE = 'EXCLUSIVE_THING';
const IDENTITY = 'us-east-1:01234567-89ab-cdef-0123-456789abcdef';

async function withThings(...thingNames: string[]): Promise<RegistryFixture> {
  const bench = await RegistryFixture.open();
  for (const thingName of thingNames) await bench.call('CreateThing', { thingName });
  return bench;
}

describe('attaching', () => {
  test('shows in both lists, in both forms; again is no error; permissions change', async () => {
    await using bench = await withThings('a', 'b');
    const { id, arn } = await bench.certificate();
    bench.rung();
    for (const thingName of ['a', 'b', 'a']) await bench.call('AttachThingPrincipal', { thingName, principal: arn });
    assert.deepEqual(bench.rung(), [id, id, id]);
    assert.deepEqual((await bench.call('ListThingPrincipals', { thingName: 'a' })).principals, [arn]);
    assert.deepEqual((await bench.call('ListPrincipalThings', { principal: arn })).things, ['a', 'b']);
    const v2 = await bench.call('ListThingPrincipalsV2', { thingName: 'a' });
    assert.deepEqual(v2.thingPrincipalObjects, [{ principal: arn, thingPrincipalType: 'NON_EXCLUSIVE_THING' }]);
    const page = await bench.call('ListPrincipalThingsV2', { principal: arn, maxResults: 1 });
    assert.deepEqual(page.principalThingObjects, [{ thingName: 'a', thingPrincipalType: 'NON_EXCLUSIVE_THING' }]);
    const rest = await bench.call('ListPrincipalThingsV2', { principal: arn, nextToken: page.nextToken });
    assert.deepEqual(
      rest.principalThingObjects?.map((each) => each.thingName),
      ['b'],
    );
    await bench.call('DetachThingPrincipal', { thingName: 'a', principal: arn });
    assert.deepEqual(bench.rung(), [id]);
    assert.deepEqual((await bench.call('ListThingPrincipals', { thingName: 'a' })).principals, []);
    await bench.refuses('ResourceNotFoundException', 'DetachThingPrincipal', { thingName: 'a', principal: arn });
  });

  test('unknown things, unknown and foreign certificates, what is no principal', async () => {
    await using bench = await withThings('a');
    const { arn } = await bench.certificate();
    await bench.refuses('ResourceNotFoundException', 'AttachThingPrincipal', { thingName: 'none', principal: arn });
    await bench.refuses('ResourceNotFoundException', 'DetachThingPrincipal', { thingName: 'none', principal: arn });
    await bench.refuses('ResourceNotFoundException', 'AttachThingPrincipal', {
      thingName: 'a',
      principal: arn.replace(/.$/, (end) => (end === '0' ? '1' : '0')),
    });
    for (const principal of [
      'x',
      '',
      arn.replace('us-east-1', 'eu-west-1'),
      arn.replace('000000000000', '111111111111'),
      arn.replace(':cert/', ':thing/'),
    ])
      await bench.refuses('InvalidRequestException', 'AttachThingPrincipal', { thingName: 'a', principal });
    await bench.refuses('InvalidRequestException', 'AttachThingPrincipal', { thingName: 'a', principal: arn }, /./, stranger);
    await bench.refuses('InvalidRequestException', 'ListPrincipalThings', { principal: 'x' });
    const words = /^Failed to list principals for thing none because the thing does not exist in your account$/;
    await bench.refuses('ResourceNotFoundException', 'ListThingPrincipals', { thingName: 'none' }, words);
    await bench.call('AttachThingPrincipal', { thingName: 'a', principal: IDENTITY });
    assert.deepEqual((await bench.call('ListThingPrincipals', { thingName: 'a' })).principals, [IDENTITY]);
  });

  test('an exclusive thing is the only one of its principal (developer guide, page exclusive-thing)', async () => {
    await using bench = await withThings('a', 'b', 'c');
    const { arn: principal } = await bench.certificate();
    await bench.call('AttachThingPrincipal', { thingName: 'b', principal, thingPrincipalType: EXCLUSIVE });
    await bench.call('AttachThingPrincipal', { thingName: 'b', principal, thingPrincipalType: EXCLUSIVE });
    for (const thingName of ['a', 'c']) {
      await bench.refuses('InvalidRequestException', 'AttachThingPrincipal', { thingName, principal });
      await bench.refuses('InvalidRequestException', 'AttachThingPrincipal', {
        thingName,
        principal,
        thingPrincipalType: EXCLUSIVE,
      });
    }
    await bench.refuses('InvalidRequestException', 'AttachThingPrincipal', { thingName: 'b', principal });
    const listed = await bench.call('ListThingPrincipalsV2', { thingName: 'b', thingPrincipalType: EXCLUSIVE });
    assert.deepEqual(listed.thingPrincipalObjects, [{ principal, thingPrincipalType: EXCLUSIVE }]);
    const none = await bench.call('ListPrincipalThingsV2', { principal, thingPrincipalType: 'NON_EXCLUSIVE_THING' });
    assert.deepEqual(none.principalThingObjects, []);
    await bench.call('DetachThingPrincipal', { thingName: 'b', principal });
    for (const thingName of ['a', 'c']) await bench.call('AttachThingPrincipal', { thingName, principal });
    for (const thingName of ['a', 'b', 'c'])
      await bench.refuses('InvalidRequestException', 'AttachThingPrincipal', {
        thingName,
        principal,
        thingPrincipalType: EXCLUSIVE,
      });
  });
});

describe('what the gateway and the policies ask', () => {
  test('a certificate is found over accounts', async () => {
    await using bench = await RegistryFixture.open();
    const { id, pem } = await bench.certificate();
    await bench.call('RegisterCertificateWithoutCA', { certificatePem: pem }, stranger);
    const found = await bench.store.read((tx) => findCertificate(tx, id, 2));
    assert.deepEqual(
      found.map((each) => [each.accountId, each.status]),
      [
        [caller.accountId, 'ACTIVE'],
        [stranger.accountId, 'INACTIVE'],
      ],
    );
    assert.deepEqual(await bench.store.read((tx) => findCertificate(tx, '0'.repeat(64), 2)), []);
  });

  test('the thing is the one named as the client id, or the exclusive one (developer guide, page thing-policy-variables)', async () => {
    await using bench = await withThings('a', 'b', 'c');
    await bench.call('CreateThingType', { thingTypeName: 'lamp' });
    await bench.call('UpdateThing', { thingName: 'a', thingTypeName: 'lamp' });
    const { arn } = await bench.certificate();
    const other = await bench.certificate();
    const of = (principal: string, clientId: string) => bench.store.read((tx) => thingOf(tx, caller, principal, clientId));
    assert.equal(await of(arn, 'a'), undefined);
    for (const thingName of ['a', 'c']) await bench.call('AttachThingPrincipal', { thingName, principal: arn });
    const found = await of(arn, 'a');
    assert.deepEqual([found?.thing.thingName, found?.thingType?.thingTypeName, found?.exclusive], ['a', 'lamp', false]);
    assert.equal((await of(arn, 'c'))?.thing.thingName, 'c');
    assert.equal(await of(arn, 'b'), undefined);
    assert.equal(await of(other.arn, 'a'), undefined);
    await bench.call('AttachThingPrincipal', { thingName: 'b', principal: other.arn, thingPrincipalType: EXCLUSIVE });
    for (const clientId of ['a', 'b', 'anything'])
      assert.deepEqual(
        [(await of(other.arn, clientId))?.thing.thingName, (await of(other.arn, clientId))?.exclusive],
        ['b', true],
      );
  });

  test('facts for policies', async () => {
    await using bench = await withThings('a');
    const { id, arn } = await bench.certificate();
    await bench.call('AttachThingPrincipal', { thingName: 'a', principal: arn });
    await bench.store.read(async (tx) => {
      assert.equal(await policyTargets.exists(tx, caller.accountId, arn), true);
      assert.equal(await policyTargets.exists(tx, stranger.accountId, arn), false);
      assert.deepEqual(certificatesUnder(caller.accountId, arn), [id]);
      assert.deepEqual(await policyTargets.inheritsFrom(tx, caller.accountId, arn), []);
      assert.ok((await principalFacts.certificateDer(tx, caller.accountId, arn))?.length);
      assert.equal(await principalFacts.certificateDer(tx, caller.accountId, 'x'), undefined);
      assert.deepEqual(await principalFacts.thing(tx, caller, 'a'), { thingName: 'a', attributes: {}, groupArns: [] });
      assert.equal(await principalFacts.thing(tx, caller, 'b'), undefined);
      assert.equal(await principalFacts.isAttached(tx, caller.accountId, 'a', arn), true);
      assert.equal(await principalFacts.isAttached(tx, caller.accountId, 'b', arn), false);
    });
  });

  test('policies of static groups and of their ancestors govern a thing; a dynamic group has none', async () => {
    await using bench = await withThings('a');
    const arnOf = (name: string) => `arn:aws:iot:us-east-1:${caller.accountId}:thinggroup/${name}`;
    await bench.call('CreateThingGroup', { thingGroupName: 'root' });
    await bench.call('CreateThingGroup', { thingGroupName: 'leaf', parentGroupName: 'root' });
    await bench.call('AddThingToThingGroup', { thingName: 'a', thingGroupName: 'leaf' });
    const { arn } = await bench.certificate();
    await bench.call('AttachThingPrincipal', { thingName: 'a', principal: arn });
    const query = { indexName: 'AWS_Things', queryString: '*', queryVersion: '2017-09-30', status: 'ACTIVE' } as const;
    await bench.store.write(async (tx) => {
      const group = await createThingGroup(tx, caller, { groupName: 'dynamic', query }, 0);
      await putMembership(tx, await getThing(tx, caller.accountId, 'a'), group, 0);
    });
    await bench.store.read(async (tx) => {
      const { accountId } = caller;
      const expected = [arnOf('leaf'), arnOf('root')];
      assert.deepEqual((await principalFacts.thing(tx, caller, 'a'))?.groupArns, expected);
      assert.deepEqual((await thingOf(tx, caller, arn, 'a'))?.groupArns, expected);
      assert.deepEqual(await policyTargets.inheritsFrom(tx, accountId, arnOf('leaf')), [arnOf('root')]);
      assert.deepEqual(await policyTargets.inheritsFrom(tx, accountId, arnOf('root')), []);
      for (const name of ['root', 'dynamic']) {
        assert.equal(await policyTargets.exists(tx, accountId, arnOf(name)), true);
        assert.equal(await policyTargets.exists(tx, stranger.accountId, arnOf(name)), false);
        assert.equal(await policyTargets.isDynamicGroup(tx, accountId, arnOf(name)), name === 'dynamic');
      }
      assert.equal(await policyTargets.exists(tx, accountId, arnOf('none')), false);
    });
    const dynamic = { thingName: 'a', thingGroupName: 'dynamic' };
    for (const name of ['AddThingToThingGroup', 'RemoveThingFromThingGroup'] as const)
      await bench.refuses('InvalidRequestException', name, dynamic, /dynamic/);
    await bench.refuses('InvalidRequestException', 'DeleteThingGroup', dynamic, /dynamic/);
    await bench.refuses('InvalidRequestException', 'UpdateThingGroup', { ...dynamic, thingGroupProperties: {} }, /dynamic/);
    const child = { thingGroupName: 'child', parentGroupName: 'dynamic' };
    await bench.refuses('InvalidRequestException', 'CreateThingGroup', child, /dynamic/i);
    const described = await bench.call('DescribeThingGroup', { thingGroupName: 'dynamic' });
    assert.deepEqual([described.queryString, described.status, described.indexName], ['*', 'ACTIVE', 'AWS_Things']);
  });

  test('at ten groups the newest dynamic one makes room for a static one, where that is asked for', async () => {
    await using bench = await withThings('a');
    const query = { indexName: 'AWS_Things', queryString: '*', queryVersion: '2017-09-30', status: 'ACTIVE' } as const;
    await bench.store.write(async (tx) => {
      const thing = await getThing(tx, caller.accountId, 'a');
      for (let i = 0; i < 10; i += 1) {
        const kind = i < 2 ? { query } : {};
        await putMembership(tx, thing, await createThingGroup(tx, caller, { groupName: `g${i}`, ...kind }, i), 0);
      }
    });
    await bench.call('CreateThingGroup', { thingGroupName: 'more' });
    const input = { thingName: 'a', thingGroupName: 'more' };
    await bench.refuses('InvalidRequestException', 'AddThingToThingGroup', input, /maximum number/);
    await bench.call('AddThingToThingGroup', { ...input, overrideDynamicGroups: true });
    const { thingGroups = [] } = await bench.call('ListThingGroupsForThing', { thingName: 'a' });
    const names = thingGroups.map(({ groupName }) => groupName);
    assert.deepEqual([names.length, names.includes('g1'), names.includes('g0')], [10, false, true]);
  });
});

describe('DescribeEndpoint (API reference DescribeEndpoint)', () => {
  test('gives the host name alone for each kind, and none for others', async () => {
    await using bench = await RegistryFixture.open();
    for (const endpointType of [undefined, 'iot:Data', 'iot:Data-ATS', 'iot:CredentialProvider', 'iot:Jobs'])
      assert.deepEqual(await bench.call('DescribeEndpoint', { endpointType }), { endpointAddress: 'iot.example.com' });
    for (const endpointType of ['iot:Abc', '', 'iot:data'])
      await bench.refuses('InvalidRequestException', 'DescribeEndpoint', { endpointType });
  });
});

describe('tags', () => {
  test('added, replaced, taken away, at most 50 (General Reference, tag limits)', async () => {
    await using bench = await RegistryFixture.open();
    const { thingTypeArn: resourceArn } = await bench.call('CreateThingType', { thingTypeName: 'lamp' });
    const tags = async () => (await bench.call('ListTagsForResource', { resourceArn })).tags;
    await bench.call('TagResource', { resourceArn, tags: [{ Key: 'a', Value: '1' }, { Key: '__proto__' }] });
    await bench.call('TagResource', { resourceArn, tags: [{ Key: 'a', Value: '2' }] });
    assert.deepEqual(await tags(), [
      { Key: 'a', Value: '2' },
      { Key: '__proto__', Value: '' },
    ]);
    const many = Array.from({ length: 49 }, (_, i) => ({ Key: `k${i}`, Value: '' }));
    await bench.refuses('LimitExceededException', 'TagResource', { resourceArn, tags: many });
    await bench.call('UntagResource', { resourceArn, tagKeys: ['__proto__', 'none'] });
    await bench.call('TagResource', { resourceArn, tags: many });
    assert.equal((await tags())?.length, 50);
    await bench.call('UntagResource', { resourceArn, tagKeys: many.map((tag) => tag.Key) });
    assert.deepEqual(await tags(), [{ Key: 'a', Value: '2' }]);
    for (const wrong of [
      [{ Key: 'aws:x', Value: '' }],
      [{ Key: 'AWS:x', Value: '' }],
      [
        { Key: 'd', Value: '1' },
        { Key: 'd', Value: '2' },
      ],
    ])
      await bench.refuses('InvalidRequestException', 'TagResource', { resourceArn, tags: wrong });
  });

  test('only on what exists, is ours, and can carry them (developer guide, page tagging-iot)', async () => {
    await using bench = await withThings('a');
    await bench.call('CreateThingType', { thingTypeName: 'lamp' });
    const arn = (resource: string) => `arn:aws:iot:us-east-1:000000000000:${resource}`;
    await bench.refuses('ResourceNotFoundException', 'ListTagsForResource', { resourceArn: arn('thingtype/none') });
    for (const resourceArn of [
      'x',
      arn('thing/a'),
      arn('constructor/x'),
      arn('thingtype/'),
      arn('thingtype/lamp').replace(':0', ':1'),
      arn('thingtype/lamp').replace('iot', 's3'),
    ])
      await bench.refuses('InvalidRequestException', 'ListTagsForResource', { resourceArn });
    await bench.refuses('InvalidRequestException', 'ListTagsForResource', { resourceArn: arn('thingtype/lamp') }, /./, stranger);
    const tags = Array.from({ length: 51 }, (_, i) => ({ Key: `k${i}`, Value: '' }));
    await bench.refuses('InvalidRequestException', 'CreateThingType', { thingTypeName: 'x', tags });
    await bench.refuses('ResourceNotFoundException', 'DescribeThingType', { thingTypeName: 'x' });
  });
});
