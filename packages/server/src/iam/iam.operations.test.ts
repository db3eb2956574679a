import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { ACCOUNT, allow, document, openIamFixture, trust } from '../testing/iam-fixture.ts';

let bench: Awaited<ReturnType<typeof openIamFixture>>;
before(async () => {
  bench = await openIamFixture();
});
after(() => bench.close());

const arn = (rest: string): string => `arn:aws:iam::${ACCOUNT}:${rest}`;
const code = (name: string) => ({ code: name });

test('users: ids, ARNs with paths, names unique without case, renamed with their groups (API reference CreateUser, UpdateUser)', async () => {
  const { call } = bench;
  const { User } = await call('CreateUser', { UserName: 'Ann', Path: '/team/', Tags: [{ Key: 'k', Value: 'v' }] });
  assert.match(User?.UserId ?? '', /^AIDA[A-Z2-7]{17}$/);
  assert.equal(User?.Arn, arn('user/team/Ann'));
  await assert.rejects(call('CreateUser', { UserName: 'ANN' }), code('EntityAlreadyExists'));
  await assert.rejects(call('GetUser', { UserName: 'ann' }), code('NoSuchEntity'));
  await call('CreateGroup', { GroupName: 'g' });
  await call('AddUserToGroup', { GroupName: 'g', UserName: 'Ann' });
  await call('UpdateUser', { UserName: 'Ann', NewUserName: 'Bea' });
  await call('UpdateGroup', { GroupName: 'g', NewGroupName: 'h' });
  assert.deepEqual(
    (await call('ListGroupsForUser', { UserName: 'Bea' })).Groups?.map(({ GroupName }) => GroupName),
    ['h'],
  );
  const { Users } = await call('GetGroup', { GroupName: 'h' });
  assert.deepEqual(
    Users?.map(({ UserId }) => UserId),
    [User?.UserId],
  );
  assert.deepEqual((await call('ListUsers', { PathPrefix: '/other' })).Users, []);
  await assert.rejects(call('DeleteUser', { UserName: 'Bea' }), code('DeleteConflict'));
  await assert.rejects(call('DeleteGroup', { GroupName: 'h' }), code('DeleteConflict'));
  await call('RemoveUserFromGroup', { GroupName: 'h', UserName: 'Bea' });
  await assert.rejects(call('RemoveUserFromGroup', { GroupName: 'h', UserName: 'Bea' }), code('NoSuchEntity'));
  await call('DeleteGroup', { GroupName: 'h' });
  await call('DeleteUser', { UserName: 'Bea' });
});

test('pages: as many as asked for, each once, and no foreign marker (API reference ListUsers)', async () => {
  const { call } = bench;
  for (let index = 0; index < 7; index += 1)
    await call('CreateUser', { UserName: `page${index}`, Path: index % 2 === 0 ? '/even/' : '/odd/' });
  const seen: (string | undefined)[] = [];
  let Marker: string | undefined;
  do {
    const page = await call('ListUsers', { PathPrefix: '/even/', MaxItems: 3, Marker });
    seen.push(...(page.Users ?? []).map(({ UserName }) => UserName));
    Marker = page.Marker;
    assert.equal(page.IsTruncated, Marker !== undefined);
  } while (Marker !== undefined);
  assert.deepEqual(seen, ['page0', 'page2', 'page4', 'page6']);
  await assert.rejects(call('ListUsers', { Marker: 'x y' }), code('ValidationError'));
  for (let index = 0; index < 7; index += 1) await call('DeleteUser', { UserName: `page${index}` });
});

test('access keys: two at most, the secret once, Inactive is none (IAM user guide, id_credentials_access-keys)', async () => {
  const { call, iam, clock, may } = bench;
  await call('CreateUser', { UserName: 'keys' });
  const { AccessKey } = await call('CreateAccessKey', { UserName: 'keys' });
  const AccessKeyId = AccessKey?.AccessKeyId ?? '';
  assert.match(AccessKeyId, /^AKIA[A-Z2-7]{16}$/);
  assert.equal(AccessKey?.SecretAccessKey?.length, 40);
  await call('CreateAccessKey', { UserName: 'keys' });
  await assert.rejects(call('CreateAccessKey', { UserName: 'keys' }), code('LimitExceeded'));
  assert.ok(!JSON.stringify(await call('ListAccessKeys', { UserName: 'keys' })).includes(AccessKey?.SecretAccessKey ?? '?'));
  assert.equal((await call('GetAccessKeyLastUsed', { AccessKeyId })).AccessKeyLastUsed?.ServiceName, 'N/A');
  const key = await iam.keys.long(AccessKeyId);
  key?.used?.('iot', 'eu-west-1');
  for (const flush of [async () => {}, () => iam.uses.flush()]) {
    await flush();
    const { AccessKeyLastUsed } = await call('GetAccessKeyLastUsed', { AccessKeyId });
    assert.deepEqual(AccessKeyLastUsed, { ServiceName: 'iot', Region: 'eu-west-1', LastUsedDate: new Date(clock.at) });
  }
  await call('UpdateAccessKey', { UserName: 'keys', AccessKeyId, Status: 'Inactive' });
  assert.equal(await iam.keys.long(AccessKeyId), undefined);
  assert.equal(await may(key, 'iot:X'), 'nobody', 'a key that was found before');
  await call('UpdateAccessKey', { UserName: 'keys', AccessKeyId, Status: 'Active' });
  assert.equal(await may(key, 'iot:X'), 'IMPLICIT_DENY');
  await assert.rejects(call('DeleteAccessKey', { UserName: 'Ann', AccessKeyId }), code('NoSuchEntity'));
  await assert.rejects(call('DeleteUser', { UserName: 'keys' }), code('DeleteConflict'));
  await assert.rejects(call('CreateAccessKey', {}), code('ValidationError'), 'the root has no name');
  assert.equal((await call('ListAccessKeys', {}, key)).AccessKeyMetadata?.length, 2, 'of oneself, without a name');
});

test('passwords: kept as a hash alone, of some length and kinds, changed by who knows the old one', async () => {
  const { call, keyOf, file } = bench;
  const Password = 'Correct-Horse-7';
  await call('CreateUser', { UserName: 'login' });
  await assert.rejects(call('CreateLoginProfile', { UserName: 'login', Password: 'short1A' }), code('PasswordPolicyViolation'));
  await assert.rejects(
    call('CreateLoginProfile', { UserName: 'login', Password: 'onlysmallletters' }),
    code('PasswordPolicyViolation'),
  );
  const made = await call('CreateLoginProfile', { UserName: 'login', Password, PasswordResetRequired: true });
  assert.equal(made.LoginProfile?.PasswordResetRequired, true);
  await assert.rejects(call('CreateLoginProfile', { UserName: 'login', Password }), code('EntityAlreadyExists'));
  for (const path of [file, `${file}-wal`]) assert.ok(!readFileSync(path).includes(Password), 'the password is not on disk');
  assert.ok(!JSON.stringify(await call('GetUser', { UserName: 'login' })).includes('hash'));
  const key = await keyOf('login');
  await assert.rejects(
    call('ChangePassword', { OldPassword: 'Wrong-Horse-7', NewPassword: 'Other-Horse-8' }, key),
    code('AccessDeniedException'),
  );
  await call('ChangePassword', { OldPassword: Password, NewPassword: 'Other-Horse-8' }, key);
  await call('ChangePassword', { OldPassword: 'Other-Horse-8', NewPassword: Password }, key);
  await call('DeleteLoginProfile', { UserName: 'login' });
  await assert.rejects(call('GetLoginProfile', { UserName: 'login' }), code('NoSuchEntity'));
});

test('managed policies: versions, the default, what is attached stays; AWS makes its own (API reference CreatePolicyVersion)', async () => {
  const { call } = bench;
  const { Policy } = await call('CreatePolicy', { PolicyName: 'p', Path: '/x/', PolicyDocument: allow('iot:*') });
  const PolicyArn = Policy?.Arn ?? '';
  assert.equal(PolicyArn, arn('policy/x/p'));
  assert.match(Policy?.PolicyId ?? '', /^ANPA[A-Z2-7]{17}$/);
  await assert.rejects(call('CreatePolicy', { PolicyName: 'P', PolicyDocument: allow('iot:*') }), code('EntityAlreadyExists'));
  for (let version = 2; version <= 5; version += 1)
    await call('CreatePolicyVersion', { PolicyArn, PolicyDocument: allow(`iot:V${version}`), SetAsDefault: version === 3 });
  await assert.rejects(call('CreatePolicyVersion', { PolicyArn, PolicyDocument: allow('iot:*') }), code('LimitExceeded'));
  const { PolicyVersion } = await call('GetPolicyVersion', { PolicyArn, VersionId: 'v3' });
  assert.equal(decodeURIComponent(PolicyVersion?.Document ?? ''), allow('iot:V3'));
  assert.equal(PolicyVersion?.IsDefaultVersion, true);
  await assert.rejects(call('DeletePolicyVersion', { PolicyArn, VersionId: 'v3' }), code('DeleteConflict'));
  await assert.rejects(call('DeletePolicy', { PolicyArn }), code('DeleteConflict'), 'has versions');
  for (const VersionId of ['v1', 'v2', 'v4', 'v5']) await call('DeletePolicyVersion', { PolicyArn, VersionId });
  await call('CreateUser', { UserName: 'holder' });
  await call('AttachUserPolicy', { UserName: 'holder', PolicyArn });
  await call('AttachUserPolicy', { UserName: 'holder', PolicyArn });
  assert.equal((await call('GetPolicy', { PolicyArn })).Policy?.AttachmentCount, 1);
  assert.deepEqual(
    (await call('ListEntitiesForPolicy', { PolicyArn })).PolicyUsers?.map(({ UserName }) => UserName),
    ['holder'],
  );
  await assert.rejects(call('DeletePolicy', { PolicyArn }), code('DeleteConflict'), 'is attached');
  await call('DetachUserPolicy', { UserName: 'holder', PolicyArn });
  await call('PutUserPermissionsBoundary', { UserName: 'holder', PermissionsBoundary: PolicyArn });
  await assert.rejects(call('DeletePolicy', { PolicyArn }), code('DeleteConflict'), 'is a boundary');
  await call('DeleteUserPermissionsBoundary', { UserName: 'holder' });
  await call('DeletePolicy', { PolicyArn });
  const own = 'arn:aws:iam::aws:policy/AWSIoTFullAccess';
  assert.equal((await call('GetPolicy', { PolicyArn: own })).Policy?.PolicyName, 'AWSIoTFullAccess');
  await assert.rejects(call('DeletePolicy', { PolicyArn: own }), code('AccessDeniedException'));
  await assert.rejects(
    call('AttachUserPolicy', { UserName: 'holder', PolicyArn: 'arn:aws:iam::aws:policy/None' }),
    code('NoSuchEntity'),
  );
  await assert.rejects(
    call('AttachUserPolicy', { UserName: 'holder', PolicyArn: 'arn:aws:iam::999999999999:policy/p' }),
    code('NoSuchEntity'),
  );
});

test('every policy that AWS makes is one that IAM would take', async () => {
  const { call } = bench;
  const { Policies = [] } = await call('ListPolicies', { Scope: 'AWS', MaxItems: 1000 });
  assert.ok(Policies.length >= 18);
  for (const { Arn, DefaultVersionId } of Policies) {
    const { PolicyVersion } = await call('GetPolicyVersion', { PolicyArn: Arn, VersionId: DefaultVersionId });
    const { Policy } = await call('CreatePolicy', {
      PolicyName: 'copy',
      PolicyDocument: decodeURIComponent(PolicyVersion?.Document ?? ''),
    });
    await call('DeletePolicy', { PolicyArn: Policy?.Arn });
  }
});

test('documents: what is no policy, and what is too long (IAM user guide, reference_iam-quotas)', async () => {
  const { call } = bench;
  await call('CreateUser', { UserName: 'docs' });
  const put = (PolicyDocument: string) => call('PutUserPolicy', { UserName: 'docs', PolicyName: 'p', PolicyDocument });
  const statement = { Effect: 'Allow', Action: 'iot:*', Resource: '*' };
  for (const bad of [
    'x',
    '{}',
    document({ ...statement, Principal: '*' }),
    document({ ...statement, Action: 'CreateThing' }),
    document({ ...statement, Resource: 'thing/a' }),
    document({ ...statement, Condition: { Equals: { a: 'b' } } }),
    document({ ...statement, Sid: 'a' }, { ...statement, Sid: 'a' }),
    document({ ...statement, Sid: 'a b' }),
  ])
    await assert.rejects(put(bad), code('MalformedPolicyDocument'), bad);
  const long = (size: number): string => document({ ...statement, Resource: `arn:aws:iot:::${'x'.repeat(size)}` });
  await assert.rejects(put(long(2_048)), code('LimitExceeded'));
  await put(long(1_000));
  await assert.rejects(
    call('PutUserPolicy', { UserName: 'docs', PolicyName: 'q', PolicyDocument: long(1_000) }),
    code('LimitExceeded'),
    'together',
  );
  assert.deepEqual((await call('ListUserPolicies', { UserName: 'docs' })).PolicyNames, ['p']);
  await assert.rejects(call('CreatePolicy', { PolicyName: 'long', PolicyDocument: long(6_144) }), code('LimitExceeded'));
});

test('roles: a trust policy that names who is there, and what is no trust policy', async () => {
  const { call } = bench;
  const create = (AssumeRolePolicyDocument: string) => call('CreateRole', { RoleName: 'r', AssumeRolePolicyDocument });
  for (const bad of [
    allow('sts:AssumeRole'),
    trust({ AWS: arn('user/nobody') }),
    trust({ AWS: 'ann' }),
    trust({ Service: 'lambda' }),
    trust({ Robot: 'x' }),
    document({ Effect: 'Allow', Principal: '*', Action: 'iot:Publish' }),
    document({ Effect: 'Allow', Principal: '*', Action: 'sts:AssumeRole', Resource: '*' }),
    document({ Effect: 'Allow', NotPrincipal: { AWS: ACCOUNT }, Action: 'sts:AssumeRole' }),
  ])
    await assert.rejects(create(bad), code('MalformedPolicyDocument'), bad);
  const { Role } = await create(trust({ Service: ['lambda.amazonaws.com', 'iot.amazonaws.com'] }));
  assert.match(Role?.RoleId ?? '', /^AROA[A-Z2-7]{17}$/);
  assert.equal(Role?.MaxSessionDuration, 3600);
  await call('PutRolePolicy', { RoleName: 'r', PolicyName: 'p', PolicyDocument: allow('iot:*') });
  await assert.rejects(call('DeleteRole', { RoleName: 'r' }), code('DeleteConflict'));
  await call('DeleteRolePolicy', { RoleName: 'r', PolicyName: 'p' });
  await call('DeleteRole', { RoleName: 'r' });
});

test('another account sees nothing of it', async () => {
  const { call, rootKey } = bench;
  const other = { ...rootKey, accountId: '210987654321', arn: 'arn:aws:iam::210987654321:root' };
  await call('CreateUser', { UserName: 'mine' });
  await assert.rejects(call('GetUser', { UserName: 'mine' }, other), code('NoSuchEntity'));
  assert.deepEqual((await call('ListUsers', {}, other)).Users, []);
  const { AccessKey } = await call('CreateAccessKey', { UserName: 'mine' });
  await assert.rejects(
    call('GetAccessKeyLastUsed', { AccessKeyId: AccessKey?.AccessKeyId }, other),
    code('AccessDeniedException'),
  );
});

test('SimulatePrincipalPolicy answers as a call would be', async () => {
  const { call, keyOf, may } = bench;
  await call('CreateUser', { UserName: 'sim' });
  await call('PutUserPolicy', {
    UserName: 'sim',
    PolicyName: 'p',
    PolicyDocument: document(
      { Effect: 'Allow', Action: 'iot:*', Resource: '*' },
      { Effect: 'Deny', Action: 'iot:Delete*', Resource: '*' },
    ),
  });
  const key = await keyOf('sim');
  const ActionNames = ['iot:CreateThing', 'iot:DeleteThing', 'iam:GetUser'];
  const { EvaluationResults = [] } = await call('SimulatePrincipalPolicy', { PolicySourceArn: arn('user/sim'), ActionNames });
  assert.deepEqual(
    EvaluationResults.map(({ EvalDecision }) => EvalDecision),
    ['allowed', 'explicitDeny', 'implicitDeny'],
  );
  assert.deepEqual(await Promise.all(ActionNames.map((action) => may(key, action))), [
    'ALLOWED',
    'EXPLICIT_DENY',
    'IMPLICIT_DENY',
  ]);
});

test('a simulation is bounded, and lets others have their turn', async () => {
  const { call } = bench;
  await call('CreateUser', { UserName: 'worst' });
  const Resource = Array.from({ length: 10 }, (_, n) => `arn:aws:iot:*:*:topic/${'*a?'.repeat(180)}${n}b`);
  const worst = document({ Effect: 'Allow', Action: 'iot:*', Resource });
  const PolicySourceArn = `arn:aws:iam::${ACCOUNT}:user/worst`;
  const asked = { PolicySourceArn, ActionNames: ['iot:Publish'] };
  await assert.rejects(call('SimulatePrincipalPolicy', { ...asked, PolicyInputList: Array.from({ length: 11 }, () => worst) }), {
    code: 'InvalidInput',
  });
  let turns = 0;
  const timer = setInterval(() => (turns += 1), 0);
  const ResourceArns = Array.from({ length: 100 }, (_, n) => `arn:aws:iot:us-east-1:${ACCOUNT}:topic/${'a'.repeat(240)}${n}`);
  const PolicyInputList = Array.from({ length: 10 }, () => worst);
  const { EvaluationResults = [] } = await call('SimulatePrincipalPolicy', { ...asked, PolicyInputList, ResourceArns });
  clearInterval(timer);
  assert.equal(EvaluationResults.length, 100);
  assert.ok(turns > 5, `${turns} turns of the event loop`);
});
