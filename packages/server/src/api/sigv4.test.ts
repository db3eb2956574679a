import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { notesOf, recordedMessage, ThingkeepError } from '@thingkeep/wire/errors.ts';
import { signedHead } from './signed-request.ts';
import { createSigv4 } from './sigv4.ts';

interface Vector {
  readonly name: string;
  readonly service: string;
  readonly method: string;
  readonly target: string;
  readonly headers: readonly [string, string][];
  readonly body: string;
  readonly sessionToken?: string;
}

/** Requests that botocore 1.43 signed at a fixed time. */
const VECTORS = JSON.parse(readFileSync(new URL('./sigv4-vectors.json', import.meta.url), 'utf8')) as {
  readonly now: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  readonly requests: readonly Vector[];
};
const { accessKeyId, secretAccessKey, region } = VECTORS;
const NOW = Date.parse(VECTORS.now);
const MINUTE = 60_000;

function verifier({ at = NOW, sessionToken }: { at?: number; sessionToken?: string | undefined } = {}) {
  const key = {
    accessKeyId,
    secretAccessKey,
    accountId: '000000000000',
    arn: 'arn:aws:iam::000000000000:user/u',
    userId: 'AIDA',
  };
  return createSigv4({
    clock: { now: () => at, monotonic: () => 0 },
    findAccessKey: async (id) =>
      id === accessKeyId ? { ...key, ...(sessionToken !== undefined && { sessionToken }) } : undefined,
  });
}

const headOf = ({ method, target, headers }: Vector) => signedHead(method, target, headers.flat());

async function verify(vector: Vector, options: { at?: number; sessionToken?: string } = {}) {
  const pending = await verifier({ sessionToken: vector.sessionToken, ...options }).begin(headOf(vector));
  return pending.finish(Buffer.from(vector.body));
}

async function failureOf(work: () => Promise<unknown>): Promise<ThingkeepError> {
  try {
    await work();
  } catch (error) {
    assert.ok(error instanceof ThingkeepError, String(error));
    return error;
  }
  return assert.fail('accepted');
}

async function refusal(work: () => Promise<unknown>): Promise<[string, string]> {
  const { code, message } = await failureOf(work);
  return [code, message];
}

const vector = (name: string): Vector => VECTORS.requests.find((each) => each.name === name) ?? assert.fail(name);
const withHeader = (of: Vector, name: string, change: (value: string) => string): Vector => ({
  ...of,
  headers: of.headers.map(([each, value]) => [each, each.toLowerCase() === name ? change(value) : value]),
});
const withoutHeader = (of: Vector, name: string): Vector => ({
  ...of,
  headers: of.headers.filter(([each]) => each.toLowerCase() !== name),
});
const withAuthorization = (change: (value: string) => string): Vector =>
  withHeader(vector('a GET without query'), 'authorization', change);

const MISMATCH = /^The request signature we calculated does not match the signature you provided\. /;

test("botocore's signatures are accepted", async (t) => {
  for (const each of VECTORS.requests) {
    await t.test(each.name, async () => assert.equal((await verify(each)).service, each.service));
  }
});

test('any change to what was signed is refused', async () => {
  for (const each of VECTORS.requests) {
    const changes: Vector[] = [
      { ...each, method: each.method === 'GET' ? 'DELETE' : 'GET' },
      { ...each, target: each.target.replace(/^\/[^?]*/, (path) => `${path}z`) },
      { ...each, target: `${each.target}${each.target.includes('?') ? '&' : '?'}x=1` },
      { ...each, body: `${each.body} ` },
      withHeader(each, 'host', () => 'other.example.com'),
    ];
    for (const change of changes) {
      const [code, message] = await refusal(() => verify(change));
      assert.equal(code, 'InvalidSignatureException', each.name);
      assert.match(message, MISMATCH);
    }
  }
});

test('a request signed with another secret is refused with the text that AWS sends', async () => {
  const bad = withAuthorization((value) => value.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')));
  assert.deepEqual(await refusal(() => verify(bad)), [
    'InvalidSignatureException',
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
  ]);
});

test('a refusal is recorded with what to do, which its sender does not see', async () => {
  const plain = vector('a GET without query');
  const cases: readonly (readonly [work: () => Promise<unknown>, advice: RegExp])[] = [
    [() => verify(plain, { at: NOW + 3_600_000 }), /clock is 3600 seconds behind this server's: set the clock that is wrong\.$/],
    [() => verify(plain, { at: NOW - 3_600_000 }), /clock is 3600 seconds ahead of this server's/],
    [
      () => verify(withAuthorization((value) => value.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')))),
      new RegExp(`secret is not the one of the key \\(access key ${accessKeyId}, region ${region}, service \\w+\\)`),
    ],
    [
      () => verify(withAuthorization((value) => value.replace(accessKeyId, 'AKIAOTHER'))),
      /no such key \(access key AKIAOTHE…, region .*thingkeep env/,
    ],
    [() => verify(plain, { sessionToken: 'token' }), /use all three parts of the credentials together/],
    [
      () => verify(withAuthorization((value) => value.replace(accessKeyId, 'ASIAOTHER'))),
      /temporary key: send its session token/,
    ],
    [
      () => verify(withHeader(plain, 'host', (host) => `${host}:28443`)),
      /signed for the Host iot.example.com:4680, and came with the Host .*:28443: sign for/,
    ],
    [() => verify(withHeader(plain, 'host', () => 'other')), /another Host than other,/],
    [
      () => verify(withoutHeader(plain, 'authorization')),
      /Authentication Token\. The request has no signature: give the client an access key/,
    ],
    [() => verify(withAuthorization((value) => value.replace(region, 'nowhere-1'))), /Set the client's region/],
  ];
  for (const [work, advice] of cases) {
    const error = await failureOf(work);
    assert.match(recordedMessage(error), advice);
    assert.doesNotMatch(error.message, advice);
  }
});

test('a refusal belongs to the account of the key that is named, proven or not', async () => {
  const plain = vector('a GET without query');
  const signedWrong = withAuthorization((value) => value.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')));
  const unknown = withAuthorization((value) => value.replace(accessKeyId, 'AKIAOTHER'));
  const owned = [
    () => verify(plain, { at: NOW + 3_600_000 }),
    () => verify(signedWrong),
    () => verify(plain, { sessionToken: 't' }),
  ];
  for (const work of owned) assert.equal(notesOf(await failureOf(work)).accountId, '000000000000');
  for (const work of [() => verify(unknown), () => verify(withoutHeader(plain, 'authorization'))])
    assert.equal(notesOf(await failureOf(work)).accountId, undefined);
});

test('an upgrade that is signed for another service, without a term, is refused for the service', async () => {
  const target = presignedUpgrade().replace('iotdevicegateway', 'iot');
  const work = () => verifier().webSocket(headOf({ ...vector('a presigned WebSocket upgrade'), target }));
  assert.match((await refusal(work))[1], /correct service: 'iotdevicegateway'/);
});

test('an unknown key, and a session token that the key does not have', async () => {
  const expected = ['UnrecognizedClientException', 'The security token included in the request is invalid.'];
  assert.deepEqual(
    await refusal(() => verify(withAuthorization((value) => value.replace('AKIDEXAMPLE', 'AKIDOTHER')))),
    expected,
  );
  const { sessionToken: _none, ...tokenForPlainKey } = vector('a session token');
  assert.deepEqual(await refusal(() => verify(tokenForPlainKey)), expected);
  assert.deepEqual(await refusal(() => verify(vector('a session token'), { sessionToken: 'another' })), expected);
  assert.deepEqual(await refusal(() => verify(vector('a GET without query'), { sessionToken: 'wanted' })), expected);
});

test('five minutes of clock skew either way, and not a second more (IAM user guide, "Signature Version 4 request elements")', async () => {
  const each = vector('a GET without query');
  await verify(each, { at: NOW + 5 * MINUTE });
  await verify(each, { at: NOW - 5 * MINUTE });
  assert.deepEqual(await refusal(() => verify(each, { at: NOW + 5 * MINUTE + 1000 })), [
    'InvalidSignatureException',
    'Signature expired: 20260102T030405Z is now earlier than 20260102T030406Z (20260102T030906Z - 5 min.)',
  ]);
  assert.deepEqual(await refusal(() => verify(each, { at: NOW - 5 * MINUTE - 1000 })), [
    'InvalidSignatureException',
    'Signature not yet current: 20260102T030405Z is still later than 20260102T030404Z (20260102T025904Z + 5 min.)',
  ]);
});

test('a presigned request lives as long as it says, and no longer', async () => {
  const each = vector('a presigned GET');
  await verify(each, { at: NOW + 900_000 });
  const [code, message] = await refusal(() => verify(each, { at: NOW + 901_000 }));
  assert.equal(code, 'InvalidSignatureException');
  assert.match(message, /^Signature expired: 20260102T030405Z/);
  assert.match((await refusal(() => verify(each, { at: NOW - 6 * MINUTE })))[1], /^Signature not yet current/);
  const [termless, why] = await refusal(() => verify({ ...each, target: each.target.replace('&X-Amz-Expires=900', '') }));
  assert.equal(termless, 'IncompleteSignatureException');
  assert.match(why, /'X-Amz-Expires'/);
  for (const term of ['604801', '-1', 'x', '9999999']) {
    const [termCode] = await refusal(() => verify({ ...each, target: each.target.replace('Expires=900', `Expires=${term}`) }));
    assert.equal(termCode, 'IncompleteSignatureException');
  }
});

test('a request that is not signed', async () => {
  const bare: Vector = { ...vector('a GET without query'), headers: [['Host', 'x']] };
  assert.deepEqual(await refusal(() => verify(bare)), ['MissingAuthenticationTokenException', 'Missing Authentication Token']);
});

test('malformed signatures', async (t) => {
  const long = `AWS4-HMAC-SHA256 ${'a=b,'.repeat(3_000)}`;
  const cases: [name: string, change: (value: string) => string, code: string, message: RegExp][] = [
    ['another scheme', () => 'Bearer abc', 'IncompleteSignatureException', /^Unsupported AWS 'algorithm'/],
    ['no fields', () => 'AWS4-HMAC-SHA256', 'IncompleteSignatureException', /^Unsupported AWS 'algorithm'/],
    ['a field without value', () => 'AWS4-HMAC-SHA256 Credential', 'IncompleteSignatureException', /^Invalid key=value pair/],
    ['every field twice', (value) => `${value}, ${value.slice(17)}`, 'IncompleteSignatureException', /more than once/],
    ['thousands of fields', () => long, 'IncompleteSignatureException', /more than once/],
    [
      'no signature',
      (value) => value.replace(/, Signature=.*/, ''),
      'IncompleteSignatureException',
      /^Authorization header requires 'Signature' parameter\. /,
    ],
    [
      'nothing but an empty credential',
      () => 'AWS4-HMAC-SHA256 Credential=',
      'IncompleteSignatureException',
      /'Credential' parameter\. Authorization header requires 'Signature' parameter\. Authorization header requires 'SignedHeaders' parameter\./,
    ],
    [
      'a short scope',
      (value) => value.replace('/aws4_request', ''),
      'IncompleteSignatureException',
      /^Credential must have exactly 5 slash-delimited/,
    ],
    [
      'another terminator',
      (value) => value.replace('aws4_request', 'aws5'),
      'InvalidSignatureException',
      /valid terminator: 'aws4_request', not 'aws5'/,
    ],
    [
      'a region that is none',
      (value) => value.replace('us-east-1', 'nowhere'),
      'InvalidSignatureException',
      /scoped to a valid region/,
    ],
    [
      'another region than was signed for',
      (value) => value.replace('us-east-1', 'eu-west-1'),
      'InvalidSignatureException',
      /does not match the signature you provided/,
    ],
    ['another day', (value) => value.replace('20260102', '20260101'), 'InvalidSignatureException', /'20260101' != '20260102'/],
    [
      'host not signed',
      (value) => value.replace('host;', ''),
      'InvalidSignatureException',
      /^'Host' or ':authority' must be a 'SignedHeader'/,
    ],
    ['an empty signed header', (value) => value.replace('host;', 'host;;'), 'IncompleteSignatureException', /'SignedHeaders'/],
    [
      'a signed header that is not there',
      (value) => value.replace('x-amz-date', 'x-amz-date;x-none'),
      'InvalidSignatureException',
      MISMATCH,
    ],
  ];
  for (const [name, change, code, message] of cases) {
    await t.test(name, async () => {
      const found = await refusal(() => verify(withAuthorization(change)));
      assert.equal(found[0], code);
      assert.match(found[1], message);
      assert.ok(found[1].length < 1_000 && !found[1].includes('Signature=4a'), 'the credential itself is not echoed');
    });
  }
});

test('dates: none, malformed, and a Date header in the place of X-Amz-Date', async () => {
  const each = vector('a GET without query');
  assert.match((await refusal(() => verify(withoutHeader(each, 'x-amz-date'))))[1], /'X-Amz-Date' or a 'Date' header/);
  for (const date of ['yesterday', '20260102', '2026-01-02T03:04:05Z', '20261302T030405Z', '']) {
    const [code] = await refusal(() => verify(withHeader(each, 'x-amz-date', () => date)));
    assert.equal(code, 'IncompleteSignatureException', date);
  }
  const dated = withHeader(withoutHeader(each, 'x-amz-date'), 'authorization', (value) =>
    value.replace('host;x-amz-date', 'date;host'),
  );
  const [code] = await refusal(() =>
    verify({ ...dated, headers: [...dated.headers, ['Date', 'Fri, 02 Jan 2026 03:04:05 GMT']] }),
  );
  assert.equal(code, 'InvalidSignatureException');
});

test('the payload hash has to be true: no unsigned and no streaming payloads', async () => {
  const each = vector('a body and a content type');
  for (const claimed of [
    'UNSIGNED-PAYLOAD',
    'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    '0'.repeat(64),
  ]) {
    const [code] = await refusal(() => verify({ ...each, headers: [...each.headers, ['x-amz-content-sha256', claimed]] }));
    assert.equal(code, 'InvalidSignatureException', claimed);
  }
});

test('two headers that decide, and a signature in two places, are refused', async () => {
  const each = vector('a GET without query');
  for (const name of ['host', 'authorization', 'x-amz-date']) {
    const [code] = await refusal(async () => headOf({ ...each, headers: [...each.headers, [name, 'x']] }));
    assert.equal(code, 'InvalidRequestException');
  }
  const both = { ...vector('a presigned GET'), headers: each.headers };
  assert.equal((await refusal(() => verify(both)))[0], 'IncompleteSignatureException');
});

test("the AWS SDK for JavaScript's signatures are accepted, for a new key scope as for a cached one", async () => {
  const sigv4 = verifier();
  for (const service of ['iot', 'iotdata', 'iot-jobs-data', 'iot']) {
    const signer = new SignatureV4({ service, region, credentials: { accessKeyId, secretAccessKey }, sha256: Sha256 });
    const request = {
      method: 'POST',
      protocol: 'http:',
      hostname: 'x',
      path: '/things/a%3Ab',
      query: { b: ['2', '1'], a: 'ü' },
      headers: { host: 'x', 'x-amz-tagging': 'a=b' },
      body: '{}',
    };
    const { headers } = await signer.sign(request, { signingDate: new Date(NOW) });
    const head = signedHead('POST', '/things/a%3Ab?b=2&b=1&a=%C3%BC', Object.entries(headers).flat());
    assert.equal((await sigv4.begin(head)).finish(Buffer.from('{}')).service, service);
  }
});

/** As the AWS IoT device SDK for JavaScript presigns it (its device/index.js): no term, the host alone signed. */
function presignedUpgrade(): string {
  const query = `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${accessKeyId}%2F20260102%2F${region}%2Fiotdevicegateway%2Faws4_request&X-Amz-Date=20260102T030405Z&X-Amz-SignedHeaders=host`;
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
  const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
  const request = `GET\n/mqtt\n${query}\nhost:iot.example.com:4680\n\nhost\n${sha256('')}`;
  const toSign = `AWS4-HMAC-SHA256\n20260102T030405Z\n20260102/${region}/iotdevicegateway/aws4_request\n${sha256(request)}`;
  const key = ['20260102', region, 'iotdevicegateway', 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`);
  return `/mqtt?${query}&X-Amz-Signature=${hmac(key, toSign).toString('hex')}`;
}

test('a WebSocket upgrade: the security token may follow the signature, and the scope has to be the device gateway', async () => {
  const upgrade = vector('a presigned WebSocket upgrade');
  assert.equal((await verifier().webSocket(headOf(upgrade))).service, 'iotdevicegateway');
  // The device SDKs append the token to what they signed.
  const target = `${presignedUpgrade()}&X-Amz-Security-Token=tok%2Fen`;
  const appended = headOf({ ...upgrade, target });
  assert.equal((await verifier({ sessionToken: 'tok/en' }).webSocket(appended)).key.accessKeyId, accessKeyId);
  assert.equal((await refusal(() => verifier({ sessionToken: 'other' }).webSocket(appended)))[0], 'UnrecognizedClientException');
  assert.match((await refusal(() => verifier().webSocket(headOf(vector('a presigned GET')))))[1], /'iotdevicegateway'/);
});

test('regions are those of AWS: one that a caller has invented is refused', async () => {
  for (const region of ['us-mars-1', 'us-abcdefgh-1', 'zz-qq-99', 'aa-bb-1', 'us-east-11'])
    assert.match(
      (await refusal(() => verify(withAuthorization((value) => value.replace('us-east-1', region)))))[1],
      /scoped to a valid region/,
    );
});
