/** Certificate signing requests for tests: built piece by piece, so that each piece can be odd. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { bitString, der, explicit, integer, oid, sequence, TAG } from '../der.ts';
import { publicKeyOf } from '../public-key.ts';

export const ECDSA_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));
export const RSA_SHA256 = sequence(oid('1.2.840.113549.1.1.11'), der(TAG.null));

export const newEcKey = (curve = 'P-256'): KeyObject => generateKeyPairSync('ec', { namedCurve: curve }).privateKey;
export const newRsaKey = (bits = 2048): KeyObject => generateKeyPairSync('rsa', { modulusLength: bits }).privateKey;

export const PRINTABLE_STRING = 0x13;

/** A name of attributes, each `[type, tag of its string, value]`. */
export const nameOf = (...attributes: readonly (readonly [string, number, string | Buffer])[]): Buffer =>
  sequence(
    ...attributes.map(([type, tag, value]) =>
      der(TAG.set, sequence(oid(type), der(tag, Buffer.from(value as string, 'latin1')))),
    ),
  );

export interface CsrParts {
  readonly key: KeyObject;
  readonly subject?: Buffer;
  readonly publicKey?: Buffer;
  readonly algorithm?: Buffer;
  readonly hash?: string;
  readonly version?: number;
  readonly attributes?: Buffer;
  /** Bytes behind the request. */
  readonly behind?: Buffer;
}

export function csrDer({
  key,
  subject,
  publicKey,
  algorithm,
  hash = 'sha256',
  version = 0,
  attributes,
  behind,
}: CsrParts): Buffer {
  const kind = key.asymmetricKeyType === 'ec' ? ECDSA_SHA256 : RSA_SHA256;
  const info = sequence(
    integer(Buffer.of(version)),
    subject ?? nameOf(['2.5.4.3', TAG.utf8String, 'device']),
    publicKey ?? publicKeyOf(key),
    attributes ?? der(explicit(0)),
  );
  return Buffer.concat([sequence(info, algorithm ?? kind, bitString(sign(hash, info, key))), behind ?? Buffer.alloc(0)]);
}

/** PEM of any width. */
export const csrPem = (bytes: Buffer, columns = 64, newline = '\n'): string => {
  const lines = bytes.toString('base64').match(new RegExp(`.{1,${columns}}`, 'g')) ?? [];
  return ['-----BEGIN CERTIFICATE REQUEST-----', ...lines, '-----END CERTIFICATE REQUEST-----', ''].join(newline);
};
