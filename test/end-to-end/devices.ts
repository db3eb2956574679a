/** Devices as the API makes them: a certificate with its key on disk, its policy attached. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AttachPolicyCommand, CreateKeysAndCertificateCommand, CreatePolicyCommand } from '@aws-sdk/client-iot';
import type { TestServer } from './test-core.ts';

export interface Device {
  readonly certificateId: string;
  readonly certificateArn: string;
  readonly certPem: string;
  readonly keyPem: string;
  readonly cert: string;
  readonly key: string;
}

export const ACCOUNT = '000000000000';
export const arn = (resource: string): string => `arn:aws:iot:us-east-1:${ACCOUNT}:${resource}`;

export interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
}

export const allow = (action: string | readonly string[], ...resources: string[]): Statement => ({
  Effect: 'Allow',
  Action: action,
  Resource: resources,
});

export const policyDocument = (statements: readonly Statement[]): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements });

export const ALLOW_ALL = [allow('iot:*', '*')];

/** What a device that minds its own topics is commonly allowed. */
export const ownTopics = (clientId: string): Statement[] => [
  allow('iot:Connect', arn(`client/${clientId}`)),
  allow(['iot:Publish', 'iot:Receive'], arn(`topic/devices/${clientId}/*`)),
  allow('iot:Subscribe', arn(`topicfilter/devices/${clientId}/*`)),
];

export async function makePolicy(server: TestServer, policyName: string, statements: readonly Statement[]): Promise<void> {
  await server.iot.send(new CreatePolicyCommand({ policyName, policyDocument: policyDocument(statements) }));
}

/** A certificate with the server's own key pair; `policyName` is attached when given. */
export async function makeDevice(server: TestServer, name: string, policyName?: string, setAsActive = true): Promise<Device> {
  const made = await server.iot.send(new CreateKeysAndCertificateCommand({ setAsActive }));
  const { certificateId = '', certificateArn = '', certificatePem: certPem = '', keyPair } = made;
  const keyPem = keyPair?.PrivateKey ?? '';
  if (policyName !== undefined) await server.iot.send(new AttachPolicyCommand({ policyName, target: certificateArn }));
  const cert = join(server.dataDir, `${name}.crt`);
  const key = join(server.dataDir, `${name}.key`);
  writeFileSync(cert, certPem);
  writeFileSync(key, keyPem, { mode: 0o600 });
  return { certificateId, certificateArn, certPem, keyPem, cert, key };
}
