/**
 * Collects garbage once when a burst of handshakes, or of bytes that waited for peers, has settled and the process has little
 * to do: V8 waits for the next allocations then. A process that is busy makes these allocations, and is not stopped for it.
 */

/** Connections that make a burst. */
const BURST = 500;
/** Connections of one look, and looks one after another, that count as settled. */
const FEW = 5;
const LOOKS = 3;
/** Bytes waiting in memory that make a burst; one that has settled has at most a quarter of its peak. */
const MUCH = 8 * 1024 * 1024;

/** Messages between two looks, received and sent, from which on the process is busy. */
const BUSY = 500;
/** Collections that may be owed. */
const MAX_OWED = 2;

/** What comes in bursts: connections, and bytes that wait for peers; and messages, which are load. */
export interface Bursting {
  readonly traffic: { readonly connects: number; readonly received: number; readonly sent: number };
  readonly output: { readonly waiting: number };
}

export class IdleGarbageCollector {
  readonly #source: Bursting;
  readonly #collect: () => void;
  #peak = 0;
  #low = 0;
  #last = 0;
  #burst = 0;
  #quiet = 0;
  #messages = 0;
  /** Collections that wait for the process to be idle. */
  #owed = 0;

  /** `collect` is V8's own, there with `--expose-gc`. */
  constructor(source: Bursting, collect: () => void) {
    this.#source = source;
    this.#collect = collect;
  }

  /** Called about once a second. */
  look(): void {
    const now = this.#source.traffic.connects;
    const fresh = now - this.#last;
    this.#last = now;
    this.#burst += fresh;
    this.#quiet = fresh <= FEW ? this.#quiet + 1 : 0;
    if (this.#drained()) this.#owe();
    if (this.#burst >= BURST && this.#quiet >= LOOKS) this.#owe();
    if (this.#isBusy() || this.#owed === 0) return;
    this.#owed -= 1;
    this.#collect();
  }

  #owe(): void {
    this.#burst = 0;
    this.#owed = Math.min(MAX_OWED, this.#owed + 1);
  }

  #isBusy(): boolean {
    const { received, sent } = this.#source.traffic;
    const fresh = received + sent - this.#messages;
    this.#messages = received + sent;
    return fresh > BUSY;
  }

  /** Whether much has waited, and has gone a while ago. */
  #drained(): boolean {
    const waiting = this.#source.output.waiting;
    this.#peak = Math.max(this.#peak, waiting);
    this.#low = this.#peak >= MUCH && waiting <= this.#peak / 4 ? this.#low + 1 : 0;
    // Twice: V8 frees the memory of buffers beside a collection, and may not be done before the next.
    if (this.#low === LOOKS) return true;
    if (this.#low < LOOKS) return false;
    this.#peak = waiting;
    this.#low = 0;
    return true;
  }
}

/** V8's collection, where Node was started with `--expose-gc`; else nothing. */
export const collectGarbage = (): void => {
  (globalThis as { gc?: () => void }).gc?.();
};
