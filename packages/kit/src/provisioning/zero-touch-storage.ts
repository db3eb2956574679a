/** The storage of a board that is configured as Microchip's Zero Touch kit: compressed certificates, and Wi-Fi and host in slot 8. */
import { parseCertificate } from '@thingkeep/x509/certificate.ts';
import { readElementCertificates, writeElementCertificates } from '../certificates/element-certificates.ts';
import { ElementError } from '../elements/contract.ts';
import type { BoardSettings } from '../zero-touch/metadata.ts';
import { readSettings, saveSettings } from '../zero-touch/slots.ts';
import type { CertificateStorage } from './storage.ts';

/** `settings` are written with the certificates, and verified with them. */
export const zeroTouchStorage = (settings: Partial<BoardSettings>): CertificateStorage => ({
  description: 'compressed, in the slots of the Zero Touch kit',
  async write(element, { device, chain: [signer, root] }) {
    if (signer === undefined || root === undefined)
      throw new ElementError('invalid', "the Zero Touch kit keeps its signer's certificate and its root's key", {
        hint: 'issue with --signer, --template zero-touch and --root-certificate',
      });
    await writeElementCertificates(element, { device, signer }, parseCertificate(root).publicKey);
    if (Object.keys(settings).length > 0) await saveSettings(element, settings);
  },
  async read(element) {
    const { device, signer } = await readElementCertificates(element);
    const found = await readSettings(element);
    for (const [name, value] of Object.entries(settings))
      if (JSON.stringify(found[name as keyof BoardSettings]) !== JSON.stringify(value))
        throw new ElementError('verification', `the element does not give back the ${name} that was written to it`);
    return { device, chain: [signer] };
  },
});
