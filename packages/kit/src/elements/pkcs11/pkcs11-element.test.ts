/** The contract with a token of SoftHSM2, and what is this kind's own. */
// needs: softhsm2 opensc
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { distinguishedName } from '@thingkeep/x509/names.ts';
import { deviceProfile } from '@thingkeep/x509/profiles.ts';
import { writeCertificate } from '@thingkeep/x509/write-certificate.ts';
import { NativeProcess } from '../../native/native-process.ts';
import { ElementError } from '../contract.ts';
import { elementSigner } from '../element-signer.ts';
import { contractSuite, refuses } from '../testing/contract-suite.ts';
import { openPkcs11Element, Pkcs11Element, pointOfAttribute } from './pkcs11-element.ts';
import { parsePkcs11Uri } from './pkcs11-uri.ts';
import { softTokens, USER_PIN } from './testing/soft-token.ts';
import { TokenSession } from './token-session.ts';

const tokens = softTokens('device token');
after(() => tokens[Symbol.dispose]());
const uri = tokens.uri('device token', 'device-key');
const DIGEST = createHash('sha256').update('x').digest();

contractSuite('pkcs11 (SoftHSM2)', {
  open: async () => openPkcs11Element(uri),
  keys: ['device-key', 'other key'],
  emptyKey: 'none',
  malformedKey: 'id:0',
  object: { name: 'device certificate', length: 700 },
  malformedObject: 'a/b',
});

/** What pkcs11-tool says of the token's objects. */
const listed = (...args: string[]): string =>
  tokens.run('pkcs11-tool', '--module', '/usr/lib/softhsm/libsofthsm2.so', '--token-label', 'device token', ...args);

test("private keys are the token's own: sensitive, never extractable, and another program of the token agrees", async () => {
  await using element = openPkcs11Element(uri);
  await element.generateKey('device-key', ['sign', 'agree']);
  const seen = listed('--login', '--pin', USER_PIN, '--list-objects', '--type', 'privkey');
  const [mine = ''] = seen.split('Private Key Object').filter((each) => each.includes('device-key'));
  assert.match(mine, /Usage:.* sign,.* derive/);
  assert.match(mine, /Access:\s+sensitive, always sensitive, never extractable, local/);
  assert.equal(seen.match(/label:\s+device-key/g)?.length, 1, 'the old pair is gone');
});

test('a key has its id after it was replaced, and is found by it', async () => {
  await using element = openPkcs11Element(uri);
  const ids = async (): Promise<string> => {
    await element.generateKey('by id');
    const [, id = ''] = /by id\n\s+ID:\s+([0-9a-f]+)/.exec(listed('--list-objects', '--type', 'pubkey')) ?? [];
    return id;
  };
  const id = await ids();
  assert.equal(await ids(), id);
  assert.deepEqual(await element.publicKey(`id:${id}`), await element.publicKey('by id'));
  const encoded = id.replace(/../g, '%$&');
  await using named = openPkcs11Element(
    `pkcs11:token=device%20token;id=${encoded}?module-name=softhsm2&pin-source=${tokens.pinFile}`,
  );
  assert.equal(named.defaultKey, `id:${id}`);
  assert.deepEqual(await named.publicKey(named.defaultKey), await element.publicKey('by id'));
  assert.equal((await named.sign(named.defaultKey, DIGEST)).length, 64);
});

test('a certificate in DER is a certificate of the token, beside the key of its label', async () => {
  await using element = openPkcs11Element(uri);
  const publicKey = await element.generateKey('device-key');
  const signer = await elementSigner(element, 'device-key');
  const name = distinguishedName({ type: 'CN', value: 'device-1' });
  const certificate = await writeCertificate({ ...deviceProfile(name, publicKey, 0) }, name, signer);
  await element.writeObject('device-key', certificate);
  assert.deepEqual(await element.readObject('device-key'), certificate);
  const seen = listed('--list-objects', '--type', 'cert');
  assert.match(seen, /type = X\.509 cert/);
  assert.match(seen, /subject:\s+DN: CN=device-1/);
  await element.writeObject('device-key', Buffer.from('now it is data'));
  assert.equal((await element.readObject('device-key')).toString(), 'now it is data');
  assert.doesNotMatch(listed('--list-objects', '--type', 'cert'), /X\.509/);
});

test('the PIN comes from a file for its owner alone, or from the environment, and is in no error', async () => {
  chmodSync(tokens.pinFile, 0o644);
  await assert.rejects(openPkcs11Element(uri).sign('device-key', DIGEST), refuses('not-permitted'));
  chmodSync(tokens.pinFile, 0o600);
  process.env.DEVICE_PIN = USER_PIN;
  await using element = openPkcs11Element(uri.replace(/pin-source=.*/, 'pin-source=env:DEVICE_PIN'));
  assert.equal((await element.sign('device-key', DIGEST)).length, 64);
  await assert.rejects(
    openPkcs11Element(uri.replace(/pin-source=.*/, 'pin-source=env:NO_SUCH_PIN')).sign('device-key', DIGEST),
    refuses('not-found'),
  );
});

test('a wrong PIN is said, and not tried again', async () => {
  const wrong = join(tokens.folder, 'wrong-pin');
  writeFileSync(wrong, '99999999', { mode: 0o600 });
  await using element = openPkcs11Element(uri.replace(/pin-source=.*/, `pin-source=file:${wrong}`));
  const isWrong = (error: unknown): boolean => {
    assert.ok(error instanceof ElementError && error.code === 'not-permitted', String(error));
    assert.match(error.message, /the PIN is wrong/);
    assert.ok(!JSON.stringify([error.message, error.hint, String(error.cause)]).includes('99999999'));
    return true;
  };
  await assert.rejects(element.sign('device-key', DIGEST), isWrong);
  // The right one now: it is not even read, since the element has been told that its PIN is wrong.
  writeFileSync(wrong, USER_PIN, { mode: 0o600 });
  await assert.rejects(element.sign('device-key', DIGEST), isWrong);
});

test('without a PIN there are public keys, and no private ones', async () => {
  await using element = openPkcs11Element(uri.replace(/&pin-source=.*/, ''));
  assert.equal((await element.publicKey('device-key')).length, 91);
  await assert.rejects(element.sign('device-key', DIGEST), refuses('not-found'));
  await assert.rejects(element.generateKey('device-key'), refuses('not-permitted'));
});

test('no token, and several, are said with those that there are', async () => {
  await assert.rejects(openPkcs11Element(uri.replace('device%20token', 'another')).random(1), refuses('not-found'));
  tokens.add('twin');
  tokens.add('twin');
  await assert.rejects(openPkcs11Element(tokens.uri('twin', 'x')).random(1), (error: unknown) => {
    assert.ok(error instanceof ElementError && error.code === 'invalid');
    assert.match(error.message, /twin \(serial [0-9a-f]{16}, slot \d+\), twin \(serial/);
    const [, slot = ''] = /slot (\d+)/.exec(error.message) ?? [];
    assert.notEqual(slot, '');
    return true;
  });
});

test('a module that has crashed costs one call: the next begins another process with a session of its own', async () => {
  const native = new NativeProcess();
  const parsed = parsePkcs11Uri(uri);
  await using element = new Pkcs11Element(parsed, new TokenSession(parsed, native));
  const spki = await element.publicKey('device-key');
  const first = native.pid ?? 0;
  process.kill(first, 'SIGSTOP');
  const under = element.sign('device-key', DIGEST);
  // The call is on its way once the loop has turned; before, it would be the first one of the next process.
  await new Promise((resolve) => setImmediate(resolve));
  // Not SIGSEGV, which a thread takes while another still answers.
  process.kill(first, 'SIGKILL');
  await assert.rejects(under, refuses('communication'));
  assert.deepEqual(await element.publicKey('device-key'), spki);
  assert.equal((await element.sign('device-key', DIGEST)).length, 64);
  assert.notEqual(native.pid, first);
});

test('a token that was taken away is an error of communication or of its absence, and it works again when it is back', async () => {
  tokens.add('removed');
  const where = tokens.uri('removed', 'k');
  await using element = openPkcs11Element(where);
  await element.generateKey('k');
  const [place, aside] = [join(tokens.folder, 'tokens'), join(tokens.folder, 'aside')];
  renameSync(place, aside);
  mkdirSync(place);
  await assert.rejects(element.sign('k', DIGEST), (error: unknown) => error instanceof ElementError);
  await assert.rejects(openPkcs11Element(where).sign('k', DIGEST), refuses('not-found'));
  renameSync(place, join(tokens.folder, 'empty'));
  renameSync(aside, place);
  await using again = openPkcs11Element(where);
  assert.equal((await again.sign('k', DIGEST)).length, 64);
});

test('a module that is not there is named with what to install; a file that is none is told apart', async () => {
  await assert.rejects(openPkcs11Element('pkcs11:token=x?module-name=no-such-module').random(1), refuses('missing-library'));
  await assert.rejects(openPkcs11Element('pkcs11:token=x?module-path=/no/such.so').random(1), refuses('missing-library'));
  const none = join(tokens.folder, 'none.so');
  writeFileSync(none, 'no library');
  await assert.rejects(openPkcs11Element(`pkcs11:token=x?module-path=${none}`).random(1), refuses('communication'));
  await assert.rejects(openPkcs11Element('pkcs11:token=x?module-path=relative.so').random(1), refuses('invalid'));
});

test('points are read in both encodings', () => {
  const point = randomBytes(64);
  const plain = Buffer.concat([Buffer.of(4), point]);
  assert.deepEqual(pointOfAttribute(plain), point);
  assert.deepEqual(pointOfAttribute(Buffer.concat([Buffer.of(4, 65), plain])), point);
  assert.throws(() => pointOfAttribute(plain.subarray(1)), refuses('not-supported'));
});

test('TLS is told where the key is, by its label', async () => {
  await using element = openPkcs11Element(uri);
  const key = await element.tlsKey('device-key');
  assert.ok(key.kind === 'pkcs11');
  assert.equal(key.keyLabel, 'device-key');
  assert.equal(key.tokenLabel, 'device token');
  assert.equal(key.pin, readFileSync(tokens.pinFile, 'utf8').trim());
});
