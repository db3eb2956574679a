/** An element's key as a signer of requests and certificates. */
import { ecdsaSignature, type X509Signer } from '@thingkeep/x509/signing.ts';
import type { SecureElement } from './contract.ts';

/** Reads the public key, and signs with the private one inside the element. */
export async function elementSigner(element: SecureElement, key: string): Promise<X509Signer> {
  return {
    publicKey: await element.publicKey(key),
    sign: async ({ digest }) => ecdsaSignature(await element.sign(key, digest)),
  };
}
