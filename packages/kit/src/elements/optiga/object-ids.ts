/** Names of keys and objects: `0x` and the object id in hexadecimal (OPTIGA Trust M, Solution Reference Manual 3.70). */
import { ElementError, type ElementKind } from '../contract.ts';

export type OptigaKind = Extract<ElementKind, 'optiga-trust-m' | 'optiga-trust-x'>;

export const LAST_ERROR = 0xf1c2;
export const UNIQUE_ID = 0xe0c2;
export const LIFE_CYCLE_GLOBAL = 0xe0c0;
export const DEVICE_CERTIFICATE = 0xe0e0;
export const DEVICE_KEY = 0xe0f0;

export const DEFAULT_KEY = '0xE0F1';

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

const KEYS = range(DEVICE_KEY, 0xe0f3);
/** The public key of a user's key is kept in this object, as the vendor's OpenSSL engine does for `^`. */
export const publicKeyObject = (key: number): number | undefined => (key === DEVICE_KEY ? undefined : key + 0x10e0);

const CERTIFICATES = range(DEVICE_CERTIFICATE, 0xe0e3);
const DATA = [...range(0xf1d0, 0xf1db), 0xf1e0, 0xf1e1];
const OBJECTS: Readonly<Record<OptigaKind, readonly number[]>> = {
  'optiga-trust-m': [...CERTIFICATES, 0xe0e8, 0xe0e9, 0xe0ef, ...DATA],
  'optiga-trust-x': [...CERTIFICATES, 0xe0e8, 0xe0ef, ...DATA],
};

/** Keys and certificates: what `lockState` tells of. */
export const LOCKABLE: readonly number[] = [...CERTIFICATES, ...KEYS];

export const objectIds = (kind: OptigaKind): readonly number[] => OBJECTS[kind];

export const nameOfId = (id: number): string => `0x${id.toString(16).toUpperCase().padStart(4, '0')}`;

/** The object id that a name stands for. Throws ElementError `invalid` where it is none. */
export function parseObjectId(name: string): number {
  const [, digits] = /^0x([0-9a-f]{4})$/i.exec(name) ?? [];
  if (digits === undefined) throw new ElementError('invalid', `${name} is no object id`, { hint: 'such as 0xE0F1' });
  return Number.parseInt(digits, 16);
}

/** The object id of a key. Throws ElementError `invalid`. */
export function keyId(name: string): number {
  const id = parseObjectId(name);
  if (!KEYS.includes(id))
    throw new ElementError('invalid', `${name} is no P-256 key`, { hint: `keys: ${KEYS.map(nameOfId).join(', ')}` });
  return id;
}

/** The object id of an object that can be read and written. Throws ElementError `invalid`. */
export function dataId(kind: OptigaKind, name: string): number {
  const id = parseObjectId(name);
  if (!OBJECTS[kind].includes(id))
    throw new ElementError('invalid', `${name} is no object of certificates or data`, {
      hint: `objects: ${OBJECTS[kind].map(nameOfId).join(', ')}`,
    });
  return id;
}
