/**
 * The contract of a secure element, which holds private keys on the P-256 curve and works with them: they never leave it. One suite (testing/contract-suite.ts) is run by every kind of element.
 */

/** Why an element did not do what it was asked for. */
export type ElementErrorCode =
  /** The name of a key or an object, a length or a form is wrong; nothing was sent. */
  | 'invalid'
  /** There is no such key or object, or nothing in it. */
  | 'not-found'
  /** The element's configuration, its locks or its access conditions forbid it. */
  | 'not-permitted'
  /** Elements of this kind have no such function. */
  | 'not-supported'
  /** What has to be locked or configured before is not yet. */
  | 'not-ready'
  /** The bus, the module or the file can't be reached, or the answers stay damaged after all tries. */
  | 'communication'
  /** The element reports a fault of its own (self-test, random numbers, ECC). */
  | 'element-fault'
  /** A native library is missing; the message names what to install. */
  | 'missing-library'
  /** What was read back is not what was written, or a signature does not verify. */
  | 'verification';

/** An element that did not do what it was asked for; `hint` says what its owner can do. */
export class ElementError extends Error {
  override readonly name = 'ElementError';
  readonly code: ElementErrorCode;
  readonly hint: string | undefined;

  constructor(code: ElementErrorCode, message: string, { hint, cause }: { hint?: string; cause?: unknown } = {}) {
    super(message, { cause });
    this.code = code;
    this.hint = hint;
  }
}

export type ElementKind = 'file' | 'pkcs11' | 'atecc508a' | 'atecc608' | 'optiga-trust-m' | 'optiga-trust-x';

export interface ElementIdentity {
  readonly kind: ElementKind;
  readonly maker: string;
  readonly model: string;
  /** Hexadecimal, lower case; what the maker gave this one piece. Empty where a kind has none (a file). */
  readonly serialNumber: string;
  /** Of silicon or firmware, as the maker writes it; empty where there is none. */
  readonly revision: string;
}

/** A part of an element that can be locked: a zone, a slot, an object. */
export interface LockPart {
  readonly name: string;
  readonly isLocked: boolean;
}

export interface LockState {
  /** Whether the element is set up as it has to be before keys can be made and used in earnest. */
  readonly isReady: boolean;
  readonly parts: readonly LockPart[];
}

/** What a key is made for. */
export type KeyUse = 'sign' | 'agree';

export interface ObjectInfo {
  readonly name: string;
  /** Bytes that it can hold. */
  readonly capacity: number;
}

/**
 * Keys and objects have names of the element's own: a slot (`0` to `15`) of an ATECC, an object id (`0xE0F1`) of an OPTIGA, a
 * label of a PKCS#11 token, a file's name. All methods throw ElementError; each call is whole before the next begins, whoever
 * calls.
 */
export interface SecureElement extends AsyncDisposable {
  readonly kind: ElementKind;
  /** The key that the element's URI names, or the kind's usual one. */
  readonly defaultKey: string;

  identify(): Promise<ElementIdentity>;
  lockState(): Promise<LockState>;

  /** Random bytes; `length` is 1 to 4096. */
  random(length: number): Promise<Buffer>;

  /** Makes a P-256 key pair in place of what the key held; its SubjectPublicKeyInfo. The private key never leaves. */
  generateKey(key: string, uses?: readonly KeyUse[]): Promise<Buffer>;
  /** SubjectPublicKeyInfo of a key, as the element gives or keeps it. */
  publicKey(key: string): Promise<Buffer>;
  /** Signs a SHA-256 digest (32 bytes): r and s, 32 bytes each (FIPS 186-5 section 6.4). */
  sign(key: string, digest: Buffer): Promise<Buffer>;
  /** ECDH with the SubjectPublicKeyInfo of a peer's P-256 key: the x coordinate, 32 bytes (SP 800-56A section 5.7.1.2). */
  agree(key: string, peer: Buffer): Promise<Buffer>;

  /** Objects that can be named, in order, whether there is something in them or not. */
  objects(): Promise<ObjectInfo[]>;
  /** The whole content of an object. */
  readObject(name: string): Promise<Buffer>;
  /** Replaces the whole content of an object, and reads it back. */
  writeObject(name: string, content: Buffer): Promise<void>;
}
