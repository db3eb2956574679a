/** A key with its certificate and the certificates above it: how one is made, kept as text, and read back. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { fail } from '@thingkeep/wire/errors.ts';
import { DerReader, readTime, sequenceOf, TAG } from './der.ts';
import { issueCertificate, type Signer } from './issue.ts';
import { pemBlocks, toPem } from './pem.ts';
import type { Profile } from './profile.ts';
import { isProven } from './proof.ts';

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
  if (!isProven(privateKey, [certificate, ...above]))
    fail('InternalFailureException', 'A key of the server does not fit its certificate: it is not used.');
  return { privateKey, chain: [certificate, ...above], notBefore: described.notBefore, notAfter: described.notAfter };
}

/** Whether the certificate's key signs, and the certificate is issued by `above`; a root is above itself. */
export const isSound = (identity: Identity, above: Identity): boolean =>
  isProven(identity.privateKey, identity.chain, certificateOf(above));

/** A key file's last line: the digest of all lines before it. PEM is indifferent to what stands around its blocks. */
const DIGEST_LINE = /^sha256 [0-9a-f]{64}\n$/;
const digestLine = (text: string): string => `sha256 ${createHash('sha256').update(text).digest('hex')}\n`;

/** The identity as a file holds it. */
export function toText(identity: Identity): string {
  const text = privateKeyPem(identity) + chainPem(identity);
  return text + digestLine(text);
}

/** The text without its digest line; earlier releases wrote none. Undefined when the line is not the text's. */
function withoutDigest(text: string): string | undefined {
  const last = text.lastIndexOf('\n', text.length - 2) + 1;
  const [pem, line] = [text.slice(0, last), text.slice(last)];
  if (line === '-----END CERTIFICATE-----\n') return text;
  return DIGEST_LINE.test(line) && line === digestLine(pem) ? pem : undefined;
}

/** Reads what `toText` wrote; undefined when it is damaged: another digest, no key, no certificate, or the two don't match. */
export function fromText(text: string): Identity | undefined {
  try {
    const pem = withoutDigest(text);
    if (pem === undefined) return undefined;
    const chain = pemBlocks(pem, ['CERTIFICATE']) ?? [];
    const privateKey = createPrivateKey(pem);
    const own = chain[0];
    if (own === undefined || !isProven(privateKey, chain)) return undefined;
    const { notBefore, notAfter } = fieldsOf(own);
    return { privateKey, chain, notBefore, notAfter };
  } catch {
    return undefined;
  }
}
