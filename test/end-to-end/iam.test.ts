/**
 * IAM with the real aws command: the identities that the zero-touch tutorial makes (its steps as CLI calls), who may then do
 * what their policies say and nothing else (IAM user guide, page reference_policies_evaluation-logic).
 */
// needs: aws boto3
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { awsJson, awsOutcome } from './aws-command.ts';
import { ACCOUNT } from './devices.ts';
import { python } from './python-command.ts';
import type { Outcome } from './run-command.ts';
import { startServer, temporaryFolder, type TestServer } from './test-core.ts';

interface Credentials {
  readonly AccessKeyId: string;
  readonly SecretAccessKey: string;
  readonly SessionToken?: string;
}

let server: TestServer;
let ztUser: Record<string, string>;
before(async () => {
  server = await startServer();
});
after(() => server[Symbol.asyncDispose]());

const POLICY = 'arn:aws:iam::aws:policy';
const iamArn = (rest: string): string => `arn:aws:iam::${ACCOUNT}:${rest}`;
const iotArn = (rest: string): string => `arn:aws:iot:us-east-1:${ACCOUNT}:${rest}`;

/** The environment of whoever has these credentials. */
const as = ({ AccessKeyId, SecretAccessKey, SessionToken }: Credentials): Record<string, string> => {
  const { AWS_SHARED_CREDENTIALS_FILE: _, ...env } = server.env;
  const token: Record<string, string> = SessionToken === undefined ? {} : { AWS_SESSION_TOKEN: SessionToken };
  return { ...env, AWS_ACCESS_KEY_ID: AccessKeyId, AWS_SECRET_ACCESS_KEY: SecretAccessKey, ...token };
};

const root = <T = Record<string, unknown>>(line: string, ...more: string[]): Promise<T> =>
  awsJson<T>(server.env, ...line.split(' '), ...more);

const ask = (env: Record<string, string>, line: string, ...more: string[]): Promise<Outcome> =>
  awsOutcome({ env }, ...line.split(' '), ...more);

async function allowed(env: Record<string, string>, line: string, ...more: string[]): Promise<void> {
  const { code, stderr } = await ask(env, line, ...more);
  assert.equal(code, 0, `${line}: ${stderr}`);
}

/** Refused with AWS's text for this action, on this resource when one is given. */
async function denied(env: Record<string, string>, line: string, action: string, resource?: string): Promise<void> {
  const { code, stderr } = await ask(env, line);
  assert.notEqual(code, 0, `${line} is refused`);
  assert.match(stderr, /\((AccessDenied|AccessDeniedException|ForbiddenException)\)/, line);
  const on = resource === undefined ? 'on resource: ' : `on resource: ${resource} `;
  assert.ok(stderr.includes(`is not authorized to perform: ${action} ${on}`), `${line}: ${stderr}`);
}

const file = (name: string, content: object): string => {
  const path = join(server.dataDir, name);
  writeFileSync(path, JSON.stringify(content));
  return `file://${path}`;
};
const document = (...Statement: object[]): object => ({ Version: '2012-10-17', Statement });
const trusting = (Principal: object): object => document({ Effect: 'Allow', Principal, Action: 'sts:AssumeRole' });

describe("the tutorial's steps, in its order", () => {
  test("user, console password, group with two of AWS's policies, membership, access key", async () => {
    const { User } = await root<{ User: { Arn: string } }>('iam create-user --user-name ZTUser');
    assert.equal(User.Arn, iamArn('user/ZTUser'));
    await root('iam create-login-profile --user-name ZTUser --password Zero-Touch-1');
    await root('iam create-group --group-name ZTGroup');
    for (const name of ['AWSIoTFullAccess', 'AWSLambdaFullAccess'])
      await root(`iam attach-group-policy --group-name ZTGroup --policy-arn ${POLICY}/${name}`);
    await root('iam add-user-to-group --group-name ZTGroup --user-name ZTUser');
    const { AccessKey } = await root<{ AccessKey: Credentials }>('iam create-access-key --user-name ZTUser');
    ztUser = as(AccessKey);
    const identity = await awsJson<{ Arn: string }>(ztUser, 'sts', 'get-caller-identity');
    assert.equal(identity.Arn, iamArn('user/ZTUser'));
  });

  test('policy, role that Lambda may assume, three policies on it', async () => {
    const permissions = document({
      Effect: 'Allow',
      Resource: '*',
      Action: ['iot:UpdateCertificate', 'iot:CreateThing', 'iot:DescribeCaCertificate', 'iot:AttachPolicy'],
    });
    const { Policy } = await root<{ Policy: { Arn: string } }>(
      `iam create-policy --policy-name ZTLambdaJITRPolicy --policy-document ${file('policy.json', permissions)}`,
    );
    const trust = file('trust.json', trusting({ Service: 'lambda.amazonaws.com' }));
    await root(`iam create-role --role-name ZTLambdaJITRRole --assume-role-policy-document ${trust}`);
    const arns = [`${POLICY}/service-role/AWSLambdaBasicExecutionRole`, `${POLICY}/AWSXrayWriteOnlyAccess`, Policy.Arn];
    for (const arn of arns) await root(`iam attach-role-policy --role-name ZTLambdaJITRRole --policy-arn ${arn}`);
    const listed = await root<{ AttachedPolicies: { PolicyArn: string }[] }>(
      'iam list-attached-role-policies --role-name ZTLambdaJITRRole',
    );
    assert.deepEqual(
      listed.AttachedPolicies.map(({ PolicyArn }) => PolicyArn),
      arns,
    );
  });

  test('ZTUser may do what the group may', async () => {
    await allowed(ztUser, 'iot create-thing --thing-name zt');
    await allowed(ztUser, 'iot describe-endpoint');
    await allowed(ztUser, 'iot list-certificates');
    await allowed(ztUser, 'iot create-keys-and-certificate --set-as-active');
    await allowed(ztUser, 'iot-data publish --topic zt/a --payload e30=');
    await allowed(ztUser, 'iam get-role --role-name ZTLambdaJITRRole');
    // AWSLambdaFullAccess has iam:PassRole.
    await allowed(ztUser, `iot create-role-alias --role-alias zt --role-arn ${iamArn('role/ZTLambdaJITRRole')}`);
  });

  test('and nothing else', async () => {
    await denied(ztUser, 'iam create-user --user-name Other', 'iam:CreateUser', iamArn('user/Other'));
    await denied(ztUser, 'iam list-users', 'iam:ListUsers', '*');
    await denied(ztUser, 'iam create-access-key', 'iam:CreateAccessKey', iamArn('user/ZTUser'));
    const admin = `iam attach-user-policy --user-name ZTUser --policy-arn ${POLICY}/AdministratorAccess`;
    await denied(ztUser, admin, 'iam:AttachUserPolicy', iamArn('user/ZTUser'));
    await denied(ztUser, 'acm list-certificates', 'acm:ListCertificates', '*');
    const zones = await ask(ztUser, 'ec2 describe-availability-zones');
    assert.match(zones.stderr, /\(UnauthorizedOperation\).*ec2:DescribeAvailabilityZones/);
    const assume = `sts assume-role --role-arn ${iamArn('role/ZTLambdaJITRRole')} --role-session-name night`;
    const { code, stderr } = await ask(ztUser, assume);
    assert.notEqual(code, 0);
    assert.match(stderr, /\(AccessDenied\).*sts:AssumeRole/);
    const line = await server.logged(({ event, action }) => event === 'refused' && action === 'sts:AssumeRole');
    assert.equal(line.resource, iamArn('role/ZTLambdaJITRRole'));
    assert.match(String(line.reason ?? line.msg), /Its trust policy does not let \S+user\/ZTUser assume it/);
  });

  test('each refusal is a record with the action, the resource and who asked', async () => {
    const line = await server.logged(({ event, action }) => event === 'refused' && action === 'iam:CreateUser');
    const { check, principal, resource, decision, protocol } = line;
    assert.deepEqual(
      [check, principal, resource, decision, protocol],
      ['policy', iamArn('user/ZTUser'), iamArn('user/Other'), 'IMPLICIT_DENY', 'api'],
    );
  });
});

describe('permissions as narrow as they are written', () => {
  let narrow: Record<string, string>;
  before(async () => {
    await root('iam create-user --user-name narrow --path /ci/');
    const permissions = document(
      { Effect: 'Allow', Action: ['iot:creatething', 'iot:Describe*'], Resource: iotArn('thing/ci-*') },
      { Effect: 'Allow', Action: 'iot:Publish', Resource: iotArn('topic/${aws:username}/*') },
      {
        Effect: 'Allow',
        Action: ['iot:ListThings', 'thingkeep:GetRefusals'],
        Resource: '*',
        Condition: { IpAddress: { 'aws:SourceIp': '127.0.0.0/8' } },
      },
      {
        Effect: 'Allow',
        Action: 'iot:ListPolicies',
        Resource: '*',
        Condition: { IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } },
      },
      {
        Effect: 'Allow',
        Action: 'iot:ListCertificates',
        Resource: '*',
        Condition: { StringEquals: { 'aws:RequestedRegion': 'eu-west-1' } },
      },
      { Effect: 'Allow', Action: ['iot:CreateRoleAlias', 'iot:CreateThingType'], Resource: '*' },
      { Effect: 'Deny', Action: 'iot:CreateThing', Resource: iotArn('thing/ci-secret') },
    );
    await root(`iam put-user-policy --user-name narrow --policy-name p --policy-document ${file('narrow.json', permissions)}`);
    const { AccessKey } = await root<{ AccessKey: Credentials }>('iam create-access-key --user-name narrow');
    narrow = as(AccessKey);
  });

  test('resources, wildcards, cases of letters, variables, an explicit deny', async () => {
    await allowed(narrow, 'iot create-thing --thing-name ci-1');
    await allowed(narrow, 'iot describe-thing --thing-name ci-1');
    await denied(narrow, 'iot create-thing --thing-name other', 'iot:CreateThing', iotArn('thing/other'));
    await denied(narrow, 'iot delete-thing --thing-name ci-1', 'iot:DeleteThing', iotArn('thing/ci-1'));
    const { stderr } = await ask(narrow, 'iot create-thing --thing-name ci-secret');
    assert.match(stderr, /with an explicit deny in an identity-based policy/);
    await allowed(narrow, 'iot-data publish --topic narrow/a --payload e30=');
    await denied(narrow, 'iot-data publish --topic wide/a --payload e30=', 'iot:Publish', iotArn('topic/wide/a'));
  });

  test('conditions: address and region', async () => {
    await allowed(narrow, 'iot list-things');
    await denied(narrow, 'iot list-policies', 'iot:ListPolicies', '*');
    await denied(narrow, 'iot list-certificates', 'iot:ListCertificates', '*');
    await allowed(narrow, 'iot list-certificates --region eu-west-1');
  });

  test('a role is passed by who may pass it alone', async () => {
    await root(
      `iam create-role --role-name device --assume-role-policy-document ${file('device.json', trusting({ Service: 'credentials.iot.amazonaws.com' }))}`,
    );
    const line = `iot create-role-alias --role-alias ci --role-arn ${iamArn('role/device')}`;
    await denied(narrow, line, 'iam:PassRole', iamArn('role/device'));
    const pass = (service: string): string =>
      file(
        'pass.json',
        document({
          Effect: 'Allow',
          Action: 'iam:PassRole',
          Resource: iamArn('role/device'),
          Condition: { StringEquals: { 'iam:PassedToService': service } },
        }),
      );
    const put = 'iam put-user-policy --user-name narrow --policy-name pass --policy-document';
    await root(`${put} ${pass('iot.amazonaws.com')}`);
    await denied(narrow, line, 'iam:PassRole', iamArn('role/device'));
    await root(`${put} ${pass('credentials.iot.amazonaws.com')}`);
    await allowed(narrow, line);
  });

  test('a key that is Inactive, and one that is gone, is no key', async () => {
    const id = narrow.AWS_ACCESS_KEY_ID ?? '';
    const update = `iam update-access-key --user-name narrow --access-key-id ${id} --status`;
    await root(`${update} Inactive`);
    assert.match((await ask(narrow, 'iot list-things')).stderr, /UnrecognizedClientException/);
    await root(`${update} Active`);
    await allowed(narrow, 'iot list-things');
    await root(`iam delete-access-key --user-name narrow --access-key-id ${id}`);
    assert.match((await ask(narrow, 'sts get-caller-identity')).stderr, /InvalidClientTokenId/);
  });
});

test('a role: assumed, limited by a session policy, and without permissions once its policy is detached', async () => {
  await root(
    `iam create-role --role-name ops --assume-role-policy-document ${file('ops.json', trusting({ AWS: iamArn('user/ZTUser') }))}`,
  );
  await root(`iam attach-role-policy --role-name ops --policy-arn ${POLICY}/AWSIoTFullAccess`);
  const line = `sts assume-role --role-arn ${iamArn('role/ops')} --role-session-name night`;
  const assume = async (...more: string[]): Promise<Record<string, string>> => {
    const { Credentials } = await awsJson<{ Credentials: Credentials }>(ztUser, ...line.split(' '), ...more);
    return as(Credentials);
  };
  const session = await assume();
  const { Arn } = await awsJson<{ Arn: string }>(session, 'sts', 'get-caller-identity');
  assert.equal(Arn, `arn:aws:sts::${ACCOUNT}:assumed-role/ops/night`);
  await allowed(session, 'iot create-thing --thing-name by-role');
  await denied(session, 'iam list-roles', 'iam:ListRoles');
  const reading = document({ Effect: 'Allow', Action: 'iot:List*', Resource: '*' });
  const limited = await assume('--policy', JSON.stringify(reading));
  await allowed(limited, 'iot list-things');
  assert.match(
    (await ask(limited, 'iot create-thing --thing-name no')).stderr,
    /because no session policy allows the iot:CreateThing action/,
  );
  await root(`iam detach-role-policy --role-name ops --policy-arn ${POLICY}/AWSIoTFullAccess`);
  await denied(session, 'iot list-things', 'iot:ListThings', '*');
  await root('iam delete-role --role-name ops');
  assert.match((await ask(session, 'iot list-things')).stderr, /UnrecognizedClientException/);
});

test('boto3: documents decoded, pages, a waiter, an assumed role', async () => {
  const said = JSON.parse(await python('iam_walk.py', 'boto3', server.env)) as Record<string, unknown>;
  assert.deepEqual(said, {
    listed: [['walk-0', 'walk-1'], ['walk-2', 'walk-3'], ['walk-4']],
    decoded: true,
    trust: true,
    thing: 'walk',
    denied: 'AccessDeniedException',
    missing: 'NoSuchEntity',
  });
});

test('errors in the form of IAM (API reference, Common Errors)', async () => {
  const errors: readonly (readonly [line: string, error: RegExp])[] = [
    ['iam get-user --user-name nobody', /\(NoSuchEntity\).*The user with name nobody cannot be found/],
    ['iam create-user --user-name ztuser', /\(EntityAlreadyExists\)/],
    ['iam create-user --user-name a*b', /\(ValidationError\).*The specified value for userName is invalid/],
    ['iam delete-group --group-name ZTGroup', /\(DeleteConflict\)/],
    ['iam create-policy --policy-name x --policy-document {}', /\(MalformedPolicyDocument\)/],
    ['iam list-saml-providers', /\(InvalidAction\)/],
  ];
  for (const [line, error] of errors) assert.match((await ask(server.env, line)).stderr, error, line);
});

test("a user's own temporary credentials; a restart keeps users, keys and sessions (API reference GetSessionToken)", async () => {
  const dataDir = temporaryFolder();
  try {
    let credentials: Credentials;
    {
      await using first = await startServer({ dataDir });
      const call = <T>(line: string): Promise<T> => awsJson<T>(first.env, ...line.split(' '));
      await call('iam create-user --user-name kept');
      await call(`iam attach-user-policy --user-name kept --policy-arn ${POLICY}/AWSIoTConfigReadOnlyAccess`);
      const { AccessKey } = await call<{ AccessKey: Credentials }>('iam create-access-key --user-name kept');
      const env = { ...as(AccessKey), AWS_ENDPOINT_URL: first.url };
      ({ Credentials: credentials } = await awsJson<{ Credentials: Credentials }>(env, 'sts', 'get-session-token'));
    }
    await using second = await startServer({ dataDir });
    const env = { ...as(credentials), AWS_ENDPOINT_URL: second.url };
    await allowed(env, 'iot list-things');
    await denied(env, 'iot create-thing --thing-name x', 'iot:CreateThing', iotArn('thing/x'));
    assert.match((await ask(env, 'iam list-users')).stderr, /InvalidClientTokenId/);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});
