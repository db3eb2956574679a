/**
 * A PKCS #11 module, called: twenty functions of its list, with one session. It runs in the process of native code alone,
 * since a module that is wrong about a length ends its process.
 */
import type * as Koffi from 'koffi';
import {
  type AttributeInput,
  type Handle,
  type Layout,
  lengthsIn,
  mechanism,
  paddedText,
  putWord,
  question,
  template,
  valuesIn,
  wordAt,
} from './cryptoki-memory.ts';
import { ATTRIBUTE, CLASS, KEY_TYPE, MECHANISM, NO_DERIVATION, RETURN } from './cryptoki-numbers.ts';
import { NativeFault } from './native-fault.ts';

/** Places in CK_FUNCTION_LIST (pkcs11f.h), and what each takes: w a word, p a pointer, b a byte. */
const FUNCTIONS = {
  C_Initialize: [0, 'p'],
  C_Finalize: [1, 'p'],
  C_GetInfo: [2, 'p'],
  C_GetSlotList: [4, 'bpp'],
  C_GetSlotInfo: [5, 'wp'],
  C_GetTokenInfo: [6, 'wp'],
  C_OpenSession: [12, 'wwppp'],
  C_CloseSession: [13, 'w'],
  C_Login: [18, 'wwpw'],
  C_CreateObject: [20, 'wpwp'],
  C_DestroyObject: [22, 'ww'],
  C_GetAttributeValue: [24, 'wwpw'],
  C_FindObjectsInit: [26, 'wpw'],
  C_FindObjects: [27, 'wpwp'],
  C_FindObjectsFinal: [28, 'w'],
  C_SignInit: [42, 'wpw'],
  C_Sign: [43, 'wpwpp'],
  C_GenerateKeyPair: [59, 'wppwpwpp'],
  C_DeriveKey: [62, 'wpwpwp'],
  C_GenerateRandom: [64, 'wpw'],
} as const;
type FunctionName = keyof typeof FUNCTIONS;

/** Functions of a list of version 2. */
const LIST_LENGTH = 68;
const TYPES = { w: 'ulong', p: 'void *', b: 'uchar' } as const;
/** A serial session that can write (CKF_SERIAL_SESSION, CKF_RW_SESSION). */
const READ_WRITE = 0x6;
const USER = 1;
/** Slots and objects that are looked at. */
const MAX_SLOTS = 64;
const MAX_OBJECTS = 1024;
/** Longest signature that there is room for. */
const MAX_SIGNATURE = 512;

/** What a module says of a token and of the slot that it is in. */
export interface TokenFacts {
  readonly slot: Handle;
  readonly slotDescription: string;
  readonly slotManufacturer: string;
  readonly label: string;
  readonly manufacturer: string;
  readonly model: string;
  readonly serial: string;
  readonly flags: number;
  /** Of the hardware and the firmware, such as `2.6`. */
  readonly hardware: string;
  readonly firmware: string;
}

/** What a module says of itself. */
export interface ModuleFacts {
  readonly manufacturer: string;
  readonly description: string;
  readonly version: string;
}

type Call = (...args: unknown[]) => Handle;

/** The module's list of functions. Throws NativeFault where the file is no module. */
function functionsOf(koffi: typeof Koffi, path: string): Record<FunctionName, Call> {
  const pointer = koffi.sizeof('void *');
  try {
    const getList = koffi.load(path).func('C_GetFunctionList', 'ulong', ['void *']);
    const out = Buffer.alloc(pointer);
    if (Number(getList(out)) !== RETURN.ok) throw new NativeFault('failed', 'it gives no list of functions');
    const list = pointer === 8 ? out.readBigUInt64LE() : BigInt(out.readUInt32LE());
    // The version, two bytes, stands before the pointers.
    const places = koffi.decode(list, pointer, koffi.array('uintptr_t', LIST_LENGTH)) as ArrayLike<number | bigint>;
    const entries = Object.entries(FUNCTIONS).map(([name, [index, takes]]) => {
      const types = [...takes].map((letter) => TYPES[letter as keyof typeof TYPES]);
      const proto = koffi.proto('ulong', types);
      return [name, (...args: unknown[]) => koffi.call(BigInt(places[index] ?? 0), proto, ...args) as Handle];
    });
    return Object.fromEntries(entries) as Record<FunctionName, Call>;
  } catch (error) {
    throw new NativeFault('failed', `${path} is no PKCS #11 module of this machine: ${(error as Error).message}`);
  }
}

const version = (from: Buffer, at: number): string => `${from[at] ?? 0}.${from[at + 1] ?? 0}`;

export class Cryptoki {
  readonly #call: Record<FunctionName, Call>;
  readonly #layout: Layout;
  #session: Handle | undefined;

  constructor(koffi: typeof Koffi, path: string) {
    if (process.platform === 'win32') throw new NativeFault('failed', 'PKCS #11 modules of Windows are not called yet');
    this.#layout = { word: koffi.sizeof('ulong'), addressOf: (buffer) => koffi.address(buffer) as bigint };
    this.#call = functionsOf(koffi, path);
    this.#do('C_Initialize', null);
  }

  /** Calls a function of the module. Throws NativeFault `pkcs11` where it does not return CKR_OK. */
  #do(name: FunctionName, ...args: unknown[]): void {
    const code = Number(this.#call[name](...args));
    if (code !== RETURN.ok) throw new NativeFault('pkcs11', name, code);
  }

  get #open(): Handle {
    if (this.#session === undefined) throw new NativeFault('pkcs11', 'no session is open', RETURN.sessionHandleInvalid);
    return this.#session;
  }

  #words(...values: Handle[]): Buffer {
    const buffer = Buffer.alloc(values.length * this.#layout.word);
    for (const [index, value] of values.entries()) putWord(this.#layout, buffer, index * this.#layout.word, value);
    return buffer;
  }

  moduleInfo(): ModuleFacts {
    const { word } = this.#layout;
    // CK_INFO: version (2), manufacturer (32), flags (a word at its alignment), description (32), version (2).
    const info = Buffer.alloc(128);
    this.#do('C_GetInfo', info);
    const description = Math.ceil(34 / word) * word + word;
    return {
      manufacturer: paddedText(info.subarray(2, 34)),
      description: paddedText(info.subarray(description, description + 32)),
      version: version(info, description + 32),
    };
  }

  /** The tokens that are there. */
  tokens(): TokenFacts[] {
    const { word } = this.#layout;
    const slots = Buffer.alloc(MAX_SLOTS * word);
    const count = this.#words(MAX_SLOTS);
    this.#do('C_GetSlotList', 1, slots, count);
    const found = Math.min(Number(wordAt(this.#layout, count, 0)), MAX_SLOTS);
    return Array.from({ length: found }, (_, index) => this.#token(wordAt(this.#layout, slots, index * word)));
  }

  #token(slot: Handle): TokenFacts {
    const { word } = this.#layout;
    // CK_SLOT_INFO: description (64), manufacturer (32), flags, two versions.
    const about = Buffer.alloc(192);
    this.#do('C_GetSlotInfo', slot, about);
    // CK_TOKEN_INFO: label (32), manufacturer (32), model (16), serial (16), flags, ten numbers, two versions, a time.
    const info = Buffer.alloc(320);
    this.#do('C_GetTokenInfo', slot, info);
    const versions = 96 + 11 * word;
    return {
      slot,
      slotDescription: paddedText(about.subarray(0, 64)),
      slotManufacturer: paddedText(about.subarray(64, 96)),
      label: paddedText(info.subarray(0, 32)),
      manufacturer: paddedText(info.subarray(32, 64)),
      model: paddedText(info.subarray(64, 80)),
      serial: paddedText(info.subarray(80, 96)),
      flags: Number(wordAt(this.#layout, info, 96)),
      hardware: version(info, versions),
      firmware: version(info, versions + 2),
    };
  }

  /** Opens the one session, in place of the one before. */
  openSession(slot: Handle): void {
    if (this.#session !== undefined) this.#call.C_CloseSession(this.#session);
    this.#session = undefined;
    const session = this.#words(0);
    this.#do('C_OpenSession', slot, READ_WRITE, null, null, session);
    this.#session = wordAt(this.#layout, session, 0);
  }

  /** Logs the user in; without a PIN where the token asks for it by itself. */
  login(pin: string | null): void {
    const bytes = pin === null ? null : Buffer.from(pin);
    this.#do('C_Login', this.#open, USER, bytes, bytes?.length ?? 0);
  }

  find(attributes: readonly AttributeInput[]): Handle[] {
    const session = this.#open;
    this.#do('C_FindObjectsInit', session, template(this.#layout, attributes), attributes.length);
    try {
      const objects = Buffer.alloc(MAX_OBJECTS * this.#layout.word);
      const count = this.#words(0);
      this.#do('C_FindObjects', session, objects, MAX_OBJECTS, count);
      const found = Math.min(Number(wordAt(this.#layout, count, 0)), MAX_OBJECTS);
      return Array.from({ length: found }, (_, index) => wordAt(this.#layout, objects, index * this.#layout.word));
    } finally {
      this.#call.C_FindObjectsFinal(session);
    }
  }

  /** Values of attributes of an object, in order; undefined where it has none, or keeps it to itself. */
  attributes(object: Handle, types: readonly number[]): (Buffer | undefined)[] {
    const layout = this.#layout;
    const ask = question(layout, types);
    this.#read(object, ask, types.length);
    const lengths = lengthsIn(layout, ask, types.length);
    const answer = question(layout, types, lengths);
    this.#read(object, answer, types.length);
    return valuesIn(layout, answer, lengths);
  }

  /** CKR_ATTRIBUTE_SENSITIVE and CKR_ATTRIBUTE_TYPE_INVALID leave a mark at the attribute, and the others are there. */
  #read(object: Handle, into: Buffer, count: number): void {
    const code = Number(this.#call.C_GetAttributeValue(this.#open, object, into, count));
    if (code !== RETURN.ok && code !== 0x11 && code !== 0x12) throw new NativeFault('pkcs11', 'C_GetAttributeValue', code);
  }

  create(attributes: readonly AttributeInput[]): Handle {
    const object = this.#words(0);
    this.#do('C_CreateObject', this.#open, template(this.#layout, attributes), attributes.length, object);
    return wordAt(this.#layout, object, 0);
  }

  destroy(object: Handle): void {
    this.#do('C_DestroyObject', this.#open, object);
  }

  /** Makes a pair of keys on an elliptic curve: the private and the public one. */
  generateEcKeyPair(
    publicKey: readonly AttributeInput[],
    privateKey: readonly AttributeInput[],
  ): { publicKey: Handle; privateKey: Handle } {
    const layout = this.#layout;
    const [made, secret] = [this.#words(0), this.#words(0)];
    const how = mechanism(layout, MECHANISM.ecKeyPairGen);
    const templates = [template(layout, publicKey), publicKey.length, template(layout, privateKey), privateKey.length];
    this.#do('C_GenerateKeyPair', this.#open, how, ...templates, made, secret);
    return { publicKey: wordAt(layout, made, 0), privateKey: wordAt(layout, secret, 0) };
  }

  /** ECDSA of a digest. */
  signDigest(key: Handle, digest: Buffer): Buffer {
    const session = this.#open;
    this.#do('C_SignInit', session, mechanism(this.#layout, MECHANISM.ecdsa), key);
    const signature = Buffer.alloc(MAX_SIGNATURE);
    const length = this.#words(MAX_SIGNATURE);
    this.#do('C_Sign', session, digest, digest.length, signature, length);
    return Buffer.from(signature.subarray(0, Number(wordAt(this.#layout, length, 0))));
  }

  /**
   * ECDH with a peer's point (04, X, Y). PKCS #11 gives the shared secret as a key object of the session, which is readable
   * here, read, and destroyed: it is what the two sides agree on. The private key itself stays sensitive and is not readable.
   */
  agree(key: Handle, point: Buffer): Buffer {
    const layout = this.#layout;
    // CK_ECDH1_DERIVE_PARAMS: kdf, length and address of shared data, length and address of the public data.
    const parameter = this.#words(NO_DERIVATION, 0, 0, point.length, layout.addressOf(point));
    const secret: AttributeInput[] = [
      { type: ATTRIBUTE.class, value: CLASS.secretKey },
      { type: ATTRIBUTE.keyType, value: KEY_TYPE.genericSecret },
      { type: ATTRIBUTE.token, value: false },
      { type: ATTRIBUTE.sensitive, value: false },
      { type: ATTRIBUTE.extractable, value: true },
      { type: ATTRIBUTE.valueLength, value: 32 },
    ];
    const object = this.#words(0);
    const how = mechanism(layout, MECHANISM.ecdh1Derive, parameter);
    this.#do('C_DeriveKey', this.#open, how, key, template(layout, secret), secret.length, object);
    const derived = wordAt(layout, object, 0);
    try {
      const [value] = this.attributes(derived, [ATTRIBUTE.value]);
      if (value === undefined) throw new NativeFault('failed', 'the token keeps the shared secret to itself');
      return value;
    } finally {
      this.destroy(derived);
    }
  }

  random(length: number): Buffer {
    const bytes = Buffer.alloc(length);
    this.#do('C_GenerateRandom', this.#open, bytes, length);
    return bytes;
  }

  close(): void {
    this.#session = undefined;
    this.#call.C_Finalize(null);
  }
}
