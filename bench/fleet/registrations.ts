/**
 * Registrations a second by every road: RegisterThing, a claim with the device's key and with the server's, just in time, in
 * bulk.
 */
import { X509Certificate } from 'node:crypto';
import { connect } from 'node:tls';
import {
  AttachPolicyCommand,
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  CreateProvisioningTemplateCommand,
  DescribeThingRegistrationTaskCommand,
  GetRegistrationCodeCommand,
  IoTClient,
  ListCertificatesByCACommand,
  RegisterCACertificateCommand,
  RegisterThingCommand,
  StartThingRegistrationTaskCommand,
} from '@aws-sdk/client-iot';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import mqtt from 'mqtt';
import { certificateIdOf } from '../../packages/x509/src/certificate.ts';
import { csrDer, csrPem, newEcKey } from '../../packages/x509/src/testing/csrs.ts';
import { factoryCa, signedBy } from '../../packages/server/src/testing/factory-ca.ts';
import { Bystander } from './bystander.ts';
import { type Figure, figure, quantile } from './figures.ts';
import { pause } from './pace.ts';
import type { Given, Scenario, Stage } from './stage.ts';

const THINGS = 2000;
const CLAIMS = 1000;
const SERVER_KEYS = 100;
const JUST_IN_TIME = 1000;
const LINES = 20_000;
const AT_ONCE = 8;
const TEMPLATE = 'fleet';

const RESOURCES = (certificate: object): object => ({
  thing: { Type: 'AWS::IoT::Thing', Properties: { ThingName: { Ref: 'ThingName' } } },
  certificate: { Type: 'AWS::IoT::Certificate', Properties: { ...certificate, Status: 'ACTIVE' } },
});
const BY_CSR = JSON.stringify({
  Parameters: { ThingName: { Type: 'String' }, CSR: { Type: 'String' } },
  Resources: RESOURCES({ CertificateSigningRequest: { Ref: 'CSR' } }),
});
const BY_CLAIM = JSON.stringify({
  Parameters: { ThingName: { Type: 'String' }, 'AWS::IoT::Certificate::Id': { Type: 'String' } },
  Resources: RESOURCES({ CertificateId: { Ref: 'AWS::IoT::Certificate::Id' } }),
});

const CSR = csrPem(csrDer({ key: newEcKey() }));

/** Does work so many times, some at once; gives how many a second. */
async function rateOf(count: number, work: (i: number, lane: number) => Promise<unknown>): Promise<number> {
  let next = 0;
  const begun = performance.now();
  const lane = async (number: number): Promise<void> => {
    for (let i = next++; i < count; i = next++) await work(i, number);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, (_, number) => lane(number)));
  return (count * 1000) / (performance.now() - begun);
}

interface Clients {
  readonly iot: IoTClient;
  readonly iam: IAMClient;
  readonly s3: S3Client;
}

function clientsOf(stage: Stage): Clients {
  const { api } = stage;
  return { iot: new IoTClient(api), iam: new IAMClient(api), s3: new S3Client({ ...api, forcePathStyle: true }) };
}

async function makeRole({ iam }: Clients): Promise<string> {
  const trust = [{ Effect: 'Allow', Principal: { Service: 'iot.amazonaws.com' }, Action: 'sts:AssumeRole' }];
  const allowed = [{ Effect: 'Allow', Action: ['iot:*', 's3:*'], Resource: '*' }];
  const document = (Statement: object[]): string => JSON.stringify({ Version: '2012-10-17', Statement });
  const RoleName = 'bench';
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: document(trust) }));
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'all', PolicyDocument: document(allowed) }));
  return Role?.Arn ?? '';
}

/** A claim certificate: it may do everything, for this is no test of rights. */
async function makeClaim({ iot }: Clients): Promise<{ readonly cert: string; readonly key: string }> {
  const statement = { Effect: 'Allow', Action: 'iot:*', Resource: '*' };
  const policyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  await iot.send(new CreatePolicyCommand({ policyName: 'claim', policyDocument }));
  const made = await iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
  await iot.send(new AttachPolicyCommand({ policyName: 'claim', target: made.certificateArn }));
  return { cert: made.certificatePem ?? '', key: made.keyPair?.PrivateKey ?? '' };
}

/** Connections of a claim, on each of which one request is under way at a time. */
async function claims(
  stage: Stage,
  clients: Clients,
): Promise<readonly ((topic: string, body: object) => Promise<Record<string, string>>)[]> {
  const { endpoint } = stage;
  const device = await makeClaim(clients);
  return Promise.all(
    Array.from({ length: AT_ONCE }, async (_, i) => {
      const client = await mqtt.connectAsync({
        ...{ protocol: 'mqtts', host: 'localhost', port: endpoint.port, clientId: `claim-${i}`, reconnectPeriod: 0 },
        ...{ ca: endpoint.tls?.ca, cert: device.cert, key: device.key },
      });
      return async (topic: string, body: object): Promise<Record<string, string>> => {
        const answer = new Promise<Record<string, string>>((resolve, reject) => {
          client.once('message', (at, payload) =>
            at.endsWith('/accepted') ? resolve(JSON.parse(payload.toString())) : reject(new Error(payload.toString())),
          );
        });
        await client.publishAsync(topic, JSON.stringify(body), { qos: 1 });
        return answer;
      };
    }),
  );
}

/** A connection with an unknown certificate; resolves once the server has closed it. */
const attempt = (stage: Stage, cert: string, key: string, clientId: string): Promise<void> =>
  new Promise((resolve) => {
    const socket = connect({ host: 'localhost', port: stage.server.port, ca: stage.endpoint.tls?.ca, cert, key });
    const id = Buffer.from(clientId);
    const head = Buffer.from([0x00, 0x04, 0x4d, 0x51, 0x54, 0x54, 0x04, 0x02, 0x00, 0x3c, 0x00, id.length]);
    socket.once('secureConnect', () => socket.write(Buffer.concat([Buffer.from([0x10, head.length + id.length]), head, id])));
    socket.on('error', () => undefined).once('close', () => resolve());
    socket.resume();
  });

async function justInTime(stage: Stage, { iot }: Clients, count: number): Promise<number> {
  const ca = await factoryCa('bench', { now: Date.now() });
  const { registrationCode = '' } = await iot.send(new GetRegistrationCodeCommand({}));
  const verificationCertificate = await signedBy(ca, registrationCode, { key: ca.key, now: Date.now() });
  const input = { caCertificate: ca.pem, verificationCertificate, setAsActive: true, allowAutoRegistration: true };
  await iot.send(new RegisterCACertificateCommand(input));
  const made: { cert: string; key: string }[] = [];
  for (let i = 0; i < count; i += 1) {
    const key = newEcKey();
    made.push({
      cert: await signedBy(ca, `device ${i}`, { key, now: Date.now() }),
      key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    });
  }
  const rate = await rateOf(count, (i) => attempt(stage, made[i]?.cert ?? '', made[i]?.key ?? '', `new-${i}`));
  const caCertificateId = certificateIdOf(new X509Certificate(ca.pem).raw);
  let [found, marker] = [0, undefined as string | undefined];
  do {
    const page = await iot.send(new ListCertificatesByCACommand({ caCertificateId, marker, pageSize: 250 }));
    found += page.certificates?.length ?? 0;
    marker = page.nextMarker;
  } while (marker !== undefined);
  if (found !== count) throw new Error(`${found} of ${count} certificates were registered`);
  return rate;
}

async function bulk({ iot, s3 }: Clients, roleArn: string, count: number): Promise<number> {
  await s3.send(new CreateBucketCommand({ Bucket: 'bench-bulk' }));
  const Body = Array.from({ length: count }, (_, i) => JSON.stringify({ ThingName: `bulk-${i}`, CSR })).join('\n');
  await s3.send(new PutObjectCommand({ Bucket: 'bench-bulk', Key: 'lines', Body }));
  const input = { templateBody: BY_CSR, inputFileBucket: 'bench-bulk', inputFileKey: 'lines', roleArn };
  const begun = performance.now();
  const { taskId } = await iot.send(new StartThingRegistrationTaskCommand(input));
  for (;;) {
    const { status, successCount } = await iot.send(new DescribeThingRegistrationTaskCommand({ taskId }));
    if (status !== 'InProgress') {
      if (successCount !== count) throw new Error(`${successCount} of ${count} lines were done: ${status}`);
      return (count * 1000) / (performance.now() - begun);
    }
    await pause(500);
  }
}

async function run(stage: Stage, { scale, say }: Given): Promise<Figure[]> {
  const times = (count: number): number => Math.max(AT_ONCE, Math.round(count * scale));
  const clients = clientsOf(stage);
  const { iot } = clients;
  const provisioningRoleArn = await makeRole(clients);
  const template = { templateName: TEMPLATE, templateBody: BY_CLAIM, enabled: true, provisioningRoleArn };
  await iot.send(new CreateProvisioningTemplateCommand(template));
  using bystander = await Bystander.start({ endpoint: stage.endpoint, roundTrips: 50, connects: 0 });
  const seen: Figure[] = [];
  const measure = async (name: string, unit: string, work: () => Promise<number>): Promise<void> => {
    say(name);
    await bystander.take();
    const rate = await work();
    const { roundTrips } = await bystander.take();
    const latencies = roundTrips.map(([, ms]) => ms);
    seen.push(figure(name, rate, unit), figure(`${name}: a bystander's p99`, quantile(latencies, 0.99), 'ms'));
  };
  await pause(2000);
  await measure('nothing else', '', async () => {
    await pause(3000);
    return 0;
  });
  await measure('RegisterThing with a CSR', 'a second', () =>
    rateOf(times(THINGS), (i) =>
      iot.send(new RegisterThingCommand({ templateBody: BY_CSR, parameters: { ThingName: `thing-${i}`, CSR } })),
    ),
  );
  const ask = await claims(stage, clients);
  const provision = async (i: number, lane: number, prefix: string, topic: string, body: object): Promise<void> => {
    const request = ask[lane];
    if (request === undefined) return;
    const { certificateOwnershipToken } = await request(topic, body);
    const parameters = { ThingName: `${prefix}-${i}` };
    await request(`$aws/provisioning-templates/${TEMPLATE}/provision/json`, { certificateOwnershipToken, parameters });
  };
  const csr = { certificateSigningRequest: CSR };
  await measure("a claim, the device's P-256 key", 'a second', () =>
    rateOf(times(CLAIMS), (i, lane) => provision(i, lane, 'csr', '$aws/certificates/create-from-csr/json', csr)),
  );
  await measure("a claim, the server's RSA key", 'a second', () =>
    rateOf(times(SERVER_KEYS), (i, lane) => provision(i, lane, 'key', '$aws/certificates/create/json', {})),
  );
  await measure('just in time', 'a second', () => justInTime(stage, clients, times(JUST_IN_TIME)));
  await measure('lines of a bulk registration', 'a second', () => bulk(clients, provisioningRoleArn, times(LINES)));
  return seen;
}

export const registrations: Scenario = {
  about: 'devices registered per second by every road, and what a bystander notices',
  stage: () => ({ certificates: AT_ONCE }),
  run,
};
