/** A key with its certificate and the certificates above it: how one is made, kept as text, and read back. */
import { createHash, createPrivateKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { fail } from '@thingkeep/wire/errors.ts';
import { parseCertificate } from '@thingkeep/x509/certificate.ts';
import { pemBlocks, toPem } from '@thingkeep/x509/pem.ts';
import type { Profile } from '@thingkeep/x509/profiles.ts';
import { isProven } from '@thingkeep/x509/proof.ts';
import { publicKeyOf } from '@thingkeep/x509/public-key.ts';
import { type Issuer, issueCertificate } from './issue.ts';

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

const certificateOf = (identity: Identity): Buffer => identity.chain[0] ?? Buffer.alloc(0);

export function issuerOf(identity: Identity): Issuer {
  const { subject, publicKey } = parseCertificate(certificateOf(identity));
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
  const signer = issuer === undefined ? { name: described.subject, publicKey, privateKey } : issuerOf(issuer.identity);
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
    const { notBefore, notAfter } = parseCertificate(own);
    return { privateKey, chain, notBefore, notAfter };
  } catch {
    return undefined;
  }
}
