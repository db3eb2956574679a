/** Damaged key files: every flipped bit is refused, made again, or proven to be without effect; nothing bad is issued. */
import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { deviceProfile } from '@thingkeep/x509/profiles.ts';
import { isKeyPair, isProven } from '@thingkeep/x509/proof.ts';
import { publicKeyOf } from '@thingkeep/x509/public-key.ts';
import { type Authority, openAuthority } from './authority.ts';
import { asIssuer, isSound, keyFileText, newKey, readKeyFileText } from './certified-key.ts';
import { issueCertificate } from './issue.ts';
import { DEFAULT_SUBJECT } from './names.ts';
import { readOperatorCertificate } from './operator-certificate.ts';

const folder = mkdtempSync(join(tmpdir(), 'thingkeep-damage-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const clock = { now: () => Date.UTC(2026, 10, 20), monotonic: () => 0 };
const told: string[] = [];
const open = (): Promise<Authority> =>
  openAuthority({ folder, clock, hostNames: ['iot.example.com'], onDamagedFile: (file) => told.push(file) });

let files: string[];
before(async () => {
  await open();
  files = readdirSync(folder).filter((name) => name.endsWith('.pem'));
  assert.equal(files.length, 7);
});

const flipped = (bytes: Buffer, bit: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
};
const withoutDigest = (text: string): string => text.slice(0, text.lastIndexOf('sha256 '));

test('each bit of each key file is under its digest', () => {
  for (const file of files) {
    const whole = readFileSync(join(folder, file));
    assert.notEqual(readKeyFileText(whole.toString()), undefined);
    for (let bit = 0; bit < whole.length * 8; bit += 1)
      assert.equal(readKeyFileText(flipped(whole, bit).toString()), undefined, `${file}: bit ${bit}`);
  }
});

test('a damaged authority is refused with its file, a damaged server certificate is made again and told', async () => {
  for (const file of files) {
    const path = join(folder, file);
    const whole = readFileSync(path);
    for (let i = 0; i < 12; i += 1) {
      told.length = 0;
      writeFileSync(path, flipped(whole, Math.floor(((i + 0.5) * whole.length * 8) / 12)));
      if (file.startsWith('server-')) {
        const { cert, key } = (await open()).serverCredentials();
        assert.deepEqual(told, [path]);
        for (const [at, pem] of cert.entries()) {
          const chain = (pem.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? []).map(
            (each) => new X509Certificate(each).raw,
          );
          assert(isProven(createPrivateKey(key[at] ?? ''), chain));
        }
      } else await assert.rejects(open(), (error: Error) => error.name === 'AuthorityError' && error.message.includes(path));
      writeFileSync(path, whole);
    }
  }
});

test('a file of an earlier release, without a digest, is proven by use and then gets one', async () => {
  for (const file of files) {
    const path = join(folder, file);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, withoutDigest(text));
    await open();
    assert.equal(readFileSync(path, 'utf8'), text);
  }
  // The flip that the digest no longer shows: what is still taken signs and verifies.
  let taken = 0;
  for (const file of ['device-issuer.pem', 'ecdsa-root.pem']) {
    const old = Buffer.from(withoutDigest(readFileSync(join(folder, file), 'utf8')));
    const good = readKeyFileText(old.toString());
    for (let at = 0; at < old.length; at += 1) {
      const read = readKeyFileText(flipped(old, at * 8 + (at % 7)).toString());
      if (read === undefined || !isSound(read, read)) continue;
      taken += 1;
      assert.deepEqual(read.chain[0], good?.chain[0], `${file}: byte ${at}`);
      const profile = deviceProfile(DEFAULT_SUBJECT, publicKeyOf(await newKey('ec')), clock.now());
      const issued = new X509Certificate(await issueCertificate(profile, asIssuer(read)));
      assert(issued.verify(new X509Certificate(read.chain[0] ?? '').publicKey), `${file}: byte ${at}`);
      // An RSA key with another exponent of a prime still signs right, by its private exponent: it is kept as it is.
      assert.deepEqual(readKeyFileText(keyFileText(read))?.chain, read.chain, `${file}: byte ${at}`);
    }
  }
  assert(taken < 1200, `${taken} taken`);
});

test('an issuer whose key is not that of its certificate issues nothing', async () => {
  const read = readKeyFileText(readFileSync(join(folder, 'device-issuer.pem'), 'utf8'));
  assert(read !== undefined);
  const profile = deviceProfile(DEFAULT_SUBJECT, publicKeyOf(await newKey('ec')), clock.now());
  const issuer = { ...asIssuer(read), privateKey: await newKey('rsa') };
  await assert.rejects(issueCertificate(profile, issuer), { code: 'InternalFailureException' });
});

test("an operator's own certificate is refused after any flipped bit that changes its key or itself", () => {
  const text = readFileSync(join(folder, 'server-ecdsa.pem'), 'utf8');
  const split = text.indexOf('-----BEGIN CERT');
  const own = { keyPem: text.slice(0, split), certPem: withoutDigest(text.slice(split)) };
  const good = readOperatorCertificate(own, clock.now());
  const end = own.certPem.indexOf('-----END');
  for (const name of ['keyPem', 'certPem'] as const) {
    const bytes = Buffer.from(own[name]);
    // Who issued the last certificate of the chain is not in the file.
    const bits = (name === 'certPem' ? end : bytes.length) * 8;
    for (let bit = 0; bit < bits; bit += 1) {
      const damaged = { ...own, [name]: flipped(bytes, bit).toString() };
      let read: typeof good;
      try {
        read = readOperatorCertificate(damaged, clock.now());
      } catch (error) {
        assert.equal((error as Error).name, 'AuthorityError', `${name}: bit ${bit}: ${String(error)}`);
        continue;
      }
      // A flip in a field that is not read, such as the version of the key's form, has no effect.
      assert.equal(read.cert, good.cert, `${name}: bit ${bit}`);
      assert(isKeyPair(createPrivateKey(read.key), new X509Certificate(read.cert).publicKey), `${name}: bit ${bit}`);
    }
  }
});
