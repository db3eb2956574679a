/**
 * Distinguished names (X.501): those that we write, and the little that is read of others'. A device's subject is
 * carried over byte for byte, so reading only makes sure that it is a name; its strings may hold what they like.
 */
import { DerError, der, oid, sequence, sequenceOf, TAG } from './der.ts';

const OID = { commonName: '2.5.4.3', organization: '2.5.4.10', organizationalUnit: '2.5.4.11' } as const;

const relativeName = (type: string, value: string): Buffer =>
  der(TAG.set, sequence(oid(type), der(TAG.utf8String, Buffer.from(value, 'utf8'))));

/** Name of a certificate of the server's own: `O=Thingkeep, CN=...`. */
export const ownName = (commonName: string): Buffer =>
  sequence(relativeName(OID.organization, 'Thingkeep'), relativeName(OID.commonName, commonName));

export const commonNameOnly = (commonName: string): Buffer => sequence(relativeName(OID.commonName, commonName));

/**
 * Issuer of the device certificates. AWS's is a single relative name whose one value reads like a whole name; policy
 * variables and firmware compare it, so it is kept to the letter (seen in every certificate that AWS IoT issues).
 */
export const DEVICE_ISSUER = sequence(
  relativeName(OID.organizationalUnit, 'Amazon Web Services O=Amazon.com Inc. L=Seattle ST=Washington C=US'),
);

/** Subject where AWS makes the keys. */
export const DEFAULT_SUBJECT = commonNameOnly('AWS IoT Certificate');

/** More attributes than any real name has. */
const MAX_ATTRIBUTES = 64;

/** Makes sure that `name` (a whole SEQUENCE) is a name, and gives the values of its common names. */
export function readName(name: Buffer): string[] {
  const commonName = oid(OID.commonName);
  const found: string[] = [];
  let attributes = 0;
  const names = sequenceOf(name);
  while (names.next !== undefined) {
    const set = names.enter(TAG.set);
    do {
      attributes += 1;
      if (attributes > MAX_ATTRIBUTES) throw new DerError('name too long');
      const attribute = set.enter(TAG.sequence);
      const type = attribute.value(TAG.oid);
      const value = attribute.value();
      attribute.end();
      if (type.content.length === 0) throw new DerError('empty attribute type');
      if (type.whole.equals(commonName)) found.push(value.content.toString('utf8'));
    } while (set.next !== undefined);
  }
  return found;
}
