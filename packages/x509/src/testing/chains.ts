/** Certificates for tests of paths: built piece by piece, so that each piece can be odd. */
import { type KeyObject, sign } from 'node:crypto';
import { bitString, der, explicit, implicit, integer, oid, sequence, TAG, time } from '../der.ts';
import { commonNameOnly } from '../names.ts';
import { publicKeyOf } from '../public-key.ts';
import { ECDSA_SHA256, newEcKey, RSA_SHA256 } from './csrs.ts';

export const CHAIN_NOW = Date.UTC(2026, 10, 20, 12);
const DAY = 86_400_000;

const TRUE = der(TAG.boolean, Buffer.of(0xff));
export const extensionOf = (id: string, value: Buffer, critical = true): Buffer =>
  sequence(oid(id), ...(critical ? [TRUE] : []), der(TAG.octetString, value));

export const basicConstraints = (authority: boolean, pathLength?: number): Buffer =>
  extensionOf(
    '2.5.29.19',
    sequence(...(authority ? [TRUE] : []), ...(pathLength === undefined ? [] : [der(TAG.integer, Buffer.of(pathLength))])),
  );
export const keyUsageOf = (bits: number, unused: number): Buffer => extensionOf('2.5.29.15', bitString(Buffer.of(bits), unused));
export const SIGNS_CERTIFICATES = keyUsageOf(0x06, 1);

export const dnsName = (name: string): Buffer => der(implicit(2), Buffer.from(name));
export const directoryName = (name: Buffer): Buffer => der(explicit(4), name);
export const alternativeNamesOf = (...names: readonly Buffer[]): Buffer => extensionOf('2.5.29.17', sequence(...names), false);

/** Name constraints of bases that are general names. */
export const nameConstraints = (permitted: readonly Buffer[], excluded: readonly Buffer[] = []): Buffer => {
  const subtrees = (n: number, bases: readonly Buffer[]): Buffer[] =>
    bases.length === 0 ? [] : [der(explicit(n), ...bases.map((base) => sequence(base)))];
  return extensionOf('2.5.29.30', sequence(...subtrees(0, permitted), ...subtrees(1, excluded)));
};

export interface ChainCertificate {
  readonly der: Buffer;
  readonly key: KeyObject;
  readonly subject: Buffer;
}

export interface ChainParts {
  /** A text is a common name. */
  readonly subject?: string | Buffer;
  /** The one that signs; itself when absent. */
  readonly by?: Pick<ChainCertificate, 'key' | 'subject'>;
  readonly key?: KeyObject;
  /** None at all where empty. */
  readonly extensions?: readonly Buffer[];
  readonly notBefore?: number;
  readonly notAfter?: number;
  readonly algorithm?: Buffer;
  readonly hash?: string;
}

/** A certificate of an authority unless extensions are given. */
export function chainCertificate({
  subject: given = 'authority',
  by,
  key = newEcKey(),
  extensions = [basicConstraints(true), SIGNS_CERTIFICATES],
  notBefore = CHAIN_NOW - DAY,
  notAfter = CHAIN_NOW + DAY,
  algorithm,
  hash = 'sha256',
}: ChainParts = {}): ChainCertificate {
  const subject = typeof given === 'string' ? commonNameOnly(given) : given;
  const signer = by ?? { key, subject };
  const identifier = algorithm ?? (signer.key.asymmetricKeyType === 'ec' ? ECDSA_SHA256 : RSA_SHA256);
  const signed = sequence(
    der(explicit(0), integer(Buffer.of(2))),
    integer(Buffer.of(1)),
    identifier,
    signer.subject,
    sequence(time(notBefore), time(notAfter)),
    subject,
    publicKeyOf(key),
    ...(extensions.length === 0 ? [] : [der(explicit(3), sequence(...extensions))]),
  );
  return { der: sequence(signed, identifier, bitString(sign(hash, signed, signer.key))), key, subject };
}
