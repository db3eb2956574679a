/** Who issues a device's certificate: a factory's own signer, or AWS IoT. */
import { X509Certificate } from 'node:crypto';
import { CERTIFICATE_LABELS, parseCertificate } from '@thingkeep/x509/certificate.ts';
import { onePemBlock, toPem } from '@thingkeep/x509/pem.ts';
import { writeCertificateContent } from '@thingkeep/x509/write-certificate.ts';
import { writeCsr } from '@thingkeep/x509/write-csr.ts';
import { subjectName } from '../certificates/subject.ts';
import { deviceContent, type TemplateName } from '../ceremony/templates.ts';
import type { KitClock } from '../clock.ts';
import { ElementError, type SecureElement } from '../elements/contract.ts';
import { elementSigner } from '../elements/element-signer.ts';
import type { CertificateIssuer } from './provision-board.ts';

/** A subject with the thing's name in the place of `{thing}`, in which a slash stays what it is. */
const subjectFor = (pattern: string, thingName: string): Buffer =>
  subjectName(pattern.replaceAll('{thing}', thingName.replace(/[\\/]/g, '\\$&')));

export interface SignerIssuerOptions {
  readonly element: SecureElement;
  readonly key: string;
  /** The signer's certificate, PEM. */
  readonly certificate: string;
  /** The root's certificate, PEM; only elements that keep the root's key need it. */
  readonly root?: string;
  readonly template: TemplateName;
  /** As `/O=Example Inc/CN={thing}`. */
  readonly subject: string;
  /** Years that certificates are valid; absent where they do not end. */
  readonly years?: number;
  readonly clock: KitClock;
}

/** A factory's signer. Throws ElementError `verification` where the key is not that of the certificate. */
export async function signerIssuer(options: SignerIssuerOptions): Promise<CertificateIssuer> {
  const { element, key, certificate, root, template, subject, years, clock } = options;
  const above = onePemBlock(certificate, CERTIFICATE_LABELS);
  const top = root === undefined ? undefined : onePemBlock(root, CERTIFICATE_LABELS);
  if (above === undefined) throw new ElementError('invalid', "the signer's file does not hold one certificate in PEM");
  if (root !== undefined && (top === undefined || !new X509Certificate(above).verify(new X509Certificate(top).publicKey)))
    throw new ElementError('verification', "the signer's certificate is not signed by the root that is given");
  const authority = parseCertificate(above);
  const signer = await elementSigner(element, key);
  if (!signer.publicKey.equals(authority.publicKey))
    throw new ElementError('verification', `the key ${key} is not the one of the signer's certificate`);
  return {
    async issue(thingName, { publicKey }) {
      const wish = { template, subject: subjectFor(subject, thingName), publicKey, now: clock.now(), years };
      return {
        device: await writeCertificateContent(deviceContent(wish, authority), signer),
        chain: top === undefined ? [above] : [above, top],
      };
    },
  };
}

/** AWS IoT, from a request that the element signs; `send` hands the request over, PEM, and gives id and certificate back. */
export const serviceIssuer = (
  subject: string,
  send: (csr: string) => Promise<{ certificateId: string; certificatePem: string }>,
): CertificateIssuer => ({
  async issue(thingName, signer) {
    const request = toPem('CERTIFICATE REQUEST', await writeCsr(subjectFor(subject, thingName), signer));
    const { certificateId, certificatePem } = await send(request);
    return { device: Buffer.from(new X509Certificate(certificatePem).raw), chain: [], certificateId };
  },
});
