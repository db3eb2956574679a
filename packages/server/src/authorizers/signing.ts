/**
 * Signatures of tokens, without which an unknown peer could have the function called at will. RSA with SHA-256 (PKCS #1 v1.5,
 * RFC 8017 section 8.2) over the token's bytes, in base64. Source: AWS IoT developer guide, page config-custom-auth.
 */
import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { fail } from '@thingkeep/wire/errors.ts';
import type { AuthorizerRecord } from './store.ts';

const FEWEST_BITS = 2048;
/** Bits of a key at most: a longer one makes verification slow. */
const MAX_BITS = 8192;
/** API reference, TestInvokeAuthorizer: longest token and longest signature. */
const LONGEST_TOKEN = 6144;
const LONGEST_SIGNATURE = 2560;

/** One public key in PEM and nothing else: DescribeAuthorizer would show a private key. */
const PUBLIC_KEY = /^\s*-----BEGIN (RSA )?PUBLIC KEY-----[A-Za-z0-9+/=\s]+-----END (RSA )?PUBLIC KEY-----\s*$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

function readKey(pem: string): KeyObject | undefined {
  if (!PUBLIC_KEY.test(pem)) return undefined;
  try {
    return createPublicKey(pem);
  } catch {
    return undefined;
  }
}

/** Fails with InvalidRequestException unless `pem` is a public RSA key of a fitting length. */
export function checkPublicKey(name: string, pem: string): void {
  const key = readKey(pem) ?? fail('InvalidRequestException', `The token signing key ${name} is not a public key in PEM`);
  const { modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType !== 'rsa' || modulusLength < FEWEST_BITS || modulusLength > MAX_BITS)
    fail('InvalidRequestException', `The token signing key ${name} is not an RSA key of ${FEWEST_BITS} to ${MAX_BITS} bits`);
}

/** The fault of a token's signature; undefined when it is valid for one of the authorizer's keys. */
export function signatureFault(
  { tokenKeyName, tokenSigningPublicKeys }: AuthorizerRecord,
  token: string | undefined,
  signature: string | undefined,
): string | undefined {
  if (token === undefined)
    return tokenKeyName === undefined
      ? 'there is no token: the authorizer has no tokenKeyName, so no token can be signed'
      : `there is no token: send it as ${tokenKeyName}`;
  if (signature === undefined) return 'the token has no signature: send it as x-amz-customauthorizer-signature, in base64';
  if (token.length > LONGEST_TOKEN) return `the token has more than ${LONGEST_TOKEN} characters`;
  if (signature.length > LONGEST_SIGNATURE || !BASE64.test(signature)) return 'the signature of the token is not base64';
  const data = Buffer.from(token);
  const given = Buffer.from(signature, 'base64');
  const fits = Object.values(tokenSigningPublicKeys).some((pem) => {
    const key = readKey(pem);
    return key !== undefined && verify('sha256', data, { key, padding: constants.RSA_PKCS1_PADDING }, given);
  });
  return fits
    ? undefined
    : 'the signature of the token fits none of the keys: sign the token as it is sent, by RSA with SHA-256, with the private key of one of tokenSigningPublicKeys';
}
