/** Certificate signing requests (PKCS #10, RFC 2986), written. */
import { der, explicit, integer, sequence } from './der.ts';
import { writeSigned, type X509Signer } from './signing.ts';

/** DER of a request of version 1 for a subject (a whole DER name), signed by the key that it asks to certify. */
export const writeCsr = (subject: Buffer, signer: X509Signer): Promise<Buffer> =>
  writeSigned(signer, () => sequence(integer(Buffer.of(0)), subject, signer.publicKey, der(explicit(0))));
