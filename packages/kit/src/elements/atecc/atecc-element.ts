/**
 * An ATECC508A or ATECC608 as a secure element. Keys are the slots `0` to `15`; objects are the slots `8` to `15` and the
 * configuration zone, `config`. What the chip gives is checked before it is handed on: signatures against the public key,
 * everything else by a second reading.
 */
import type { KeyObject } from 'node:crypto';
import type { TlsKey, TlsKeySource } from '../tls-key-source.ts';
import type { I2cBus } from '../../buses/contract.ts';
import { ElementError, type ElementIdentity, type LockState, type ObjectInfo, type SecureElement } from '../contract.ts';
import { type ElementUri, parseElementUri } from '../element-uri.ts';
import { checkDigest, checkRandomLength, pointOfSpki, spkiOfPoint } from '../p256.ts';
import { verifyDigest } from '../p256-private.ts';
import { spkiOfSlotForm } from '../slot-public-key.ts';
import { Turns } from '../turns.ts';
import { AteccChip } from './chip.ts';
import type { AteccKind } from './commands.ts';
import { writeConfiguration } from './configurations.ts';
import { AteccLink, AteccStatusError, STATUS } from './link.ts';
import { isSameConfig, lockStateOf } from './locks.ts';
import { agreedReading, CONFIG_LENGTH, FIRST_DATA_SLOT, SLOTS, slotCapacity } from './zones.ts';

const DEFAULT_ADDRESS = 0x60;
const DEFAULT_SLOT = '0';
const CONFIG = 'config';
const RANDOM_BYTES = 32;
const SIGN_TRIES = 4;
const WRITE_TRIES = 4;

/** Third byte of the answer to Info. */
const FAMILIES: Readonly<Record<number, AteccKind>> = { 80: 'atecc508a', 96: 'atecc608' };
const MODELS: Readonly<Record<AteccKind, string>> = { atecc508a: 'ATECC508A', atecc608: 'ATECC608' };

interface AteccOptions {
  /** 7 bits; 0x60 where it is absent. */
  readonly address?: number;
  /** The usual key; slot 0 where it is absent. */
  readonly key?: string;
  /** Of a virtual chip in this process: the way to its keys. */
  readonly virtualKey?: (key: string) => KeyObject;
}

export class AteccElement implements SecureElement, TlsKeySource {
  readonly kind: AteccKind;
  readonly defaultKey: string;
  readonly #chip: AteccChip;
  readonly #turns = new Turns();
  /** Points of slots that were read before: what a signature is verified with first. */
  readonly #points = new Map<number, Buffer>();

  readonly #virtualKey: ((key: string) => KeyObject) | undefined;

  constructor(bus: I2cBus, kind: AteccKind, { address = DEFAULT_ADDRESS, key = DEFAULT_SLOT, virtualKey }: AteccOptions = {}) {
    this.kind = kind;
    this.#virtualKey = virtualKey;
    this.#chip = new AteccChip(new AteccLink(bus, address), kind);
    slotOf(key);
    this.defaultKey = key;
  }

  /** Work with the chip's own commands, as a whole: no other call comes in between. */
  exclusively<T>(work: (chip: AteccChip) => Promise<T>): Promise<T> {
    return this.#turns.take(async () => {
      try {
        return await work(this.#chip);
      } catch (error) {
        if (error instanceof AteccStatusError) throw await this.#refusal(error);
        throw error;
      }
    });
  }

  /** What a status of the chip is to who has asked. */
  async #refusal(error: AteccStatusError): Promise<ElementError> {
    const { status, message } = error;
    if (status === STATUS.parseError) return new ElementError('not-supported', `the chip refuses: ${message}`, { cause: error });
    if (status === STATUS.mismatch) return new ElementError('verification', `the chip says no: ${message}`, { cause: error });
    if (status !== STATUS.executionError)
      return new ElementError('element-fault', `the chip reports a fault: ${message}`, { cause: error });
    const { config, data } = await this.#chip.locks.state().catch((other: unknown) => {
      if (other instanceof AteccStatusError || other instanceof ElementError) return { config: true, data: true };
      throw other;
    });
    if (!config || !data)
      return new ElementError('not-ready', `the ${config ? 'data' : 'configuration'} zone is not locked yet: ${message}`, {
        hint: `thingkit atecc lock --zone ${config ? 'data' : 'config'}`,
        cause: error,
      });
    return new ElementError('not-permitted', `the configuration of the slot forbids it, or it is empty: ${message}`, {
      hint: 'thingkit atecc config shows what each slot is for; thingkit element generate-key makes a key',
      cause: error,
    });
  }

  identify(): Promise<ElementIdentity> {
    return this.exclusively(async (chip) => {
      const info = await agreedReading(() => chip.info());
      const found = FAMILIES[info[2] ?? 0];
      if (found !== this.kind)
        throw new ElementError('invalid', `the chip is ${found === undefined ? 'of an unknown type' : `an ${MODELS[found]}`}`, {
          hint: found === undefined ? `it answers ${info.toString('hex')} to Info` : `use ${found}: instead of ${this.kind}:`,
        });
      const serialNumber = (await agreedReading(() => chip.serialNumber())).toString('hex');
      return { kind: this.kind, maker: 'Microchip', model: MODELS[this.kind], serialNumber, revision: info.toString('hex') };
    });
  }

  lockState(): Promise<LockState> {
    return this.exclusively(async (chip) => lockStateOf(await chip.locks.state()));
  }

  async random(length: number): Promise<Buffer> {
    checkRandomLength(length);
    return this.exclusively(async (chip) => {
      const parts: Buffer[] = [];
      for (let at = 0; at < length; at += RANDOM_BYTES) parts.push(await chip.random());
      return Buffer.concat(parts).subarray(0, length);
    });
  }

  async generateKey(key: string): Promise<Buffer> {
    const slot = slotOf(key);
    return this.exclusively(async (chip) => {
      this.#points.delete(slot);
      const spki = await this.#generated(chip, slot);
      this.#points.set(slot, pointOfSpki(spki));
      return spki;
    });
  }

  async #generated(chip: AteccChip, slot: number): Promise<Buffer> {
    for (let time = 0; time < WRITE_TRIES; time += 1) {
      const made = await chip.keys.generate(slot);
      const read = await agreedReading(() => chip.keys.point(slot));
      if (read.equals(made)) return pointFromChip(made);
    }
    throw new ElementError('verification', `the key in slot ${slot} is another one each time it is read`);
  }

  async publicKey(key: string): Promise<Buffer> {
    const slot = slotOf(key);
    return this.exclusively(async (chip) => {
      try {
        return pointFromChip(await this.#readPoint(chip, slot));
      } catch (error) {
        const isNone = error instanceof AteccStatusError && error.status === STATUS.executionError;
        if (!isNone || slot <= FIRST_DATA_SLOT) throw error;
        return spkiOfSlotForm(await agreedReading(() => chip.zones.readPublicKeySlot(slot)));
      }
    });
  }

  async #readPoint(chip: AteccChip, slot: number): Promise<Buffer> {
    const point = await agreedReading(() => chip.keys.point(slot));
    this.#points.set(slot, point);
    return point;
  }

  async sign(key: string, digest: Buffer): Promise<Buffer> {
    const slot = slotOf(key);
    checkDigest(digest);
    return this.exclusively(async (chip) => {
      const isVerified = async (signature: Buffer): Promise<boolean> => {
        const known = this.#points.get(slot);
        // Another program may have made a new key since.
        return (
          (known !== undefined && verifyDigest(known, digest, signature)) ||
          verifyDigest(await this.#readPoint(chip, slot), digest, signature)
        );
      };
      let refused: AteccStatusError | undefined;
      for (let time = 0; time < SIGN_TRIES; time += 1) {
        try {
          const signature = await chip.keys.sign(slot, digest);
          if (await isVerified(signature)) return signature;
          refused = undefined;
        } catch (error) {
          // The digest is gone where the chip has slept in between: everything begins again.
          if (!(error instanceof AteccStatusError) || error.status !== STATUS.executionError) throw error;
          refused = error;
        }
      }
      if (refused !== undefined) throw refused;
      throw new ElementError('verification', `no signature of slot ${slot} verifies under its public key`);
    });
  }

  async agree(key: string, peer: Buffer): Promise<Buffer> {
    const slot = slotOf(key);
    const point = pointOfSpki(peer);
    return this.exclusively((chip) => agreedReading(() => chip.keys.agree(slot, point)));
  }

  /** Of a virtual chip in this process alone; a real chip does not give its keys out: `not-supported`. */
  async tlsKey(key: string): Promise<TlsKey> {
    slotOf(key);
    if (this.#virtualKey === undefined)
      throw new ElementError(
        'not-supported',
        `the key in slot ${key} never leaves the chip, and TLS takes no function that signs`,
        {
          hint: "connect with the PKCS#11 module of Microchip's cryptoauthlib, as a pkcs11: element",
        },
      );
    return { kind: 'pem', privateKey: this.#virtualKey(key).export({ type: 'pkcs8', format: 'pem' }) as string };
  }

  async objects(): Promise<ObjectInfo[]> {
    const slots = Array.from({ length: SLOTS - FIRST_DATA_SLOT }, (_, index) => FIRST_DATA_SLOT + index);
    return [
      { name: CONFIG, capacity: CONFIG_LENGTH },
      ...slots.map((slot) => ({ name: String(slot), capacity: slotCapacity(slot) })),
    ];
  }

  async readObject(name: string): Promise<Buffer> {
    if (name === CONFIG) return this.exclusively((chip) => agreedReading(() => chip.zones.readConfig()));
    const slot = dataSlotOf(name);
    return this.exclusively((chip) => agreedReading(() => chip.zones.readSlot(slot)));
  }

  /** Shorter content is filled up with zeros. The configuration is whole: its first 16 bytes are the chip's own. */
  async writeObject(name: string, content: Buffer): Promise<void> {
    if (name === CONFIG) return this.exclusively((chip) => writeConfigObject(chip, content));
    const slot = dataSlotOf(name);
    const whole = Buffer.alloc(slotCapacity(slot));
    if (content.length > whole.length)
      throw new ElementError('invalid', `slot ${slot} holds ${whole.length} bytes, not ${content.length}`);
    content.copy(whole);
    return this.exclusively(async (chip) => {
      const { data } = await chip.locks.state();
      if (!data)
        throw new ElementError('not-ready', 'a slot can be read back once the data zone is locked, and is written then', {
          hint: 'thingkit atecc lock --zone data',
        });
      for (let time = 0; time < WRITE_TRIES; time += 1) {
        await chip.zones.writeSlot(slot, whole);
        if ((await agreedReading(() => chip.zones.readSlot(slot))).equals(whole)) return;
      }
      throw new ElementError('verification', `slot ${slot} does not hold what was written to it`);
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#turns.take(() => this.#chip.link.close());
  }
}

async function writeConfigObject(chip: AteccChip, content: Buffer): Promise<void> {
  if (content.length !== CONFIG_LENGTH)
    throw new ElementError('invalid', `the configuration has ${CONFIG_LENGTH} bytes, not ${content.length}`);
  const present = await agreedReading(() => chip.zones.readConfig());
  const isOfAnother = !present.subarray(0, 16).equals(content.subarray(0, 16));
  if (isOfAnother) throw new ElementError('invalid', 'the first 16 bytes are those of another chip, and are never written');
  if (isSameConfig(present, content)) return;
  await writeConfiguration(chip.link, chip.zones, content);
}

/** The SubjectPublicKeyInfo of a point that the chip gave. */
function pointFromChip(point: Buffer): Buffer {
  try {
    return spkiOfPoint(point);
  } catch (cause) {
    throw new ElementError('element-fault', 'the chip gives a public key that is no point of P-256', { cause });
  }
}

/** The slot of a key's name. */
function slotOf(key: string): number {
  const slot = /^(\d|1[0-5])$/.test(key) ? Number(key) : undefined;
  if (slot === undefined) throw new ElementError('invalid', `${key} is no slot`, { hint: 'slots are 0 to 15' });
  return slot;
}

function dataSlotOf(name: string): number {
  const slot = /^([89]|1[0-5])$/.test(name) ? Number(name) : undefined;
  if (slot === undefined)
    throw new ElementError('invalid', `${name} is no object of the chip`, { hint: 'objects are the slots 8 to 15, and config' });
  return slot;
}

function addressOf({ attributes }: ElementUri): number {
  const text = attributes.get('address');
  if (text === undefined) return DEFAULT_ADDRESS;
  const address = /^(0x[0-9a-f]{1,2}|\d{1,3})$/i.test(text) ? Number(text) : Number.NaN;
  if (!(address >= 0x08 && address <= 0x77))
    throw new ElementError('invalid', `${text} is no 7-bit address`, { hint: 'such as address=0x60' });
  return address;
}

/** Opens the bus of a place; with a virtual chip in this process behind it, also the way to its keys. */
type OpenPlace = (place: string) => Promise<{ readonly bus: I2cBus; readonly virtualKey?: (key: string) => KeyObject }>;

/** `atecc608:PLACE?address=0x60&key=0`. Throws ElementError where no such chip answers. */
export async function openAteccElement(uri: string, kind: AteccKind, openPlace: OpenPlace): Promise<AteccElement> {
  const parsed = parseElementUri(uri, ['address', 'key']);
  const options = { address: addressOf(parsed), key: parsed.attributes.get('key') ?? DEFAULT_SLOT };
  slotOf(options.key);
  const { bus, virtualKey } = await openPlace(parsed.place);
  const element = new AteccElement(bus, kind, { ...options, virtualKey });
  try {
    await element.identify();
  } catch (error) {
    await element[Symbol.asyncDispose]();
    throw error;
  }
  return element;
}
