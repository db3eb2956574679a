/** Role aliases (API reference; facts 9.2, 11.2), and what the provider answers. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { Caller } from '@thingkeep/wire/api/handlers.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { Store } from '../store/contract.ts';
import { caller, clockAt, recordTags, stranger, TestStores } from '../testing/operations-fixture.ts';
import { roleAliasOperations } from './role-aliases.operations.ts';
import { credentialProvider } from './provider.ts';
import { SessionTokens } from './session-tokens.ts';

const clock = clockAt(5_000);
const roleArn = 'arn:aws:iam::123456789012:role/Robot';
const kept = 'arn:aws:iam::123456789012:role/Kept';
const user: Caller = { ...caller, arn: 'arn:aws:iam::123456789012:user/ann' };
const tags = recordTags();

const stores = new TestStores();
let store: Store;
let aliases: Required<ReturnType<typeof roleAliasOperations>>;
beforeEach(async () => {
  store = await stores.next();
  aliases = roleAliasOperations({ store, clock, tags, knowsRole: async (arn) => arn === kept }) as typeof aliases;
});
const create = (roleAlias: string, more: object = {}) => aliases.CreateRoleAlias({ roleAlias, roleArn, ...more }, caller);

test('an alias is made, described, changed and deleted, with its tags', async () => {
  const roleAliasArn = 'arn:aws:iot:us-east-1:123456789012:rolealias/fleet';
  tags.changes.length = 0;
  assert.deepEqual(await create('fleet', { tags: [{ Key: 'a', Value: 'b' }] }), { roleAlias: 'fleet', roleAliasArn });
  clock.at = 8_000;
  await aliases.UpdateRoleAlias({ roleAlias: 'fleet', credentialDurationSeconds: 900 }, caller);
  assert.deepEqual((await aliases.DescribeRoleAlias({ roleAlias: 'fleet' }, caller)).roleAliasDescription, {
    roleAlias: 'fleet',
    roleAliasArn,
    roleArn,
    owner: '123456789012',
    credentialDurationSeconds: 900,
    creationDate: new Date(5_000),
    lastModifiedDate: new Date(8_000),
  });
  await aliases.DeleteRoleAlias({ roleAlias: 'fleet' }, caller);
  await assert.rejects(aliases.DescribeRoleAlias({ roleAlias: 'fleet' }, caller), { code: 'ResourceNotFoundException' });
  assert.deepEqual(tags.changes, [`+${roleAliasArn}`, `-${roleAliasArn}`]);
});

test('without a duration credentials last an hour; an account does not see another one’s aliases', async () => {
  await create('fleet');
  const { roleAliasDescription } = await aliases.DescribeRoleAlias({ roleAlias: 'fleet' }, caller);
  assert.equal(roleAliasDescription?.credentialDurationSeconds, 3600);
  for (const operation of ['DescribeRoleAlias', 'UpdateRoleAlias', 'DeleteRoleAlias'] as const)
    await assert.rejects(aliases[operation]({ roleAlias: 'fleet' }, stranger), { code: 'ResourceNotFoundException' });
  assert.deepEqual((await aliases.ListRoleAliases({}, stranger)).roleAliases, []);
});

test('a name is given once, a role is one of IAM, and there are a hundred at most', async () => {
  await create('fleet');
  await assert.rejects(create('fleet'), { code: 'ResourceAlreadyExistsException' });
  const wrong = [
    'arn:aws:iam::123456789012:user/Robot',
    'arn:aws:iot:us-east-1:123456789012:role/Robot',
    'arn:aws:iam::123456789012:role/',
    'not an arn, but long enough',
  ];
  for (const each of wrong) {
    await assert.rejects(create('other', { roleArn: each }), { code: 'InvalidRequestException' }, each);
    await assert.rejects(aliases.UpdateRoleAlias({ roleAlias: 'fleet', roleArn: each }, caller), {
      code: 'InvalidRequestException',
    });
  }
  await create('with-path', { roleArn: 'arn:aws:iam::123456789012:role/a/b/Robot' });
  for (let each = 2; each < 100; each += 1) await create(`alias-${each}`);
  await assert.rejects(create('one-too-many'), { code: 'LimitExceededException' });
});

test('lists are in the order of creation, by page (fact 9.2)', async () => {
  for (const name of ['c', 'a', 'b']) {
    clock.at += 1;
    await create(name);
  }
  assert.deepEqual((await aliases.ListRoleAliases({}, caller)).roleAliases, ['b', 'a', 'c']);
  const first = await aliases.ListRoleAliases({ ascendingOrder: true, pageSize: 2 }, caller);
  assert.deepEqual(first.roleAliases, ['c', 'a']);
  assert.match(first.nextMarker ?? '', /^[A-Za-z0-9+/]+={0,2}$/);
  const second = await aliases.ListRoleAliases({ ascendingOrder: true, pageSize: 2, marker: first.nextMarker }, caller);
  assert.deepEqual([second.roleAliases, second.nextMarker], [['b'], undefined]);
});

test('the provider refuses in the order of AWS: thing, policy, alias, role, duration (fact 11.2)', async () => {
  const tokens = await SessionTokens.open(store, clock);
  const assumed: object[] = [];
  const issue = credentialProvider({
    inRegion: () => store,
    clock,
    tokens,
    facts: {
      isAttached: async (_tx, _account, thingName) => thingName === 'robot',
      thing: async (_tx, _account, thingName) => ({ thingName, thingTypeName: 'arm', attributes: {}, groupArns: [] }),
    },
    assume: async (input) => {
      assumed.push(input);
      if (input.roleArn !== kept) return undefined;
      if (input.durationSeconds > 3_600) fail('ValidationError', 'too long');
      if (input.durationSeconds < 1_000) fail('AccessDeniedException', 'no trust');
      return { accessKeyId: 'a', secretAccessKey: 'b', sessionToken: 'c', expiresAt: Date.UTC(2026, 0, 1) };
    },
  });
  const ask = (roleAlias: string, allowed: boolean, thingName?: string) =>
    issue({
      place: caller,
      principal: 'arn:aws:iot:us-east-1:123456789012:cert/c',
      certificateId: 'c',
      roleAlias,
      allowed: () => allowed,
      thingName,
    });
  const refused = (code: string, message: string, ...asked: Parameters<typeof ask>) =>
    assert.rejects(ask(...asked), { code, message });
  await create('fleet', { credentialDurationSeconds: 900 });
  await refused('AccessDeniedException', 'Invalid thing name passed', 'none', false, 'other');
  await refused('AccessDeniedException', 'Access Denied', 'none', false, 'robot');
  await refused('ResourceNotFoundException', 'Role alias does not exist', 'none', true);
  clock.at = Date.UTC(2026, 0, 1) + 123;
  const given = await ask('fleet', true, 'robot');
  assert.equal(given.expiration, '2026-01-01T00:15:00Z');
  const { session } = tokens.open(given.accessKeyId, given.sessionToken) ?? {};
  assert.deepEqual(session, {
    accountId: '123456789012',
    region: 'us-east-1',
    roleArn,
    certificateId: 'c',
    thingName: 'robot',
    expiresAt: Date.UTC(2026, 0, 1, 0, 15),
  });

  const NO_ROLE = 'Unable to assume the role, or the role to assume does not exist';
  await aliases.CreateRoleAlias({ roleAlias: 'named-by-a-user', roleArn }, user);
  await refused('InvalidRequestException', NO_ROLE, 'named-by-a-user', true);
  await create('role', { roleArn: kept });
  assumed.length = 0;
  const ofRole = await ask('role', true, 'robot');
  assert.deepEqual([ofRole.accessKeyId, ofRole.expiration], ['a', '2026-01-01T00:00:00Z']);
  assert.deepEqual(assumed, [
    {
      accountId: '123456789012',
      roleArn: kept,
      service: 'credentials.iot.amazonaws.com',
      sessionName: 'c',
      durationSeconds: 3_600,
      sourceArn: 'arn:aws:iot:us-east-1:123456789012:rolealias/role',
      device: { certificateId: 'c', region: 'us-east-1', thingName: 'robot', thingTypeName: 'arm' },
    },
  ]);
  await aliases.UpdateRoleAlias({ roleAlias: 'role', credentialDurationSeconds: 3_601 }, caller);
  const TOO_LONG = 'The requested CredentialDurationSeconds exceeds the MaxSessionDuration set for the role';
  await refused('InvalidRequestException', TOO_LONG, 'role', true);
  await aliases.UpdateRoleAlias({ roleAlias: 'role', credentialDurationSeconds: 900 }, caller);
  await refused('InvalidRequestException', NO_ROLE, 'role', true);
  // From a role that nobody keeps to one that is kept, and back by somebody who is not root: the mark goes with the role.
  await aliases.UpdateRoleAlias({ roleAlias: 'fleet', roleArn }, user);
  await refused('InvalidRequestException', NO_ROLE, 'fleet', true);
});
