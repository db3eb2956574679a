import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { readPathExtensions } from './path-extensions.ts';
import { certificateIdOf, parseCertificate } from './certificate.ts';
import { distinguishedName } from './names.ts';
import { authorityProfile } from './profiles.ts';
import { publicKeyOf } from './public-key.ts';
import { keySigner } from './signing.ts';
import { writeCertificate } from './write-certificate.ts';

const ecKey = (namedCurve: string): KeyObject => generateKeyPairSync('ec', { namedCurve }).privateKey;
const KEYS: readonly (readonly [name: string, key: KeyObject])[] = [
  ['EC P-256', ecKey('P-256')],
  ['EC P-384', ecKey('P-384')],
  ['EC P-521', ecKey('P-521')],
  ['RSA 2048', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey],
  ['Ed25519', generateKeyPairSync('ed25519').privateKey],
];

test('certificates signed by each kind of key: Node verifies them, and reads the same as we do', async () => {
  for (const [name, key] of KEYS) {
    const subject = distinguishedName({ type: 'O', value: 'Example' }, { type: 'CN', value: name });
    const now = Date.UTC(2026, 10, 20);
    const profile = authorityProfile(subject, publicKeyOf(key), now, now + 86_400_000, 0);
    const bytes = await writeCertificate(profile, subject, keySigner(key));
    const read = new X509Certificate(bytes);
    assert.ok(read.verify(createPublicKey(key)) && read.checkPrivateKey(key) && read.ca, name);
    assert.equal(read.subject, `O=Example\nCN=${name}`);
    const fields = parseCertificate(bytes);
    assert.ok(fields.subject.equals(subject) && fields.issuer.equals(subject) && readPathExtensions(fields.extensions).authority);
    assert.deepEqual([fields.notBefore, fields.notAfter], [read.validFromDate.getTime(), read.validToDate.getTime()]);
    assert.equal(certificateIdOf(bytes), read.fingerprint256.replaceAll(':', '').toLowerCase());
  }
});

test('a signature that is not of the key of the issuer gives no certificate', async () => {
  const [mine, other] = [ecKey('P-256'), ecKey('P-256')];
  const name = distinguishedName({ type: 'CN', value: 'x' });
  const profile = authorityProfile(name, publicKeyOf(mine), 0, 1);
  await assert.rejects(writeCertificate(profile, name, keySigner(other, publicKeyOf(mine))), { name: 'SignatureError' });
});
