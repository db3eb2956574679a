/** Static thing groups (fact sheet 2, section 21.1; developer guide, page thing-groups). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { caller, RegistryFixture, stranger } from '../../testing/registry-fixture.ts';

const INVALID = 'InvalidRequestException';
const MISSING = 'ResourceNotFoundException';

const namesOf = ({ thingGroups = [] }: { thingGroups?: { groupName?: string | undefined }[] | undefined }) =>
  thingGroups.map(({ groupName }) => groupName);

/** Creates groups, each below the one before. */
async function chain(bench: RegistryFixture, ...names: string[]): Promise<void> {
  for (const [i, thingGroupName] of names.entries())
    await bench.call('CreateThingGroup', { thingGroupName, parentGroupName: names[i - 1] });
}

describe('CreateThingGroup and DescribeThingGroup', () => {
  test('gives name, ARN and a UUID; a group without properties shows an empty object, and no parent', async () => {
    await using bench = await RegistryFixture.open();
    const made = await bench.call('CreateThingGroup', { thingGroupName: 'g' });
    assert.equal(made.thingGroupArn, 'arn:aws:iot:us-east-1:000000000000:thinggroup/g');
    assert.match(made.thingGroupId ?? '', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    const described = await bench.call('DescribeThingGroup', { thingGroupName: 'g' });
    assert.deepEqual(JSON.parse(JSON.stringify(described)), {
      thingGroupName: 'g',
      thingGroupId: made.thingGroupId,
      thingGroupArn: made.thingGroupArn,
      version: 1,
      thingGroupProperties: {},
      thingGroupMetadata: { creationDate: new Date(bench.clock.at).toISOString() },
    });
    await bench.refuses(MISSING, 'DescribeThingGroup', { thingGroupName: 'g' }, /./, stranger);
  });

  test('a child shows its parent, and its ancestors from the root down to the parent', async () => {
    await using bench = await RegistryFixture.open();
    await chain(bench, 'root', 'middle', 'leaf');
    const { thingGroupMetadata } = await bench.call('DescribeThingGroup', { thingGroupName: 'leaf' });
    assert.equal(thingGroupMetadata?.parentGroupName, 'middle');
    assert.deepEqual(thingGroupMetadata?.rootToParentThingGroups, [
      { groupName: 'root', groupArn: 'arn:aws:iot:us-east-1:000000000000:thinggroup/root' },
      { groupName: 'middle', groupArn: 'arn:aws:iot:us-east-1:000000000000:thinggroup/middle' },
    ]);
  });

  test('the same configuration again gives the same group, another one is refused', async () => {
    await using bench = await RegistryFixture.open();
    await chain(bench, 'root');
    const input = {
      thingGroupName: 'g',
      parentGroupName: 'root',
      thingGroupProperties: { thingGroupDescription: 'd', attributePayload: { attributes: { x: '1' } } },
    };
    const first = await bench.call('CreateThingGroup', input);
    assert.deepEqual(await bench.call('CreateThingGroup', input), first);
    for (const other of [
      { ...input, parentGroupName: undefined },
      { ...input, thingGroupProperties: { thingGroupDescription: 'd' } },
      { ...input, thingGroupProperties: { ...input.thingGroupProperties, thingGroupDescription: 'e' } },
    ])
      await bench.refuses(
        'ResourceAlreadyExistsException',
        'CreateThingGroup',
        other,
        /^Thing Group g already exists in current/,
      );
  });

  test('7 levels, 100 direct children, a parent that exists', async () => {
    await using bench = await RegistryFixture.open();
    await chain(bench, '1', '2', '3', '4', '5', '6', '7');
    await bench.refuses(INVALID, 'CreateThingGroup', { thingGroupName: '8', parentGroupName: '7' }, /depth/);
    await bench.refuses(INVALID, 'CreateThingGroup', { thingGroupName: '8', parentGroupName: 'none' }, /none does not exist/);
    for (let i = 0; i < 99; i += 1) await bench.call('CreateThingGroup', { thingGroupName: `c${i}`, parentGroupName: '1' });
    await bench.refuses(INVALID, 'CreateThingGroup', { thingGroupName: 'c99', parentGroupName: '1' }, /maximum number of child/);
  });

  test('tags are kept with the group, and go with it', async () => {
    await using bench = await RegistryFixture.open();
    const { thingGroupArn: resourceArn } = await bench.call('CreateThingGroup', {
      thingGroupName: 'g',
      tags: [{ Key: 'k', Value: 'v' }],
    });
    assert.deepEqual((await bench.call('ListTagsForResource', { resourceArn })).tags, [{ Key: 'k', Value: 'v' }]);
    await bench.call('DeleteThingGroup', { thingGroupName: 'g' });
    await bench.refuses(MISSING, 'ListTagsForResource', { resourceArn });
    await bench.call('CreateThingGroup', { thingGroupName: 'g' });
    assert.deepEqual((await bench.call('ListTagsForResource', { resourceArn })).tags, []);
  });
});

describe('UpdateThingGroup', () => {
  test('replaces the description; attributes are replaced, merged, removed by an empty value, and kept when none are given', async () => {
    await using bench = await RegistryFixture.open();
    await bench.call('CreateThingGroup', {
      thingGroupName: 'g',
      thingGroupProperties: { thingGroupDescription: 'd', attributePayload: { attributes: { x: '1', y: '2' } } },
    });
    const after = async (thingGroupProperties: object) => {
      const { version } = await bench.call('UpdateThingGroup', { thingGroupName: 'g', thingGroupProperties });
      const described = await bench.call('DescribeThingGroup', { thingGroupName: 'g' });
      assert.equal(described.version, version);
      return [version, JSON.parse(JSON.stringify(described.thingGroupProperties))];
    };
    const merged = { attributePayload: { attributes: { x: '', z: '3' }, merge: true } };
    assert.deepEqual(await after(merged), [2, { attributePayload: { attributes: { y: '2', z: '3' } } }]);
    const described = { thingGroupDescription: 'e', attributePayload: { attributes: { y: '2', z: '3' } } };
    assert.deepEqual(await after({ thingGroupDescription: 'e' }), [3, described]);
    assert.deepEqual(await after({ attributePayload: { attributes: {} } }), [4, {}]);
  });

  test('another version than the expected one is a conflict', async () => {
    await using bench = await RegistryFixture.open();
    const input = { thingGroupName: 'g', thingGroupProperties: {} };
    await bench.refuses(MISSING, 'UpdateThingGroup', input);
    await chain(bench, 'g');
    await bench.refuses('VersionConflictException', 'UpdateThingGroup', { ...input, expectedVersion: 2 });
    assert.deepEqual(await bench.call('UpdateThingGroup', { ...input, expectedVersion: 1 }), { version: 2 });
  });
});

describe('DeleteThingGroup', () => {
  test('refuses while there are child groups, in the words that Terraform waits for', async () => {
    await using bench = await RegistryFixture.open();
    await chain(bench, 'root', 'leaf');
    const words = /^Cannot delete thing group : root when there are still child groups attached to it\.$/;
    await bench.refuses(INVALID, 'DeleteThingGroup', { thingGroupName: 'root' }, words);
    await bench.refuses('VersionConflictException', 'DeleteThingGroup', { thingGroupName: 'leaf', expectedVersion: 7 });
    for (const thingGroupName of ['leaf', 'root', 'root']) await bench.call('DeleteThingGroup', { thingGroupName });
    await bench.refuses(MISSING, 'DescribeThingGroup', { thingGroupName: 'root' });
  });

  test('things do not block it, and are in the group no more, also when it is made again', async () => {
    await using bench = await RegistryFixture.open();
    await chain(bench, 'g');
    for (let i = 0; i < 600; i += 1) await bench.call('CreateThing', { thingName: `t${i}` });
    for (let i = 0; i < 600; i += 1) await bench.call('AddThingToThingGroup', { thingName: `t${i}`, thingGroupName: 'g' });
    await bench.call('DeleteThingGroup', { thingGroupName: 'g' });
    await chain(bench, 'g');
    const last = { thingName: 't99' };
    assert.deepEqual((await bench.call('ListThingsInThingGroup', { thingGroupName: 'g' })).things, []);
    assert.deepEqual(namesOf(await bench.call('ListThingGroupsForThing', last)), []);
    // What is left of the old group is no member of the new one, and does not keep a thing from joining it.
    await bench.call('AddThingToThingGroup', { ...last, thingGroupName: 'g' });
    await bench.doDueWork();
    assert.deepEqual((await bench.call('ListThingsInThingGroup', { thingGroupName: 'g' })).things, ['t99']);
    assert.equal((await bench.memberships()).length, 1);
  });
});

describe('ListThingGroups', () => {
  test('all groups, roots alone, children, descendants, and those whose name begins so', async () => {
    await using bench = await RegistryFixture.open();
    await chain(bench, 'a', 'a1', 'a11');
    await chain(bench, 'b', 'b1');
    const list = async (input: object) => namesOf(await bench.call('ListThingGroups', input));
    assert.deepEqual(await list({}), ['a', 'a1', 'a11', 'b', 'b1']);
    assert.deepEqual(await list({ recursive: false }), ['a', 'b']);
    assert.deepEqual(await list({ parentGroup: 'a', recursive: false }), ['a1']);
    assert.deepEqual(await list({ parentGroup: 'a', recursive: true }), ['a1', 'a11']);
    assert.deepEqual(await list({ parentGroup: 'a' }), ['a1', 'a11'], 'as observed (issue 2961 of moto)');
    assert.deepEqual(await list({ parentGroup: 'a', namePrefixFilter: 'a11' }), ['a11']);
    assert.deepEqual(await list({ namePrefixFilter: 'b' }), ['b', 'b1']);
    await bench.refuses(MISSING, 'ListThingGroups', { parentGroup: 'none' });
    assert.deepEqual(namesOf(await bench.call('ListThingGroups', {}, stranger)), []);
  });

  test('comes in pages', async () => {
    await using bench = await RegistryFixture.open();
    for (const thingGroupName of ['c', 'a', 'b']) await chain(bench, thingGroupName);
    const first = await bench.call('ListThingGroups', { maxResults: 2 });
    const second = await bench.call('ListThingGroups', { maxResults: 2, nextToken: first.nextToken });
    assert.deepEqual([namesOf(first), namesOf(second), second.nextToken], [['a', 'b'], ['c'], undefined]);
  });
});

describe('things in thing groups', () => {
  const add = (bench: RegistryFixture, thingName: string, thingGroupName: string) =>
    bench.call('AddThingToThingGroup', { thingName, thingGroupName });

  test('a name, an ARN, or both where they agree; twice is once; a thing that is not in leaves without an error', async () => {
    await using bench = await RegistryFixture.open();
    await chain(bench, 'g');
    await bench.call('CreateThing', { thingName: 't' });
    const thingArn = `arn:aws:iot:us-east-1:${caller.accountId}:thing/t`;
    const thingGroupArn = `arn:aws:iot:us-east-1:${caller.accountId}:thinggroup/g`;
    for (const input of [
      { thingName: 't', thingGroupName: 'g' },
      { thingArn, thingGroupArn },
      { thingName: 't', thingArn, thingGroupName: 'g', thingGroupArn },
    ]) {
      await bench.call('AddThingToThingGroup', input);
      await bench.call('AddThingToThingGroup', input);
      assert.deepEqual(namesOf(await bench.call('ListThingGroupsForThing', { thingName: 't' })), ['g']);
      await bench.call('RemoveThingFromThingGroup', input);
      await bench.call('RemoveThingFromThingGroup', input);
      assert.deepEqual(namesOf(await bench.call('ListThingGroupsForThing', { thingName: 't' })), []);
    }
    for (const name of ['AddThingToThingGroup', 'RemoveThingFromThingGroup'] as const) {
      await bench.refuses(INVALID, name, { thingName: 'u', thingArn, thingGroupName: 'g' }, /same resource/);
      await bench.refuses(INVALID, name, { thingName: 't', thingGroupName: 'h', thingGroupArn }, /same resource/);
      await bench.refuses(INVALID, name, { thingName: 't', thingGroupArn: thingArn }, /thingGroupArn/);
      await bench.refuses(INVALID, name, { thingName: 't' }, /thingGroup/);
      await bench.refuses(MISSING, name, { thingName: 'u', thingGroupName: 'g' });
      await bench.refuses(MISSING, name, { thingName: 't', thingGroupName: 'h' });
    }
  });

  test('of one hierarchy a thing is in one group, whichever', async () => {
    await using bench = await RegistryFixture.open();
    await chain(bench, 'root', 'left', 'below');
    await bench.call('CreateThingGroup', { thingGroupName: 'right', parentGroupName: 'root' });
    await chain(bench, 'other');
    await bench.call('CreateThing', { thingName: 't' });
    await add(bench, 't', 'left');
    for (const thingGroupName of ['root', 'right', 'below'])
      await bench.refuses(INVALID, 'AddThingToThingGroup', { thingName: 't', thingGroupName }, /same hierarchy/);
    await add(bench, 't', 'other');
    assert.deepEqual(namesOf(await bench.call('ListThingGroupsForThing', { thingName: 't' })), ['left', 'other']);
  });

  test('10 groups at most; an exchange at the limit removes first, whole or not at all', async () => {
    await using bench = await RegistryFixture.open();
    await bench.call('CreateThing', { thingName: 't' });
    for (let i = 0; i < 12; i += 1) await chain(bench, `g${i}`);
    const toAdd = Array.from({ length: 10 }, (_, i) => `g${i}`);
    await bench.call('UpdateThingGroupsForThing', { thingName: 't', thingGroupsToAdd: toAdd });
    await bench.refuses(INVALID, 'AddThingToThingGroup', { thingName: 't', thingGroupName: 'g10' }, /maximum number/);
    const exchange = { thingName: 't', thingGroupsToAdd: ['g10'], thingGroupsToRemove: ['g3'] };
    await bench.refuses(INVALID, 'UpdateThingGroupsForThing', { ...exchange, thingGroupsToAdd: ['g10', 'g11'] });
    await bench.refuses(MISSING, 'UpdateThingGroupsForThing', { ...exchange, thingGroupsToAdd: ['none'] });
    await bench.refuses(MISSING, 'UpdateThingGroupsForThing', { ...exchange, thingName: 'none' });
    assert.equal((await bench.memberships()).length, 10);
    await bench.call('UpdateThingGroupsForThing', exchange);
    const groups = namesOf(await bench.call('ListThingGroupsForThing', { thingName: 't' }));
    assert.deepEqual([groups.length, groups.includes('g3'), groups.includes('g10')], [10, false, true]);
    const many = Array.from({ length: 101 }, () => 'g1');
    await bench.refuses(INVALID, 'UpdateThingGroupsForThing', { thingName: 't', thingGroupsToRemove: many }, /at most 100/);
  });

  test('ListThingsInThingGroup gives those of the group, with `recursive` those of the groups below too, in pages', async () => {
    await using bench = await RegistryFixture.open();
    await chain(bench, 'root', 'leaf');
    for (const thingName of ['a', 'b', 'c']) await bench.call('CreateThing', { thingName });
    await add(bench, 'a', 'leaf');
    await add(bench, 'b', 'root');
    await add(bench, 'c', 'leaf');
    const list = async (input: object) =>
      (await bench.call('ListThingsInThingGroup', { thingGroupName: 'root', ...input })).things;
    assert.deepEqual(await list({}), ['b']);
    assert.deepEqual(await list({ recursive: true }), ['a', 'b', 'c']);
    const { nextToken } = await bench.call('ListThingsInThingGroup', { thingGroupName: 'root', recursive: true, maxResults: 2 });
    assert.deepEqual(await list({ recursive: true, maxResults: 2, nextToken }), ['c']);
    await bench.refuses(MISSING, 'ListThingsInThingGroup', { thingGroupName: 'none' });
    await bench.refuses(MISSING, 'ListThingGroupsForThing', { thingName: 'none' });
  });

  test('a thing that is deleted leaves its groups', async () => {
    await using bench = await RegistryFixture.open();
    await chain(bench, 'g');
    await bench.call('CreateThing', { thingName: 't' });
    await add(bench, 't', 'g');
    await bench.call('DeleteThing', { thingName: 't' });
    await bench.call('CreateThing', { thingName: 't' });
    assert.deepEqual((await bench.call('ListThingsInThingGroup', { thingGroupName: 'g' })).things, []);
    assert.equal((await bench.memberships()).length, 0);
  });
});
