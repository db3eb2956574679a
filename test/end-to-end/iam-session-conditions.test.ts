/**
 * Conditions on sessions of roles and users, and on connections over WebSocket: what AWS's own revocation of sessions asks, and
 * what is known of a connection (IAM user guide, pages id_roles_use_revoke-sessions and reference_policies_condition-keys; AWS
 * IoT developer guide, page connect-policy).
 */
import assert from 'node:assert/strict';
import { type EventEmitter, once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { type IAMClient, PutRolePolicyCommand, UpdateAssumeRolePolicyCommand } from '@aws-sdk/client-iam';
import { IoTClient, ListThingsCommand } from '@aws-sdk/client-iot';
import { GetSessionTokenCommand, STSClient } from '@aws-sdk/client-sts';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { ACCOUNT } from './devices.ts';
import { ALLOW, type Ask, deny, document, IamBench, isDenied, type User } from './iam-bench.ts';
import { type Credentials, presign } from './presign.ts';
import type { TestServer } from './test-core.ts';
import { until, within } from './until.ts';

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
const listThings: Ask = (as) => bench.sending(IoTClient as never, () => new ListThingsCommand({}))(as);

/**
 * What the console and `aws iam put-role-policy` write to revoke sessions (IAM user guide, page id_roles_use_revoke-sessions).
 */
const revoke = (at: Date) => ({
  Effect: 'Deny',
  Action: ['*'],
  Resource: ['*'],
  Condition: { DateLessThan: { 'aws:TokenIssueTime': at.toISOString() } },
});

const connected = async (credentials: Credentials, clientId: string, more: IClientOptions = {}): Promise<MqttClient> => {
  const url = await presign(`ws://127.0.0.1:${server.ports.api}`, credentials);
  return within('CONNACK', mqtt.connectAsync(url, { clientId, protocolVersion: 5, reconnectPeriod: 0, ...more }, false));
};

describe('sessions', () => {
  test('older ones are revoked at once, live connections too; new ones go on', async () => {
    const put = (...statements: object[]) =>
      iam.send(new PutRolePolicyCommand({ RoleName: 'ops', PolicyName: 'p', PolicyDocument: document(...statements) }));
    await put(ALLOW);
    const session = await assume(server.credentials());
    assert.equal(await isDenied(listThings(session)), false);
    const live = await connected(session, 'live');
    const gone = within('the end', once(live as unknown as EventEmitter, 'close'), 1_000);
    const PolicyDocument = document(revoke(new Date()));
    await iam.send(new PutRolePolicyCommand({ RoleName: 'ops', PolicyName: 'AWSRevokeOlderSessions', PolicyDocument }));
    await gone;
    assert.equal(await isDenied(listThings(session)), true);
    await assert.rejects(connected(session, 'live'));
    const later = await until('a new session', async () => {
      const fresh = await assume(server.credentials());
      return (await isDenied(listThings(fresh))) ? undefined : fresh;
    });
    await (await connected(later, 'live')).endAsync(true);
    await put(ALLOW, deny({ Null: { 'aws:TokenIssueTime': 'false' } }));
    assert.equal(await isDenied(listThings(later)), true);
    await put(ALLOW, deny({ Bool: { 'aws:MultiFactorAuthPresent': 'false' } }));
    assert.equal(await isDenied(listThings(later)), true);
    await put(ALLOW);
  });

  test('of a user, by GetSessionToken, know when they were made as well', async () => {
    const user = await makeUser(ALLOW);
    const sts = new STSClient(bench.client(user));
    const { Credentials: made } = await sts.send(new GetSessionTokenCommand({})).finally(() => sts.destroy());
    const session = {
      accessKeyId: made?.AccessKeyId ?? '',
      secretAccessKey: made?.SecretAccessKey ?? '',
      sessionToken: made?.SessionToken ?? '',
    };
    assert.equal(await isDenied(listThings(session)), false);
    await user.policy(ALLOW, revoke(new Date(Date.now() + 60_000)));
    assert.equal(await isDenied(listThings(session)), true);
    assert.equal(await isDenied(listThings(user)), false, 'the long-term key has no time of issue');
  });

  test("a trust policy may ask about who assumes the role, and about the role's tags", async () => {
    const trust = (Condition: object) =>
      iam.send(
        new UpdateAssumeRolePolicyCommand({
          RoleName: 'ops',
          PolicyDocument: document(
            { Effect: 'Allow', Principal: { AWS: ACCOUNT }, Action: 'sts:AssumeRole' },
            { Effect: 'Deny', Principal: { AWS: '*' }, Action: 'sts:AssumeRole', Condition },
          ),
        }),
      );
    const user = await makeUser(ALLOW);
    for (const [key, value] of [
      ['aws:PrincipalTag/team', 'blue'],
      ['aws:username', user.name],
      ['aws:PrincipalType', 'User'],
      ['aws:SecureTransport', 'false'],
      ['aws:ResourceTag/team', 'blue'],
      ['iam:ResourceTag/team', 'blue'],
      ['sts:RoleSessionName', 'night'],
    ] as const) {
      await trust({ StringEquals: { [key]: value } });
      assert.equal(await isDenied(assume(user)), true, key);
      await trust({ StringEquals: { [key]: 'other' } });
      assert.equal(await isDenied(assume(user)), false, key);
    }
    await trust({ StringEquals: { 'aws:PrincipalType': 'Account' } });
    assert.equal(await isDenied(assume(server.credentials())), true, 'trust policies bind the root too');
    await trust({ StringEquals: { 'aws:PrincipalType': 'x' } });
  });
});

describe('an IAM identity over WebSocket', () => {
  const topic = (name: string): string => `arn:aws:iot:us-east-1:${ACCOUNT}:topic/${name}`;
  const clientArn = (name: string): string => `arn:aws:iot:us-east-1:${ACCOUNT}:client/${name}`;

  test('has variables of its connection', async () => {
    const user = await makeUser(
      { Effect: 'Allow', Action: 'iot:Connect', Resource: clientArn('${iot:ClientId}') },
      { Effect: 'Allow', Action: 'iot:Publish', Resource: topic('t/${iot:ClientId}/x') },
      { Effect: 'Allow', Action: 'iot:Publish', Resource: topic('d/${iot:DomainName}') },
      { Effect: 'Allow', Action: 'iot:Publish', Resource: topic('thing/${iot:Connection.Thing.ThingName}') },
    );
    const live = await connected(user, 'own');
    const may = (name: string): Promise<boolean> =>
      live.publishAsync(name, 'x', { qos: 1 }).then(
        () => true,
        () => false,
      );
    assert.deepEqual(
      [await may('t/own/x'), await may('t/other/x'), await may('d/127.0.0.1'), await may('thing/own')],
      [true, false, true, false],
    );
    await live.endAsync(true);
  });

  test('is denied by what it uses in its CONNECT, and by the client id, host name and transport', async () => {
    const will = { topic: 'w', payload: Buffer.from('x') };
    const persistent = { clean: false, properties: { sessionExpiryInterval: 60 } };
    const cases: readonly [condition: object, options: IClientOptions, denied: boolean][] = [
      [{ 'ForAnyValue:StringEquals': { 'iot:ConnectAttributes': ['PersistentConnect'] } }, persistent, true],
      [{ 'ForAnyValue:StringEquals': { 'iot:ConnectAttributes': ['PersistentConnect'] } }, {}, false],
      [{ 'ForAnyValue:StringEquals': { 'iot:ConnectAttributes': ['LastWill'] } }, { will }, true],
      [{ ArnEquals: { 'iot:LastWillTopic': topic('w') } }, { will }, true],
      [{ ArnEquals: { 'iot:LastWillTopic': topic('v') } }, { will }, false],
      [{ StringLike: { 'iot:ClientId': 'c*' } }, {}, true],
      [{ StringEquals: { 'iot:DomainName': '127.0.0.1' } }, {}, true],
      [{ Bool: { 'aws:SecureTransport': 'false' } }, {}, true],
      [{ StringLike: { 'aws:UserAgent': '*' } }, {}, false],
    ];
    const user = await makeUser(ALLOW);
    for (const [condition, options, denied] of cases) {
      await user.policy(ALLOW, deny(condition, 'iot:Connect'));
      const outcome = await connected(user, 'c1', options).then(
        async (live) => {
          await live.endAsync(true);
          return false;
        },
        () => true,
      );
      assert.equal(outcome, denied, JSON.stringify([condition, options]));
    }
    const only = { 'ForAllValues:StringEquals': { 'iot:ConnectAttributes': ['LastWill'] } };
    await user.policy(
      { ...ALLOW, Action: 'iot:Connect', Condition: only },
      { ...ALLOW, NotAction: 'iot:Connect', Action: undefined },
    );
    await (await connected(user, 'c1', { will })).endAsync(true);
    await assert.rejects(connected(user, 'c1', { will, ...persistent }));
    // Page connect-policy: an empty list admits a plain, clean CONNECT alone.
    const none = { 'ForAllValues:StringEquals': { 'iot:ConnectAttributes': [] } };
    await user.policy({ ...ALLOW, Action: 'iot:Connect', Condition: none });
    await (await connected(user, 'c1')).endAsync(true);
    await assert.rejects(connected(user, 'c1', persistent));
    await assert.rejects(connected(user, 'c1', { will }));
  });
});
