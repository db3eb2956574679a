/** What a virtual ATECC knows until it sleeps: TempKey, the buffer of message digests, a SHA-256 that is begun. */
import { createHash, type Hash } from 'node:crypto';

/** Why a command is not done: the status that is answered. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;

  constructor(status: number) {
    super(`status ${status}`);
    this.status = status;
  }
}

export const parseError = (): Refusal => new Refusal(0x03);
export const eccFault = (): Refusal => new Refusal(0x05);
export const executionError = (): Refusal => new Refusal(0x0f);

/** Throws the refusal of a command where something is not as it has to be. */
export function require(condition: boolean, refusal: () => Refusal): asserts condition {
  if (!condition) throw refusal();
}

interface TempKey {
  readonly value: Buffer;
  /** Where it comes from: handed in, made of a random number, or a private key of the ATECC608. */
  readonly source: 'input' | 'random' | 'private-key';
}

export class AteccSession {
  #tempKey: TempKey | undefined;
  #messageDigest: Buffer | undefined;
  #sha: { hash: Hash } | undefined;

  /** Forgets all, as the chip does when it sleeps. */
  forget(): void {
    this.#tempKey = undefined;
    this.#messageDigest = undefined;
    this.#sha = undefined;
  }

  get hasTempKey(): boolean {
    return this.#tempKey !== undefined;
  }

  holdTempKey(key: TempKey): void {
    this.#tempKey = key;
  }

  holdMessageDigest(digest: Buffer): void {
    this.#messageDigest = digest;
  }

  /** The private key in TempKey, which stays there. */
  ephemeralKey(): Buffer {
    require(this.#tempKey?.source === 'private-key', executionError);
    return this.#tempKey.value;
  }

  /** The digest that was handed in, out of TempKey or of the buffer of digests; it is gone afterwards. */
  takeDigest(place: 'temp-key' | 'buffer'): Buffer {
    const [held, digest] = [this.#tempKey, this.#messageDigest];
    if (place === 'buffer') {
      this.#messageDigest = undefined;
      require(digest !== undefined, executionError);
      return digest;
    }
    this.#tempKey = undefined;
    require(held?.source === 'input', executionError);
    return held.value.subarray(0, 32);
  }

  startSha(): void {
    this.#sha = { hash: createHash('sha256') };
  }

  updateSha(block: Buffer): void {
    require(this.#sha !== undefined, executionError);
    this.#sha.hash.update(block);
  }

  endSha(rest: Buffer): Buffer {
    require(this.#sha !== undefined, executionError);
    const digest = this.#sha.hash.update(rest).digest();
    this.#sha = undefined;
    return digest;
  }
}
