/**
 * Condition keys of real requests: whatever key a policy denies by, the request has it, or the policy is refused when it is
 * stored (IAM user guide, page reference_policies_condition-keys; Service Authorization Reference).
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  CreateGroupCommand,
  CreatePolicyCommand,
  DeleteUserPolicyCommand,
  GetUserCommand,
  IAMClient,
  PutGroupPolicyCommand,
  PutRolePolicyCommand,
  PutUserPermissionsBoundaryCommand,
  PutUserPolicyCommand,
  TagUserCommand,
  UpdateAssumeRolePolicyCommand,
  AttachUserPolicyCommand,
} from '@aws-sdk/client-iam';
import {
  CreatePolicyCommand as CreateIotPolicyCommand,
  CreatePolicyVersionCommand,
  CreateRoleAliasCommand,
  CreateThingTypeCommand,
  CreateTopicRuleCommand,
  DescribeThingTypeCommand,
  IoTClient,
  ListThingsCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-iot';
import { IoTDataPlaneClient, PublishCommand, GetConnectionCommand } from '@aws-sdk/client-iot-data-plane';
import { DescribeJobExecutionCommand, IoTJobsDataPlaneClient } from '@aws-sdk/client-iot-jobs-data-plane';
import { AddPermissionCommand, CreateFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { CloudWatchLogsClient, CreateLogGroupCommand, DescribeLogStreamsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { FILLED } from '@thingkeep/wire/documents/condition-keys.ts';
import { ACCOUNT } from './devices.ts';
import type { Credentials } from './presign.ts';
import { ALLOW, type Ask, deny, document, IamBench, isDenied, ROLE, type User } from './iam-bench.ts';
import type { TestServer } from './test-core.ts';

/** The request has the key, with whatever value. */
const having = (key: string) => deny({ 'ForAnyValue:StringLike': { [key]: '*' } });

let bench: IamBench;
let server: TestServer;
let iam: IAMClient;
before(async () => {
  bench = await IamBench.open();
  ({ server, iam } = bench);
});
after(() => bench[Symbol.asyncDispose]());

const makeUser = (...statements: object[]): Promise<User> => bench.makeUser(...statements);
const assume = (by: Credentials, more: object = {}): Promise<Required<Credentials>> => bench.assume(by, more);
const sending =
  (Client: never, command: () => object): Ask =>
  (as) =>
    bench.sending(Client, command)(as);
const iot = (command: () => object): Ask => sending(IoTClient as never, command);

const listThings = iot(() => new ListThingsCommand({}));
const publish = sending(IoTDataPlaneClient as never, () => new PublishCommand({ topic: 't', payload: Buffer.from('x') }));
const addPermission = sending(
  LambdaClient as never,
  () =>
    new AddPermissionCommand({
      FunctionName: 'f',
      StatementId: 's',
      Action: 'lambda:InvokeFunction',
      Principal: 'iot.amazonaws.com',
      FunctionUrlAuthType: 'NONE',
      EventSourceToken: 'token',
      InvokedViaFunctionUrl: true,
    }),
);
const createFunction = sending(
  LambdaClient as never,
  () =>
    new CreateFunctionCommand({
      FunctionName: 'f',
      Role: ROLE,
      Code: { ZipFile: Buffer.from('x') },
      Tags: { team: 'blue' },
      Layers: [`arn:aws:lambda:us-east-1:${ACCOUNT}:layer:l:1`],
      VpcConfig: { SubnetIds: ['s'], SecurityGroupIds: ['g'] },
      CodeSigningConfigArn: `arn:aws:lambda:us-east-1:${ACCOUNT}:code-signing-config:csc-0123456789abcdef0`,
    }),
);
const assumeRole: Ask = (as) => assume(as, { ExternalId: 'external' });
const createThingType = iot(() => new CreateThingTypeCommand({ thingTypeName: 'new', tags: [{ Key: 'team', Value: 'blue' }] }));
const describeThingType = iot(() => new DescribeThingTypeCommand({ thingTypeName: 'lamp' }));
const getUser = (name: string): Ask => sending(IAMClient as never, () => new GetUserCommand({ UserName: name }));

/** A request of any service, with headers of one's own. */
const signed =
  (service: string, headers: Readonly<Record<string, string>>, body: string): Ask =>
  async (credentials) => {
    const signer = new SignatureV4({ service, region: 'us-east-1', credentials, sha256: Sha256 });
    const { hostname, port } = new URL(server.url);
    const host = `${hostname}:${port}`;
    const request = { method: 'POST', protocol: 'http:', hostname, port: Number(port), path: '/', body };
    const made = await signer.sign({ ...request, headers: { host, ...headers } });
    const answer = await fetch(server.url, { method: 'POST', headers: made.headers, body });
    const text = await answer.text();
    if (/AccessDenied|UnauthorizedOperation/.test(text)) throw Object.assign(new Error(text), { name: 'AccessDenied' });
    return text;
  };
const whoAmI = signed('ec2', { referer: 'https://example.com/' }, 'Action=DescribeAvailabilityZones&Version=2016-11-15');

/** Keys of every request, and those that one operation or another has. What is in no case here is asked below. */
const CASES: Readonly<Record<string, Ask>> = {
  'aws:Referer': whoAmI,
  'ec2:Region': whoAmI,
  'aws:ResourceTag/team': describeThingType,
  'aws:RequestTag/team': createThingType,
  'aws:TagKeys': createThingType,
  'iam:PassedToService': createFunction,
  'iam:AssociatedResourceArn': createFunction,
  'iam:PolicyARN': sending(
    IAMClient as never,
    () => new AttachUserPolicyCommand({ UserName: 'nobody', PolicyArn: 'arn:aws:iam::aws:policy/AWSIoTFullAccess' }),
  ),
  'iam:PermissionsBoundary': sending(
    IAMClient as never,
    () =>
      new PutUserPermissionsBoundaryCommand({
        UserName: 'nobody',
        PermissionsBoundary: 'arn:aws:iam::aws:policy/AWSIoTFullAccess',
      }),
  ),
  'iam:ResourceTag/team': getUser('user1'),
  'sts:RoleSessionName': assumeRole,
  'sts:ExternalId': assumeRole,
  'iot:DomainName': publish,
  'iot:IncludeSocketInformation': sending(IoTDataPlaneClient as never, () => new GetConnectionCommand({ clientId: 'c' })),
  'iot:JobId': sending(IoTJobsDataPlaneClient as never, () => new DescribeJobExecutionCommand({ thingName: 't', jobId: 'j' })),
  'lambda:FunctionUrlAuthType': addPermission,
  'lambda:Principal': addPermission,
  'lambda:EventSourceToken': addPermission,
  'lambda:InvokedViaFunctionUrl': addPermission,
  'lambda:Layer': createFunction,
  'lambda:CodeSigningConfigArn': createFunction,
  'lambda:SubnetIds': createFunction,
  'lambda:SecurityGroupIds': createFunction,
};

/** Asked elsewhere: of sessions, of connections, of devices and functions, of services that assume a role. */
const ELSEWHERE = new Set([
  ...['aws:TokenIssueTime', 'aws:MultiFactorAuthPresent', 'iot:ClientId', 'iot:LastWillTopic', 'iot:ConnectAttributes'],
  ...['credentials-iot:ThingName', 'credentials-iot:ThingTypeName', 'credentials-iot:AwsCertificateId'],
  ...['lambda:SourceFunctionArn', 'aws:SourceAccount', 'aws:SourceArn', 'aws:PrincipalServiceName'],
  'aws:PrincipalServiceNamesList',
]);

test('a Deny by any key that requests have denies', async (t) => {
  const names = FILLED.map((name) => (name.endsWith('/') ? `${name}team` : name)).filter((name) => !ELSEWHERE.has(name));
  for (const key of names)
    await t.test(key, async () => {
      const ask = CASES[key] ?? listThings;
      const user = await makeUser(ALLOW);
      assert.equal(await isDenied(ask(user)), false, 'allowed without it');
      await user.policy(ALLOW, having(key.toUpperCase()));
      assert.equal(await isDenied(ask(user)), true);
    });
});

test('what a condition is compared with is what the request is', async () => {
  const user = await makeUser(ALLOW);
  const denies = async (condition: object, ask = listThings): Promise<boolean> => {
    await user.policy(ALLOW, deny(condition));
    return isDenied(ask(user));
  };
  assert.equal(await denies({ Bool: { 'aws:SecureTransport': 'false' } }), true, 'the API is plain HTTP here');
  assert.equal(await denies({ Bool: { 'aws:SecureTransport': 'true' } }), false);
  assert.equal(await denies({ Bool: { 'aws:ViaAWSService': 'true' } }), false);
  assert.equal(await denies({ StringLike: { 'aws:UserAgent': 'aws-sdk-js/*' } }), true);
  assert.equal(await denies({ StringLike: { 'aws:UserAgent': 'curl/*' } }), false);
  assert.equal(await denies({ StringEquals: { 'aws:ResourceAccount': ACCOUNT } }), true);
  assert.equal(await denies({ StringNotEquals: { 'aws:ResourceAccount': ACCOUNT } }), false);
  assert.equal(await denies({ StringEquals: { 'aws:ResourceTag/team': 'blue' } }, describeThingType), true);
  assert.equal(await denies({ StringEquals: { 'aws:ResourceTag/team': 'red' } }, describeThingType), false);
  assert.equal(await denies({ StringNotEquals: { 'iot:DomainName': '127.0.0.1' } }, publish), false);
  assert.equal(await denies({ Null: { 'aws:TokenIssueTime': 'false' } }), false, 'a long-term key has none');
  assert.equal(await denies({ StringNotEquals: { 'aws:PrincipalOrgID': 'o-1' } }), true, 'absent, as on AWS');
});

describe('tags', () => {
  test('of what is asked for, whichever service keeps it', async () => {
    const tags = [{ Key: 'team', Value: 'blue' }];
    const map = { team: 'blue' };
    const logs = new CloudWatchLogsClient(bench.client(server.credentials()));
    await logs.send(new CreateLogGroupCommand({ logGroupName: '/app/x', tags: map }));
    logs.destroy();
    await server.iot.send(new CreateIotPolicyCommand({ policyName: 'tagged', policyDocument: document(ALLOW_IOT), tags }));
    await server.iot.send(new CreateRoleAliasCommand({ roleAlias: 'tagged', roleArn: ROLE, tags }));
    const sql = "SELECT * FROM 'a'";
    await server.iot.send(
      new CreateTopicRuleCommand({ ruleName: 'tagged', topicRulePayload: { sql, actions: [] }, tags: 'team=blue' }),
    );
    const { Policy } = await iam.send(
      new CreatePolicyCommand({ PolicyName: 'tagged', PolicyDocument: document(ALLOW), Tags: tags }),
    );
    const form = (text: string): Ask => signed('iam', {}, `${text}&Version=2010-05-08`);
    const target = (name: string, body: object): Ask =>
      signed(
        'logs',
        { 'x-amz-target': `Logs_20140328.${name}`, 'content-type': 'application/x-amz-json-1.1' },
        JSON.stringify(body),
      );
    const asks: Readonly<Record<string, Ask>> = {
      'a log group': sending(CloudWatchLogsClient as never, () => new DescribeLogStreamsCommand({ logGroupName: '/app/x' })),
      'a log group by its ARN': target('ListTagsForResource', {
        resourceArn: `arn:aws:logs:us-east-1:${ACCOUNT}:log-group:/app/x`,
      }),
      'a policy of AWS IoT': iot(() => new CreatePolicyVersionCommand({ policyName: 'tagged', policyDocument: '{}' })),
      'an ARN in the input': iot(
        () => new TagResourceCommand({ resourceArn: `arn:aws:iot:us-east-1:${ACCOUNT}:rolealias/tagged`, tags: [] }),
      ),
      'a rule': iot(() => new UntagResourceCommand({ resourceArn: `arn:aws:iot:us-east-1:${ACCOUNT}:rule/tagged`, tagKeys: [] })),
      'a user': form('Action=GetUser&UserName=user1'),
      'a role': form('Action=GetRole&RoleName=ops'),
      'a managed policy': form(`Action=GetPolicy&PolicyArn=${encodeURIComponent(Policy?.Arn ?? '')}`),
      'a role that is assumed': assumeRole,
    };
    const user = await makeUser(ALLOW, deny({ StringEquals: { 'aws:ResourceTag/team': 'blue' } }));
    for (const [what, ask] of Object.entries(asks)) assert.equal(await isDenied(ask(user)), true, what);
    await user.policy(ALLOW, deny({ StringEquals: { 'aws:ResourceTag/team': 'red' } }));
    for (const [what, ask] of Object.entries(asks)) assert.equal(await isDenied(ask(user)), false, what);
  });

  test('of the request: added ones by key and value, removed ones by key, in the header too', async () => {
    const resourceArn = `arn:aws:iot:us-east-1:${ACCOUNT}:thingtype/lamp`;
    const topicRulePayload = { sql: "SELECT * FROM 'a'", actions: [] };
    const rule = iot(() => new CreateTopicRuleCommand({ ruleName: 'new', topicRulePayload, tags: 'cost=1&team=red' }));
    const tag = iot(() => new TagResourceCommand({ resourceArn, tags: [{ Key: 'team', Value: 'red' }] }));
    const untag = iot(() => new UntagResourceCommand({ resourceArn, tagKeys: ['team'] }));
    const tagUser = sending(
      IAMClient as never,
      () => new TagUserCommand({ UserName: 'user1', Tags: [{ Key: 'team', Value: 'red' }] }),
    );
    const user = await makeUser(ALLOW, deny({ StringEquals: { 'aws:RequestTag/team': 'red' } }));
    for (const ask of [rule, tag, tagUser]) assert.equal(await isDenied(ask(user)), true);
    assert.equal(await isDenied(untag(user)), false);
    await user.policy(ALLOW, deny({ 'ForAnyValue:StringEquals': { 'aws:TagKeys': ['team'] } }));
    for (const ask of [rule, tag, tagUser, untag]) assert.equal(await isDenied(ask(user)), true);
    const both = iot(
      () =>
        new TagResourceCommand({
          resourceArn,
          tags: [
            { Key: 'Team', Value: 'red' },
            { Key: 'team', Value: 'blue' },
          ],
        }),
    );
    await user.policy({ ...ALLOW, Condition: { StringEquals: { 'aws:RequestTag/team': 'blue' } } });
    assert.equal(await isDenied(both(user)), true, 'keys that differ in case alone');
  });
});

const ALLOW_IOT = { Effect: 'Allow', Action: 'iot:*', Resource: '*' };

describe('a key that is not known', () => {
  const KEY = 'aws:SomethingNew';
  const bad = document(ALLOW, deny({ StringEquals: { [KEY]: 'x' } }));
  const malformed = (error: Error): boolean => error.name === 'MalformedPolicyDocumentException' && error.message.includes(KEY);

  test('is refused in a Deny wherever one is stored, with its name', async () => {
    const { name } = await makeUser(ALLOW);
    await iam.send(new CreateGroupCommand({ GroupName: 'g' }));
    const puts = [
      new PutUserPolicyCommand({ UserName: name, PolicyName: 'q', PolicyDocument: bad }),
      new PutGroupPolicyCommand({ GroupName: 'g', PolicyName: 'q', PolicyDocument: bad }),
      new PutRolePolicyCommand({ RoleName: 'ops', PolicyName: 'q', PolicyDocument: bad }),
      new CreatePolicyCommand({ PolicyName: 'q', PolicyDocument: bad }),
      new UpdateAssumeRolePolicyCommand({
        RoleName: 'ops',
        PolicyDocument: document({
          Effect: 'Deny',
          Principal: { AWS: '*' },
          Action: 'sts:AssumeRole',
          Condition: { StringEquals: { [KEY]: 'x' } },
        }),
      }),
    ];
    for (const put of puts) await assert.rejects(iam.send(put as never), malformed);
    await assert.rejects(assume(server.credentials(), { Policy: bad }), malformed);
    await assert.rejects(
      server.iot.send(new CreateIotPolicyCommand({ policyName: 'q', policyDocument: bad.replaceAll('"*"', '"iot:*"') })),
      (error: Error) => error.name === 'MalformedPolicyException',
    );
    await iam.send(new DeleteUserPolicyCommand({ UserName: name, PolicyName: 'p' }));
  });

  test('in an Allow, and one that AWS leaves out, is accepted', async () => {
    const user = await makeUser(ALLOW);
    for (const key of ['aws:PrincipalOrgID', 'aws:SourceVpce', 's3:prefix', 'aws:MultiFactorAuthAge', 'aws:CalledVia'])
      await user.policy(ALLOW, deny({ StringEquals: { [key]: 'x' } }));
    await user.policy({ ...ALLOW, Condition: { StringEquals: { [KEY]: 'x' } } });
    assert.equal(await isDenied(listThings(user)), true);
    await user.policy({ ...ALLOW, Condition: { StringNotEquals: { [KEY]: 'x' } } });
    assert.equal(await isDenied(listThings(user)), true, 'what can not be told allows nothing');
  });
});
