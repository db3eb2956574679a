/** Headers that are added or changed between the signer and the server. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { headerMembers } from '@thingkeep/wire/api/header-members.ts';
import { signedHead } from './signed-request.ts';
import { createSigv4 } from './sigv4.ts';

const NOW = Date.UTC(2026, 0, 1);
const KEY = { accessKeyId: 'AKIAAAAAAAAAAAAAAAAA', secretAccessKey: 'secret' };

const sigv4 = (sessionToken?: string) =>
  createSigv4({
    clock: { now: () => NOW, monotonic: () => 0 },
    findAccessKey: async () => ({
      ...KEY,
      accountId: '000000000000',
      arn: 'arn:aws:iam::000000000000:user/u',
      userId: 'AIDA',
      sessionToken,
    }),
  });

const signer = (service: string, sessionToken?: string) =>
  new SignatureV4({
    service,
    region: 'us-east-1',
    sha256: Sha256,
    applyChecksum: false,
    credentials: sessionToken === undefined ? KEY : { ...KEY, sessionToken },
  });

const request = (headers: Readonly<Record<string, string>>, path = '/') => ({
  method: 'GET',
  protocol: 'http:',
  hostname: 'localhost',
  path,
  query: {},
  headers: { host: 'localhost', ...headers },
});

/** Signed with these headers; then others are put in. */
async function sent(signed: Readonly<Record<string, string>>, added: readonly (readonly [string, string])[], service = 'iot') {
  const made = await signer(service).sign(request(signed), { signingDate: new Date(NOW) });
  return signedHead('GET', '/', [...Object.entries(made.headers), ...added].flat());
}

const passes = async (head: ReturnType<typeof signedHead>): Promise<unknown> =>
  (await sigv4().begin(head)).finish(Buffer.alloc(0));
const unsigned = (name: string) => ({
  code: 'InvalidSignatureException',
  message: new RegExp(`not signed: '${name}'`),
});

describe('a header that a member of an operation stands in, and every x-amz- header', () => {
  const names = [...headerMembers(), 'x-amz-target', 'x-amz-security-token', 'x-amz-whatever-comes'];

  test('are known from the operation table', () => {
    for (const name of [
      'x-amzn-principal',
      'x-amzn-iot-principal',
      'x-amzn-iot-policy',
      'x-amz-invocation-type',
      'x-amz-tagging',
    ])
      assert.ok(names.includes(name), name);
  });

  test('count when they are signed', async () => {
    for (const name of names) if (name !== 'x-amz-security-token') await passes(await sent({ [name]: 'a' }, []));
  });

  test('are refused by name when they were added later, in any spelling', async () => {
    for (const name of names)
      for (const spelt of [name, name.toUpperCase()])
        await assert.rejects(passes(await sent({}, [[spelt, 'a']])), unsigned(name), spelt);
  });

  test('are refused when one more of a signed name comes, or a changed one', async () => {
    for (const name of names) {
      if (name === 'x-amz-security-token') continue;
      await assert.rejects(passes(await sent({ [name]: 'a' }, [[name.toUpperCase(), 'b']])), {
        code: 'InvalidSignatureException',
      });
      const { headers } = await sent({ [name]: 'a' }, []);
      const changed = new Map([...headers, [name, ['b']]]);
      const head = { ...signedHead('GET', '/', []), headers: changed };
      await assert.rejects(passes(head), { code: 'InvalidSignatureException' });
    }
  });

  test('what proxies and clients add by themselves is let through', async () => {
    for (const name of [
      'x-amzn-trace-id',
      'user-agent',
      'accept',
      'x-forwarded-for',
      'content-type',
      'amz-sdk-request',
      'referer',
    ])
      await passes(await sent({}, [[name, 'a']]));
  });
});

describe('a presigned request', () => {
  const presigned = async (service: string, token: 'signed' | 'appended', more: readonly string[] = []) => {
    const inside = token === 'signed' ? 'token' : undefined;
    const made = await signer(service, inside).presign(request({}, '/mqtt'), { expiresIn: 60, signingDate: new Date(NOW) });
    const query = Object.entries(made.query ?? {}).map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
    if (inside === undefined) query.push('X-Amz-Security-Token=token');
    return signedHead('GET', `/mqtt?${query.join('&')}`, ['host', 'localhost', ...more]);
  };

  test('may have its token appended where it opens a WebSocket, and nowhere else', async () => {
    await sigv4('token').webSocket(await presigned('iotdevicegateway', 'appended'));
    await sigv4('token').webSocket(await presigned('iotdevicegateway', 'signed'));
    for (const service of ['iotdevicegateway', 'iotdata', 'iot']) {
      const appended = await sigv4('token').begin(await presigned(service, 'appended'));
      assert.throws(() => appended.finish(Buffer.alloc(0)), { code: 'InvalidSignatureException' });
      (await sigv4('token').begin(await presigned(service, 'signed'))).finish(Buffer.alloc(0));
    }
  });

  test('signs its host alone, so that headers that say something are refused', async () => {
    for (const name of headerMembers()) {
      const head = await presigned('iotdevicegateway', 'signed', [name, 'a']);
      await assert.rejects(sigv4('token').webSocket(head), unsigned(name));
      await assert.rejects(sigv4('token').begin(head), unsigned(name));
    }
  });
});
