/** Devices for the bench: a P-256 key and a certificate each, issued and allowed by the Thingkeep under test. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { AttachPolicyCommand, CreateCertificateFromCsrCommand, CreatePolicyCommand, IoTClient } from '@aws-sdk/client-iot';

export interface Device {
  readonly cert: string;
  readonly key: string;
}

const run = promisify(execFile);
const POLICY = 'bench';

/** What a fleet's policy looks like: four statements, with a variable. */
const document = (region: string, account: string): string => {
  const arn = (resource: string): string => `arn:aws:iot:${region}:${account}:${resource}`;
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: 'iot:Connect', Resource: [arn('client/pub-*'), arn('client/sub-*'), arn('client/idle-*')] },
      {
        Effect: 'Allow',
        Action: ['iot:Publish', 'iot:Receive'],
        Resource: [
          arn('topic/bench/*'),
          arn(`topic/things/\${iot:ClientId}/*`),
          arn('topic/$aws/things/*/shadow/*'),
          arn('topic/$aws/things/*/jobs/*'),
        ],
      },
      {
        Effect: 'Allow',
        Action: 'iot:Subscribe',
        Resource: [arn('topicfilter/bench/*'), arn(`topicfilter/things/\${iot:ClientId}/*`)],
      },
      { Effect: 'Deny', Action: 'iot:Publish', Resource: arn('topic/bench/forbidden/*') },
    ],
  });
};

async function device(client: IoTClient, n: number): Promise<Device> {
  const request = [
    'req',
    '-new',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-subj',
    `/CN=bench-${n}`,
    '-keyout',
    '-',
  ];
  const { stdout } = await run('openssl', request);
  const key = /-----BEGIN PRIVATE KEY-----[\s\S]*?-----END PRIVATE KEY-----\n/.exec(stdout)?.[0] ?? '';
  const csr = /-----BEGIN CERTIFICATE REQUEST-----[\s\S]*?-----END CERTIFICATE REQUEST-----\n/.exec(stdout)?.[0] ?? '';
  const made = await client.send(new CreateCertificateFromCsrCommand({ certificateSigningRequest: csr, setAsActive: true }));
  await client.send(new AttachPolicyCommand({ policyName: POLICY, target: made.certificateArn }));
  return { cert: made.certificatePem ?? '', key };
}

export async function makeDevices(
  count: number,
  api: { endpoint: string; region: string; account: string; credentials: { accessKeyId: string; secretAccessKey: string } },
): Promise<Device[]> {
  const client = new IoTClient(api);
  await client.send(new CreatePolicyCommand({ policyName: POLICY, policyDocument: document(api.region, api.account) }));
  const devices: Device[] = [];
  for (let n = 0; n < count; n += 8)
    devices.push(...(await Promise.all(Array.from({ length: Math.min(8, count - n) }, (_, i) => device(client, n + i)))));
  client.destroy();
  return devices;
}
