/** The API's front over real sockets: what it answers before an operation is reached, and that it always answers. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { after, before, test } from 'node:test';
import { Sha256 } from '@aws-crypto/sha256-js';
import { CreateThingCommand, DescribeThingCommand, IoTClient, ListThingsCommand } from '@aws-sdk/client-iot';
import { GetThingShadowCommand, IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { GetPendingJobExecutionsCommand, IoTJobsDataPlaneClient } from '@aws-sdk/client-iot-jobs-data-plane';
import { GetCallerIdentityCommand, GetSessionTokenCommand, STSClient } from '@aws-sdk/client-sts';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { PublishCommand as SNSPublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Caller } from '@thingkeep/wire/api/handlers.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { systemClock } from '../runtime/clock.ts';
import { openLog } from '../runtime/log.ts';
import type { ApiRefusal } from './error-answers.ts';
import { createApi } from './http.ts';
import { MAX_BODY } from './read-body.ts';
import { serveApi, serverOptions } from './serve.ts';

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };
const IDENTITY = { accountId: '123456789012', arn: 'arn:aws:iam::123456789012:user/u', userId: 'AIDA' };
const refusals: ApiRefusal[] = [];
let bodiesRead = 0;

const server = createServer(serverOptions);
let port = 0;

before(async () => {
  const api = createApi({
    clock: systemClock,
    log: openLog('silent'),
    findAccessKey: async (id) => (id === credentials.accessKeyId ? { ...credentials, ...IDENTITY } : undefined),
    queryServices: {
      sts: {
        operations: {
          GetCallerIdentity: async (_: never, { arn, userId, accountId }: Caller) => ({
            Arn: arn,
            UserId: userId,
            Account: accountId,
          }),
        },
        needed: async () => [],
      },
    },
    services: () => ({
      iot: {
        async CreateThing({ thingName }, { accountId }) {
          if (thingName === 'taken')
            fail('ResourceAlreadyExistsException', 'It exists', { resourceId: 'taken', resourceArn: 'arn' });
          if (thingName === 'broken') throw new Error('a secret of the inside');
          return { thingName, thingId: accountId };
        },
        async DescribeThing() {
          return { attributes: { a: 'b' }, version: 3 };
        },
        async CreatePolicy() {
          bodiesRead++;
          return {};
        },
      },
      'iot-data': {
        async Publish() {
          return {};
        },
        async GetThingShadow() {
          return { payload: new TextEncoder().encode('{"state":{}}') };
        },
      },
      lambda: {},
      'iot-jobs-data': {
        async GetPendingJobExecutions() {
          return { inProgressJobs: [{ jobId: 'j', queuedAt: 5 }] };
        },
      },
    }),
    plain: new Map([['/health', () => ({ status: 200, headers: { 'content-type': 'text/plain' }, body: 'ok' })]]),
    admin: new Map([['GET /admin/refusals', async (parameters) => ({ limit: parameters.get('limit') })]]),
    refused: (refusal) => refusals.push(refusal),
  });
  serveApi(server, api);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});

after(() => {
  server.close();
  server.closeAllConnections();
});

const client = () => ({ endpoint: `http://127.0.0.1:${port}`, region: 'us-east-1', credentials, maxAttempts: 1 });

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly headers: Headers;
  readonly body: string;
}

async function call(
  method: string,
  target: string,
  { service = 'iot', body, headers = {} }: { service?: string; body?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const [path = '', query] = target.split('?');
  const signed = await new SignatureV4({ service, region: 'us-east-1', credentials, sha256: Sha256 }).sign({
    method,
    protocol: 'http:',
    hostname: '127.0.0.1',
    port,
    path,
    query: Object.fromEntries(new URLSearchParams(query)),
    headers: { ...headers, host: `127.0.0.1:${port}` },
    body,
  });
  return plainCall(method, target, { headers: signed.headers, ...(body !== undefined && { body }) });
}

async function plainCall(
  method: string,
  target: string,
  init: { headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}${target}`, { method, ...init });
  return {
    status: response.status,
    type: response.headers.get('x-amzn-errortype'),
    headers: response.headers,
    body: await response.text(),
  };
}

/** Everything that the server writes until it closes, or until `enough` says that it has. */
async function raw(text: string | Buffer, enough: (answer: string) => boolean = () => false): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(text);
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk.toString('latin1');
    if (enough(answer)) socket.destroy();
  });
  // Not `once`: a reset is an error to it, and here it is one of the ways to be told no.
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.on('close', () => resolve());
  await promise;
  return answer;
}

test('AWS SDKs for JavaScript read answers and errors of all three services and STS', async () => {
  const iot = new IoTClient(client());
  assert.equal((await iot.send(new CreateThingCommand({ thingName: 'x' }))).thingId, '123456789012');
  assert.deepEqual((await iot.send(new DescribeThingCommand({ thingName: 'x' }))).attributes, { a: 'b' });
  await assert.rejects(iot.send(new CreateThingCommand({ thingName: 'taken' })), {
    name: 'ResourceAlreadyExistsException',
    resourceId: 'taken',
  });
  await assert.rejects(iot.send(new CreateThingCommand({ thingName: 'a b' })), { name: 'InvalidRequestException' });
  await assert.rejects(iot.send(new ListThingsCommand({})), {
    name: 'UnknownOperationException',
    message: 'ListThings is not implemented by Thingkeep yet',
  });
  const data = new IoTDataPlaneClient(client());
  await data.send(new PublishCommand({ topic: 'a/b', qos: 1, payload: Buffer.from('hi') }));
  assert.equal((await data.send(new GetThingShadowCommand({ thingName: 'x' }))).payload?.transformToString(), '{"state":{}}');
  const jobs = new IoTJobsDataPlaneClient(client());
  assert.equal((await jobs.send(new GetPendingJobExecutionsCommand({ thingName: 'x' }))).inProgressJobs?.[0]?.jobId, 'j');
  const sts = new STSClient(client());
  const { Account, Arn, UserId } = await sts.send(new GetCallerIdentityCommand({}));
  assert.deepEqual({ Account, Arn, UserId }, { Account: IDENTITY.accountId, Arn: IDENTITY.arn, UserId: IDENTITY.userId });
  await assert.rejects(sts.send(new GetSessionTokenCommand({})), { name: 'InvalidAction' });
});

test('clients of services that are not here read why, in the form of their protocol', async () => {
  const said = (service: string): RegExp => new RegExp(`^Thingkeep does not serve ${service}: it has AWS IoT, Lambda`);
  const query = new SNSClient(client()).send(new SNSPublishCommand({ TopicArn: 'arn:aws:sns:::t', Message: 'm' }));
  await assert.rejects(query, { name: 'InvalidAction', message: said('sns') });
  const json = new SQSClient(client()).send(new ListQueuesCommand({}));
  await assert.rejects(json, { name: 'UnknownOperationException', message: said('sqs') });
  const other = new DynamoDBClient(client()).send(new ListTablesCommand({}));
  await assert.rejects(other, { name: 'UnknownOperationException', message: said('dynamodb') });
  const s3 = new S3Client({ ...client(), forcePathStyle: true }).send(new ListBucketsCommand({}));
  await assert.rejects(s3, { name: 'UnknownOperationException', message: said('s3') });
  const region = '/2013-04-01/hostedzone';
  const route53 = await call('GET', region, { service: 'route53' });
  assert.match(route53.body, /^<\?xml.*<ErrorResponse><Error>.*<Message>Thingkeep does not serve route53/s);
  // An answer to HEAD has no text: its status must not say that an object is missing.
  assert.equal((await call('HEAD', '/bucket/key', { service: 's3' })).status, 501);
  assert.match(
    (await call('POST', '/', { service: 'ec2', body: 'Action=RunInstances' })).body,
    /Thingkeep does not serve ec2, but/,
  );
  // A path that AWS IoT has as well.
  const wireless = await call('GET', '/things', { service: 'iotwireless' });
  assert.match(wireless.body, /Thingkeep does not serve iotwireless/);
  const stranger = { accessKeyId: 'AKIDSTRANGER', secretAccessKey: 'x' };
  const unknown = new SNSClient({ ...client(), credentials: stranger }).send(new SNSPublishCommand({ Message: 'm' }));
  await assert.rejects(unknown, { name: 'InvalidClientTokenId' });
});

test('an action that is not there, in the forms of the query protocol and of JSON', async () => {
  const form = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
  for (const service of ['cloudformation', 'sts', 'ec2', 'iam']) {
    const body = 'Action=Nothing&Version=2010-05-15';
    const { status, headers, body: answer } = await call('POST', '/', { service, headers: form, body });
    assert.deepEqual([status, headers.get('content-type')], [400, 'text/xml'], service);
    assert.match(answer, /<Code>InvalidAction<\/Code><Message>\w/, service);
  }
  for (const version of ['1.0', '1.1']) {
    const headers = { 'content-type': `application/x-amz-json-${version}`, 'x-amz-target': 'Kinesis_20131202.ListStreams' };
    const answer = await call('POST', '/', { service: 'kinesis', headers, body: '{}' });
    assert.deepEqual([answer.status, answer.type], [400, 'UnknownOperationException']);
    assert.equal(answer.headers.get('content-type'), `application/x-amz-json-${version}`);
    assert.equal((JSON.parse(answer.body) as { __type: string }).__type, 'UnknownOperationException');
  }
});

test('an exception inside a handler shows nothing of it', async () => {
  const answer = await call('POST', '/things/broken');
  assert.deepEqual([answer.status, answer.type], [500, 'InternalFailureException']);
  assert.doesNotMatch(answer.body, /secret/);
});

test('what is not there', async () => {
  for (const [method, target, service] of [
    ['GET', '/nothing', 'iot'],
    ['HEAD', '/things', 'iot'],
    ['GET', '/nothing', 's3'],
    ['GET', '/admin/nothing', 'thingkeep'],
    ['PATCH', '/admin/refusals', 'thingkeep'],
  ] as const) {
    const answer = await call(method, target, { service });
    assert.deepEqual([answer.status, answer.type], [404, 'UnknownOperationException'], `${method} ${target}`);
  }
});

test('a scope that does not fit the operation is refused by name', async () => {
  const answer = await call('POST', '/topics/a', { service: 'iot' });
  assert.equal(answer.status, 403);
  assert.match(answer.body, /Credential should be scoped to correct service: 'iotdata'/);
  assert.equal((await call('POST', '/topics/a', { service: 'iotdevicegateway' })).status, 200);
  assert.equal((await call('GET', '/admin/refusals', { service: 'iot' })).status, 404);
});

test('plain paths are open, administrative ones want a signature', async () => {
  const health = await plainCall('GET', '/health');
  assert.equal(health.body, 'ok');
  assert.equal(health.headers.get('access-control-allow-origin'), null, 'no page of another origin may read it');
  assert.equal((await plainCall('HEAD', '/health')).status, 200);
  assert.equal((await plainCall('POST', '/health')).status, 403);
  assert.equal((await plainCall('GET', '/admin/refusals')).type, 'MissingAuthenticationTokenException');
  assert.equal((await call('GET', '/admin/refusals?limit=5', { service: 'thingkeep' })).body, '{"limit":"5"}');
});

test('whoever is refused at the door can be looked up by the request id', async () => {
  refusals.length = 0;
  const answer = await plainCall('GET', '/things?secret=1');
  const requestId = answer.headers.get('x-amzn-requestid') ?? '';
  assert.match(requestId, /^[0-9a-f-]{36}$/);
  assert.deepEqual(
    refusals.map(({ method, path, error: { code } }) => ({ method, path, code })),
    [{ method: 'GET', path: '/things', code: 'MissingAuthenticationTokenException' }],
  );
  assert.equal(refusals[0]?.requestId, requestId);
});

test('browsers: a preflight is answered, no credentials are reflected', async () => {
  const answer = await plainCall('OPTIONS', '/things', {
    headers: { origin: 'https://evil.example', 'access-control-request-headers': 'authorization,x-amz-date' },
  });
  assert.equal(answer.status, 204);
  assert.equal(answer.headers.get('access-control-allow-origin'), '*');
  assert.equal(answer.headers.get('access-control-allow-headers'), 'authorization,x-amz-date');
  assert.equal(answer.headers.get('access-control-allow-credentials'), null);
  assert.match((await plainCall('GET', '/things')).headers.get('access-control-expose-headers') ?? '', /x-amzn-requestid/);
});

test('query services answer XML: zones for Terraform, InvalidAction for the rest, their own words for a bad key', async () => {
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const zones = await call('POST', '/', {
    service: 'ec2',
    headers: form,
    body: 'Action=DescribeAvailabilityZones&Version=2016-11-15',
  });
  assert.equal(zones.status, 200);
  assert.deepEqual(
    [...zones.body.matchAll(/<zoneName>([^<]+)</g)].map((match) => match[1]),
    ['us-east-1a', 'us-east-1b', 'us-east-1c'],
  );
  const byGet = await call('GET', '/?Action=GetCallerIdentity&Version=2011-06-15', { service: 'sts' });
  assert.match(byGet.body, /<Account>123456789012<\/Account>/);
  const unknown = await call('POST', '/', { service: 'iam', headers: form, body: 'Action=%3Cb%3E&Version=1' });
  assert.equal(unknown.status, 400);
  assert.match(unknown.body, /<Code>InvalidAction<\/Code><Message>Could not find operation &lt;b&gt; for version 1</);
  const twice = await call('POST', '/', { service: 'sts', headers: form, body: 'Action=GetCallerIdentity&Action=X' });
  assert.equal(twice.status, 400);
  const forged = await plainCall('POST', '/', {
    headers: {
      authorization: 'AWS4-HMAC-SHA256 Credential=NO/20260102/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=00',
      'x-amz-date': '20260102T000000Z',
    },
  });
  assert.match(forged.body, /<Code>SignatureDoesNotMatch<\/Code>/);
});

test('a body over the cap is refused before authentication: announced, and chunked', async () => {
  const before = bodiesRead;
  const announced = await plainCall('POST', '/policies/p', { body: 'x'.repeat(MAX_BODY + 1) });
  assert.deepEqual([announced.status, announced.type], [413, 'RequestEntityTooLargeException']);
  const huge = await raw('POST /policies/p HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n', (text) =>
    text.includes('}'),
  );
  assert.match(huge, /^HTTP\/1\.1 413 /);
  assert.match(await raw(await chunkedRequest(MAX_BODY + 70_000), (text) => text.includes('}')), /^HTTP\/1\.1 413 /);
  // A parameter that presigned requests to S3 have makes no request one to S3.
  const disguised = Buffer.from(`${await chunkedRequest(MAX_BODY + 70_000)}`.replace(' HTTP/', '?AWSAccessKeyId= HTTP/'));
  assert.match(await raw(disguised, (text) => text.includes('</Error>')), /^HTTP\/1\.1 413 /);
  assert.equal(bodiesRead, before);
});

/** A well-signed chunked request with a body of this size. */
async function chunkedRequest(size: number): Promise<Buffer> {
  const body = 'x'.repeat(size);
  const { headers } = await new SignatureV4({ service: 'iot', region: 'us-east-1', credentials, sha256: Sha256 }).sign({
    method: 'POST',
    protocol: 'http:',
    hostname: 'x',
    path: '/policies/p',
    query: {},
    headers: { host: 'x' },
    body,
  });
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(
    `POST /policies/p HTTP/1.1\r\n${lines.join('')}Transfer-Encoding: chunked\r\n\r\n${size.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
  );
}

test('Expect: 100-continue is granted only when the head has passed', async () => {
  const refused = await raw('POST /things/x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n');
  assert.match(refused, /^HTTP\/1\.1 403 /);
  assert.doesNotMatch(refused, /100 Continue/);
  const body = '{}';
  const { headers } = await new SignatureV4({ service: 'iot', region: 'us-east-1', credentials, sha256: Sha256 }).sign({
    method: 'POST',
    protocol: 'http:',
    hostname: 'x',
    path: '/things/x',
    query: {},
    headers: { host: 'x' },
    body,
  });
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const socket = connect(port, '127.0.0.1');
  socket.write(
    `POST /things/x HTTP/1.1\r\n${lines.join('')}Expect: 100-continue\r\nConnection: close\r\nContent-Length: 2\r\n\r\n`,
  );
  const [first] = (await once(socket, 'data')) as [Buffer];
  assert.match(first.toString(), /^HTTP\/1\.1 100 Continue/);
  socket.write(body);
  const [second] = (await once(socket, 'data')) as [Buffer];
  assert.match(second.toString(), /^HTTP\/1\.1 200 /);
  socket.destroy();
});

test('what is not HTTP, or not HTTP for us, gets a 4xx in AWS form with a request id', async (t) => {
  const many = Array.from({ length: 150 }, (_, index) => `h${index}: x\r\n`).join('');
  const cases: [name: string, text: string, status: RegExp][] = [
    ['garbage', 'GARBAGE\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['TLS', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000', /^HTTP\/1\.1 400 /],
    ['a header beyond 16 KiB', `GET / HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(17_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    ['too many headers', `GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${many}\r\n`, /^HTTP\/1\.1 400 /],
    ['no host', 'GET /health HTTP/1.1\r\nConnection: close\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['two hosts', 'GET /things HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['an absolute target', 'GET http://a/health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['a tunnel', 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n', /^HTTP\/1\.1 404 /],
    ['another expectation', 'GET /things HTTP/1.1\r\nHost: a\r\nExpect: cake\r\nConnection: close\r\n\r\n', /^HTTP\/1\.1 400 /],
    [
      'a length and chunks',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      /^HTTP\/1\.1 400 /,
    ],
    ['a bare line feed in a header', 'GET /health HTTP/1.1\r\nHost: a\nX: y\r\n\r\n', /^HTTP\/1\.1 400 /],
    [
      'chunks that are none',
      'POST /things/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
      /^HTTP\/1\.1 400 /,
    ],
    ['a request that something else follows', 'GET /things HTTP/1.1\r\nHost: a\r\n\r\n{}', /^HTTP\/1\.1 403 /],
    ['an upgrade to nothing', 'GET /things HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n', /^HTTP\/1\.1 403 /],
  ];
  for (const [name, text, status] of cases) {
    await t.test(name, async () => {
      const answer = await raw(text, (sofar) => sofar.includes('}'));
      assert.match(answer, status);
      assert.match(answer, /x-amzn-RequestId: [0-9a-f-]{36}/i);
      assert.match(answer, /\{"message":"/);
    });
  }
});

test('a request is served once the answers before it are sent: none is held for a client that does not read', async () => {
  let served = 0;
  const large = createServer(serverOptions);
  serveApi(large, (_request, response) => {
    served += 1;
    response.end(Buffer.alloc(32 * 1024 * 1024));
  });
  await new Promise<void>((resolve) => large.listen(0, '127.0.0.1', resolve));
  const socket = connect((large.address() as AddressInfo).port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(20));
  await once(socket, 'readable');
  assert.equal(served, 1);
  socket.destroy();
  large.close();
});

test('pipelined requests are answered in order, a flood of them loses its connection', async () => {
  const get = 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n';
  const answer = await raw(get.repeat(20), (text) => text.split('HTTP/1.1 200 OK').length === 21);
  assert.equal(answer.split('HTTP/1.1 200 OK').length, 21);
  await raw(get.repeat(5_000));
  assert.equal((await plainCall('GET', '/health')).status, 200);
});
