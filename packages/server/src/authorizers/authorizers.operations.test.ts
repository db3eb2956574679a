/** The operations over a real store (API reference; fact sheet 11.1 for members, limits and TestInvokeAuthorizer). */
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, test } from 'node:test';
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { FunctionError, type FunctionInvoker } from '../functions/contract.ts';
import { isFunctionName } from '../functions/function-name.ts';
import { openMemoryStore } from '../store/rerunning-store.fixture.ts';
import { OperationsFixture, recordTags, stranger, type TestStore, tickingClock } from '../testing/operations-fixture.ts';
import { defaultAuthorizerOperations } from './default-authorizer.operations.ts';
import { authorizerTestOperations } from './authorizer-tests.operations.ts';
import { authorizerOperations } from './authorizers.operations.ts';

const FUNCTION = 'arn:aws:lambda:us-east-1:123456789012:function:authorize';

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const KEY = publicKey.export({ type: 'spki', format: 'pem' }).toString();
const SIGNING = { tokenKeyName: 'token', tokenSigningPublicKeys: { one: KEY } };
const POLICY = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'iot:*', Resource: '*' }] });
const GRANT = { isAuthenticated: true, principalId: 'p1', policyDocuments: [POLICY], refreshAfterInSeconds: 600 };

class Bench extends OperationsFixture {
  readonly events: Record<string, unknown>[] = [];
  answer: () => unknown = () => GRANT;
  /** Of a domain configuration whose default every authorizer is. */
  domain: string | undefined;
  readonly #tags = recordTags();
  protected readonly handlers: Handlers<IotOperations>;

  private constructor(store: TestStore) {
    super(store);
    const functions: FunctionInvoker = {
      invoke: async (_arn, payload) => {
        this.events.push(JSON.parse(Buffer.from(payload).toString()) as Record<string, unknown>);
        return Buffer.from(JSON.stringify(this.answer()));
      },
      invokeLater: () => assert.fail('an authorizer waits for its function'),
    };
    const clock = tickingClock(Date.UTC(2026, 0, 1));
    this.handlers = {
      ...authorizerOperations({ store, clock, tags: this.#tags, isFunctionName, domainNaming: async () => this.domain }),
      ...defaultAuthorizerOperations({ store }),
      ...authorizerTestOperations({ store, functions }),
    };
  }

  get tagged(): ReadonlyMap<string, unknown> {
    return this.#tags.tagged;
  }

  static open = async (): Promise<Bench> => new Bench(await openMemoryStore());

  create(authorizerName: string, more: Partial<IotOperations['CreateAuthorizer']['input']> = {}) {
    return this.call('CreateAuthorizer', { authorizerName, authorizerFunctionArn: FUNCTION, signingDisabled: true, ...more });
  }
}

const signed = (token: string): string => sign('sha256', Buffer.from(token), privateKey).toString('base64');

describe('CreateAuthorizer', () => {
  test('keeps all that Terraform reads back, and the tags', async () => {
    await using bench = await Bench.open();
    const made = await bench.call('CreateAuthorizer', {
      authorizerName: 'a',
      authorizerFunctionArn: FUNCTION,
      ...SIGNING,
      status: 'INACTIVE',
      enableCachingForHttp: true,
      tags: [{ Key: 'k', Value: 'v' }],
    });
    const authorizerArn = 'arn:aws:iot:us-east-1:123456789012:authorizer/a';
    assert.deepEqual(made, { authorizerName: 'a', authorizerArn });
    const { authorizerDescription } = await bench.call('DescribeAuthorizer', { authorizerName: 'a' });
    const { creationDate, lastModifiedDate, ...rest } = authorizerDescription ?? {};
    assert.deepEqual(creationDate, lastModifiedDate);
    assert.deepEqual(rest, {
      authorizerName: 'a',
      authorizerArn,
      authorizerFunctionArn: FUNCTION,
      ...SIGNING,
      status: 'INACTIVE',
      signingDisabled: false,
      enableCachingForHttp: true,
    });
    assert.deepEqual(bench.tagged.get(authorizerArn), [{ Key: 'k', Value: 'v' }]);
    await assert.rejects(bench.call('DescribeAuthorizer', { authorizerName: 'a' }, stranger), {
      code: 'ResourceNotFoundException',
    });
  });

  test('refuses a name that is taken, with what has taken it', async () => {
    await using bench = await Bench.open();
    await bench.create('a');
    await assert.rejects(bench.create('a'), {
      code: 'ResourceAlreadyExistsException',
      members: { resourceId: 'a', resourceArn: 'arn:aws:iot:us-east-1:123456789012:authorizer/a' },
    });
  });

  test('refuses what does not go together, and keys that are none', async () => {
    await using bench = await Bench.open();
    const input = { authorizerName: 'a', authorizerFunctionArn: FUNCTION, ...SIGNING };
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ type: 'spki', format: 'pem' });
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' });
    const secret = privateKey.export({ type: 'pkcs8', format: 'pem' });
    for (const [more, words] of [
      [{ tokenKeyName: undefined }, /^Token key name for authorizer a cannot be null$/],
      [{ tokenSigningPublicKeys: {} }, /^tokenSigningPublicKeys are required/],
      [{ tokenSigningPublicKeys: { k: 'no key' } }, /k is not a public key in PEM/],
      [{ tokenSigningPublicKeys: { k: secret.toString() } }, /k is not a public key in PEM/],
      [{ tokenSigningPublicKeys: { k: `${KEY}${secret}` } }, /k is not a public key in PEM/],
      [{ tokenSigningPublicKeys: { k: short.toString() } }, /k is not an RSA key of 2048/],
      [{ tokenSigningPublicKeys: { k: ec.toString() } }, /k is not an RSA key of 2048/],
      [{ authorizerFunctionArn: 'arn:aws:iam::123456789012:role/r' }, /neither the ARN of a Lambda function nor/],
      [{ authorizerFunctionArn: 'ftp://localhost/f' }, /neither the ARN of a Lambda function nor/],
      [{ authorizerFunctionArn: 'https://user:secret@localhost/f' }, /neither the ARN of a Lambda function nor/],
    ] as const)
      await bench.refuses('InvalidRequestException', 'CreateAuthorizer', { ...input, ...more }, words);
  });

  test('a function is of the region of the authorizer, there or not (probe pf-iot-authorizer-function-region)', async () => {
    await using bench = await Bench.open();
    const elsewhere = FUNCTION.replace('us-east-1', 'eu-west-1');
    const words = /^Lambda function region must be same as authorizer a region$/;
    const input = { authorizerName: 'a', authorizerFunctionArn: elsewhere, signingDisabled: true };
    await bench.refuses('InvalidRequestException', 'CreateAuthorizer', input, words);
    await bench.create('a');
    await bench.refuses('InvalidRequestException', 'UpdateAuthorizer', input, words);
  });

  test('32 may be ACTIVE, 100 there be', async () => {
    await using bench = await Bench.open();
    for (let i = 0; i < 32; i += 1) await bench.create(`active${i}`);
    await assert.rejects(bench.create('one-more'), { code: 'LimitExceededException', message: /32/ });
    for (let i = 32; i < 100; i += 1) await bench.create(`idle${i}`, { status: 'INACTIVE' });
    await assert.rejects(bench.create('one-more', { status: 'INACTIVE' }), { code: 'LimitExceededException', message: /100/ });
    await bench.refuses('LimitExceededException', 'UpdateAuthorizer', { authorizerName: 'idle50', status: 'ACTIVE' }, /32/);
    await bench.call('UpdateAuthorizer', { authorizerName: 'active0', status: 'INACTIVE' });
    await bench.call('UpdateAuthorizer', { authorizerName: 'idle50', status: 'ACTIVE' });
  });
});

test('ListAuthorizers pages by marker, both ways, and by status', async () => {
  await using bench = await Bench.open();
  for (const name of ['a', 'b', 'c']) await bench.create(name, { status: name === 'b' ? 'INACTIVE' : 'ACTIVE' });
  const names = async (input: IotOperations['ListAuthorizers']['input']) => {
    const { authorizers = [], nextMarker } = await bench.call('ListAuthorizers', input);
    return { names: authorizers.map(({ authorizerName }) => authorizerName), marker: nextMarker };
  };
  const first = await names({ pageSize: 2, ascendingOrder: true });
  assert.deepEqual(first.names, ['a', 'b']);
  assert.deepEqual(await names({ pageSize: 2, ascendingOrder: true, marker: first.marker }), { names: ['c'], marker: undefined });
  assert.deepEqual((await names({})).names, ['c', 'b', 'a']);
  assert.deepEqual((await names({ status: 'ACTIVE' })).names, ['c', 'a']);
  assert.deepEqual((await names({ status: 'INACTIVE' })).names, ['b']);
  assert.deepEqual((await bench.call('ListAuthorizers', {}, stranger)).authorizers, []);
});

test('UpdateAuthorizer changes what it is given, keeps the rest, and what does not go together is refused', async () => {
  await using bench = await Bench.open();
  await bench.create('a', { ...SIGNING, signingDisabled: false });
  await bench.call('UpdateAuthorizer', {
    authorizerName: 'a',
    tokenKeyName: 'other',
    authorizerFunctionArn: 'http://localhost/f',
  });
  const { authorizerDescription: changed } = await bench.call('DescribeAuthorizer', { authorizerName: 'a' });
  assert.equal(changed?.tokenKeyName, 'other');
  assert.equal(changed?.authorizerFunctionArn, 'http://localhost/f');
  assert.deepEqual(changed?.tokenSigningPublicKeys, { one: KEY });
  assert.ok(Number(changed?.lastModifiedDate) > Number(changed?.creationDate));
  await bench.refuses('InvalidRequestException', 'UpdateAuthorizer', { authorizerName: 'a', tokenSigningPublicKeys: {} });
  await bench.refuses('ResourceNotFoundException', 'UpdateAuthorizer', { authorizerName: 'b' });
});

test('DeleteAuthorizer wants it INACTIVE and nobody’s default; tags go with it', async () => {
  await using bench = await Bench.open();
  await bench.create('a', { tags: [{ Key: 'k', Value: 'v' }] });
  await bench.refuses('DeleteConflictException', 'DeleteAuthorizer', { authorizerName: 'a' }, /ACTIVE/);
  await bench.call('UpdateAuthorizer', { authorizerName: 'a', status: 'INACTIVE' });
  await bench.call('SetDefaultAuthorizer', { authorizerName: 'a' });
  await bench.refuses('DeleteConflictException', 'DeleteAuthorizer', { authorizerName: 'a' }, /default/);
  await bench.call('ClearDefaultAuthorizer', {});
  bench.domain = 'arn:aws:iot:us-east-1:123456789012:domainconfiguration/fleet/x';
  await bench.refuses('DeleteConflictException', 'DeleteAuthorizer', { authorizerName: 'a' }, /domainconfiguration\/fleet/);
  bench.domain = undefined;
  await bench.call('DeleteAuthorizer', { authorizerName: 'a' });
  assert.equal(bench.tagged.size, 0);
  await bench.refuses('ResourceNotFoundException', 'DeleteAuthorizer', { authorizerName: 'a' });
});

test('the default authorizer is set, shown and cleared', async () => {
  await using bench = await Bench.open();
  await bench.refuses('ResourceNotFoundException', 'DescribeDefaultAuthorizer', {});
  await bench.refuses('ResourceNotFoundException', 'ClearDefaultAuthorizer', {});
  await bench.refuses('ResourceNotFoundException', 'SetDefaultAuthorizer', { authorizerName: 'a' });
  await bench.create('a');
  await bench.create('b');
  const authorizerArn = 'arn:aws:iot:us-east-1:123456789012:authorizer/a';
  assert.deepEqual(await bench.call('SetDefaultAuthorizer', { authorizerName: 'a' }), { authorizerName: 'a', authorizerArn });
  await bench.call('SetDefaultAuthorizer', { authorizerName: 'a' });
  await bench.refuses(
    'ResourceAlreadyExistsException',
    'SetDefaultAuthorizer',
    { authorizerName: 'b' },
    /default authorizer is a/,
  );
  const { authorizerDescription } = await bench.call('DescribeDefaultAuthorizer', {});
  assert.equal(authorizerDescription?.authorizerName, 'a');
  await bench.call('ClearDefaultAuthorizer', {});
  await bench.call('SetDefaultAuthorizer', { authorizerName: 'b' });
});

describe('TestInvokeAuthorizer', () => {
  test('a good signature reaches the function with an event of the given protocols alone', async () => {
    await using bench = await Bench.open();
    await bench.create('a', { ...SIGNING, signingDisabled: false });
    const answer = await bench.call('TestInvokeAuthorizer', {
      authorizerName: 'a',
      token: 'abc',
      tokenSignature: signed('abc'),
      tlsContext: { serverName: 'iot.example.com' },
      mqttContext: { username: 'u', password: Buffer.from('secret'), clientId: 'c' },
    });
    assert.deepEqual(answer, { ...GRANT, disconnectAfterInSeconds: 86_400 });
    const [{ connectionMetadata, ...event } = {}] = bench.events;
    assert.match((connectionMetadata as { id: string }).id, /^[0-9a-f-]{36}$/);
    assert.deepEqual(event, {
      token: 'abc',
      signatureVerified: true,
      protocols: ['tls', 'mqtt'],
      protocolData: {
        tls: { serverName: 'iot.example.com' },
        mqtt: { username: 'u', password: Buffer.from('secret').toString('base64'), clientId: 'c' },
      },
    });
  });

  test('a bad, a missing and a foreign signature never reach it', async () => {
    await using bench = await Bench.open();
    await bench.create('a', { ...SIGNING, signingDisabled: false });
    const pss = sign('sha256', Buffer.from('abc'), { key: privateKey, padding: 6 }).toString('base64');
    for (const given of [
      {},
      { token: 'abc' },
      { tokenSignature: signed('abc') },
      { token: 'abd', tokenSignature: signed('abc') },
      { token: 'abc', tokenSignature: pss },
      { token: 'abc', tokenSignature: 'AAAA' },
    ])
      await bench.refuses('UnauthorizedException', 'TestInvokeAuthorizer', { authorizerName: 'a', ...given });
    assert.deepEqual(bench.events, []);
  });

  test('the token is found in an HTTP context as a device would send it', async () => {
    await using bench = await Bench.open();
    await bench.create('a', { ...SIGNING, signingDisabled: false });
    const queryString = `?x-amz-customauthorizer-signature=${encodeURIComponent(signed('abc'))}`;
    await bench.call('TestInvokeAuthorizer', { authorizerName: 'a', httpContext: { headers: { Token: 'abc' }, queryString } });
    assert.deepEqual(bench.events[0]?.protocols, ['http']);
    assert.deepEqual(bench.events[0]?.protocolData, { http: { headers: { token: 'abc' }, queryString } });
  });

  test('without signing the function is asked whatever comes, and says no in its own words', async () => {
    await using bench = await Bench.open();
    await bench.create('a');
    bench.answer = () => ({ isAuthenticated: false });
    assert.deepEqual(await bench.call('TestInvokeAuthorizer', { authorizerName: 'a' }), { isAuthenticated: false });
    assert.equal(bench.events[0]?.signatureVerified, false);
  });

  test('an answer that is none, and no answer at all, are the function’s fault', async () => {
    await using bench = await Bench.open();
    await bench.create('a');
    bench.answer = () => ({ ...GRANT, principalId: 'not-alphanumeric' });
    await bench.refuses('InvalidResponseException', 'TestInvokeAuthorizer', { authorizerName: 'a' }, /principalId/);
    bench.answer = () => {
      throw new FunctionError('timeout', 'it did not answer within 5 seconds');
    };
    await bench.refuses('InvalidResponseException', 'TestInvokeAuthorizer', { authorizerName: 'a' }, /within 5 seconds/);
    bench.answer = () => {
      throw new FunctionError('overload', 'too many invocations are under way');
    };
    await bench.refuses('ThrottlingException', 'TestInvokeAuthorizer', { authorizerName: 'a' }, /too many/);
  });
});
