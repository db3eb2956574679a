/** Certificates of a Zero Touch board, from a key in a virtual chip to the whole chain out of it. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { test } from 'node:test';
import { parseCertificate } from '@thingkeep/x509/certificate.ts';
import { keyIdentifier, publicKeyOf } from '@thingkeep/x509/public-key.ts';
import { virtualBus } from '../buses/virtual-bus.ts';
import { AteccElement } from '../elements/atecc/atecc-element.ts';
import { configurationOn, writeConfiguration } from '../elements/atecc/configurations.ts';
import { goldenFile, goldenValue } from '../elements/atecc/testing/golden-packets.ts';
import { refuses } from '../elements/testing/contract-suite.ts';
import { type AteccState, newAteccState } from '../virtual-chips/atecc/silicon.ts';
import { VirtualAtecc } from '../virtual-chips/atecc/virtual-atecc.ts';
import { memoryOnly } from '../virtual-chips/memory-file.ts';
import { compressCertificate, type RebuildInput, rebuildCertificate } from './compressed.ts';
import { type CertificateDefinition, ZERO_TOUCH_DEVICE, ZERO_TOUCH_SIGNER } from './definitions.ts';
import { readElementCertificates, writeElementCertificates } from './element-certificates.ts';

/** A certificate of a definition in the place of a golden one, for these keys. */
function issue(definition: CertificateDefinition, like: string, publicKey: Buffer, issuer: KeyObject): Buffer {
  const golden = goldenFile(`${like}.der`);
  const { stored } = compressCertificate(definition, golden);
  const compressed = goldenValue('atecc608', `compcert /tmp/calb/${like}.der`);
  const input: RebuildInput = { compressed, publicKey, issuer: { keyIdentifier: keyIdentifier(publicKeyOf(issuer)) }, stored };
  const { signed } = parseCertificate(rebuildCertificate(definition, input));
  const signature = sign('sha256', signed, { key: issuer, dsaEncoding: 'ieee-p1363' });
  return rebuildCertificate(definition, { ...input, compressed: Buffer.concat([signature, compressed.subarray(64)]) });
}

async function newBoard(): Promise<AteccElement> {
  const memory = memoryOnly<AteccState>();
  memory.save(newAteccState('atecc608'));
  const element = new AteccElement(virtualBus(new VirtualAtecc(memory)), 'atecc608');
  await element.exclusively(async ({ link, zones, locks }) => {
    await writeConfiguration(link, zones, configurationOn('zero-touch', await zones.readConfig()));
    await locks.lockConfig('for-good');
    await locks.lockData('for-good');
  });
  return element;
}

test('certificates are written, read back and rebuilt; those of another key are refused before anything is written', async () => {
  const element = await newBoard();
  const [root, signerKeys] = [0, 1].map(() => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey) as [
    KeyObject,
    KeyObject,
  ];
  const signer = issue(ZERO_TOUCH_SIGNER, 'signer', publicKeyOf(signerKeys), root);
  const device = issue(ZERO_TOUCH_DEVICE, 'device', await element.generateKey('0'), signerKeys);

  const before = await element.readObject('10');
  const others = issue(ZERO_TOUCH_DEVICE, 'device', await element.generateKey('2'), signerKeys);
  for (const [wrong, key] of [
    [{ device: others, signer }, root],
    [{ device, signer }, signerKeys],
    [{ device: signer, signer }, root],
    [{ device: goldenFile('device.der'), signer }, root],
  ] as const)
    await assert.rejects(writeElementCertificates(element, wrong, publicKeyOf(key)), refuses(['invalid', 'verification']));
  assert.deepEqual(await element.readObject('10'), before);

  await writeElementCertificates(element, { device, signer }, publicKeyOf(root));
  assert.deepEqual(await readElementCertificates(element), { device, signer });
  assert.deepEqual(await readElementCertificates(element, publicKeyOf(root)), { device, signer });
  await assert.rejects(readElementCertificates(element, publicKeyOf(signerKeys)), refuses('verification'));

  // With a new key the old certificate is none of it.
  await element.generateKey('0');
  await assert.rejects(readElementCertificates(element), refuses('verification'));
});
