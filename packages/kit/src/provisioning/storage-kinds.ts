/** The storage of each kind of element. */
import type { ElementKind, SecureElement } from '../elements/contract.ts';
import { ElementError } from '../elements/contract.ts';
import { type CertificateStorage, derStorage, pemStorage } from './storage.ts';

/** `device.key` has its certificate in `device.crt`. */
const fileOf = (key: string): string => `${key.replace(/\.(key|pem)$/, '')}.crt`;

const STORAGES: Partial<Readonly<Record<ElementKind, (key: string) => CertificateStorage>>> = {
  file: (key) => pemStorage(fileOf(key)),
  pkcs11: (key) => derStorage(key),
};

/** Throws ElementError `not-supported` for a kind that has none. */
export function storageFor(element: SecureElement, key: string): CertificateStorage {
  const storage = STORAGES[element.kind];
  if (storage === undefined)
    throw new ElementError('not-supported', `elements of kind ${element.kind} keep no certificates here`);
  return storage(key);
}
