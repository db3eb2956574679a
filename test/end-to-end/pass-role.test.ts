/**
 * iam:PassRole on every role that an operation of AWS IoT takes, wherever in its input it stands: members, SQL, templates
 * (developer guide, page pass-role; IAM user guide, page id_roles_use_passrole).
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  type Action,
  CreateRoleAliasCommand,
  CreateThingCommand,
  CreateTopicRuleCommand,
  CreateTopicRuleDestinationCommand,
  GetTopicRuleCommand,
  ReplaceTopicRuleCommand,
  type TopicRulePayload,
  UpdateRoleAliasCommand,
} from '@aws-sdk/client-iot';
import { PublishCommand } from '@aws-sdk/client-iot-data-plane';
import type { IPublishPacket } from 'mqtt-packet';
import { DeviceConnection } from './device-connection.ts';
import { ALLOW_ALL, allow, arn, makeDevice, makePolicy, type Statement } from './devices.ts';
import { makeRole, makeUser, putRolePolicy, type TestUser } from './identities.ts';
import { startServer, type TestServer } from './test-core.ts';

let server: TestServer;
let user: TestUser;
/** A role that the user may pass, and one that it may not. */
let own: string;
let other: string;

before(async () => {
  server = await startServer({ args: ['--log-level', 'warn'] });
  own = await makeRole(server, 'own', [allow(['iot:Publish', 'iot:DescribeThing'], '*')]);
  other = await makeRole(server, 'other', [allow('iot:*', '*')]);
  const passing: Statement & { Condition: object } = {
    ...allow('iam:PassRole', own),
    Condition: { StringEquals: { 'iam:PassedToService': ['iot.amazonaws.com', 'credentials.iot.amazonaws.com'] } },
  };
  user = await makeUser(server, 'user', [allow('iot:*', '*'), passing]);
});
after(() => server[Symbol.asyncDispose]());

const denied = (work: Promise<unknown>, what: string): Promise<void> =>
  assert.rejects(
    work,
    { name: 'AccessDeniedException', message: /not authorized to perform: iam:PassRole on resource: .*role\/other/ },
    what,
  );

let count = 0;
const payloadOf = (payload: Partial<TopicRulePayload>): TopicRulePayload => ({
  sql: "SELECT * FROM 'a'",
  awsIotSqlVersion: '2016-03-23',
  actions: [],
  ...payload,
});
const create = ({ iot }: Pick<TestUser, 'iot'>, payload: Partial<TopicRulePayload>): Promise<unknown> => {
  count += 1;
  return iot.send(new CreateTopicRuleCommand({ ruleName: `r${count}`, topicRulePayload: payloadOf(payload) }));
};

/** A rule for each place where a role can stand. */
const places = (role: string): readonly (readonly [where: string, payload: Partial<TopicRulePayload>])[] => {
  const out = (more: object = {}): Action => ({ republish: { roleArn: own, topic: 'out', ...more } });
  const data = (quote = "'"): string =>
    `get_registry_data(${quote}DescribeThing${quote}, ${quote}t${quote}, ${quote}${role}${quote})`;
  const http = { url: 'https://192.0.2.1/', auth: { sigv4: { signingRegion: 'us-east-1', serviceName: 'iam', roleArn: role } } };
  return [
    ['SELECT', { sql: `SELECT ${data()} AS t FROM 'a'` }],
    ['SELECT VALUE', { sql: `SELECT VALUE ${data('"')} FROM 'a'` }],
    ['WHERE', { sql: `SELECT * FROM 'a' WHERE ${data()}.x = 1` }],
    ['SET', { sql: `SET @t = ${data()} SELECT @t AS t FROM 'a'` }],
    ['a nested query', { sql: `SELECT (SELECT ${data()} AS t FROM b) AS t FROM 'a'` }],
    ['CASE', { sql: `SELECT CASE a WHEN 1 THEN ${data()} ELSE 2 END AS t FROM 'a'` }],
    ['an argument', { sql: `SELECT get_or_default(${data()}, 1) AS t FROM 'a'` }],
    ['an object', { sql: `SELECT {'t': [${data()}]} AS t FROM 'a'` }],
    ['2015-10-08', { sql: `SELECT ${data()} AS t FROM 'a'`, awsIotSqlVersion: '2015-10-08' }],
    ['get_thing_shadow', { sql: `SELECT get_thing_shadow('t', '${role}') AS t FROM 'a'` }],
    ['get_thing_shadow with a name', { sql: `SELECT get_thing_shadow('t', 's', '${role}') AS t FROM 'a'` }],
    ['get_dynamodb', { sql: `SELECT get_dynamodb('t', 'k', 'v', '${role}') AS t FROM 'a'` }],
    ['get_dynamodb with a sort key', { sql: `SELECT get_dynamodb('t', 'k', 'v', 's', 'w', '${role}') AS t FROM 'a'` }],
    ['get_secret', { sql: `SELECT get_secret('s', 'SecretString', '${role}') AS t FROM 'a'` }],
    ['get_secret with a key', { sql: `SELECT get_secret('s', 'SecretString', 'k', '${role}') AS t FROM 'a'` }],
    ['machinelearning_predict', { sql: `SELECT machinelearning_predict('m', '${role}', *) AS t FROM 'a'` }],
    ['a template', { actions: [out({ topic: `out/\${${data()}.thingName}` })] }],
    ['a template of the second action', { actions: [out(), out({ topic: `out/\${${data()}.thingName}` })] }],
    [
      'a template in a header',
      { actions: [out({ headers: { userProperties: [{ key: 'k', value: `\${${data()}.thingName}` }] } })] },
    ],
    [
      'a template in a map',
      {
        actions: [
          {
            kafka: {
              destinationArn: arn('ruledestination/vpc/x'),
              topic: 't',
              clientProperties: {
                'bootstrap.servers': 'b:1',
                'sasl.plain.password': `\${get_secret('s', 'SecretString', '${role}')}`,
              },
            },
          },
        ],
      },
    ],
    ['a template of the error action', { errorAction: out({ topic: `out/\${${data()}.thingName}` }) }],
    ['an action', { actions: [{ sqs: { roleArn: role, queueUrl: 'http://q/1' } }] }],
    ['a second action', { actions: [out(), { s3: { roleArn: role, bucketName: 'b', key: 'k' } }] }],
    ['an error action', { errorAction: { sqs: { roleArn: role, queueUrl: 'http://q/1' } } }],
    ['sigv4', { actions: [{ http }] }],
    ['sigv4 of an error action', { errorAction: { http } }],
  ];
};

test('a rule can not be made with a role that may not be passed, wherever it stands', async () => {
  for (const [where, payload] of places(other)) await denied(create(user, payload), where);
  for (const [where, payload] of places(own)) await assert.doesNotReject(create(user, payload), where);
  // Whoever may do everything may pass everything.
  for (const [where, payload] of places(other)) await assert.doesNotReject(create(server, payload), where);
});

test('nor can a rule be replaced so', async () => {
  await user.iot.send(new CreateTopicRuleCommand({ ruleName: 'mine', topicRulePayload: payloadOf({}) }));
  const replace = (payload: Partial<TopicRulePayload>): Promise<unknown> =>
    user.iot.send(new ReplaceTopicRuleCommand({ ruleName: 'mine', topicRulePayload: payloadOf(payload) }));
  for (const [where, payload] of places(other)) await denied(replace(payload), where);
  assert.equal((await user.iot.send(new GetTopicRuleCommand({ ruleName: 'mine' }))).rule?.sql, "SELECT * FROM 'a'");
  for (const [where, payload] of places(own)) await assert.doesNotReject(replace(payload), where);
});

test('a role that is computed is refused, for root too', async () => {
  for (const role of [
    'role',
    '@r',
    `concat('${other}', '')`,
    `get_secret('s', 'SecretString', '${own}')`,
    'topic(2)',
    `CASE 1 WHEN 1 THEN '${other}' END`,
    '1',
    'null',
  ])
    for (const given of [user, server]) {
      const sql = `SET @r = '${other}' SELECT get_registry_data('DescribeThing', 't', ${role}) AS t FROM 'a'`;
      await assert.rejects(
        create(given, { sql }),
        { name: 'SqlParseException', message: /the role of get_registry_data as a text/ },
        role,
      );
    }
  const topic = "out/${get_thing_shadow('t', topic(1))}";
  await assert.rejects(create(server, { actions: [{ republish: { roleArn: own, topic } }] }), { name: 'SqlParseException' });
});

test('destinations and role aliases ask for it too', async () => {
  const vpc = (roleArn: string) =>
    new CreateTopicRuleDestinationCommand({
      destinationConfiguration: { vpcConfiguration: { vpcId: 'vpc-1', subnetIds: ['subnet-1'], roleArn } },
    });
  await denied(user.iot.send(vpc(other)), 'a VPC destination');
  await user.iot.send(vpc(own));
  await denied(user.iot.send(new CreateRoleAliasCommand({ roleAlias: 'a', roleArn: other })), 'a role alias');
  await user.iot.send(new CreateRoleAliasCommand({ roleAlias: 'a', roleArn: own }));
  await denied(user.iot.send(new UpdateRoleAliasCommand({ roleAlias: 'a', roleArn: other })), 'a role alias that changes');
});

test('a role of another account is refused to root too, wherever it stands (probe pf-iot-topicrule-role-account)', async () => {
  const foreign = 'arn:aws:iam::210987654321:role/other';
  const refused = (work: Promise<unknown>, where: string): Promise<void> =>
    assert.rejects(work, { name: 'AccessDeniedException', message: 'Cross-account pass role is not allowed.' }, where);
  for (const [where, payload] of places(foreign)) await refused(create(server, payload), where);
  const forms = [foreign.toUpperCase(), ` ${foreign}`, foreign.replace('iam', 'IAM'), 'role/../210987654321:role/other'];
  for (const form of forms)
    for (const [where, payload] of places(form).slice(0, 1)) await refused(create(server, payload), `${where}: ${form}`);
  const vpcConfiguration = { vpcId: 'vpc-1', subnetIds: ['subnet-1'], roleArn: foreign };
  await refused(
    server.iot.send(new CreateTopicRuleDestinationCommand({ destinationConfiguration: { vpcConfiguration } })),
    'a VPC destination',
  );
  await refused(server.iot.send(new CreateRoleAliasCommand({ roleAlias: 'b', roleArn: foreign })), 'a role alias');
});

test('the role is asked when the SQL is evaluated, and its owner told when it does not allow it', async () => {
  await server.iot.send(new CreateThingCommand({ thingName: 'known', attributePayload: { attributes: { floor: '3' } } }));
  await makePolicy(server, 'all', ALLOW_ALL);
  const device = await makeDevice(server, 'device', 'all');
  using listener = await DeviceConnection.admitted(server, 4, 'listener', device);
  listener.subscribe('told/#');
  assert.equal((await listener.next()).cmd, 'suback');
  const data = `get_registry_data('DescribeThing', 'known', '${own}').attributes.floor`;
  const ruleName = 'asks';
  const actions = [{ republish: { roleArn: other, topic: 'told/rule' } }];
  await server.iot.send(
    new CreateTopicRuleCommand({
      ruleName,
      topicRulePayload: payloadOf({ sql: `SELECT ${data} AS f, 1 AS n FROM 'ask'`, actions }),
    }),
  );
  const answer = async (): Promise<string> => {
    await server.iotData.send(new PublishCommand({ topic: 'ask', payload: Buffer.from('{}'), qos: 1 }));
    return ((await listener.next()) as IPublishPacket).payload.toString();
  };
  assert.equal(await answer(), '{"f":"3","n":1}');
  await putRolePolicy(server, 'own', [allow('iot:DescribeThing', arn('thing/other'))]);
  assert.equal(await answer(), '{"n":1}');
  const line = await server.logged((each) => each.event === 'rule-failed' && each.ruleName === ruleName);
  assert.match(String(line.reason), /get_registry_data: the role .*role\/own does not allow iot:DescribeThing on .*thing\/known/);
});
