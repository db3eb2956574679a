// needs: openssl
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { CSR_LABELS, isSelfSigned, parseCsr } from './csr.ts';
import { commonNameOnly, distinguishedName, readDistinguishedName, type RelativeName } from './names.ts';
import { onePemBlock, toPem } from './pem.ts';
import { openPublicKey, publicKeyOf } from './public-key.ts';
import { ecdsaSignature, keySigner, type SignatureInput, type X509Signer } from './signing.ts';
import { decodeString } from './strings.ts';
import { writeCsr } from './write-csr.ts';

const folder = mkdtempSync(join(tmpdir(), 'write-request-'));
after(() => rmSync(folder, { recursive: true }));

const ecKey = (namedCurve: string): KeyObject => generateKeyPairSync('ec', { namedCurve }).privateKey;

const KEYS: readonly (readonly [name: string, key: KeyObject, algorithm: string])[] = [
  ['EC P-256', ecKey('P-256'), 'ecdsa-with-SHA256'],
  ['EC P-384', ecKey('P-384'), 'ecdsa-with-SHA384'],
  ['EC P-521', ecKey('P-521'), 'ecdsa-with-SHA512'],
  ['RSA 2048', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey, 'sha256WithRSAEncryption'],
  ['Ed25519', generateKeyPairSync('ed25519').privateKey, 'ED25519'],
];

/** One attribute for every string type, and one relative name of two attributes. */
const SUBJECT: readonly RelativeName[] = [
  { type: 'C', value: 'DE' },
  { type: 'ST', value: 'Baden-Württemberg', string: 'teletexString' },
  { type: 'L', value: 'Köln 中', string: 'bmpString' },
  { type: 'O', value: 'Example 😀', string: 'universalString' },
  { type: 'OU', value: 'Größe 中 😀' },
  { type: 'dnQualifier', value: '12 34', string: 'numericString' },
  { type: 'emailAddress', value: 'a@example.com' },
  [
    { type: 'CN', value: 'device' },
    { type: 'serialNumber', value: '0123-AB' },
  ],
];

/** What openssl says of a request in DER, its signature verified; fails where openssl does. */
function printed(request: Buffer): string {
  const file = join(folder, 'request.pem');
  writeFileSync(file, toPem('CERTIFICATE REQUEST', request));
  const args = ['req', '-in', file, '-noout', '-verify', '-text', '-nameopt', 'RFC2253,-esc_msb,utf8,show_type,sname'];
  return execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function publicKeyByOpenssl(): string {
  const args = ['req', '-in', join(folder, 'request.pem'), '-noout', '-pubkey'];
  return execFileSync('openssl', args, { encoding: 'utf8' });
}

describe('requests that a key signs', () => {
  for (const [name, key, algorithm] of KEYS)
    test(`${name}: openssl verifies it, and so do we`, async () => {
      const subject = distinguishedName(...SUBJECT);
      const request = await writeCsr(subject, keySigner(key));
      const text = printed(request);
      assert.match(text, /Version: 1 \(0x0\)/);
      assert.match(text, new RegExp(`Signature Algorithm: ${algorithm}\n`));
      for (const each of [
        'C=PRINTABLESTRING:DE',
        'ST=T61STRING:Baden-Württemberg',
        'L=BMPSTRING:Köln 中',
        'O=UNIVERSALSTRING:Example 😀',
        'OU=UTF8STRING:Größe 中 😀',
        'dnQualifier=NUMERICSTRING:12 34',
        'emailAddress=IA5STRING:a@example.com',
        'serialNumber=PRINTABLESTRING:0123-AB+CN=UTF8STRING:device',
      ])
        assert.ok(text.includes(each), `${each} is not in ${text}`);
      assert.equal(publicKeyByOpenssl(), createPublicKey(key).export({ type: 'spki', format: 'pem' }));

      const fields = parseCsr(onePemBlock(toPem('CERTIFICATE REQUEST', request), CSR_LABELS) ?? Buffer.alloc(0));
      assert.ok(fields.subject.equals(subject));
      assert.ok(fields.publicKey.equals(publicKeyOf(key)));
      assert.equal(isSelfSigned(fields, openPublicKey(fields.publicKey)), true);
      assert.deepEqual(
        readDistinguishedName(fields.subject).map(({ tag, content }) => decodeString(tag, content)),
        SUBJECT.flat().map(({ value }) => value),
      );
    });

  test('an empty subject is a name too', async () => {
    const request = await writeCsr(distinguishedName(), keySigner(ecKey('P-256')));
    assert.match(printed(request), /Subject: *\n/);
  });

  test('keys that nothing is signed with are refused', async () => {
    for (const key of [ecKey('secp256k1'), generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey])
      await assert.rejects(async () => writeCsr(commonNameOnly('x'), keySigner(key)), { name: 'UnsupportedKeyError' });
  });
});

describe('requests that a secure element signs', () => {
  const inside = ecKey('P-256');
  /** Signs bytes as a chip does: two numbers of 32 bytes. */
  const element = (answer: (input: SignatureInput) => Buffer): X509Signer => ({
    publicKey: publicKeyOf(inside),
    sign: async (input) => ecdsaSignature(answer(input)),
  });
  const numbersOf = (bytes: Buffer): Buffer => sign('sha256', bytes, { key: inside, dsaEncoding: 'ieee-p1363' });

  test('openssl verifies it, whatever the numbers begin with', async () => {
    const subject = commonNameOnly('element');
    for (let i = 0; i < 40; i += 1) {
      let given: SignatureInput | undefined;
      const request = await writeCsr(
        subject,
        element((input) => {
          given = input;
          return numbersOf(input.bytes);
        }),
      );
      assert.equal(given?.digest.length, 32);
      assert.equal(given.hash, 'sha256');
      if (i < 4) printed(request);
      assert.equal(isSelfSigned(parseCsr(request), openPublicKey(publicKeyOf(inside))), true);
    }
  });

  test('a signature of another key or of other bytes gives no request', async () => {
    const of = (answer: (input: SignatureInput) => Buffer) => writeCsr(commonNameOnly('element'), element(answer));
    await assert.rejects(
      of(({ digest }) => numbersOf(digest)),
      { name: 'SignatureError' },
    );
    await assert.rejects(
      of(({ bytes }) => sign('sha256', bytes, { key: ecKey('P-256'), dsaEncoding: 'ieee-p1363' })),
      { name: 'SignatureError' },
    );
    await assert.rejects(
      of(() => Buffer.alloc(64)),
      { name: 'SignatureError' },
    );
  });
});
