/** The JSON protocol (Smithy, AWS JSON 1.1), and what keys with fewer rights may ask. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Caller } from '@thingkeep/wire/api/handlers.ts';
import { findOperation } from '@thingkeep/wire/api/table.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { AccessKey, KeyUse } from './access-keys.ts';
import { answerJson, jsonError, type JsonService } from './json-services.ts';
import { mayAsk, mayCall, mayQuery } from './key-rights.ts';

const caller: Caller = {
  accountId: '123456789012',
  region: 'us-east-1',
  arn: 'arn:aws:sts::123456789012:assumed-role/R/c',
  userId: 'AROA:c',
  sourceIp: '10.1.2.3',
  requestId: 'r',
};
const service: JsonService = {
  target: 'CertificateManager',
  operations: { Echo: async (input, { accountId }) => ({ input, accountId }) },
};
const ask = (target: string | undefined, body: string | Uint8Array) =>
  answerJson(service, target, typeof body === 'string' ? Buffer.from(body) : body, caller, async () => undefined);

test('X-Amz-Target names the operation; input and output are JSON', async () => {
  const { status, headers, body } = await ask('CertificateManager.Echo', '{"a":[1]}');
  assert.deepEqual([status, headers['content-type']], [200, 'application/x-amz-json-1.1']);
  assert.deepEqual(JSON.parse(String(body)), { input: { a: [1] }, accountId: '123456789012' });
});

test('another target, and a body that is no object, are mistakes of the caller', async () => {
  for (const target of [
    undefined,
    '',
    'Echo',
    'CertificateManager.',
    'CertificateManager.constructor',
    'Other.Echo',
    'CertificateManager.Echo.x',
  ])
    await assert.rejects(ask(target, '{}'), { code: 'UnknownOperationException' }, String(target));
  for (const body of ['', '[]', 'null', '1', '{"a":1,"a":2}', '{', Buffer.of(0xff)])
    await assert.rejects(ask('CertificateManager.Echo', body), { code: 'ValidationException' });
});

test('an error is a document with its type; ours says nothing of the inside', () => {
  const known = jsonError(caught(() => fail('ResourceInUseException', 'in use')));
  assert.equal(known.status, 400);
  assert.deepEqual(JSON.parse(String(known.body)), { __type: 'ResourceInUseException', message: 'in use' });
  const own = jsonError(new TypeError('secret detail'));
  assert.deepEqual([own.status, own.defect], [500, 'unexpected exception']);
  assert.ok(!String(own.body).includes('secret detail'));
});

const caught = (run: () => void): unknown => {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
};

const uses: KeyUse[] = [];
/** A key that may do these actions, each as `action resource`; undefined: nobody has rights now. */
const keyWith = (allowed?: readonly string[]): AccessKey => ({
  accessKeyId: 'ASIAEXAMPLE',
  secretAccessKey: 's',
  accountId: '123456789012',
  arn: caller.arn,
  userId: caller.userId,
  rights: async (use) => {
    uses.push(use);
    if (allowed === undefined) return undefined;
    return {
      volatile: false,
      decide: (action, resource) => ({ effect: allowed.includes(`${action} ${resource}`) ? 'ALLOWED' : 'IMPLICIT_DENY' }),
    };
  },
});
const resourceKeys = async () => [];
const call = (key: AccessKey, service: 'iot' | 'iot-data', name: string, input: object): Promise<void> => {
  const operation = findOperation(service, name);
  assert(operation !== undefined);
  return mayCall({ key, caller, resourceKeys }, operation, input);
};

test('a key with rights of its own has those on the data plane, and none elsewhere', async () => {
  const onTopic = (action: string): string => `${action} arn:aws:iot:us-east-1:123456789012:topic/t`;
  const key = keyWith([onTopic('iot:Publish')]);
  await call(key, 'iot-data', 'Publish', { topic: 't' });
  const { protocol, sourceIp, secureTransport } = uses.at(-1) ?? assert.fail('the rights were not asked for');
  assert.deepEqual([protocol, sourceIp, secureTransport], ['http', '10.1.2.3', false]);
  await assert.rejects(call(key, 'iot-data', 'Publish', { topic: 'u' }), { code: 'ForbiddenException' });
  await assert.rejects(call(key, 'iot-data', 'Publish', { topic: 't', retain: true }), { code: 'ForbiddenException' });
  await call(keyWith([onTopic('iot:Publish'), onTopic('iot:RetainPublish')]), 'iot-data', 'Publish', {
    topic: 't',
    retain: true,
  });
  await assert.rejects(call(keyWith(), 'iot-data', 'Publish', { topic: 't' }), { code: 'ForbiddenException' });
  await assert.rejects(call(key, 'iot', 'ListThings', {}), { code: 'AccessDeniedException' });
  for (const other of ['acm', 'ec2', 'iam', 'thingkeep'])
    await assert.rejects(mayAsk({ key, caller, resourceKeys }, other, 'Any', {}), { code: 'AccessDeniedException' });
  await mayQuery({ key, caller, resourceKeys }, 'sts', 'GetCallerIdentity', {}, []);
  await assert.rejects(mayQuery({ key, caller, resourceKeys }, 'sts', 'GetSessionToken', {}, []), {
    code: 'AccessDeniedException',
  });
});

test('a key without rights of its own may do everything', async () => {
  const { rights: _none, ...key } = keyWith();
  await call(key, 'iot', 'ListThings', {});
  await call(key, 'iot-data', 'Publish', { topic: 'u', retain: true });
  await mayAsk({ key, caller, resourceKeys }, 'acm', 'ListCertificates', {});
});
