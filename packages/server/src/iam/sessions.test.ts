/** Who may assume a role, what its session may do, and what ends both (API reference of STS; IAM user guide, page id_roles). */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { messageOf, notesOf } from '@thingkeep/wire/errors.ts';
import { ACCOUNT, allow, document, openIamFixture, trust } from '../testing/iam-fixture.ts';

let bench: Awaited<ReturnType<typeof openIamFixture>>;
before(async () => {
  bench = await openIamFixture();
});
after(() => bench.close());

const arn = (rest: string): string => `arn:aws:iam::${ACCOUNT}:${rest}`;
const RoleArn = arn('role/r');
const RoleSessionName = 'session';

/** The role `r` anew, with this trust. */
async function role(AssumeRolePolicyDocument: string, actions = ['iot:*'], MaxSessionDuration = 7200): Promise<void> {
  await bench.call('DeleteRolePolicy', { RoleName: 'r', PolicyName: 'p' }).catch(() => undefined);
  await bench.call('DeleteRole', { RoleName: 'r' }).catch(() => undefined);
  await bench.call('CreateRole', { RoleName: 'r', AssumeRolePolicyDocument, MaxSessionDuration });
  await bench.call('PutRolePolicy', { RoleName: 'r', PolicyName: 'p', PolicyDocument: allow(...actions) });
}

const assume = async (key?: Parameters<typeof bench.call>[2], more: object = {}) => {
  const { Credentials } = await bench.call('AssumeRole', { RoleArn, RoleSessionName, ...more }, key);
  return bench.temporary(Credentials);
};
const DENIED = { code: 'AccessDeniedException' };

async function user(name: string, policy?: string) {
  await bench.call('CreateUser', { UserName: name });
  if (policy !== undefined) await bench.call('PutUserPolicy', { UserName: name, PolicyName: 'p', PolicyDocument: policy });
  return bench.keyOf(name);
}

test('who is trusted by name needs no policy; whose account is trusted does; an explicit deny wins over both', async () => {
  const plain = await user('plain');
  const allowed = await user('allowed', allow('sts:AssumeRole'));
  const denied = await user('denied', document({ Effect: 'Deny', Action: 'sts:*', Resource: '*' }));
  await role(trust({ AWS: [arn('user/plain'), arn('user/denied')] }));
  assert.ok(await assume(plain));
  await assert.rejects(assume(allowed), DENIED);
  await assert.rejects(assume(denied), DENIED);
  await role(trust({ AWS: ACCOUNT }));
  await assert.rejects(assume(plain), DENIED);
  assert.ok(await assume(allowed));
  assert.ok(await assume(), 'the root');
  await role(
    document(
      { Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' },
      { Effect: 'Deny', Principal: { AWS: arn('user/allowed') }, Action: 'sts:AssumeRole' },
    ),
  );
  assert.ok(await assume(plain));
  await assert.rejects(assume(allowed), DENIED);
  await role(trust({ Service: 'lambda.amazonaws.com' }));
  for (const key of [plain, allowed, undefined]) await assert.rejects(assume(key), DENIED);
  await assert.rejects(bench.call('AssumeRole', { RoleArn: arn('role/none'), RoleSessionName }), DENIED);
});

test('the record says why a role is not assumed, and the answer does not; of a role of another account neither does', async () => {
  const named = await user('named');
  const fault = (key: Parameters<typeof bench.call>[2], more: object = {}) =>
    bench.call('AssumeRole', { RoleArn, RoleSessionName, ...more }, key).then(
      () => assert.fail('assumed'),
      (error: unknown) => {
        assert.match(messageOf(error), /^User: \S+ is not authorized to perform: sts:AssumeRole on resource: \S+$/);
        assert.equal(notesOf(error).permission?.action, 'sts:AssumeRole');
        return notesOf(error).advice;
      },
    );
  await role(trust({ Service: 'lambda.amazonaws.com' }));
  assert.equal(await fault(named), `Its trust policy does not let ${arn('user/named')} assume it.`);
  assert.equal(await fault(named, { RoleArn: arn('role/none') }), 'There is no such role.');
  assert.match((await fault(named, { RoleArn: RoleArn.replace(ACCOUNT, '210987654321') })) ?? '', /no such role, or its trust/);
  const Condition = { StringEquals: { 'sts:ExternalId': 'secret' } };
  await role(document({ Effect: 'Allow', Principal: { AWS: arn('user/named') }, Action: 'sts:AssumeRole', Condition }));
  assert.match((await fault(named)) ?? '', /where StringEquals on sts:ExternalId holds \(statement #1\), which it does not/);
  await role(trust({ AWS: ACCOUNT }));
  assert.match((await fault(named)) ?? '', /policies of \S+user\/named do not allow/);
  await role(document({ Effect: 'Deny', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' }));
  assert.match((await fault(named)) ?? '', /^Statement #1 of its trust policy denies it/);
});

test('a session policy keeps a session from a role that names its role (IAM user guide, reference_policies_evaluation-logic)', async () => {
  await role(trust({ AWS: ACCOUNT }));
  await bench.call('CreateRole', { RoleName: 'next', AssumeRolePolicyDocument: trust({ AWS: RoleArn }) });
  const next = (key: Awaited<ReturnType<typeof assume>>) =>
    bench.call('AssumeRole', { RoleArn: arn('role/next'), RoleSessionName }, key);
  assert.ok((await next(await assume())).Credentials);
  await assert.rejects(next(await assume(undefined, { Policy: allow('iot:*') })), DENIED);
  await bench.call('DeleteRole', { RoleName: 'next' });
});

test('another user of a trusted name is not trusted (IAM user guide, reference_policies_elements_principal)', async () => {
  await user('twin');
  await role(trust({ AWS: arn('user/twin') }));
  const { AccessKeyMetadata = [] } = await bench.call('ListAccessKeys', { UserName: 'twin' });
  for (const { AccessKeyId } of AccessKeyMetadata) await bench.call('DeleteAccessKey', { UserName: 'twin', AccessKeyId });
  await bench.call('DeleteUser', { UserName: 'twin' });
  await assert.rejects(assume(await user('twin')), DENIED);
});

test('conditions of a trust policy: an external id', async () => {
  await role(trust({ AWS: ACCOUNT }, { StringEquals: { 'sts:ExternalId': 'x1' } }));
  await assert.rejects(assume(), DENIED);
  await assert.rejects(assume(undefined, { ExternalId: 'x2' }), DENIED);
  assert.ok(await assume(undefined, { ExternalId: 'x1' }));
});

test('a session: its ARN and id, the permissions of its role as they are now, and none once the role is gone', async () => {
  await role(trust({ AWS: ACCOUNT }));
  const { AssumedRoleUser } = await bench.call('AssumeRole', { RoleArn, RoleSessionName });
  assert.equal(AssumedRoleUser?.Arn, `arn:aws:sts::${ACCOUNT}:assumed-role/r/session`);
  const key = await assume();
  assert.deepEqual([key?.arn, key?.userId], [AssumedRoleUser?.Arn, AssumedRoleUser?.AssumedRoleId]);
  assert.equal(await bench.may(key, 'iot:CreateThing'), 'ALLOWED');
  assert.equal(await bench.may(key, 'iam:CreateUser'), 'IMPLICIT_DENY');
  await bench.call('PutRolePolicy', { RoleName: 'r', PolicyName: 'p', PolicyDocument: allow('iam:*') });
  assert.equal(await bench.may(key, 'iot:CreateThing'), 'IMPLICIT_DENY');
  assert.equal(await bench.may(key, 'iam:CreateUser'), 'ALLOWED');
  await role(trust({ AWS: ACCOUNT }));
  assert.equal(await bench.may(key, 'iot:CreateThing'), 'nobody', 'a new role of the name is another one');
});

test('a session policy and a boundary take away, and never add', async () => {
  await role(trust({ AWS: ACCOUNT }), ['iot:*', 'lambda:*']);
  const limited = await assume(undefined, {
    Policy: allow('iot:*', 'iam:*'),
    PolicyArns: [{ arn: 'arn:aws:iam::aws:policy/AWSLambda_ReadOnlyAccess' }],
  });
  const asked = ['iot:CreateThing', 'iam:CreateUser', 'lambda:GetFunction', 'lambda:CreateFunction'];
  const answers = async (key: typeof limited) => Promise.all(asked.map((action) => bench.may(key, action)));
  assert.deepEqual(await answers(limited), ['ALLOWED', 'IMPLICIT_DENY', 'ALLOWED', 'IMPLICIT_DENY']);
  await bench.call('PutRolePermissionsBoundary', {
    RoleName: 'r',
    PermissionsBoundary: 'arn:aws:iam::aws:policy/AWSIoTFullAccess',
  });
  assert.deepEqual(await answers(limited), ['ALLOWED', 'IMPLICIT_DENY', 'IMPLICIT_DENY', 'IMPLICIT_DENY']);
  await bench.call('DeleteRolePermissionsBoundary', { RoleName: 'r' });
  assert.deepEqual(await answers(await assume()), ['ALLOWED', 'IMPLICIT_DENY', 'ALLOWED', 'ALLOWED']);
});

test('durations: of the role, of chaining, and the end (API reference AssumeRole)', async () => {
  const chaining = trust({ AWS: ACCOUNT });
  await role(chaining, ['sts:AssumeRole']);
  await assert.rejects(assume(undefined, { DurationSeconds: 7201 }), { code: 'ValidationError' });
  const key = await assume(undefined, { DurationSeconds: 7200 });
  await assert.rejects(assume(key, { DurationSeconds: 3601 }), { code: 'ValidationError' });
  const { Credentials } = await bench.call('AssumeRole', { RoleArn, RoleSessionName, DurationSeconds: 900 }, key);
  assert.equal(Credentials?.Expiration?.getTime(), bench.clock.at + 900_000);
  bench.clock.at += 900_000;
  await assert.rejects(bench.temporary(Credentials), { code: 'ExpiredTokenException' });
});

test('what would change a session and is not here is refused, not passed over', async () => {
  await role(trust({ AWS: ACCOUNT }));
  for (const more of [
    { Tags: [{ Key: 'a', Value: 'b' }] },
    { SerialNumber: 'x'.repeat(9), TokenCode: '123456' },
    { SourceIdentity: 'ann' },
  ])
    await assert.rejects(assume(undefined, more), { code: 'ValidationError' });
  await assert.rejects(assume(undefined, { Policy: '{}' }), { code: 'MalformedPolicyDocument' });
});

test('GetSessionToken: the permissions of the user, the root for an hour, never of a session (API reference GetSessionToken)', async () => {
  const key = await user('token', allow('iot:*'));
  const own = await bench.temporary((await bench.call('GetSessionToken', {}, key)).Credentials);
  assert.deepEqual([own?.arn, own?.session], [arn('user/token'), 'user']);
  assert.equal(await bench.may(own, 'iot:CreateThing'), 'ALLOWED');
  await assert.rejects(bench.call('GetSessionToken', {}, own), DENIED);
  await bench.call('DeleteUserPolicy', { UserName: 'token', PolicyName: 'p' });
  assert.equal(await bench.may(own, 'iot:CreateThing'), 'IMPLICIT_DENY');
  const { Credentials } = await bench.call('GetSessionToken', { DurationSeconds: 129_600 });
  assert.equal(Credentials?.Expiration?.getTime(), bench.clock.at + 3_600_000);
  const root = await bench.temporary(Credentials);
  assert.deepEqual([root?.arn, root?.session, root !== undefined && 'permissions' in root], [arn('root'), 'root', false]);
});

test('every operation of STS but three needs the permission of its name (API reference of STS)', async () => {
  const { operations, needed } = bench.iam.services.sts;
  for (const name of Object.keys(operations)) {
    const isOpen = ['GetCallerIdentity', 'GetSessionToken', 'AssumeRole'].includes(name);
    assert.deepEqual(await needed(name), isOpen ? [] : [{ action: `sts:${name}`, resource: '*' }], name);
  }
});

test('credentials and permissions of a role for a service that it trusts', async () => {
  const { roleCredentials, rolePermissions } = bench.iam;
  await role(trust({ Service: 'lambda.amazonaws.com' }));
  const input = {
    accountId: ACCOUNT,
    roleArn: RoleArn,
    service: 'lambda.amazonaws.com',
    sessionName: 'a function',
    durationSeconds: 900,
  };
  const made = await roleCredentials(input);
  assert.equal(made?.expiresAt, bench.clock.at + 900_000);
  const key = await bench.temporary({
    AccessKeyId: made?.accessKeyId,
    SessionToken: made?.sessionToken,
    SecretAccessKey: undefined,
    Expiration: undefined,
  });
  assert.equal(key?.arn, `arn:aws:sts::${ACCOUNT}:assumed-role/r/a-function`);
  assert.equal(await bench.may(key, 'iot:Publish'), 'ALLOWED');
  assert.equal(await roleCredentials({ ...input, roleArn: arn('role/none') }), undefined);
  assert.equal(await roleCredentials({ ...input, accountId: '210987654321' }), undefined);
  await assert.rejects(roleCredentials({ ...input, service: 'iot.amazonaws.com' }), DENIED);
  const permissions = await rolePermissions(ACCOUNT, RoleArn, 'lambda.amazonaws.com');
  assert.ok(permissions !== 'unknown-role');
  assert.deepEqual(
    [permissions.decide('iot:Publish', '*').effect, permissions.decide('s3:GetObject', '*').effect],
    ['ALLOWED', 'IMPLICIT_DENY'],
  );
  assert.equal(await rolePermissions(ACCOUNT, arn('role/none'), 'lambda.amazonaws.com'), 'unknown-role');
  await assert.rejects(rolePermissions(ACCOUNT, RoleArn, 'iot.amazonaws.com'), DENIED);
});

test('a session for a device: its variables, its certificate, and no longer than the role lets it last (fact 11.2)', async () => {
  await bench.call('CreateRole', {
    RoleName: 'devices',
    AssumeRolePolicyDocument: trust({ Service: 'credentials.iot.amazonaws.com' }),
  });
  await bench.call('PutRolePolicy', {
    RoleName: 'devices',
    PolicyName: 'p',
    PolicyDocument: document({
      Effect: 'Allow',
      Action: 'iot:Publish',
      Resource: 'arn:aws:iot:us-east-1:123456789012:topic/${credentials-iot:ThingName}',
      Condition: { StringLike: { 'credentials-iot:AwsCertificateId': 'c*', 'credentials-iot:ThingTypeName': 'arm' } },
    }),
  });
  const session = async (device: object, durationSeconds = 900) => {
    const made = await bench.iam.roleCredentials({
      accountId: ACCOUNT,
      roleArn: arn('role/devices'),
      service: 'credentials.iot.amazonaws.com',
      sessionName: 'c',
      durationSeconds,
      device: { certificateId: 'c', region: 'us-east-1', ...device },
    });
    const { accessKeyId: AccessKeyId, sessionToken: SessionToken } = made ?? {};
    return bench.temporary({ AccessKeyId, SessionToken, SecretAccessKey: undefined, Expiration: undefined });
  };
  const ask = async (key: Awaited<ReturnType<typeof session>>, name: string) =>
    bench.may(key, 'iot:Publish', `arn:aws:iot:us-east-1:123456789012:topic/${name}`);
  const key = await session({ thingName: 'ada', thingTypeName: 'arm' });
  assert.deepEqual([await ask(key, 'ada'), await ask(key, 'eve')], ['ALLOWED', 'IMPLICIT_DENY']);
  assert.equal(await ask(await session({ thingName: 'ada' }), 'ada'), 'IMPLICIT_DENY');
  assert.equal(await ask(await session({ thingTypeName: 'arm' }), 'ada'), 'IMPLICIT_DENY');
  bench.revoked.add('c');
  assert.equal(await ask(key, 'ada'), 'nobody');
  await session({}, 3_600);
  await assert.rejects(session({}, 3_601), { code: 'ValidationError' });
});

test('a service that assumes a role: what it is, and for what it acts; where it does not say, a Deny that asks holds', async () => {
  const service = 'lambda.amazonaws.com';
  const denying = (Condition: object): string =>
    document(
      { Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' },
      { Effect: 'Deny', Principal: { Service: service }, Action: 'sts:AssumeRole', Condition },
    );
  const sourceArn = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:f`;
  const input = { accountId: ACCOUNT, roleArn: RoleArn, service, sessionName: 'f', durationSeconds: 900 };
  for (const [condition, denied] of [
    [{ Bool: { 'aws:PrincipalIsAWSService': 'true' } }, true],
    [{ StringEquals: { 'aws:PrincipalServiceName': service } }, true],
    [{ 'ForAnyValue:StringEquals': { 'aws:PrincipalServiceNamesList': service } }, true],
    [{ StringEquals: { 'aws:SourceAccount': ACCOUNT } }, true],
    [{ ArnEquals: { 'aws:SourceArn': sourceArn } }, true],
    [{ ArnEquals: { 'aws:SourceArn': `${sourceArn}2` } }, false],
  ] as const) {
    await role(denying(condition));
    const made = bench.iam.roleCredentials({ ...input, sourceArn });
    if (denied) await assert.rejects(made, DENIED);
    else assert.ok(await made);
  }
  await assert.rejects(bench.iam.roleCredentials(input), DENIED, 'for nobody knows what');
});

test("a function's session names its function, and tokens from before have no time of issue that is late enough", async () => {
  const sourceArn = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:f`;
  await role(trust({ Service: 'lambda.amazonaws.com' }));
  const made = await bench.iam.roleCredentials({
    accountId: ACCOUNT,
    roleArn: RoleArn,
    service: 'lambda.amazonaws.com',
    sessionName: 'f',
    durationSeconds: 900,
    sourceArn,
  });
  const key = await bench.temporary({ AccessKeyId: made?.accessKeyId, SessionToken: made?.sessionToken } as never);
  assert.equal(await bench.may(key, 'iot:Publish'), 'ALLOWED');
  const put = (Condition: object) =>
    bench.call('PutRolePolicy', {
      RoleName: 'r',
      PolicyName: 'p',
      PolicyDocument: document(
        { Effect: 'Allow', Action: 'iot:*', Resource: '*' },
        { Effect: 'Deny', Action: '*', Resource: '*', Condition },
      ),
    });
  await put({ ArnEquals: { 'lambda:SourceFunctionArn': sourceArn } });
  assert.equal(await bench.may(key, 'iot:Publish'), 'EXPLICIT_DENY');
  await put({ DateLessThan: { 'aws:TokenIssueTime': new Date(bench.clock.at).toISOString() } });
  assert.equal(await bench.may(key, 'iot:Publish'), 'ALLOWED', 'made at that very moment');
  const opened = bench.tokens.open(made?.accessKeyId ?? '', made?.sessionToken ?? '');
  assert.ok(opened?.session.kind === 'role');
  const { issuedAt: _, ...before } = opened.session;
  const token = { accessKeyId: '', secretAccessKey: '', sessionToken: '', session: before };
  assert.equal(await bench.may(await bench.iam.keys.temporary(token, async () => true), 'iot:Publish'), 'EXPLICIT_DENY');
});
