/** A key with its certificate and the certificates above it: how one is made, kept as text, and read back. */
import { createHash, createPrivateKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { fail } from '@thingkeep/wire/errors.ts';
import { parseCertificate } from '@thingkeep/x509/certificate.ts';
import { pemBlocks, toPem } from '@thingkeep/x509/pem.ts';
import type { Profile } from '@thingkeep/x509/profiles.ts';
import { isProven } from '@thingkeep/x509/proof.ts';
import { publicKeyOf } from '@thingkeep/x509/public-key.ts';
import { issueCertificate, type Issuer } from './issue.ts';

const generate = promisify(generateKeyPair);

export type OwnKeyKind = 'ec' | 'rsa';

export interface CertifiedKey {
  readonly privateKey: KeyObject;
  /** DER, own certificate first, the root left out. */
  readonly chain: readonly Buffer[];
  readonly notBefore: number;
  readonly notAfter: number;
}

export const newKey = async (kind: OwnKeyKind): Promise<KeyObject> =>
  (kind === 'ec' ? await generate('ec', { namedCurve: 'P-256' }) : await generate('rsa', { modulusLength: 2048 })).privateKey;

const certificateOf = (certifiedKey: CertifiedKey): Buffer => certifiedKey.chain[0] ?? Buffer.alloc(0);

export function asIssuer(certifiedKey: CertifiedKey): Issuer {
  const { subject, publicKey } = parseCertificate(certificateOf(certifiedKey));
  return { name: subject, publicKey, privateKey: certifiedKey.privateKey };
}

export const certificatePem = (certifiedKey: CertifiedKey): string => toPem('CERTIFICATE', certificateOf(certifiedKey));
export const chainPem = (certifiedKey: CertifiedKey): string =>
  certifiedKey.chain.map((each) => toPem('CERTIFICATE', each)).join('');
export const privateKeyPem = (certifiedKey: CertifiedKey): string =>
  certifiedKey.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

/** Certifies a fresh key. `issuer` undefined: the key signs itself. */
export async function makeCertifiedKey(
  kind: OwnKeyKind,
  profile: (publicKey: Buffer) => Profile,
  issuer?: { certifiedKey: CertifiedKey; send: boolean },
): Promise<CertifiedKey> {
  const privateKey = await newKey(kind);
  const publicKey = publicKeyOf(privateKey);
  const described = profile(publicKey);
  const signer = issuer === undefined ? { name: described.subject, publicKey, privateKey } : asIssuer(issuer.certifiedKey);
  const certificate = await issueCertificate(described, signer);
  const above = issuer?.send ? issuer.certifiedKey.chain : [];
  if (!isProven(privateKey, [certificate, ...above]))
    fail('InternalFailureException', 'A key of the server does not fit its certificate: it is not used.');
  return { privateKey, chain: [certificate, ...above], notBefore: described.notBefore, notAfter: described.notAfter };
}

/** Whether the certificate's key signs, and the certificate is issued by `above`; a root is above itself. */
export const isSound = (certifiedKey: CertifiedKey, above: CertifiedKey): boolean =>
  isProven(certifiedKey.privateKey, certifiedKey.chain, certificateOf(above));

/** A key file's last line: the digest of all lines before it. PEM is indifferent to what stands around its blocks. */
const DIGEST_LINE = /^sha256 [0-9a-f]{64}\n$/;
const digestLine = (text: string): string => `sha256 ${createHash('sha256').update(text).digest('hex')}\n`;

/** The text of a key file. */
export function keyFileText(certifiedKey: CertifiedKey): string {
  const text = privateKeyPem(certifiedKey) + chainPem(certifiedKey);
  return text + digestLine(text);
}

/** The text without its digest line; earlier releases wrote none. Undefined when the line is not the text's. */
function withoutDigest(text: string): string | undefined {
  const last = text.lastIndexOf('\n', text.length - 2) + 1;
  const [pem, line] = [text.slice(0, last), text.slice(last)];
  if (line === '-----END CERTIFICATE-----\n') return text;
  return DIGEST_LINE.test(line) && line === digestLine(pem) ? pem : undefined;
}

/**
 * Reads what `keyFileText` wrote; undefined when it is damaged: another digest, no key, no certificate, or the two don't match.
 */
export function readKeyFileText(text: string): CertifiedKey | undefined {
  try {
    const pem = withoutDigest(text);
    if (pem === undefined) return undefined;
    const chain = pemBlocks(pem, ['CERTIFICATE']) ?? [];
    const privateKey = createPrivateKey(pem);
    const own = chain[0];
    if (own === undefined || !isProven(privateKey, chain)) return undefined;
    const { notBefore, notAfter } = parseCertificate(own);
    return { privateKey, chain, notBefore, notAfter };
  } catch {
    return undefined;
  }
}
