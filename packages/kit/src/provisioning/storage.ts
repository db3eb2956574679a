/** Where an element keeps what a device needs besides its key: each kind has its own places and forms. */
import { CERTIFICATE_LABELS } from '@thingkeep/x509/certificate.ts';
import { pemBlocks, toPem } from '@thingkeep/x509/pem.ts';
import { ElementError, type SecureElement } from '../elements/contract.ts';

/** A device's certificates, DER. */
export interface StoredCertificates {
  readonly device: Buffer;
  /** Those above it, from the next one up. */
  readonly chain: readonly Buffer[];
}

export interface CertificateStorage {
  /** What the storage is, for people: `device.crt beside the key`. */
  readonly description: string;
  write(element: SecureElement, certificates: StoredCertificates): Promise<void>;
  /** What is there, read from the element anew. Throws ElementError where there is none, or it is damaged. */
  read(element: SecureElement): Promise<StoredCertificates>;
}

/** PEM of the device's certificate and the chain behind it, in one object. */
export const pemStorage = (object: string): CertificateStorage => ({
  description: `${object} beside the key`,
  async write(element, { device, chain }) {
    await element.writeObject(object, Buffer.from([device, ...chain].map((der) => toPem('CERTIFICATE', der)).join('')));
  },
  async read(element) {
    const [device, ...chain] = pemBlocks((await element.readObject(object)).toString('latin1'), CERTIFICATE_LABELS) ?? [];
    if (device === undefined) throw new ElementError('verification', `${object} holds no certificate in PEM`);
    return { device, chain };
  },
});

/** DER of the device's certificate alone, in one object. */
export const derStorage = (object: string): CertificateStorage => ({
  description: `${object} in the element`,
  async write(element, { device }) {
    await element.writeObject(object, device);
  },
  async read(element) {
    return { device: await element.readObject(object), chain: [] };
  },
});
