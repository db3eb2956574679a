/** Fleet provisioning for tests: a role, a template, a claim certificate, and a device that asks with it by MQTT.js. */
import { CreateProvisioningTemplateCommand } from '@aws-sdk/client-iot';
import type mqtt from 'mqtt';
import { ALLOW_ALL, allow, arn, type Device, makeDevice, makePolicy, policyDocument } from './devices.ts';
import { makeRole } from './identities.ts';
import { connectMqtt } from './mqtt-client.ts';
import type { TestServer } from './test-core.ts';

export const CREATE = '$aws/certificates/create/json';
export const provisionTopic = (template: string): string => `$aws/provisioning-templates/${template}/provision/json`;

/** What a claim is allowed, as the developer guide has it (page provision-wo-cert). */
export const claimStatements = (template: string) => [
  allow('iot:Connect', '*'),
  allow(
    ['iot:Publish', 'iot:Receive'],
    ...[
      '$aws/certificates/create/*',
      '$aws/certificates/create-from-csr/*',
      `$aws/provisioning-templates/${template}/provision/*`,
    ].map((topic) => arn(`topic/${topic}`)),
  ),
  allow(
    'iot:Subscribe',
    ...[
      '$aws/certificates/create/*',
      '$aws/certificates/create-from-csr/*',
      `$aws/provisioning-templates/${template}/provision/*`,
    ].map((topic) => arn(`topicfilter/${topic}`)),
  ),
];

/** A thing of the device's serial number with a policy of its own, and the certificate of the token. */
export const templateBody = (more: object = {}): object => ({
  Parameters: { SerialNumber: { Type: 'String' } },
  Resources: {
    thing: {
      Type: 'AWS::IoT::Thing',
      Properties: {
        ThingName: { 'Fn::Join': ['-', ['lamp', { Ref: 'SerialNumber' }]] },
        AttributePayload: { serial: { Ref: 'SerialNumber' } },
      },
    },
    certificate: {
      Type: 'AWS::IoT::Certificate',
      Properties: { CertificateId: { Ref: 'AWS::IoT::Certificate::Id' }, Status: 'Active' },
    },
    policy: { Type: 'AWS::IoT::Policy', Properties: { PolicyDocument: JSON.parse(policyDocument(ALLOW_ALL)) } },
  },
  DeviceConfiguration: { url: { 'Fn::Sub': 'https://example.com/${SerialNumber}' } },
  ...more,
});

export async function makeTemplate(
  server: TestServer,
  templateName: string,
  more: { readonly body?: object; readonly hook?: string; readonly enabled?: boolean; readonly role?: string } = {},
): Promise<void> {
  const { body = templateBody(), hook, enabled = true } = more;
  const provisioningRoleArn = more.role ?? (await makeRole(server, `provisioning-${templateName}`, [allow('iot:*', '*')]));
  const preProvisioningHook = hook === undefined ? undefined : { targetArn: hook };
  const templateBodyText = JSON.stringify(body);
  await server.iot.send(
    new CreateProvisioningTemplateCommand({
      templateName,
      templateBody: templateBodyText,
      enabled,
      provisioningRoleArn,
      preProvisioningHook,
    }),
  );
}

export async function makeClaim(server: TestServer, template: string, name = `claim-${template}`): Promise<Device> {
  await makePolicy(server, name, claimStatements(template));
  return makeDevice(server, name, name);
}

export interface Answer {
  readonly outcome: string;
  readonly body: Record<string, unknown>;
}

export interface AskingDevice extends AsyncDisposable {
  readonly client: mqtt.MqttClient;
  /** Publishes on a topic and gives the answer, which comes without a subscription. */
  ask(topic: string, body?: object | string | Buffer): Promise<Answer>;
}

export async function connectDevice(
  server: TestServer,
  clientId: string,
  credentials: Pick<Device, 'certPem' | 'keyPem'>,
  protocolVersion: 4 | 5 = 4,
  more: Partial<mqtt.IClientOptions> = {},
): Promise<AskingDevice> {
  const client = await connectMqtt(server, clientId, credentials, protocolVersion, more);
  return {
    client,
    ask: async (topic, body = '') => {
      const answer = new Promise<Answer>((resolve) => {
        const take = (on: string, payload: Buffer): void => {
          if (!on.startsWith(`${topic}/`)) return;
          client.off('message', take);
          resolve({ outcome: on.slice(topic.length + 1), body: JSON.parse(payload.toString()) as Record<string, unknown> });
        };
        client.on('message', take);
      });
      await client.publishAsync(topic, typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body), {
        qos: 1,
      });
      return answer;
    },
    [Symbol.asyncDispose]: () => client.endAsync(true),
  };
}
