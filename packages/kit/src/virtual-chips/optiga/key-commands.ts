/** Commands of a virtual chip that work with keys. All throw ChipFault. */
import { parseCertificate } from '@thingkeep/x509/certificate.ts';
import { bitString, DerError, DerReader, der, integer, TAG } from '@thingkeep/x509/der.ts';
import { ElementError } from '../../elements/contract.ts';
import { spkiOfPoint } from '../../elements/p256.ts';
import { agreeWithPoint, newPrivateKey, pointOfPrivateKey, signDigest, verifyDigest } from '../../elements/p256-private.ts';
import type { StoredKey } from './chip-state.ts';
import { ChipFault, FAULT } from './object-metadata.ts';
import type { ObjectStore } from './object-store.ts';

type Values = ReadonlyMap<number, Buffer>;

const P256 = 0x03;
const ECDSA_SHA256 = 0x11;
const ECDH = 0x01;
const MAY = { authenticate: 0x01, sign: 0x10, agree: 0x20 } as const;
const ANY_USAGE = 0x33;
/** Keys on curves. */
const ECC_KEYS = ['e0f0', 'e0f1', 'e0f2', 'e0f3'];
const SESSIONS = ['e100', 'e101', 'e102', 'e103'];
const POINT_BEGIN = 4;

/** Values with tags of one byte and lengths of two. */
export function taggedValues(bytes: Buffer): Map<number, Buffer> {
  const values = new Map<number, Buffer>();
  let rest = bytes;
  while (rest.length > 0) {
    if (rest.length < 3) throw new ChipFault(FAULT.invalidData);
    const length = rest.readUInt16BE(1);
    if (rest.length < length + 3) throw new ChipFault(FAULT.invalidData);
    values.set(rest.readUInt8(0), rest.subarray(3, length + 3));
    rest = rest.subarray(length + 3);
  }
  return values;
}

/** One value, likewise. */
export function taggedValue(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.of(tag, content.length >> 8, content.length & 0xff), content]);
}

/** The value of this tag, of this many bytes where that is known. */
function neededValue(values: Values, tag: number, length?: number): Buffer {
  const value = values.get(tag);
  if (value === undefined || (length !== undefined && value.length !== length)) throw new ChipFault(FAULT.invalidData);
  return value;
}

/** Runs what reads DER that was given to the chip. */
function given<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof DerError || error instanceof ElementError) throw new ChipFault(FAULT.invalidData);
    throw error;
  }
}

const publicPoint = (value: Buffer): Buffer =>
  given(() => {
    const reader = new DerReader(value);
    const bits = reader.bits();
    reader.end();
    if (bits[0] !== POINT_BEGIN) throw new DerError('form of point');
    spkiOfPoint(bits.subarray(1));
    return bits.subarray(1);
  });

const publicValue = (secret: Buffer): Buffer => bitString(Buffer.concat([Buffer.of(POINT_BEGIN), pointOfPrivateKey(secret)]));

/** The key of an object that may be executed for this use. */
function usableKey(store: ObjectStore, oid: Buffer, use: number): StoredKey {
  const id = oid.toString('hex');
  if (!ECC_KEYS.includes(id)) throw new ChipFault(FAULT.invalidOid);
  store.check(id, 'execute');
  const key = store.key(id);
  if (key === undefined) throw new ChipFault(FAULT.invalidData);
  if ((key.usage & use) === 0) throw new ChipFault(FAULT.accessCondition);
  return key;
}

/** GenKeyPair. */
export function generateKeyPair(store: ObjectStore, algorithm: number, values: Values): Buffer {
  if (algorithm !== P256) throw new ChipFault(FAULT.invalidParameter);
  const secret = newPrivateKey();
  if (values.get(0x07)?.length === 0 && !values.has(0x01))
    return Buffer.concat([taggedValue(0x01, der(TAG.octetString, secret)), taggedValue(0x02, publicValue(secret))]);
  const id = neededValue(values, 0x01, 2).toString('hex');
  const usage = neededValue(values, 0x02, 1).readUInt8(0);
  if (!ECC_KEYS.includes(id)) throw new ChipFault(FAULT.invalidOid);
  if (usage === 0 || (usage & ~ANY_USAGE) !== 0) throw new ChipFault(FAULT.invalidData);
  store.check(id, 'change');
  store.keepKey(id, { secret: secret.toString('hex'), usage }, algorithm);
  return taggedValue(0x02, publicValue(secret));
}

/** CalcSign: two INTEGERs without a SEQUENCE around them. */
export function calcSign(store: ObjectStore, scheme: number, values: Values): Buffer {
  if (scheme !== ECDSA_SHA256) throw new ChipFault(FAULT.invalidParameter);
  const digest = neededValue(values, 0x01, 32);
  const { secret } = usableKey(store, neededValue(values, 0x03, 2), MAY.sign | MAY.authenticate);
  const signature = signDigest(Buffer.from(secret, 'hex'), digest);
  return Buffer.concat([integer(signature.subarray(0, 32)), integer(signature.subarray(32))]);
}

/** r and s of 32 bytes each. */
const numbersOf = (value: Buffer): Buffer =>
  given(() => {
    const reader = new DerReader(value);
    const numbers = [0, 32].map(() => {
      const { content } = reader.value(TAG.integer);
      const bare = content[0] === 0 ? content.subarray(1) : content;
      if (bare.length > 32) throw new DerError('number');
      return Buffer.concat([Buffer.alloc(32 - bare.length), bare]);
    });
    reader.end();
    return Buffer.concat(numbers);
  });

/** The public key of a certificate that is in an object as bare DER, or the first of a TLS certificate list. */
function certifiedPoint(store: ObjectStore, oid: Buffer): Buffer {
  const id = oid.toString('hex');
  store.check(id, 'execute');
  const content = store.content(id);
  return given(() => {
    const certificate = new DerReader(content[0] === 0xc0 ? content.subarray(9) : content).value(TAG.sequence).whole;
    const { publicKey } = parseCertificate(certificate);
    const parts = new DerReader(publicKey).enter(TAG.sequence);
    parts.value(TAG.sequence);
    return publicPoint(parts.value(TAG.bitString).whole);
  });
}

/** VerifySign. */
export function verifySign(store: ObjectStore, scheme: number, values: Values): void {
  if (scheme !== ECDSA_SHA256) throw new ChipFault(FAULT.invalidParameter);
  const digest = neededValue(values, 0x01, 32);
  const signature = numbersOf(neededValue(values, 0x02));
  const certificate = values.get(0x04);
  if (certificate === undefined && neededValue(values, 0x05, 1)[0] !== P256) throw new ChipFault(FAULT.invalidData);
  const point = certificate === undefined ? publicPoint(neededValue(values, 0x06)) : certifiedPoint(store, certificate);
  if (!verifyDigest(point, digest, signature)) throw new ChipFault(FAULT.signature);
}

/** CalcSSec: the shared secret, or nothing where it is kept in a session. */
export function calcSharedSecret(store: ObjectStore, scheme: number, values: Values, sessions: Map<string, Buffer>): Buffer {
  if (scheme !== ECDH) throw new ChipFault(FAULT.invalidParameter);
  if (neededValue(values, 0x05, 1)[0] !== P256) throw new ChipFault(FAULT.invalidData);
  const { secret } = usableKey(store, neededValue(values, 0x01, 2), MAY.agree);
  const shared = given(() => agreeWithPoint(Buffer.from(secret, 'hex'), publicPoint(neededValue(values, 0x06))));
  if (values.get(0x07)?.length === 0) return shared;
  const session = neededValue(values, 0x08, 2).toString('hex');
  if (!SESSIONS.includes(session)) throw new ChipFault(FAULT.invalidOid);
  sessions.set(session, shared);
  return Buffer.alloc(0);
}
