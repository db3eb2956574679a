/**
 * Hosted functions that work with devices: one that registers a certificate as the just-in-time tutorials do, with the
 * permissions of its role (facts 3.6, 3.7), one that is a custom authorizer (facts 11.1), one that is a pre-provisioning hook.
 */
// needs: boto3 bubblewrap openssl root system-boto3
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { AddPermissionCommand, RemovePermissionCommand } from '@aws-sdk/client-lambda';
import { CreateRoleCommand, DeleteRolePolicyCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import {
  CreateAuthorizerCommand,
  CreateTopicRuleCommand,
  DescribeCertificateCommand,
  GetPolicyCommand,
  GetRegistrationCodeCommand,
  ListPrincipalPoliciesCommand,
  ListThingsCommand,
  RegisterCACertificateCommand,
  RegisterCertificateWithoutCACommand,
  TestInvokeAuthorizerCommand,
} from '@aws-sdk/client-iot';
import { certificateIdOf } from '@thingkeep/x509/certificate.ts';
import { keyIdentifier, publicKeyOf } from '@thingkeep/x509/public-key.ts';
import { newEcKey } from '@thingkeep/x509/testing/csrs.ts';
import { factoryCa, signedBy } from '../../packages/server/src/testing/factory-ca.ts';
import { selfSigned } from './certificates.ts';
import { DeviceConnection } from './device-connection.ts';
import { ROLE, TestFunctions } from './functions.ts';
import { CREATE, connectDevice, makeClaim, makeTemplate, provisionTopic } from './provisioning.ts';
import { pythonScript } from './python-command.ts';
import { startServer, type TestServer } from './test-core.ts';
import { until } from './until.ts';

let server: TestServer;
let functions: TestFunctions;
let iam: IAMClient;

const [, ROLE_NAME = ''] = /\/(.+)$/.exec(ROLE) ?? [];
const statement = (Action: readonly string[]): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource: '*' }] });
const mayCall = (...actions: string[]) =>
  iam.send(new PutRolePolicyCommand({ RoleName: ROLE_NAME, PolicyName: 'rights', PolicyDocument: statement(actions) }));

before(async () => {
  server = await startServer();
  functions = new TestFunctions(server);
  iam = new IAMClient({ endpoint: server.url, region: 'us-east-1', credentials: server.credentials(), maxAttempts: 1 });
  const trust = { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' };
  const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [trust] });
  await iam.send(new CreateRoleCommand({ RoleName: ROLE_NAME, AssumeRolePolicyDocument }));
});
after(async () => {
  iam.destroy();
  functions[Symbol.dispose]();
  await server[Symbol.asyncDispose]();
});

describe('just-in-time registration', () => {
  const ALL = [
    ...['iot:DescribeCertificate', 'iot:CreateThingType', 'iot:CreateThing', 'iot:CreatePolicy'],
    ...['iot:AttachPrincipalPolicy', 'iot:UpdateCertificate'],
  ];

  async function arrived(): Promise<{ certificateId: string; event: object }> {
    const { certPem } = await selfSigned('device');
    const registered = await server.iot.send(
      new RegisterCertificateWithoutCACommand({ certificatePem: certPem, status: 'INACTIVE' }),
    );
    const certificateId = registered.certificateId ?? '';
    const event = {
      certificateId,
      caCertificateId: '0'.repeat(64),
      timestamp: 1,
      certificateStatus: 'PENDING_ACTIVATION',
      awsAccountId: '000000000000',
      certificateRegistrationTimestamp: null,
      sourceIp: '192.0.2.1',
    };
    return { certificateId, event };
  }

  before(async () => {
    const code = readFileSync(pythonScript('just_in_time_registration.py'), 'utf8');
    const files = { 'lambda_function.py': code };
    await functions.make('jitr', 'python3.6', 'lambda_function.handler', files, { Timeout: 60, MemorySize: 256 });
  });

  test('the handler makes thing and policy, and the certificate active; again, it changes nothing', async () => {
    await mayCall(...ALL);
    const { certificateId, event } = await arrived();
    for (let n = 0; n < 2; n += 1) {
      const { error, answer } = await functions.invoke('jitr', event);
      assert.equal(error, undefined, JSON.stringify(answer));
      assert.match(String(answer), /^[\da-f]{40}$/);
      const { certificateDescription } = await server.iot.send(new DescribeCertificateCommand({ certificateId }));
      assert.equal(certificateDescription?.status, 'ACTIVE');
      const { things = [] } = await server.iot.send(new ListThingsCommand({ thingTypeName: 'just-in-time-kit' }));
      assert.deepEqual(
        things.map(({ thingName }) => thingName),
        [answer],
      );
      const principal = certificateDescription?.certificateArn;
      const { policies = [] } = await server.iot.send(new ListPrincipalPoliciesCommand({ principal }));
      const [policyName] = policies.map((policy) => policy.policyName);
      assert.equal(policyName, `JitrPolicy_${certificateId}`);
      const { policyDocument = '' } = await server.iot.send(new GetPolicyCommand({ policyName }));
      assert.ok(policyDocument.includes('\n    "Version"'), 'the document as it was written');
    }
  });

  test("the tutorial's rule calls it for a device that connects: its second connection works", async () => {
    await mayCall(...ALL);
    const ruleName = 'ZeroTouchJustInTimeRegistration';
    const functionArn = 'arn:aws:lambda:us-east-1:000000000000:function:jitr';
    const SourceArn = `arn:aws:iot:us-east-1:000000000000:rule/${ruleName}`;
    const permission = { StatementId: 'rule', Action: 'lambda:InvokeFunction', Principal: 'iot.amazonaws.com', SourceArn };
    await functions.lambda.send(new AddPermissionCommand({ FunctionName: 'jitr', ...permission }));
    const sql = "SELECT * FROM '$aws/events/certificates/registered/#'";
    const topicRulePayload = { sql, awsIotSqlVersion: '2016-03-23', ruleDisabled: false, actions: [{ lambda: { functionArn } }] };
    await server.iot.send(new CreateTopicRuleCommand({ ruleName, topicRulePayload }));
    const ca = await factoryCa('Example Signer FFFF', { now: Date.now() });
    const { registrationCode = '' } = await server.iot.send(new GetRegistrationCodeCommand({}));
    const verificationCertificate = await signedBy(ca, registrationCode, { key: ca.key, now: Date.now() });
    const registered = { caCertificate: ca.pem, verificationCertificate, setAsActive: true, allowAutoRegistration: true };
    await server.iot.send(new RegisterCACertificateCommand(registered));
    const key = newEcKey();
    const keyPem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
    // As the tutorial's board: its chain, no server name, its key's identifier as client id.
    const certPem = `${await signedBy(ca, 'Example Device', { key, now: Date.now() })}${ca.pem}`;
    const board = { certPem, keyPem, tls: { servername: '', checkServerIdentity: () => undefined } };
    const clientId = keyIdentifier(publicKeyOf(key)).toString('hex');
    const first = await DeviceConnection.connect(server, 4, clientId, board);
    first.device[Symbol.dispose]();
    assert.equal(first.answer.cmd, 'closed');
    const certificateId = certificateIdOf(new X509Certificate(certPem).raw);
    await until(
      'the certificate to be active',
      async () => {
        const { certificateDescription } = await server.iot.send(new DescribeCertificateCommand({ certificateId }));
        return certificateDescription?.status === 'ACTIVE' ? true : undefined;
      },
      30_000,
    );
    using device = await DeviceConnection.admitted(server, 4, clientId, board);
    device.publish(`${clientId}/hello`, 'x', { qos: 1 });
    assert.equal((await device.next()).cmd, 'puback');
  });

  test('without a right of its role it gets no further', async () => {
    await mayCall(...ALL.filter((action) => action !== 'iot:UpdateCertificate'));
    const { certificateId, event } = await arrived();
    const { error, answer } = await functions.invoke('jitr', event);
    assert.equal(error, 'Unhandled');
    assert.match(
      (answer as { errorMessage: string }).errorMessage,
      /AccessDenied.*assumed-role\/functions\/jitr is not authorized to perform: iot:UpdateCertificate/,
    );
    const { certificateDescription } = await server.iot.send(new DescribeCertificateCommand({ certificateId }));
    assert.equal(certificateDescription?.status, 'INACTIVE');
    await iam.send(new DeleteRolePolicyCommand({ RoleName: ROLE_NAME, PolicyName: 'rights' }));
    assert.equal((await functions.invoke('jitr', event)).error, 'Unhandled');
  });
});

describe('a custom authorizer', () => {
  const ARN = 'arn:aws:lambda:us-east-1:000000000000:function:authorizes';
  const login = () =>
    server.iot.send(new TestInvokeAuthorizerCommand({ authorizerName: 'hosted', mqttContext: { username: 'u', clientId: 'c' } }));

  before(async () => {
    await functions.node(
      'authorizes',
      `export const handler = async ({ protocolData }) => ({
        isAuthenticated: true, principalId: protocolData.mqtt.username,
        policyDocuments: [{ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'iot:Connect', Resource: '*' }] }],
      });`,
    );
    const authorizer = { authorizerName: 'hosted', authorizerFunctionArn: ARN, signingDisabled: true, status: 'ACTIVE' } as const;
    await server.iot.send(new CreateAuthorizerCommand(authorizer));
  });

  test('needs the permission of the function, for this authorizer', async () => {
    const words =
      /does not let iot\.amazonaws\.com invoke it for arn:aws:iot:us-east-1:000000000000:authorizer\/hosted: aws lambda add-permission/;
    await assert.rejects(login(), words);
    const permission = { FunctionName: ARN, StatementId: 's', Action: 'lambda:InvokeFunction', Principal: 'iot.amazonaws.com' };
    const other = 'arn:aws:iot:us-east-1:000000000000:authorizer/other';
    await functions.lambda.send(new AddPermissionCommand({ ...permission, SourceArn: other }));
    await assert.rejects(login(), words);
    const SourceArn = 'arn:aws:iot:us-east-1:000000000000:authorizer/host*';
    await functions.lambda.send(new AddPermissionCommand({ ...permission, StatementId: 't', SourceArn }));
    assert.deepEqual((await login()).principalId, 'u');
    await functions.lambda.send(new RemovePermissionCommand({ FunctionName: ARN, StatementId: 't' }));
    await assert.rejects(login(), words);
  });
});

describe('a hosted pre-provisioning hook (facts 25)', () => {
  const ARN = 'arn:aws:lambda:us-east-1:000000000000:function:hook';

  test('needs the permission of the function, for this template; it decides, and sets parameters', async () => {
    await functions.node(
      'hook',
      `export const handler = async ({ parameters, clientId }) => ({
        allowProvisioning: clientId === 'good', parameterOverrides: { SerialNumber: 'h-' + parameters.SerialNumber },
      });`,
    );
    await makeTemplate(server, 'hosted', { hook: ARN });
    const claim = await makeClaim(server, 'hosted');
    const provision = async (clientId: string) => {
      await using asking = await connectDevice(server, clientId, claim);
      const { certificateOwnershipToken } = (await asking.ask(CREATE)).body;
      return (await asking.ask(provisionTopic('hosted'), { certificateOwnershipToken, parameters: { SerialNumber: '1' } })).body;
    };
    assert.equal((await provision('good')).errorCode, 'AccessDenied');
    const refused = await server.logged(({ event, check }) => event === 'refused' && check === 'provisioning');
    assert.match(String(refused.reason), /does not let iot\.amazonaws\.com invoke it for .*provisioningtemplate\/hosted/);
    const SourceArn = 'arn:aws:iot:us-east-1:000000000000:provisioningtemplate/hosted';
    const permission = { FunctionName: ARN, StatementId: 's', Action: 'lambda:InvokeFunction', Principal: 'iot.amazonaws.com' };
    await functions.lambda.send(new AddPermissionCommand({ ...permission, SourceArn }));
    assert.equal((await provision('bad')).errorCode, 'AccessDenied');
    assert.equal((await provision('good')).thingName, 'lamp-h-1');
  });
});
