/**
 * What the roles of rules may do: republish (iot:Publish), get_registry_data (iot:DescribeThing), and who may name which (fact
 * sheet 6.7).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  IAMClient,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import {
  AddThingToThingGroupCommand,
  CreateThingCommand,
  CreateThingGroupCommand,
  CreateTopicRuleCommand,
  IoTClient,
} from '@aws-sdk/client-iot';
import type { IPublishPacket } from 'mqtt-packet';
import { DeviceConnection } from './device-connection.ts';
import { ACCOUNT, ALLOW_ALL, allow, arn, makeDevice, makePolicy, policyDocument } from './devices.ts';
import { startServer } from './test-core.ts';
import { until } from './until.ts';

const trust = (service: string): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }],
  });

test('a role that the account keeps is asked at each message; gone, it allows nothing; one that nobody keeps is for root to name', async () => {
  await using server = await startServer({ args: ['--log-level', 'warn'] });
  const iam = new IAMClient({ endpoint: server.url, region: 'us-east-1', credentials: server.credentials(), maxAttempts: 1 });
  await makePolicy(server, 'all', ALLOW_ALL);
  const device = await makeDevice(server, 'device', 'all');
  const role = async (RoleName: string, service: string, ...topics: string[]): Promise<string> => {
    await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust(service) }));
    const statements = [
      allow('iot:Publish', ...topics.map((topic) => arn(`topic/${topic}`))),
      allow(['iot:DescribeThing', 'iot:ListThingGroupsForThing'], arn('thing/known')),
    ];
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'p', PolicyDocument: policyDocument(statements) }));
    return `arn:aws:iam::${ACCOUNT}:role/${RoleName}`;
  };
  const publisher = await role('publisher', 'iot.amazonaws.com', 'out/*');
  const untrusting = await role('untrusting', 'lambda.amazonaws.com', 'out/*');
  const foreign = `arn:aws:iam::${ACCOUNT}:role/nobody-keeps-it`;
  const rule = (iot: IoTClient, ruleName: string, roleArn: string, topic: string, sql = `SELECT * FROM '${ruleName}'`) =>
    iot.send(
      new CreateTopicRuleCommand({
        ruleName,
        topicRulePayload: {
          sql,
          awsIotSqlVersion: '2016-03-23',
          actions: [{ republish: { roleArn, topic } }],
          errorAction: { republish: { roleArn: foreign, topic: 'failed' } },
        },
      }),
    );
  await server.iot.send(new CreateThingCommand({ thingName: 'known', attributePayload: { attributes: { floor: '3' } } }));
  await server.iot.send(new CreateThingCommand({ thingName: 'other' }));
  await server.iot.send(new CreateThingGroupCommand({ thingGroupName: 'g' }));
  await server.iot.send(new AddThingToThingGroupCommand({ thingName: 'known', thingGroupName: 'g' }));
  await rule(server.iot, 'allowed', publisher, 'out/a');
  await rule(server.iot, 'denied', publisher, 'elsewhere');
  await rule(server.iot, 'untrusted', untrusting, 'out/b');
  await rule(server.iot, 'given', foreign, 'out/c');
  const data = (thing: string): string => `get_registry_data("DescribeThing", "${thing}", "${publisher}").attributes`;
  await rule(server.iot, 'registry', publisher, 'out/d', `SELECT ${data('known')} AS k FROM 'registry'`);
  await rule(server.iot, 'registry_other', publisher, 'out/e', `SELECT ${data('other')} AS o, 1 AS n FROM 'registry_other'`);

  const groups = `get_registry_data("ListThingGroupsForThing", "known", "${publisher}").thingGroups`;
  await rule(server.iot, 'groups', publisher, 'out/f', `SELECT ${groups} AS g FROM 'groups'`);

  using sender = await DeviceConnection.admitted(server, 4, 'sender', device);
  using listener = await DeviceConnection.admitted(server, 4, 'listener', device);
  listener.subscribe('#');
  assert.equal((await listener.next()).cmd, 'suback');
  /** What a message on the rule's topic leads to: topic and text. */
  const outcome = async (ruleName: string): Promise<[string, string]> => {
    sender.publish(ruleName, '{}');
    for (;;) {
      const { topic, payload } = (await listener.next()) as IPublishPacket;
      if (topic !== ruleName) return [topic, payload.toString()];
    }
  };
  const reason = async (ruleName: string): Promise<string> => {
    const [topic, text] = await outcome(ruleName);
    assert.equal(topic, 'failed');
    return (JSON.parse(text) as { failures: { errorMessage: string }[] }).failures[0]?.errorMessage ?? '';
  };
  assert.deepEqual(await outcome('allowed'), ['out/a', '{}']);
  assert.equal(await reason('denied'), `the role ${publisher} does not allow iot:Publish on ${arn('topic/elsewhere')}`);
  assert.match(
    await reason('untrusted'),
    /The trust policy of \S+role\/untrusting does not let iot\.amazonaws\.com assume the role/,
  );
  assert.deepEqual(await outcome('given'), ['out/c', '{}']);
  assert.deepEqual(await outcome('registry'), ['out/d', '{"k":{"floor":"3"}}']);
  assert.deepEqual(await outcome('registry_other'), ['out/e', '{"n":1}']);
  assert.deepEqual(await outcome('groups'), [
    'out/f',
    JSON.stringify({ g: [{ groupName: 'g', groupArn: arn('thinggroup/g') }] }),
  ]);

  // Permissions follow the role's policies; a role that has gone takes them all with it.
  await iam.send(new DeleteRolePolicyCommand({ RoleName: 'publisher', PolicyName: 'p' }));
  await until('the permissions to go', async () => ((await outcome('allowed'))[0] === 'failed' ? true : undefined));
  await iam.send(new DeleteRoleCommand({ RoleName: 'publisher' }));
  assert.match(await reason('allowed'), /does not allow iot:Publish/);

  // Whoever has fewer permissions than root would get around them with a role that nobody keeps.
  await iam.send(new CreateUserCommand({ UserName: 'ruler' }));
  const permissions = [allow(['iot:CreateTopicRule', 'iam:PassRole'], '*')];
  await iam.send(new PutUserPolicyCommand({ UserName: 'ruler', PolicyName: 'p', PolicyDocument: policyDocument(permissions) }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'ruler' }));
  const credentials = { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
  const ruler = new IoTClient({ endpoint: server.url, region: 'us-east-1', credentials, maxAttempts: 1 });
  await assert.rejects(rule(ruler, 'sly', foreign, 'out/f'), { name: 'InvalidRequestException', message: /does not exist/ });
});
