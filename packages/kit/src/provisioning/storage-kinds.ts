/** The storage of each kind of element. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CERTIFICATE_LABELS } from '@thingkeep/x509/certificate.ts';
import { pemBlocks, toPem } from '@thingkeep/x509/pem.ts';
import { ElementError, type ElementKind, type SecureElement } from '../elements/contract.ts';
import { certificatesOf, tlsIdentity } from '../elements/optiga/certificate-object.ts';
import { replaceFile } from '../files/replace-file.ts';
import type { BoardSettings } from '../zero-touch/metadata.ts';
import { type CertificateStorage, derStorage, pemStorage } from './storage.ts';
import { zeroTouchStorage } from './zero-touch-storage.ts';

/** `device.key` has its certificate in `device.crt`. */
const fileOf = (key: string): string => `${key.replace(/\.(key|pem)$/, '')}.crt`;

/** The certificate of the key `0xE0F1` is in `0xE0E1`: a TLS identity, with the chain where there is one. */
function optigaStorage(key: string): CertificateStorage {
  const object = `0x${(Number(key) - 0x10).toString(16).toUpperCase()}`;
  return {
    description: `${object} in the element`,
    async write(element, { device, chain }) {
      await element.writeObject(object, tlsIdentity([device, ...chain]));
    },
    async read(element) {
      const [device, ...chain] = certificatesOf(await element.readObject(object));
      if (device === undefined) throw new ElementError('not-found', `${object} holds no certificate`);
      return { device, chain };
    },
  };
}

const atecc = (_key: string, settings: Partial<BoardSettings>): CertificateStorage => zeroTouchStorage(settings);

const STORAGES: Readonly<Record<ElementKind, (key: string, settings: Partial<BoardSettings>) => CertificateStorage>> = {
  file: (key) => pemStorage(fileOf(key)),
  pkcs11: (key) => derStorage(key),
  atecc508a: atecc,
  atecc608: atecc,
  'optiga-trust-m': optigaStorage,
  'optiga-trust-x': optigaStorage,
};

/** Where the certificate of a key is in an element of this kind. */
export const storageFor = (element: SecureElement, key: string, settings: Partial<BoardSettings> = {}): CertificateStorage =>
  STORAGES[element.kind](key, settings);

/** Files of a folder, one for each thing, for boards whose certificate is not kept in the element. */
export function folderStorage(folder: string, thingName: string): CertificateStorage {
  const path = join(folder, `${thingName.replace(/[^A-Za-z0-9_-]/g, '_')}.crt`);
  return {
    description: path,
    async write(_element, { device, chain }) {
      mkdirSync(folder, { recursive: true });
      replaceFile(path, [device, ...chain].map((der) => toPem('CERTIFICATE', der)).join(''), 0o644);
    },
    async read() {
      const [device, ...chain] = pemBlocks(readFileSync(path, 'latin1'), CERTIFICATE_LABELS) ?? [];
      if (device === undefined) throw new ElementError('verification', `${path} holds no certificate in PEM`);
      return { device, chain };
    },
  };
}
