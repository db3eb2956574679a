/** Names of keys and objects in a token: labels, or `id:` with the bytes of CKA_ID in hexadecimal. */
import type { AttributeInput } from '../../native/cryptoki-memory.ts';
import { ATTRIBUTE } from '../../native/cryptoki-numbers.ts';
import { ElementError } from '../contract.ts';
import type { Pkcs11Uri } from './pkcs11-uri.ts';

/** Bytes of a label that the kit works with. */
const MAX_LABEL = 128;
/** Nothing that can't be printed, and no slash: a label of another kind is named by its id. */
const LABEL = /^[^\p{C}/]+$/u;
const ID = /^id:((?:[0-9a-f]{2}){1,64})$/;

export const isObjectName = (name: string): boolean =>
  name.startsWith('id:') ? ID.test(name) : LABEL.test(name) && Buffer.byteLength(name) <= MAX_LABEL;

/** The name of the key that a URI means. */
export const defaultKeyOf = ({ object, id }: Pkcs11Uri): string => object ?? (id === undefined ? '' : `id:${id.toString('hex')}`);

/** Attributes that an object of this name has. Throws ElementError `invalid`. */
export function namedBy(name: string, { object, id }: Pkcs11Uri): AttributeInput[] {
  if (!isObjectName(name))
    throw new ElementError('invalid', `${JSON.stringify(name)} is no name of a key or an object in a token`, {
      hint: 'a label without a slash, or id: with an even number of hexadecimal digits',
    });
  const [, digits] = ID.exec(name) ?? [];
  if (digits !== undefined) return [{ type: ATTRIBUTE.id, value: Buffer.from(digits, 'hex') }];
  // Where the URI has both, both tell the key from others of its label.
  const both = name === object && id !== undefined ? [{ type: ATTRIBUTE.id, value: id }] : [];
  return [{ type: ATTRIBUTE.label, value: Buffer.from(name) }, ...both];
}
