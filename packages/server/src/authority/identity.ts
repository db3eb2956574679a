/** A key with its certificate and the certificates above it: how one is made, kept as text, and read back. */
import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject, X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import { DerReader, readTime, sequenceOf, TAG } from './der.ts';
import { issueCertificate, type Signer } from './issue.ts';
import { pemBlocks, toPem } from './pem.ts';
import type { Profile } from './profile.ts';

const generate = promisify(generateKeyPair);

export type OwnKeyKind = 'ec' | 'rsa';

export interface Identity {
  readonly privateKey: KeyObject;
  /** DER, own certificate first, the root left out. */
  readonly chain: readonly Buffer[];
  readonly notBefore: number;
  readonly notAfter: number;
}

export const newKey = async (kind: OwnKeyKind): Promise<KeyObject> =>
  (kind === 'ec' ? await generate('ec', { namedCurve: 'P-256' }) : await generate('rsa', { modulusLength: 2048 })).privateKey;

export const publicKeyOf = (privateKey: KeyObject): Buffer => createPublicKey(privateKey).export({ type: 'spki', format: 'der' });

/** Names, dates and key of a certificate that is ours or has been checked. */
function fieldsOf(certificate: Buffer): { subject: Buffer; publicKey: Buffer; notBefore: number; notAfter: number } {
  const parts = new DerReader(sequenceOf(certificate).value(TAG.sequence).content);
  parts.value();
  parts.value(TAG.integer);
  parts.value(TAG.sequence);
  parts.value(TAG.sequence);
  const validity = parts.enter(TAG.sequence);
  const dates = { notBefore: readTime(validity.value()), notAfter: readTime(validity.value()) };
  return { subject: parts.value(TAG.sequence).whole, publicKey: parts.value(TAG.sequence).whole, ...dates };
}

const certificateOf = (identity: Identity): Buffer => identity.chain[0] ?? Buffer.alloc(0);

export function signerOf(identity: Identity): Signer {
  const { subject, publicKey } = fieldsOf(certificateOf(identity));
  return { name: subject, publicKey, privateKey: identity.privateKey };
}

export const certificatePem = (identity: Identity): string => toPem('CERTIFICATE', certificateOf(identity));
export const chainPem = (identity: Identity): string => identity.chain.map((each) => toPem('CERTIFICATE', each)).join('');
export const privateKeyPem = (identity: Identity): string =>
  identity.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

/** Certifies a fresh key. `issuer` undefined: the key signs itself. */
export async function makeIdentity(
  kind: OwnKeyKind,
  profile: (publicKey: Buffer) => Profile,
  issuer?: { identity: Identity; send: boolean },
): Promise<Identity> {
  const privateKey = await newKey(kind);
  const publicKey = publicKeyOf(privateKey);
  const described = profile(publicKey);
  const signer = issuer === undefined ? { name: described.subject, publicKey, privateKey } : signerOf(issuer.identity);
  const certificate = await issueCertificate(described, signer);
  const above = issuer?.send ? issuer.identity.chain : [];
  return { privateKey, chain: [certificate, ...above], notBefore: described.notBefore, notAfter: described.notAfter };
}

/** Whether `above` signed `below`. */
export const isAbove = (above: Identity, below: Identity): boolean =>
  new X509Certificate(certificateOf(below)).verify(createPublicKey(above.privateKey));

export const toText = (identity: Identity): string => privateKeyPem(identity) + chainPem(identity);

/** Reads what `toText` wrote; undefined when it is damaged: no key, no certificate, or the two don't match. */
export function fromText(text: string): Identity | undefined {
  try {
    const chain = pemBlocks(text, ['CERTIFICATE']) ?? [];
    const privateKey = createPrivateKey(text);
    const own = chain[0];
    if (own === undefined || !new X509Certificate(own).checkPrivateKey(privateKey)) return undefined;
    const { notBefore, notAfter } = fieldsOf(own);
    return { privateKey, chain, notBefore, notAfter };
  } catch {
    return undefined;
  }
}
