/** What a device connects with: the key in its element, and its certificate from a file or from an object of the element. */
import { createPublicKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { pemBlocks } from '@thingkeep/x509/pem.ts';
import { CERTIFICATE_LABELS } from '@thingkeep/x509/certificate.ts';
import { ElementError, type SecureElement } from '../elements/contract.ts';
import { isTlsKeySource, type TlsKey } from '../elements/tls-key-source.ts';
import { AgentError } from './agent-error.ts';

/** Where a certificate is; `pem` is one that was read already, with what stands behind it. */
export type CertificatePlace = { readonly file: string } | { readonly object: string } | { readonly pem: string };

export interface DeviceCredentials {
  /** The name of the key in its element. */
  readonly keyName: string;
  readonly key: TlsKey;
  /** PEM, with what stands behind it. */
  readonly certificate: string;
  /** Milliseconds since the epoch. */
  readonly notAfter: number;
}

/** PEM of what a file or an object holds: PEM as it is, or DER. Throws AgentError `content`. */
export function certificatePem(content: Buffer, where: string): string {
  const blocks = pemBlocks(content.toString('latin1'), CERTIFICATE_LABELS);
  const certificates = blocks === undefined || blocks.length === 0 ? [content] : blocks;
  try {
    return certificates.map((der) => new X509Certificate(der).toString()).join('');
  } catch (cause) {
    throw new AgentError('content', `${where} holds no certificate in PEM or DER`, { cause });
  }
}

export async function readCertificate(element: SecureElement, place: CertificatePlace): Promise<string> {
  if ('pem' in place) return certificatePem(Buffer.from(place.pem), 'what was given');
  if ('object' in place) return certificatePem(await element.readObject(place.object), `object ${place.object}`);
  let content: Buffer;
  try {
    content = readFileSync(place.file);
  } catch (cause) {
    throw new AgentError('content', `the certificate can not be read: ${(cause as Error).message}`, { cause });
  }
  return certificatePem(content, place.file);
}

/** The key as TLS takes it. Throws ElementError `not-supported` of a real chip, whose keys TLS can't reach. */
export async function tlsKeyOf(element: SecureElement, key: string): Promise<TlsKey> {
  if (isTlsKeySource(element)) return element.tlsKey(key);
  throw new ElementError('not-supported', `TLS can not sign with a key of ${element.kind}: it takes files and PKCS#11 tokens`, {
    hint: `${moduleOf(element.kind)}; then --element 'pkcs11:object=...?module-path=...'`,
  });
}

/** The vendor's PKCS #11 module for chips of a kind. */
function moduleOf(kind: SecureElement['kind']): string {
  if (kind === 'atecc508a' || kind === 'atecc608')
    return "install Microchip's cryptoauthlib with its PKCS#11 module (libcryptoauth.so)";
  return "install Infineon's PKCS#11 module for OPTIGA Trust (pkcs11-optiga-trust-m)";
}

/**
 * The credentials of a device: of the keys in `keys`, the one that the certificate is for. So it is after a renewal with the
 * other key, too, and nothing has to be remembered. Throws AgentError `content` where it is none of them.
 */
export async function deviceCredentials(
  element: SecureElement,
  keys: readonly string[],
  place: CertificatePlace,
): Promise<DeviceCredentials> {
  const certificate = await readCertificate(element, place);
  const first = new X509Certificate(certificate);
  const spki = first.publicKey.export({ format: 'der', type: 'spki' });
  for (const keyName of keys) {
    const own = await publicKeyIfThere(element, keyName);
    if (
      own === undefined ||
      !createPublicKey({ key: own, format: 'der', type: 'spki' }).export({ format: 'der', type: 'spki' }).equals(spki)
    )
      continue;
    return { keyName, key: await tlsKeyOf(element, keyName), certificate, notAfter: first.validToDate.getTime() };
  }
  throw new AgentError(
    'content',
    `the certificate of ${first.subject.replaceAll('\n', ', ')} is not that of key ${keys.join(' or ')}`,
    {
      hint: 'thingkit csr makes a request of the key that is there',
    },
  );
}

async function publicKeyIfThere(element: SecureElement, key: string): Promise<Buffer | undefined> {
  try {
    return await element.publicKey(key);
  } catch (error) {
    if (error instanceof ElementError && (error.code === 'not-found' || error.code === 'not-permitted')) return undefined;
    throw error;
  }
}
