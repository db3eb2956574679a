/**
 * OPTIGA Trust M and Trust X as secure elements: `optiga-trust-m:PLACE?key=0xE0F1&address=0x30`, likewise `optiga-trust-x:`.
 * Keys are the objects 0xE0F0 (the vendor's) to 0xE0F3; the public keys of the last three are kept in 0xF1D1 to 0xF1D3, as the
 * vendor's OpenSSL engine keeps them. A shielded connection is not made: an object that asks for one is `not-permitted`.
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { parseCertificate } from '@thingkeep/x509/certificate.ts';
import { DerError, DerReader, TAG } from '@thingkeep/x509/der.ts';
import type { I2cBus } from '../../buses/contract.ts';
import { ElementError, type KeyUse, type LockState, type ObjectInfo, type SecureElement } from '../contract.ts';
import { parseElementUri } from '../element-uri.ts';
import { checkDigest, checkRandomLength, pointOfSpki } from '../p256.ts';
import { agreeWithPoint, verifyDigest } from '../p256-private.ts';
import { Turns } from '../turns.ts';
import { certificatesOf } from './certificate-object.ts';
import { CommandChannel } from './command-channel.ts';
import { isChangeable, lifeCycleMetadata, type ObjectMetadata } from './metadata.ts';
import * as ids from './object-ids.ts';
import { OptigaCommands } from './optiga-commands.ts';

/** Bits of a key's usage. */
const USAGE: Readonly<Record<KeyUse, number>> = { sign: 0x10, agree: 0x20 };
/** A key of these uses can sign: "authentication" is signing too. */
const SIGNS = 0x11;

/** Life cycle from which on an application is in use. */
const OPERATIONAL = 0x07;
const DEFAULT_ADDRESS = 0x30;
const MODELS: Readonly<Record<ids.OptigaKind, string>> = {
  'optiga-trust-m': 'OPTIGA Trust M',
  'optiga-trust-x': 'OPTIGA Trust X',
};

const UID_LENGTH = 27;
/** In the unique id: number of the lot and place on the wafer; version of the firmware, and of what is loaded into it. */
const FIRMWARE_AT = 21;
const BUILD_AT = 25;

interface OptigaOptions {
  readonly kind: ids.OptigaKind;
  readonly address?: number;
  readonly defaultKey?: string;
  /** Gives a private key of a virtual chip that is in this process. */
  readonly virtualKey?: VirtualKey;
}

/** A private key of a virtual chip, by its name. Throws ElementError `not-found`. */
type VirtualKey = (key: string) => KeyObject;

export class OptigaElement implements SecureElement {
  readonly kind: ids.OptigaKind;
  readonly defaultKey: string;
  readonly #bus: I2cBus;
  readonly #virtualKey: VirtualKey | undefined;
  readonly #commands: OptigaCommands;
  readonly #turns = new Turns();

  /** The bus is the element's from now on, and is closed with it. */
  constructor(bus: I2cBus, { kind, address = DEFAULT_ADDRESS, defaultKey = ids.DEFAULT_KEY, virtualKey }: OptigaOptions) {
    this.kind = kind;
    this.defaultKey = ids.nameOfId(ids.keyId(defaultKey));
    this.#bus = bus;
    this.#virtualKey = virtualKey;
    this.#commands = new OptigaCommands(new CommandChannel(bus, address));
  }

  identify() {
    return this.#turns.take(async () => {
      const uid = await this.#commands.readData(ids.UNIQUE_ID, UID_LENGTH);
      const firmware = uid.subarray(FIRMWARE_AT, BUILD_AT).toString('hex');
      const revision = `${firmware} build ${uid.subarray(BUILD_AT).toString('hex')}`;
      const serialNumber = uid.toString('hex');
      return { kind: this.kind, maker: 'Infineon', model: MODELS[this.kind], serialNumber, revision };
    });
  }

  lockState(): Promise<LockState> {
    return this.#turns.take(async () => {
      const [lifeCycle = 0] = await this.#commands.readData(ids.LIFE_CYCLE_GLOBAL, 1);
      const parts = [];
      for (const id of ids.LOCKABLE)
        parts.push({ name: ids.nameOfId(id), isLocked: !isChangeable(await this.#commands.metadata(id)) });
      return { isReady: lifeCycle === OPERATIONAL, parts };
    });
  }

  random(length: number): Promise<Buffer> {
    return this.#turns.take(async () => {
      checkRandomLength(length);
      return this.#commands.random(length);
    });
  }

  generateKey(key: string, uses: readonly KeyUse[] = ['sign']): Promise<Buffer> {
    return this.generateKeyFor(
      key,
      uses.reduce((bits, use) => bits | USAGE[use], 0),
    );
  }

  /**
   * Makes a key for the uses of these bits (01 authentication, 02 encryption, 10 signing, 20 key agreement), and keeps its
   * public key in the chip. Before it is given out, the chip shows that it has the private key.
   */
  generateKeyFor(key: string, usage: number): Promise<Buffer> {
    return this.#turns.take(async () => {
      const id = ids.keyId(key);
      if (usage === 0 || (usage & ~0x33) !== 0)
        throw new ElementError('invalid', `0x${usage.toString(16)} is no usage of a key`, { hint: 'bits 01, 02, 10, 20' });
      const spki = await this.#commands.generateKeyPair(id, usage);
      await this.#prove(id, usage, pointOfSpki(spki));
      const object = ids.publicKeyObject(id);
      if (object !== undefined) await this.#replace(object, spki);
      return spki;
    });
  }

  /** Throws ElementError `verification` where the chip does not have the private key of this point. */
  async #prove(id: number, usage: number, point: Buffer): Promise<void> {
    const isProven = await (async () => {
      if ((usage & SIGNS) !== 0) {
        const digest = randomBytes(32);
        return verifyDigest(point, digest, await this.#commands.sign(id, digest));
      }
      if ((usage & USAGE.agree) === 0) return true;
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const secret = Buffer.from(privateKey.export({ format: 'jwk' }).d ?? '', 'base64url');
      const peer = pointOfSpki(publicKey.export({ format: 'der', type: 'spki' }));
      return agreeWithPoint(secret, point).equals(await this.#commands.agree(id, peer));
    })();
    if (!isProven)
      throw new ElementError('verification', `the key in ${ids.nameOfId(id)} is not the one whose public key the chip gave`, {
        hint: 'make the key again',
      });
  }

  publicKey(key: string): Promise<Buffer> {
    return this.#turns.take(async () => this.#publicKey(ids.keyId(key)));
  }

  async #publicKey(id: number): Promise<Buffer> {
    const object = ids.publicKeyObject(id);
    if (object === undefined) return this.#deviceKey();
    const content = await this.#content(object);
    try {
      const spki = new DerReader(content).value(TAG.sequence).whole;
      pointOfSpki(spki);
      return Buffer.from(spki);
    } catch (cause) {
      if (!(cause instanceof DerError || cause instanceof ElementError)) throw cause;
      throw new ElementError('not-found', `${ids.nameOfId(object)} holds no public key of ${ids.nameOfId(id)}`, {
        hint: 'make a key first',
        cause,
      });
    }
  }

  /** The vendor's key has its public key in the vendor's certificate alone. */
  async #deviceKey(): Promise<Buffer> {
    const [leaf = Buffer.alloc(0)] = certificatesOf(await this.#content(ids.DEVICE_CERTIFICATE));
    try {
      const { publicKey } = parseCertificate(leaf);
      pointOfSpki(publicKey);
      return Buffer.from(publicKey);
    } catch (cause) {
      if (!(cause instanceof DerError || cause instanceof ElementError)) throw cause;
      throw new ElementError('not-found', "the vendor's certificate holds no P-256 key", { cause });
    }
  }

  sign(key: string, digest: Buffer): Promise<Buffer> {
    return this.#turns.take(async () => {
      const id = ids.keyId(key);
      checkDigest(digest);
      const point = pointOfSpki(await this.#publicKey(id));
      const signature = await this.#commands.sign(id, digest);
      if (!verifyDigest(point, digest, signature))
        throw new ElementError('verification', `the signature of ${ids.nameOfId(id)} does not verify under its public key`, {
          hint: 'the key was made anew without its public key being kept: make it again',
        });
      return signature;
    });
  }

  agree(key: string, peer: Buffer): Promise<Buffer> {
    return this.#turns.take(async () => this.#commands.agree(ids.keyId(key), pointOfSpki(peer)));
  }

  /**
   * A key as TLS takes it, PKCS #8 in PEM: of a virtual chip in this process alone. A real chip gives its keys to nobody, and
   * neither does a virtual one behind a socket: `not-supported`.
   */
  async tlsKey(key: string): Promise<{ readonly kind: 'pem'; readonly privateKey: string }> {
    const name = ids.nameOfId(ids.keyId(key));
    if (this.#virtualKey === undefined)
      throw new ElementError('not-supported', `${name} never leaves the chip, and TLS takes no function that signs`, {
        hint: "connect with the vendor's PKCS#11 module for OPTIGA chips, as a pkcs11: element",
      });
    return { kind: 'pem', privateKey: this.#virtualKey(name).export({ type: 'pkcs8', format: 'pem' }) as string };
  }

  objects(): Promise<ObjectInfo[]> {
    return this.#turns.take(async () => {
      const found: ObjectInfo[] = [];
      for (const id of ids.objectIds(this.kind)) found.push({ name: ids.nameOfId(id), capacity: await this.#capacity(id) });
      return found;
    });
  }

  async #capacity(id: number): Promise<number> {
    const { maxSize } = await this.#commands.metadata(id);
    if (maxSize === undefined) throw new ElementError('element-fault', `${ids.nameOfId(id)} does not say how much it can hold`);
    return maxSize;
  }

  /** What an object holds now. */
  async #content(id: number): Promise<Buffer> {
    const { usedSize, maxSize } = await this.#commands.metadata(id);
    const length = usedSize ?? maxSize ?? 0;
    if (length === 0) throw new ElementError('not-found', `there is nothing in ${ids.nameOfId(id)}`);
    return this.#commands.readData(id, length);
  }

  readObject(name: string): Promise<Buffer> {
    return this.#turns.take(async () => this.#content(ids.dataId(this.kind, name)));
  }

  async #replace(id: number, content: Buffer): Promise<void> {
    await this.#commands.writeData(id, content);
    if (!(await this.#content(id)).equals(content))
      throw new ElementError('verification', `${ids.nameOfId(id)} does not hold what was written to it`);
  }

  writeObject(name: string, content: Buffer): Promise<void> {
    return this.#turns.take(async () => {
      const id = ids.dataId(this.kind, name);
      const capacity = await this.#capacity(id);
      if (content.length < 1 || content.length > capacity)
        throw new ElementError('invalid', `${ids.nameOfId(id)} takes 1 to ${capacity} bytes, not ${content.length}`);
      await this.#replace(id, content);
    });
  }

  /** The metadata of any object of the chip, by its id. */
  metadata(name: string): Promise<ObjectMetadata> {
    return this.#turns.take(async () => this.#commands.metadata(ids.parseObjectId(name)));
  }

  /** Sets metadata: `20 len` and values; those that are not named stay. Reads it back. */
  setMetadata(name: string, metadata: Buffer): Promise<ObjectMetadata> {
    return this.#turns.take(async () => {
      const id = ids.parseObjectId(name);
      await this.#commands.setMetadata(id, metadata);
      return this.#commands.metadata(id);
    });
  }

  /** Raises the life cycle of an object to operational, after which most can't be changed any more. There is no way back. */
  async lockObject(name: string): Promise<void> {
    const { lifeCycle } = await this.setMetadata(name, lifeCycleMetadata(OPERATIONAL));
    if (lifeCycle !== OPERATIONAL) throw new ElementError('verification', `the life cycle of ${name} did not rise`);
  }

  /** SHA-256, calculated by the chip. Throws ElementError `verification` where that is not right. */
  hash(content: Buffer): Promise<Buffer> {
    return this.#turns.take(async () => {
      const digest = await this.#commands.hash(content);
      if (!digest.equals(createHash('sha256').update(content).digest()))
        throw new ElementError('verification', 'the chip has calculated another hash');
      return digest;
    });
  }

  /** Whether the chip finds r and s to be those of the digest under a public key. */
  verify(spki: Buffer, digest: Buffer, signature: Buffer): Promise<boolean> {
    return this.#turns.take(async () => {
      checkDigest(digest);
      if (signature.length !== 64) throw new ElementError('invalid', 'a signature has 64 bytes');
      return this.#commands.verify(pointOfSpki(spki), digest, signature);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bus[Symbol.asyncDispose]();
  }
}

/** Opens the place of a chip, such as `/dev/i2c-1`; a virtual chip in this process gives its keys too. */
type OpenPlace = (place: string) => Promise<{ readonly bus: I2cBus; readonly virtualKey?: VirtualKey }>;

/** Throws ElementError `invalid` where the URI is none, or what `openPlace` throws. */
export async function openOptigaElement(uri: string, kind: ids.OptigaKind, openPlace: OpenPlace): Promise<OptigaElement> {
  const { place, attributes } = parseElementUri(uri, ['key', 'address']);
  const address = Number(attributes.get('address') ?? DEFAULT_ADDRESS);
  if (!Number.isInteger(address) || address < 0x08 || address > 0x77)
    throw new ElementError('invalid', 'the address is none of 0x08 to 0x77', {
      hint: `usual: address=0x${DEFAULT_ADDRESS.toString(16)}`,
    });
  const defaultKey = ids.nameOfId(ids.keyId(attributes.get('key') ?? ids.DEFAULT_KEY));
  const { bus, virtualKey } = await openPlace(place);
  return new OptigaElement(bus, { kind, address, defaultKey, virtualKey });
}
