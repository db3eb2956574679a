/** The names that this server's certificates carry. */
import { distinguishedName } from '@thingkeep/x509/names.ts';

/** Name of a certificate of the server's own: `O=Thingkeep, CN=...`. */
export const ownName = (commonName: string): Buffer =>
  distinguishedName({ type: 'O', value: 'Thingkeep' }, { type: 'CN', value: commonName });

/**
 * Issuer of the device certificates. AWS's is a single relative name whose one value reads like a whole name; policy
 * variables and firmware compare it, so it is kept to the letter (seen in every certificate that AWS IoT issues).
 */
export const DEVICE_ISSUER = distinguishedName({
  type: 'OU',
  value: 'Amazon Web Services O=Amazon.com Inc. L=Seattle ST=Washington C=US',
});

/** Subject where AWS makes the keys. */
export const DEFAULT_SUBJECT = distinguishedName({ type: 'CN', value: 'AWS IoT Certificate' });
