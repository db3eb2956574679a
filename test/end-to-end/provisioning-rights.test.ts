/**
 * Whose rights a provisioning has: the template's role, with its trust policy, and the caller's of RegisterThing (fact sheet
 * 4.6, 24.2).
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  AttachRolePolicyCommand,
  CreateRoleCommand,
  DetachRolePolicyCommand,
  type IAMClient,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { CreateThingGroupCommand, ListThingsCommand, RegisterThingCommand } from '@aws-sdk/client-iot';
import { ACCOUNT, allow, arn } from './devices.ts';
import { iamOf, makeRole, makeUser, putUserPolicy } from './identities.ts';
import { CREATE, connectDevice, makeClaim, makeTemplate, provisionTopic, templateBody } from './provisioning.ts';
import { startServer, type TestServer } from './test-core.ts';

let server: TestServer;
let iam: IAMClient;
before(async () => {
  server = await startServer({ args: ['--log-level', 'warn'] });
  iam = iamOf(server);
});
after(async () => {
  iam.destroy();
  await server[Symbol.asyncDispose]();
});

const trust = (SourceArn: string): string => {
  const Condition = { ArnLike: { 'aws:SourceArn': SourceArn } };
  const statement = { Effect: 'Allow', Principal: { Service: 'iot.amazonaws.com' }, Action: 'sts:AssumeRole', Condition };
  return JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
};

test("AWS's managed policy for it is enough for a role; the trust policy may name the template, and each change counts at once", async () => {
  const RoleName = 'registration';
  const PolicyArn = 'arn:aws:iam::aws:policy/service-role/AWSIoTThingsRegistration';
  await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust(arn('provisioningtemplate/other')) }));
  await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }));
  const role = `arn:aws:iam::${ACCOUNT}:role/${RoleName}`;
  await server.iot.send(new CreateThingGroupCommand({ thingGroupName: 'lamps' }));
  const { Resources } = templateBody() as { Resources: { thing: { Properties: object } } };
  const thing = { ...Resources.thing, Properties: { ...Resources.thing.Properties, ThingGroups: ['lamps'] } };
  const body = templateBody({ Resources: { ...Resources, thing } });
  const cannot = { name: 'InvalidRequestException', message: 'The provisioning role cannot be assumed by AWS IoT' };
  await assert.rejects(makeTemplate(server, 'lamps', { role, body }), cannot);
  const PolicyDocument = trust(arn('provisioningtemplate/lamps'));
  await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument }));
  await makeTemplate(server, 'lamps', { role, body });

  await using asking = await connectDevice(server, 'device', await makeClaim(server, 'lamps'));
  const { certificateOwnershipToken } = (await asking.ask(CREATE)).body;
  const provision = () => asking.ask(provisionTopic('lamps'), { certificateOwnershipToken, parameters: { SerialNumber: '1' } });
  await iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }));
  assert.equal((await provision()).body.errorCode, 'AccessDenied');
  await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }));
  assert.equal((await provision()).body.thingName, 'lamp-1');
});

test('RegisterThing does what its caller may do, and no more', async () => {
  const thing = { Type: 'AWS::IoT::Thing', Properties: { ThingName: 'allowed-1' } };
  const policy = { Type: 'AWS::IoT::Policy', Properties: { PolicyDocument: '{"Version":"2012-10-17","Statement":[]}' } };
  const body = (resources: object): string => JSON.stringify({ Resources: resources });
  const user = await makeUser(server, 'registrar', [allow('iot:RegisterThing', '*')]);
  const register = (resources: object) => user.iot.send(new RegisterThingCommand({ templateBody: body(resources) }));
  const things = async () => (await server.iot.send(new ListThingsCommand({}))).things?.map(({ thingName }) => thingName);
  const before = await things();
  await assert.rejects(register({ thing }), {
    name: 'UnauthorizedException',
    message: `User: arn:aws:iam::${ACCOUNT}:user/registrar is not authorized to perform: iot:CreateThing on resource: ${arn('thing/allowed-1')}`,
  });
  await putUserPolicy(server, 'registrar', [allow('iot:RegisterThing', '*'), allow('iot:CreateThing', arn('thing/allowed-*'))]);
  const document = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}';
  await assert.rejects(register({ thing, policy: { ...policy, Properties: { PolicyDocument: document } } }), {
    name: 'UnauthorizedException',
    message: /iot:CreatePolicy/,
  });
  assert.deepEqual(await things(), before, 'whole or not at all');
  assert.deepEqual((await register({ thing })).resourceArns, { thing: arn('thing/allowed-1') });
  await assert.rejects(register({ thing: { ...thing, Properties: { ThingName: 'other' } } }), { name: 'UnauthorizedException' });
});

test('who makes a template has to be allowed to pass its role', async () => {
  const role = await makeRole(server, 'passed', [allow('iot:*', '*')]);
  const user = await makeUser(server, 'maker', [allow('iot:*', '*')]);
  const made = { ...server, iot: user.iot } as TestServer;
  await assert.rejects(makeTemplate(made, 'passed', { role }), { name: 'AccessDeniedException', message: /iam:PassRole/ });
  await putUserPolicy(server, 'maker', [allow('iot:*', '*'), allow('iam:PassRole', role)]);
  await makeTemplate(made, 'passed', { role });
});
