/**
 * Which public keys devices may use: RSA of 2048 bits and up, P-256, P-384, P-521 (AWS IoT developer guide, page
 * x509-client-certs). A key is checked by its own DER, before OpenSSL spends time on it.
 */
import type { KeyObject } from 'node:crypto';
import { openPublicKey, type PublicKeyFacts, readPublicKey } from '@thingkeep/x509/public-key.ts';

const LEAST_RSA_BITS = 2048;
/** A larger modulus buys nothing and lets one request hold the processor for long. */
const MAX_RSA_BITS = 8192;
const MAX_EXPONENT_BYTES = 8;

export interface DeviceKey {
  readonly kind: 'rsa' | 'ec';
  readonly key: KeyObject;
}

function rsaRefusal(bits: number, exponent: Buffer): string | undefined {
  if (bits < LEAST_RSA_BITS) return `the RSA key has ${bits} bits, at least ${LEAST_RSA_BITS} are needed`;
  if (bits > MAX_RSA_BITS) return `the RSA key has ${bits} bits, at most ${MAX_RSA_BITS} are allowed`;
  const last = exponent.at(-1) ?? 0;
  if (exponent.length > MAX_EXPONENT_BYTES || last % 2 === 0 || (exponent.length === 1 && last < 3))
    return 'the RSA exponent is not allowed';
  return undefined;
}

function check(facts: PublicKeyFacts): 'rsa' | 'ec' | { readonly refusal: string } {
  switch (facts.kind) {
    case 'rsa': {
      const refusal = rsaRefusal(facts.modulusBits, facts.exponent);
      return refusal === undefined ? 'rsa' : { refusal };
    }
    case 'ec':
      return facts.curve === undefined ? { refusal: 'the elliptic curve is none of P-256, P-384, P-521' } : 'ec';
    case 'dsa':
      return { refusal: 'DSA keys are not allowed' };
    default:
      return { refusal: 'the key is neither RSA nor on an elliptic curve' };
  }
}

/** Opens a SubjectPublicKeyInfo; a string says why the key is refused. Throws DerError where it is no key at all. */
export function readAllowedKey(spki: Buffer): DeviceKey | string {
  const checked = check(readPublicKey(spki));
  return typeof checked === 'string' ? { kind: checked, key: openPublicKey(spki) } : checked.refusal;
}
