/** Certificate signing requests (PKCS #10, RFC 2986), written. */
import { der, explicit, integer, oid, sequence, TAG } from './der.ts';
import { writeSigned, type X509Signer } from './signing.ts';

/** The attribute `extensionRequest` (RFC 2985 section 5.4.2). */
const extensionRequest = (extensions: readonly Buffer[]): Buffer =>
  sequence(oid('1.2.840.113549.1.9.14'), der(TAG.set, sequence(...extensions)));

/**
 * DER of a request of version 1 for a subject (a whole DER name), signed by the key that it asks to certify. With `extensions`
 * it asks for these, also where they are none; without, it has no attributes.
 */
export const writeCsr = (subject: Buffer, signer: X509Signer, extensions?: readonly Buffer[]): Promise<Buffer> =>
  writeSigned(signer, () =>
    sequence(
      integer(Buffer.of(0)),
      subject,
      signer.publicKey,
      extensions === undefined ? der(explicit(0)) : der(explicit(0), extensionRequest(extensions)),
    ),
  );
