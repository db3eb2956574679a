/**
 * The JSON services, ACM and CloudWatch Logs: the permission is asked on what the handler acts on, whatever other members a
 * request brings (Service Authorization Reference; AWS ignores members that an operation does not have).
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { ACCOUNT, allow } from './devices.ts';
import { makeUser } from './identities.ts';
import type { Credentials } from './presign.ts';
import { startServer, type TestServer } from './test-core.ts';

const LOGS = 'Logs_20140328';
const group = (name: string): string => `arn:aws:logs:us-east-1:${ACCOUNT}:log-group:${name}`;

let server: TestServer;
/** May do everything with the group `mine`. */
let mine: Credentials;
/** May do everything with the stream `public` of the group `app`. */
let reader: Credentials;
/** May import certificates of the team `mine`. */
let importer: Credentials;

/** Code of the error, or the answer. */
async function ask(
  credentials: Credentials,
  service: string,
  target: string,
  input: object,
): Promise<{ readonly code: string; readonly answer: Record<string, unknown> }> {
  const { hostname, port, host, protocol } = new URL(server.url);
  const signer = new SignatureV4({ service, region: 'us-east-1', credentials, sha256: Sha256 });
  const body = JSON.stringify(input);
  const headers = { host, 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target };
  const signed = await signer.sign({
    method: 'POST',
    protocol,
    hostname,
    port: Number(port),
    path: '/',
    query: {},
    headers,
    body,
  });
  const response = await fetch(server.url, { method: 'POST', headers: signed.headers, body });
  const answer = (await response.json()) as Record<string, unknown>;
  return { code: response.status === 200 ? 'done' : String(answer.__type), answer };
}
const logs = (credentials: Credentials, operation: string, input: object) =>
  ask(credentials, 'logs', `${LOGS}.${operation}`, input);

before(async () => {
  server = await startServer({ args: ['--log-level', 'warn'] });
  const root = server.credentials();
  for (const [logGroupName, streams] of [
    ['mine', ['s']],
    ['secret', ['s']],
    ['app', ['public', 'private']],
  ] as const) {
    await logs(root, 'CreateLogGroup', { logGroupName });
    for (const logStreamName of streams) {
      await logs(root, 'CreateLogStream', { logGroupName, logStreamName });
      const logEvents = [{ timestamp: Date.now(), message: logStreamName }];
      assert.equal((await logs(root, 'PutLogEvents', { logGroupName, logStreamName, logEvents })).code, 'done');
    }
  }
  mine = (await makeUser(server, 'mine', [allow('logs:*', group('mine')), allow('logs:*', `${group('mine')}:*`)])).credentials;
  reader = (await makeUser(server, 'reader', [allow('logs:*', `${group('app')}:log-stream:public`)])).credentials;
  const ofTeam = { ...allow('acm:*', '*'), Condition: { StringEquals: { 'aws:RequestTag/team': 'mine' } } };
  importer = (await makeUser(server, 'importer', [ofTeam])).credentials;
});
after(() => server[Symbol.asyncDispose]());

test('another group than the handler reads gives no right to any operation', async () => {
  const events = [{ timestamp: Date.now(), message: 'forged' }];
  const inputs: Readonly<Record<string, object>> = {
    CreateLogGroup: {},
    CreateLogStream: { logStreamName: 'new' },
    PutLogEvents: { logStreamName: 's', logEvents: events },
    PutRetentionPolicy: { retentionInDays: 1 },
    DeleteRetentionPolicy: {},
    DescribeLogStreams: {},
    FilterLogEvents: {},
    GetLogEvents: { logStreamName: 's' },
    TagLogGroup: { tags: { a: 'b' } },
    UntagLogGroup: { tags: ['a'] },
    ListTagsLogGroup: {},
    DeleteLogStream: { logStreamName: 's' },
    DeleteLogGroup: {},
  };
  for (const [operation, input] of Object.entries(inputs))
    for (const logGroupIdentifier of ['mine', group('mine')]) {
      const foreign = { logGroupIdentifier, resourceArn: group('mine'), LogGroupName: 'mine' };
      const { code } = await logs(mine, operation, { logGroupName: 'secret', ...input, ...foreign });
      assert.equal(code, 'AccessDeniedException', operation);
    }
  const { answer } = await logs(server.credentials(), 'FilterLogEvents', { logGroupName: 'secret' });
  assert.deepEqual(
    (answer.events as { message: string }[]).map(({ message }) => message),
    ['s'],
  );
  // What is the user's own stays possible, also with members that mean nothing.
  for (const operation of ['CreateLogStream', 'PutLogEvents', 'GetLogEvents', 'DeleteLogStream']) {
    const own = { logGroupName: 'mine', logStreamName: 'own', logEvents: events, unheardOf: 1 };
    assert.equal((await logs(mine, operation, own)).code, 'done', operation);
  }
  const both = { logGroupName: 'mine', logGroupIdentifier: 'mine' };
  assert.equal((await logs(mine, 'FilterLogEvents', both)).code, 'InvalidParameterException');
  assert.equal(
    (await logs(mine, 'TagResource', { resourceArn: group('secret'), tags: { a: 'b' }, logGroupName: 'mine' })).code,
    'AccessDeniedException',
  );
});

test('a stream gives no right to what is about its group', async () => {
  for (const operation of ['FilterLogEvents', 'DescribeLogStreams', 'PutRetentionPolicy', 'DeleteLogGroup']) {
    const input = { logGroupName: 'app', logStreamName: 'public', retentionInDays: 1 };
    assert.equal((await logs(reader, operation, input)).code, 'AccessDeniedException', operation);
  }
  assert.equal((await logs(reader, 'GetLogEvents', { logGroupName: 'app', logStreamName: 'public' })).code, 'done');
});

test('tags that ACM does not read satisfy no condition on tags', async () => {
  const tags = [{ Key: 'team', Value: 'mine' }];
  const admin = [{ Key: 'team', Value: 'admin' }];
  const CertificateArn = `arn:aws:acm:us-east-1:${ACCOUNT}:certificate/00000000-0000-4000-8000-000000000000`;
  for (const operation of ['ImportCertificate', 'AddTagsToCertificate', 'RemoveTagsFromCertificate', 'DeleteCertificate'])
    for (const more of [{ tags }, { Tags: admin, tags }, { tags: { team: 'mine' } }, { tags: 'team=mine' }]) {
      const { code } = await ask(importer, 'acm', `CertificateManager.${operation}`, { CertificateArn, ...more });
      assert.equal(code, 'AccessDeniedException', operation);
    }
  const { code } = await ask(importer, 'acm', 'CertificateManager.AddTagsToCertificate', { CertificateArn, Tags: tags });
  assert.equal(code, 'ResourceNotFoundException');
});
