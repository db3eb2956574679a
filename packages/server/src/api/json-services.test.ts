/** The JSON protocol (Smithy, AWS JSON 1.1), and what keys with fewer permissions may ask. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Caller } from '@thingkeep/wire/api/handlers.ts';
import { inputKeys } from '@thingkeep/wire/api/input-keys.ts';
import { JSON_OPERATIONS } from '@thingkeep/wire/api/json-operations.ts';
import { resourcesOf } from '@thingkeep/wire/api/needed-permissions.ts';
import { findOperation } from '@thingkeep/wire/api/table.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { AccessKey } from './access-keys.ts';
import type { KeyUse } from '@thingkeep/wire/api/authorization.ts';
import type { JsonService } from '../domain.ts';
import { answerJson, jsonError } from './json-services.ts';
import { mayAsk, mayCall, mayQuery } from './key-permissions.ts';

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
  operations: {
    GetCertificate: async (input, { accountId }) => ({ input, accountId }),
    Unlisted: async () => assert.fail('an operation without members in the table was answered'),
  },
};
const ask = (target: string | undefined, body: string | Uint8Array) =>
  answerJson(service, target, typeof body === 'string' ? Buffer.from(body) : body, caller, async () => undefined);

test('X-Amz-Target names the operation; input and output are JSON', async () => {
  const { status, headers, body } = await ask('CertificateManager.GetCertificate', '{"CertificateArn":[1]}');
  assert.deepEqual([status, headers['content-type']], [200, 'application/x-amz-json-1.1']);
  assert.deepEqual(JSON.parse(String(body)), { input: { CertificateArn: [1] }, accountId: '123456789012' });
});

test('another target, and a body that is no object, are mistakes of the caller', async () => {
  for (const target of [
    undefined,
    '',
    'GetCertificate',
    'CertificateManager.',
    'CertificateManager.Unlisted',
    'CertificateManager.constructor',
    'Other.GetCertificate',
    'CertificateManager.GetCertificate.x',
  ])
    await assert.rejects(ask(target, '{}'), { code: 'UnknownOperationException' }, String(target));
  for (const body of ['', '[]', 'null', '1', '{"a":1,"a":2}', '{', Buffer.of(0xff)])
    await assert.rejects(ask('CertificateManager.GetCertificate', body), { code: 'ValidationException' });
});

/** By the target's prefix: the service's name in ARNs and actions. */
const PREFIXES: Readonly<Record<string, string>> = { CertificateManager: 'acm', Logs_20140328: 'logs' };

test('members that an operation does not have decide nothing: neither permissions nor conditions nor the handler see them', async () => {
  const all = new Set(Object.values(JSON_OPERATIONS).flatMap((operations) => Object.values(operations).flat()));
  const texts = (members: readonly string[], value: string): Record<string, unknown> =>
    Object.fromEntries(members.map((name) => [name, /^tags$/i.test(name) ? [{ Key: 'team', Value: value }] : value]));
  for (const [target, operations] of Object.entries(JSON_OPERATIONS))
    for (const [name, members] of Object.entries(operations)) {
      const own = texts(members, 'own');
      const foreignNames = [...all, ...[...all].map((each) => each.toUpperCase()), 'toString', 'group'];
      const foreign = texts(
        foreignNames.filter((each) => !members.includes(each)),
        'foreign',
      );
      const seen: object[] = [];
      const run = async (input: object): Promise<object> => {
        seen.push(input);
        return {};
      };
      for (const body of [JSON.stringify({ ...foreign, ...own }), JSON.stringify({ ...own, ...foreign })])
        await answerJson(
          { target, operations: { [name]: run } },
          `${target}.${name}`,
          Buffer.from(body),
          caller,
          async (_, input) => {
            seen.push(input);
            const prefix = PREFIXES[target] ?? assert.fail(`${target} has no prefix here`);
            const asked = resourcesOf(prefix, name, input, caller);
            assert.deepEqual(asked, resourcesOf(prefix, name, own, caller), name);
            assert.deepEqual(inputKeys(`${prefix}:${name}`, input), inputKeys(`${prefix}:${name}`, own), name);
          },
        );
      assert.equal(seen.length, 4);
      for (const input of seen) assert.deepEqual(JSON.parse(JSON.stringify(input)), own, `${target}.${name}`);
    }
});

test('an error is a document with its type; ours says nothing of the inside', () => {
  const known = jsonError(caught(() => fail('ResourceInUseException', 'in use')));
  assert.equal(known.status, 400);
  assert.deepEqual(JSON.parse(String(known.body)), { __type: 'ResourceInUseException', message: 'in use' });
  const damaged = jsonError(caught(() => fail('InternalFailureException', 'a stored record is damaged')));
  assert.deepEqual([damaged.status, JSON.parse(String(damaged.body)).message], [500, 'a stored record is damaged']);
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
/** A key that may do these actions, each as `action resource`; undefined: its identity has no permissions any more. */
const keyWith = (allowed?: readonly string[]): AccessKey => ({
  accessKeyId: 'ASIAEXAMPLE',
  secretAccessKey: 's',
  accountId: '123456789012',
  arn: caller.arn,
  userId: caller.userId,
  permissions: async (use) => {
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

test('a key with permissions of its own has those on the data plane, and none elsewhere', async () => {
  const onTopic = (action: string): string => `${action} arn:aws:iot:us-east-1:123456789012:topic/t`;
  const key = keyWith([onTopic('iot:Publish')]);
  await call(key, 'iot-data', 'Publish', { topic: 't' });
  const { protocol, sourceIp, secureTransport } = uses.at(-1) ?? assert.fail('the permissions were not asked for');
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

test('a key without permissions of its own may do everything', async () => {
  const { permissions: _none, ...key } = keyWith();
  await call(key, 'iot', 'ListThings', {});
  await call(key, 'iot-data', 'Publish', { topic: 'u', retain: true });
  await mayAsk({ key, caller, resourceKeys }, 'acm', 'ListCertificates', {});
});
