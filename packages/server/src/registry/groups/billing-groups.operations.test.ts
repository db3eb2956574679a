/** Billing groups (fact sheet 2, section 22; developer guide, page tagging-iot-billing-groups). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { things } from '../store.ts';
import { caller, RegistryFixture, stranger } from '../../testing/registry-fixture.ts';

const MISSING = 'ResourceNotFoundException';

const billingGroupOf = async (bench: RegistryFixture, thingName: string) =>
  (await bench.call('DescribeThing', { thingName })).billingGroupName;
const thingsIn = async (bench: RegistryFixture, billingGroupName: string) =>
  (await bench.call('ListThingsInBillingGroup', { billingGroupName })).things;

test('a billing group is created once, described, updated by version, and deleted', async () => {
  await using bench = await RegistryFixture.open();
  const input = { billingGroupName: 'b', billingGroupProperties: { billingGroupDescription: 'd' } };
  const made = await bench.call('CreateBillingGroup', { ...input, tags: [{ Key: 'k', Value: 'v' }] });
  assert.equal(made.billingGroupArn, 'arn:aws:iot:us-east-1:000000000000:billinggroup/b');
  assert.deepEqual(await bench.call('CreateBillingGroup', input), made);
  await bench.refuses('ResourceAlreadyExistsException', 'CreateBillingGroup', { billingGroupName: 'b' });
  assert.deepEqual(await bench.call('DescribeBillingGroup', { billingGroupName: 'b' }), {
    ...made,
    version: 1,
    billingGroupProperties: { billingGroupDescription: 'd' },
    billingGroupMetadata: { creationDate: new Date(bench.clock.at) },
  });
  const { tags } = await bench.call('ListTagsForResource', { resourceArn: made.billingGroupArn });
  assert.deepEqual(tags, [{ Key: 'k', Value: 'v' }]);

  const update = { billingGroupName: 'b', billingGroupProperties: {} };
  await bench.refuses('VersionConflictException', 'UpdateBillingGroup', { ...update, expectedVersion: 2 });
  assert.deepEqual(await bench.call('UpdateBillingGroup', { ...update, expectedVersion: 1 }), { version: 2 });
  const { billingGroupProperties } = await bench.call('DescribeBillingGroup', { billingGroupName: 'b' });
  assert.equal(billingGroupProperties?.billingGroupDescription, undefined);

  await bench.refuses(MISSING, 'DescribeBillingGroup', { billingGroupName: 'b' }, /./, stranger);
  await bench.refuses('VersionConflictException', 'DeleteBillingGroup', { billingGroupName: 'b', expectedVersion: 1 });
  for (let i = 0; i < 2; i += 1) await bench.call('DeleteBillingGroup', { billingGroupName: 'b' });
  await bench.refuses(MISSING, 'DescribeBillingGroup', { billingGroupName: 'b' });
  await bench.refuses(MISSING, 'UpdateBillingGroup', update);
});

test('a thing is in one billing group: adding it to another replaces the first, and its version stays', async () => {
  await using bench = await RegistryFixture.open();
  for (const billingGroupName of ['b', 'c']) await bench.call('CreateBillingGroup', { billingGroupName });
  await bench.call('CreateThing', { thingName: 't', billingGroupName: 'b' });
  await bench.call('CreateThing', { thingName: 't', billingGroupName: 'b' });
  await bench.refuses('ResourceAlreadyExistsException', 'CreateThing', { thingName: 't', billingGroupName: 'c' });
  assert.deepEqual([await billingGroupOf(bench, 't'), await thingsIn(bench, 'b')], ['b', ['t']]);
  const thingArn = `arn:aws:iot:us-east-1:${caller.accountId}:thing/t`;
  const billingGroupArn = `arn:aws:iot:us-east-1:${caller.accountId}:billinggroup/c`;
  await bench.call('AddThingToBillingGroup', { thingArn, billingGroupArn });
  assert.deepEqual([await thingsIn(bench, 'b'), await thingsIn(bench, 'c')], [[], ['t']]);
  assert.equal((await bench.call('DescribeThing', { thingName: 't' })).version, 1);
  await bench.call('UpdateThing', { thingName: 't', attributePayload: { attributes: { a: '1' } } });
  assert.equal(await billingGroupOf(bench, 't'), 'c');
  await bench.call('RemoveThingFromBillingGroup', { thingName: 't', billingGroupName: 'b' });
  assert.equal(await billingGroupOf(bench, 't'), 'c', 'it was not in that one');
  await bench.call('RemoveThingFromBillingGroup', { thingName: 't', billingGroupName: 'c' });
  assert.deepEqual([await billingGroupOf(bench, 't'), await thingsIn(bench, 'c')], [undefined, []]);
  for (const name of ['AddThingToBillingGroup', 'RemoveThingFromBillingGroup'] as const) {
    await bench.refuses(MISSING, name, { thingName: 't', billingGroupName: 'none' });
    await bench.refuses(MISSING, name, { thingName: 'none', billingGroupName: 'b' });
    await bench.refuses('InvalidRequestException', name, { thingName: 't' });
    await bench.refuses(
      'InvalidRequestException',
      name,
      { thingName: 't', billingGroupName: 'b', billingGroupArn },
      /same resource/,
    );
  }
});

test('a billing group with things can be deleted: they are in none then, also when it is made again', async () => {
  await using bench = await RegistryFixture.open();
  await bench.call('CreateBillingGroup', { billingGroupName: 'b' });
  for (let i = 0; i < 300; i += 1) await bench.call('CreateThing', { thingName: `t${i}`, billingGroupName: 'b' });
  await bench.call('DeleteBillingGroup', { billingGroupName: 'b' });
  await bench.call('CreateBillingGroup', { billingGroupName: 'b' });
  assert.deepEqual(await thingsIn(bench, 'b'), []);
  assert.deepEqual([await billingGroupOf(bench, 't0'), await billingGroupOf(bench, 't99')], [undefined, undefined]);
  await bench.refuses('ResourceAlreadyExistsException', 'CreateThing', { thingName: 't99', billingGroupName: 'b' });
  await bench.doDueWork();
  const { items } = await bench.store.read((tx) => tx.scan(things, { prefix: [caller.accountId] }));
  assert.equal(items.filter(({ billingGroupName }) => billingGroupName !== undefined).length, 0);
  assert.deepEqual([await billingGroupOf(bench, 't0'), await billingGroupOf(bench, 't99')], [undefined, undefined]);
});

test('billing groups and the things in them are listed in pages, by the beginning of the name', async () => {
  await using bench = await RegistryFixture.open();
  for (const billingGroupName of ['ab', 'b', 'aa']) await bench.call('CreateBillingGroup', { billingGroupName });
  for (const thingName of ['t', 's']) await bench.call('CreateThing', { thingName, billingGroupName: 'b' });
  const names = async (input: object) =>
    (await bench.call('ListBillingGroups', input)).billingGroups?.map(({ groupName }) => groupName);
  assert.deepEqual(await names({}), ['aa', 'ab', 'b']);
  assert.deepEqual(await names({ namePrefixFilter: 'a' }), ['aa', 'ab']);
  const { nextToken } = await bench.call('ListBillingGroups', { maxResults: 1 });
  assert.deepEqual(await names({ maxResults: 1, nextToken }), ['ab']);
  const first = await bench.call('ListThingsInBillingGroup', { billingGroupName: 'b', maxResults: 1 });
  const second = await bench.call('ListThingsInBillingGroup', {
    billingGroupName: 'b',
    maxResults: 1,
    nextToken: first.nextToken,
  });
  assert.deepEqual([first.things, second.things, second.nextToken], [['s'], ['t'], undefined]);
  await bench.refuses(MISSING, 'ListThingsInBillingGroup', { billingGroupName: 'none' });
});
