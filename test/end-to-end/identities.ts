/** Users and roles of IAM for tests: a user with its own clients, a role that AWS IoT may assume. */
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { IoTClient } from '@aws-sdk/client-iot';
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { ACCOUNT, policyDocument, type Statement } from './devices.ts';
import type { Credentials } from './presign.ts';
import type { TestServer } from './test-core.ts';

export const clientOf = (server: TestServer, credentials: Credentials) => ({
  endpoint: server.url,
  region: 'us-east-1',
  maxAttempts: 1,
  credentials,
});

export const iamOf = (server: TestServer): IAMClient => new IAMClient(clientOf(server, server.credentials()));

export interface TestUser {
  readonly credentials: Credentials;
  readonly iot: IoTClient;
  readonly iotData: IoTDataPlaneClient;
}

export async function makeUser(server: TestServer, UserName: string, statements: readonly Statement[]): Promise<TestUser> {
  const iam = iamOf(server);
  await iam.send(new CreateUserCommand({ UserName }));
  await putUserPolicy(server, UserName, statements);
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
  const credentials = { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
  const client = clientOf(server, credentials);
  return { credentials, iot: new IoTClient(client), iotData: new IoTDataPlaneClient(client) };
}

/** The one policy of a user. */
export const putUserPolicy = (server: TestServer, UserName: string, statements: readonly Statement[]): Promise<unknown> =>
  iamOf(server).send(new PutUserPolicyCommand({ UserName, PolicyName: 'p', PolicyDocument: policyDocument(statements) }));

/** The ARN of a role that a service may assume, with the one policy; without statements it may do nothing. */
export async function makeRole(
  server: TestServer,
  RoleName: string,
  statements: readonly Statement[] = [],
  service = 'iot.amazonaws.com',
): Promise<string> {
  const trust = { Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' };
  const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [trust] });
  await iamOf(server).send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
  if (statements.length > 0) await putRolePolicy(server, RoleName, statements);
  return `arn:aws:iam::${ACCOUNT}:role/${RoleName}`;
}

export const putRolePolicy = (server: TestServer, RoleName: string, statements: readonly Statement[]): Promise<unknown> =>
  iamOf(server).send(new PutRolePolicyCommand({ RoleName, PolicyName: 'p', PolicyDocument: policyDocument(statements) }));
