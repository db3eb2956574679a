/** The contract with virtual chips of both kinds, in the process and behind a socket, and what is these kinds' own. */
import assert from 'node:assert/strict';
import { createHash, createPrivateKey, createPublicKey, randomBytes, verify } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { openSocketBus } from '../../buses/socket-bus.ts';
import { virtualBus } from '../../buses/virtual-bus.ts';
import { systemKitClock } from '../../clock.ts';
import { openElement } from '../../open-element.ts';
import { serveChip } from '../../virtual-chips/chip-server.ts';
import { memoryOnly } from '../../virtual-chips/memory-file.ts';
import { makeVirtualChip } from '../../virtual-chips/kinds.ts';
import { openVirtualOptiga } from '../../virtual-chips/optiga/virtual-optiga.ts';
import { contractSuite, refuses } from '../testing/contract-suite.ts';
import { certificatesOf, tlsIdentity } from './certificate-object.ts';
import { textOfCondition } from './metadata.ts';
import { OptigaElement } from './optiga-element.ts';

const folder = mkdtempSync(join(tmpdir(), 'thingkit-test-'));
after(() => rmSync(folder, { recursive: true }));

const KINDS = ['optiga-trust-m', 'optiga-trust-x'] as const;

for (const kind of KINDS)
  contractSuite(kind, {
    open: () => openElement(`${kind}:virtual:${join(folder, kind)}.json?key=0xe0f1`),
    keys: ['0xE0F1', '0xe0f3'],
    emptyKey: '0xE0F2',
    malformedKey: '0xE0F9',
    object: { name: '0xE0E2', length: 1728 },
    malformedObject: '0xE0F1',
  });

for (const kind of KINDS) makeVirtualChip(kind, join(folder, `${kind}.json`));
const madeChip = (name: string): string => {
  const path = join(folder, name);
  makeVirtualChip('optiga-trust-m', path);
  return path;
};

const open = (kind: (typeof KINDS)[number] = 'optiga-trust-m'): OptigaElement =>
  new OptigaElement(virtualBus(openVirtualOptiga(kind, memoryOnly())), { kind });

const isSigned = (spki: Buffer, message: Buffer, signature: Buffer): boolean =>
  verify(
    'sha256',
    message,
    { key: createPublicKey({ key: spki, format: 'der', type: 'spki' }), dsaEncoding: 'ieee-p1363' },
    signature,
  );

test('the file of a virtual chip is for its owner alone', async () => {
  const path = madeChip('new-chip.json');
  await using element = await openElement(`optiga-trust-m:virtual:${path}`);
  await element.identify();
  assert.equal(statSync(path).mode & 0o777, 0o600);
  await assert.rejects(openElement(`optiga-trust-x:virtual:${path}`), refuses('invalid'));
  await assert.rejects(openElement(`optiga-trust-m:virtual:${path}.none`), refuses('not-found'));
});

test('URIs: a default key, an address, and no others', async () => {
  const uri = `optiga-trust-m:virtual:${madeChip('uri.json')}`;
  assert.equal((await openElement(uri)).defaultKey, '0xE0F1');
  assert.equal((await openElement(`${uri}?key=0xe0f3`)).defaultKey, '0xE0F3');
  for (const query of ['key=0xE0E1', 'key=1', 'address=0x99', 'colour=red'])
    await assert.rejects(openElement(`${uri}?${query}`), refuses('invalid'));
  await assert.rejects(openElement('optiga-trust-m:nowhere'), refuses('invalid'));
  await using elsewhere = await openElement(`${uri}?address=0x31`);
  await assert.rejects(elsewhere.identify(), refuses('communication'));
});

describe('over a socket', () => {
  test('a driver in another process sees the same chip', async () => {
    const path = join(folder, 'chip.socket');
    const chip = openVirtualOptiga('optiga-trust-m', memoryOnly());
    await using _server = await serveChip(chip, path, systemKitClock);
    await using element = new OptigaElement(await openSocketBus(path), { kind: 'optiga-trust-m' });
    const spki = await element.generateKey('0xE0F1');
    const message = randomBytes(100);
    const signature = await element.sign('0xE0F1', createHash('sha256').update(message).digest());
    assert.equal(isSigned(spki, message, signature), true);
    await element.writeObject('0xE0E1', randomBytes(1728));
  });
});

describe('keys', () => {
  test("the vendor's key signs under the vendor's certificate, and is not made anew", async () => {
    const element = open();
    const spki = await element.publicKey('0xE0F0');
    const [certificate = Buffer.alloc(0)] = certificatesOf(await element.readObject('0xE0E0'));
    assert.notEqual(certificate.indexOf(spki), -1);
    const message = randomBytes(40);
    assert.equal(isSigned(spki, message, await element.sign('0xE0F0', createHash('sha256').update(message).digest())), true);
    await assert.rejects(element.generateKey('0xE0F0'), refuses('not-permitted'));
  });

  test('the public key is kept where the OpenSSL engine keeps it', async () => {
    const element = open();
    const spki = await element.generateKeyFor('0xE0F2', 0x13);
    assert.deepEqual(await element.readObject('0xF1D2'), spki);
    const { algorithm, usage } = await element.metadata('0xE0F2');
    assert.deepEqual([algorithm, usage], [0x03, 0x13]);
  });

  test('a key for one use has no other', async () => {
    const element = open();
    const peer = await element.generateKey('0xE0F1', ['sign']);
    await element.generateKey('0xE0F2', ['agree']);
    await assert.rejects(element.agree('0xE0F1', peer), refuses('not-permitted'));
    await assert.rejects(element.sign('0xE0F2', Buffer.alloc(32)), refuses('not-permitted'));
    assert.equal((await element.agree('0xE0F2', peer)).length, 32);
    await assert.rejects(element.generateKeyFor('0xE0F1', 0x44), refuses('invalid'));
  });

  test('a signature under another public key than the one that is kept is not given out', async () => {
    const element = open();
    await element.generateKey('0xE0F1');
    const other = await element.generateKey('0xE0F2');
    await element.writeObject('0xF1D1', other);
    await assert.rejects(element.sign('0xE0F1', Buffer.alloc(32, 1)), refuses('verification'));
  });

  test('of a virtual chip in this process TLS gets a key, and of no other chip', async () => {
    await using element = (await openElement(`optiga-trust-m:virtual:${madeChip('tls.json')}`)) as OptigaElement;
    const spki = await element.generateKey('0xE0F2');
    const { privateKey } = await element.tlsKey('0xe0f2');
    assert.deepEqual(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }), spki);
    await assert.rejects(element.tlsKey('0xE0F3'), refuses('not-found'));
    await assert.rejects(open().tlsKey('0xE0F2'), refuses('not-supported'));
  });

  test('a virtual chip hands a key to TLS in its own process', async () => {
    const chip = openVirtualOptiga('optiga-trust-x', memoryOnly());
    const element = new OptigaElement(virtualBus(chip), { kind: 'optiga-trust-x' });
    const spki = await element.generateKey('0xE0F1');
    const key = chip.privateKeyForTls('0xE0F1');
    assert.deepEqual(
      createPublicKey(createPrivateKey(key.export({ type: 'pkcs8', format: 'pem' }))).export({ type: 'spki', format: 'der' }),
      spki,
    );
    assert.throws(() => chip.privateKeyForTls('0xE0F3'), refuses('not-found'));
  });
});

describe('metadata and locks', () => {
  test('is parsed', async () => {
    const element = open();
    const certificate = await element.metadata('0xE0E1');
    assert.deepEqual([certificate.lifeCycle, certificate.maxSize, certificate.usedSize, certificate.type], [1, 1728, 1728, 0x12]);
    assert.equal(textOfCondition(certificate.change), 'LcsO < 7');
    assert.equal(textOfCondition(certificate.read), 'always');
    assert.equal(textOfCondition((await element.metadata('0xE140')).change), 'LcsO < 7 or Conf(0xE140)');
    assert.equal(textOfCondition((await element.metadata('0xE0F1')).read), 'never');
    await assert.rejects(element.metadata('0xE0AA'), refuses('not-found'));
  });

  test('what is locked can no longer be changed, and the life cycle does not fall', async () => {
    const element = open();
    const content = randomBytes(300);
    await element.writeObject('0xE0E1', content);
    await element.generateKey('0xE0F1');
    for (const name of ['0xE0E1', '0xE0F1']) {
      await element.lockObject(name);
      const state = await element.lockState();
      assert.equal(state.parts.find((part) => part.name === name)?.isLocked, true);
      await assert.rejects(element.setMetadata(name, Buffer.from('2003c00101', 'hex')), refuses('invalid'));
    }
    await assert.rejects(element.writeObject('0xE0E1', randomBytes(300)), refuses('not-permitted'));
    await assert.rejects(element.generateKey('0xE0F1'), refuses('not-permitted'));
    assert.deepEqual(await element.readObject('0xE0E1'), content);
    assert.equal((await element.sign('0xE0F1', Buffer.alloc(32, 7))).length, 64);
  });

  test('a new chip has its own key and certificate locked, and no other', async () => {
    const { parts } = await open('optiga-trust-x').lockState();
    assert.deepEqual(
      parts.filter((part) => part.isLocked).map((part) => part.name),
      ['0xE0E0', '0xE0F0'],
    );
  });

  test('an object whose reading asks for a shielded connection is not permitted', async () => {
    const element = open();
    await element.setMetadata('0xF1D5', Buffer.from('2005d10320e140', 'hex'));
    await assert.rejects(element.readObject('0xF1D5'), refuses('not-permitted'));
  });
});

test('the chip hashes and verifies', async () => {
  const element = open();
  for (const length of [0, 1, 1024, 1025, 5000]) {
    const content = randomBytes(length);
    assert.deepEqual(await element.hash(content), createHash('sha256').update(content).digest());
  }
  const spki = await element.generateKey('0xE0F1');
  const digest = randomBytes(32);
  const signature = await element.sign('0xE0F1', digest);
  assert.equal(await element.verify(spki, digest, signature), true);
  assert.equal(await element.verify(spki, randomBytes(32), signature), false);
});

describe('certificates in objects', () => {
  const one = Buffer.concat([Buffer.from('30820200', 'hex'), randomBytes(512)]);
  const other = Buffer.concat([Buffer.from('30820100', 'hex'), randomBytes(256)]);

  test('bare, as TLS identity, and chains of them', () => {
    assert.deepEqual(certificatesOf(Buffer.concat([one, Buffer.alloc(40)])), [one]);
    const identity = tlsIdentity([one]);
    assert.equal(identity.subarray(0, 9).toString('hex'), 'c0020a000207000204');
    assert.deepEqual(certificatesOf(identity), [one]);
    assert.deepEqual(certificatesOf(Buffer.concat([tlsIdentity([one, other]), Buffer.alloc(9)])), [one, other]);
  });

  test('what is none is refused', () => {
    for (const content of ['', '00', 'c0', 'c00000', 'c00003000000', 'c0020a000207000204', '3003', 'ff'.repeat(20)])
      assert.throws(() => certificatesOf(Buffer.from(content, 'hex')), refuses('not-found'));
    assert.throws(() => certificatesOf(Buffer.from('c20001', 'hex')), refuses('not-supported'));
  });
});
