/** The certificate that an element keeps for its key, where `thingkit provision` puts it. */
import { toPem } from '@thingkeep/x509/pem.ts';
import type { SecureElement } from '../elements/contract.ts';
import { storageFor } from '../provisioning/storage-kinds.ts';

/** PEM, with the certificates above it that are kept too. Throws ElementError where there is none. */
export async function storedCertificate(element: SecureElement, key: string): Promise<string> {
  const { device, chain } = await storageFor(element, key).read(element);
  return [device, ...chain].map((der) => toPem('CERTIFICATE', der)).join('');
}
