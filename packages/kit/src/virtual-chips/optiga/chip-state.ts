/**
 * What a virtual OPTIGA keeps: objects with their metadata, and keys. A new chip is as the vendor's dumps of new chips say
 * (optiga-trust-m-overview, data/object_dumps), with a unique id, a key and a certificate of its own.
 */
import { hash, randomBytes } from 'node:crypto';
import { bitString, der, explicit, integer, oid, sequence, TAG, time } from '@thingkeep/x509/der.ts';
import { distinguishedName } from '@thingkeep/x509/names.ts';
import { ecdsaSignature } from '@thingkeep/x509/signing.ts';
import { spkiOfPoint } from '../../elements/p256.ts';
import { newPrivateKey, pointOfPrivateKey, signDigest } from '../../elements/p256-private.ts';

export type VirtualOptigaKind = 'optiga-trust-m' | 'optiga-trust-x';

/** Bytes in hexadecimal. */
export interface StoredObject {
  readonly metadata: string;
  readonly data: string;
}

export interface StoredKey {
  readonly secret: string;
  readonly usage: number;
}

/** By object id, four hexadecimal digits in lower case. */
export interface OptigaState {
  readonly kind: VirtualOptigaKind;
  /** On the bus, 7 bits. */
  readonly address: number;
  readonly objects: Readonly<Record<string, StoredObject>>;
  readonly keys: Readonly<Record<string, StoredKey>>;
}

const DEFAULT_ADDRESS = 0x30;

/** Object ids from the first to the last. */
const span = (first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, index) => (first + index).toString(16));

interface Group {
  readonly ids: readonly string[];
  readonly metadata: string;
  /** Hexadecimal; or how many zeros. */
  readonly content?: string | number;
  /** Trust M alone. */
  readonly isOfM?: boolean;
}

const ONE_BYTE = '2009c40101d00100d10100';
const KEY = '200bc00101d003e1fc07d30100';
const FACTORY: readonly Group[] = [
  { ids: ['e0c0'], metadata: ONE_BYTE, content: '07' },
  { ids: ['e0c1'], metadata: ONE_BYTE, content: '00' },
  { ids: ['e0c3'], metadata: ONE_BYTE, content: '14' },
  { ids: ['e0c4'], metadata: ONE_BYTE, content: '06' },
  { ids: ['e0c5'], metadata: '2009c40101d001ffd10100', content: '00' },
  { ids: ['e0c6'], metadata: '2006c40102d10100', content: '0615' },
  { ids: ['f1c0'], metadata: ONE_BYTE, content: '01' },
  { ids: ['f1c1'], metadata: ONE_BYTE, content: '00' },
  { ids: span(0xe0e1, 0xe0e3), metadata: '2019c00101c40206c0c50206c0d003e1fc07d10100d30100e80112', content: 1728 },
  { ids: ['e0e8', 'e0ef'], metadata: '2019c00101c40204b0c50204b0d003e1fc07d10100d30100e80111', content: 1200 },
  { ids: ['e0e9'], metadata: '2019c00101c40204b0c50204b0d003e1fc07d10100d30100e80111', content: 1200, isOfM: true },
  { ids: ['e0f0'], metadata: '200fc00101d001ffd30100e00103e10101' },
  { ids: span(0xe0f1, 0xe0f3), metadata: KEY },
  { ids: ['e0fc', 'e0fd'], metadata: KEY, isOfM: true },
  { ids: span(0xe120, 0xe123), metadata: '2017c00101c40108c50108d003e1fc07d10100d30100e80101', content: 8, isOfM: true },
  { ids: ['e140'], metadata: '201dc00101c40140c50140d007e1fc07fe20e140d103e1fc07d30100e80122', content: 64, isOfM: true },
  { ids: span(0xf1d0, 0xf1db), metadata: '2011c00101c4018cc50164d003e1fc07d10100', content: 100 },
  { ids: ['f1e0', 'f1e1'], metadata: '2013c00101c40205dcc50205dcd003e1fc07d10100', content: 1500 },
];

/** Unique ids: CIM, platform, model, ROM mask and chip type, then lot and place on the wafer, then firmware and its build. */
const UID = {
  'optiga-trust-m': ['cd16338201001c00050000', '801010710809'],
  'optiga-trust-x': ['cd16335401001c00050000', '801010710751'],
} as const;

const newUid = (kind: VirtualOptigaKind): string => `${UID[kind][0]}${randomBytes(10).toString('hex')}${UID[kind][1]}`;

const ECDSA_WITH_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));

/** A certificate of the chip's own key, signed by a key that is thrown away, in the place of the maker's; in the form of a TLS certificate list. */
function deviceCertificate(spki: Buffer, uid: string): Buffer {
  const subject = distinguishedName({ type: 'CN', value: `Virtual OPTIGA ${uid.slice(22, 42)}` });
  const issuer = distinguishedName({ type: 'CN', value: 'Virtual OPTIGA maker' });
  const content = sequence(
    der(explicit(0), integer(Buffer.of(2))),
    integer(Buffer.concat([Buffer.of(0x40), randomBytes(7)])),
    ECDSA_WITH_SHA256,
    issuer,
    sequence(time(Date.UTC(2024, 0, 1)), time(Date.UTC(2044, 0, 1))),
    subject,
    spki,
  );
  const signature = ecdsaSignature(signDigest(newPrivateKey(), hash('sha256', content, 'buffer')));
  const certificate = der(TAG.sequence, content, ECDSA_WITH_SHA256, bitString(signature));
  const head = Buffer.alloc(9);
  head[0] = 0xc0;
  head.writeUInt16BE(certificate.length + 6, 1);
  head.writeUIntBE(certificate.length + 3, 3, 3);
  head.writeUIntBE(certificate.length, 6, 3);
  return Buffer.concat([head, certificate]);
}

/** A chip as it leaves its factory. */
export function newOptiga(kind: VirtualOptigaKind): OptigaState {
  const objects: Record<string, StoredObject> = {};
  for (const { ids, metadata, content = '', isOfM = false } of FACTORY)
    for (const id of isOfM && kind !== 'optiga-trust-m' ? [] : ids)
      objects[id] = { metadata, data: typeof content === 'number' ? '00'.repeat(content) : content };
  const uid = newUid(kind);
  objects.e0c2 = { metadata: '2009c4011bd001ffd10100', data: uid };
  const secret = newPrivateKey();
  const identity = deviceCertificate(spkiOfPoint(pointOfPrivateKey(secret)), uid);
  const used = identity.length.toString(16).padStart(4, '0');
  objects.e0e0 = {
    metadata: `2017c00101c40206c0c502${used}d001ffd10100d30100e80112`,
    data: identity.toString('hex'),
  };
  return { kind, address: DEFAULT_ADDRESS, objects, keys: { e0f0: { secret: secret.toString('hex'), usage: 0x01 } } };
}
