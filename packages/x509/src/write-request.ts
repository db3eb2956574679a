/** Certificate signing requests (PKCS #10, RFC 2986), written. */
import { der, explicit, integer, sequence } from './der.ts';
import { signed, type Signer } from './signing.ts';

/** DER of a request of version 1 for a subject (a whole DER name), signed by the key that it asks to certify. */
export const writeRequest = (subject: Buffer, signer: Signer): Promise<Buffer> =>
  signed(signer, () => sequence(integer(Buffer.of(0)), subject, signer.publicKey, der(explicit(0))));
