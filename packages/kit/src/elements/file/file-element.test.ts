/** The contract with a folder of PEM files, and what is this kind's own. */
import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { contractSuite, refuses } from '../testing/contract-suite.ts';
import { openFileElement } from './file-element.ts';

const folder = mkdtempSync(join(tmpdir(), 'thingkit-test-'));
after(() => rmSync(folder, { recursive: true }));
const uri = `file:${join(folder, 'device.key')}`;

contractSuite('file', {
  open: async () => openFileElement(uri),
  keys: ['device.key', 'other.key'],
  emptyKey: 'none.key',
  malformedKey: '.hidden',
  object: { name: 'certificate.pem', length: 700 },
  malformedObject: 'a/b',
});

test('keys are PKCS #8 in PEM, for their owner alone; a key that others can read is refused', async () => {
  const element = openFileElement(uri);
  await element.generateKey('device.key');
  const path = join(folder, 'device.key');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(createPrivateKey(readFileSync(path)).asymmetricKeyDetails?.namedCurve, 'prime256v1');
  chmodSync(path, 0o640);
  await assert.rejects(element.sign('device.key', Buffer.alloc(32)), refuses('not-permitted'));
  chmodSync(path, 0o600);
});

test('a key is no object, whatever it is called', async () => {
  const element = openFileElement(uri);
  await element.generateKey('device.key');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(join(folder, 'looks-harmless.txt'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  for (const name of ['device.key', 'looks-harmless.txt']) {
    await assert.rejects(element.readObject(name), refuses('not-permitted'));
    await assert.rejects(element.writeObject(name, Buffer.alloc(1)), refuses('not-permitted'));
    assert.equal(
      (await element.objects()).some((each) => each.name === name),
      false,
    );
  }
});

test('what is no P-256 key is told apart', async () => {
  const element = openFileElement(uri);
  const write = (name: string, text: string | Buffer) => writeFileSync(join(folder, name), text, { mode: 0o600 });
  write('rsa.key', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }));
  write('rubbish.key', 'rubbish');
  await assert.rejects(element.publicKey('rsa.key'), refuses('not-supported'));
  await assert.rejects(element.publicKey('rubbish.key'), refuses('invalid'));
});
