/**
 * The certificates of a Zero Touch board in its element: device's and signer's compressed, the signer's public key, its serial
 * number and dates, and the root's public key; written, read back and rebuilt.
 */
import { parseCertificate } from '@thingkeep/x509/certificate.ts';
import { ElementError, type SecureElement } from '../elements/contract.ts';
import { slotFormOfSpki, spkiOfSlotForm } from '../elements/slot-public-key.ts';
import { compressCertificate, rebuildCertificate } from './compressed.ts';
import { ZERO_TOUCH_DEVICE, ZERO_TOUCH_SIGNER } from './definitions.ts';
import { slotOfStoredFields, storedFieldsOfSlot } from './stored-fields.ts';

/** Slots by what they hold. */
const SLOTS = {
  deviceKey: '0',
  device: '10',
  signerKey: '11',
  signer: '12',
  stored: '14',
  rootKey: '15',
} as const;

export interface ElementCertificates {
  /** DER. */
  readonly device: Buffer;
  readonly signer: Buffer;
}

/**
 * Rebuilds both certificates and verifies them, the signer's under the root's key: that in slot 15, or `root`
 * (SubjectPublicKeyInfo), which has to be the same where both are there. Throws ElementError.
 */
export async function readElementCertificates(element: SecureElement, root?: Buffer): Promise<ElementCertificates> {
  const rootKey = root ?? spkiOfSlotForm(await element.readObject(SLOTS.rootKey));
  const signerKey = spkiOfSlotForm(await element.readObject(SLOTS.signerKey));
  const signer = rebuildCertificate(ZERO_TOUCH_SIGNER, {
    compressed: await element.readObject(SLOTS.signer),
    publicKey: signerKey,
    issuer: { publicKey: rootKey },
    stored: storedFieldsOfSlot(await element.readObject(SLOTS.stored)),
  });
  const device = rebuildCertificate(ZERO_TOUCH_DEVICE, {
    compressed: await element.readObject(SLOTS.device),
    publicKey: await element.publicKey(SLOTS.deviceKey),
    issuer: { publicKey: signerKey },
  });
  return { device, signer };
}

/**
 * Writes both certificates (DER), rebuilds them from what the element holds then, and compares. `root` is the
 * SubjectPublicKeyInfo of the signer's issuer. Throws ElementError before anything is written where they do not belong to the
 * element's key or to each other.
 */
export async function writeElementCertificates(
  element: SecureElement,
  { device, signer }: ElementCertificates,
  root: Buffer,
): Promise<void> {
  const signers = compressCertificate(ZERO_TOUCH_SIGNER, signer);
  const devices = compressCertificate(ZERO_TOUCH_DEVICE, device);
  const signerKey = parseCertificate(signer).publicKey;
  const publicKey = await element.publicKey(SLOTS.deviceKey);
  if (signers.stored === undefined) throw new ElementError('invalid', "the signer's certificate has no stored fields");
  // Both throw where a signature does not verify.
  rebuildCertificate(ZERO_TOUCH_SIGNER, { ...signers, publicKey: signerKey, issuer: { publicKey: root } });
  if (!rebuildCertificate(ZERO_TOUCH_DEVICE, { ...devices, publicKey, issuer: { publicKey: signerKey } }).equals(device))
    throw new ElementError('invalid', "the device's certificate is not that of the key in the element");
  await element.writeObject(SLOTS.rootKey, slotFormOfSpki(root));
  await element.writeObject(SLOTS.signerKey, slotFormOfSpki(signerKey));
  await element.writeObject(SLOTS.stored, slotOfStoredFields(signers.stored));
  await element.writeObject(SLOTS.signer, signers.compressed);
  await element.writeObject(SLOTS.device, devices.compressed);
  const found = await readElementCertificates(element, root);
  if (!found.device.equals(device) || !found.signer.equals(signer))
    throw new ElementError('verification', 'the element does not give back the certificates that were written to it');
}
