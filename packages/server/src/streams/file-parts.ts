/**
 * Parts of files that were read of late: devices that get the same file at the same time cost one reading of each part. A part
 * belongs to an ETag, and is kept for a minute at most.
 */
import { MEMORY } from '../runtime/memory.ts';
import type { Clock } from '../runtime/clock.ts';

/** Bytes of a part. */
export const PART = 256 * 1024;
/** Milliseconds for which a part is kept: what is deleted or taken away from the role is gone from here, too. */
const MAX_AGE = 60_000;
/** Parts of an account that are read at once; others wait. */
const MAX_READS = 8;

interface KeptPart {
  readonly bytes: Buffer;
  readonly readAt: number;
}

/** Readings of one account. */
interface Readings {
  running: number;
  readonly waiting: (() => void)[];
}

export class FileParts {
  readonly #clock: Clock;
  readonly #budget: number;
  /** The least recently used come first. */
  readonly #parts = new Map<string, KeptPart>();
  #bytes = 0;
  readonly #pending = new Map<string, Promise<Buffer>>();
  readonly #readings = new Map<string, Readings>();

  /** `budget`: bytes that are kept at most. */
  constructor(clock: Clock, budget = MEMORY.files) {
    this.#clock = clock;
    this.#budget = budget;
  }

  /** The part of this name: kept, or read once for all that ask for it meanwhile. A reading that fails is kept by nobody. */
  get(accountId: string, name: string, read: () => Promise<Buffer>): Promise<Buffer> {
    const key = `${accountId}/${name}`;
    const kept = this.#take(key);
    if (kept !== undefined) return Promise.resolve(kept);
    const pending = this.#pending.get(key);
    if (pending !== undefined) return pending;
    const reading = this.#inTurn(accountId, read)
      .then((bytes) => {
        this.#keep(key, bytes);
        return bytes;
      })
      .finally(() => this.#pending.delete(key));
    this.#pending.set(key, reading);
    return reading;
  }

  /** Bytes that are kept. */
  get size(): number {
    return this.#bytes;
  }

  #take(key: string): Buffer | undefined {
    const found = this.#parts.get(key);
    if (found === undefined) return undefined;
    this.#parts.delete(key);
    if (this.#clock.monotonic() - found.readAt > MAX_AGE) {
      this.#bytes -= found.bytes.length;
      return undefined;
    }
    this.#parts.set(key, found);
    return found.bytes;
  }

  #keep(key: string, bytes: Buffer): void {
    this.#parts.set(key, { bytes, readAt: this.#clock.monotonic() });
    this.#bytes += bytes.length;
    for (const [name, part] of this.#parts) {
      if (this.#bytes <= this.#budget) return;
      this.#parts.delete(name);
      this.#bytes -= part.bytes.length;
    }
  }

  async #inTurn(accountId: string, read: () => Promise<Buffer>): Promise<Buffer> {
    const own = this.#readings.get(accountId) ?? { running: 0, waiting: [] };
    this.#readings.set(accountId, own);
    if (own.running >= MAX_READS) await new Promise<void>((resolve) => own.waiting.push(resolve));
    else own.running += 1;
    try {
      return await read();
    } finally {
      const next = own.waiting.shift();
      // The next one goes on in this one's place.
      if (next !== undefined) next();
      else own.running -= 1;
      if (own.running === 0) this.#readings.delete(accountId);
    }
  }
}
