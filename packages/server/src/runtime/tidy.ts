/**
 * A burst of handshakes, or of bytes that waited for peers, leaves much garbage behind, and a process that then has little to
 * do never collects it: V8 waits for the next allocations. So it is collected once, when a burst has settled.
 */

/** Connections that make a burst. */
const BURST = 500;
/** Connections of one look, and looks one after another, that count as settled. */
const FEW = 5;
const LOOKS = 3;
/** Bytes waiting in memory that make a burst; one that has settled has at most a quarter of its peak. */
const MUCH = 8 * 1024 * 1024;

/** What comes in bursts: connections, and bytes that wait for peers. */
export interface Bursting {
  readonly counters: { readonly connects: number };
  readonly flusher: { readonly pending: number };
}

export class Tidy {
  readonly #source: Bursting;
  readonly #collect: () => void;
  #peak = 0;
  #low = 0;
  #last = 0;
  #burst = 0;
  #quiet = 0;

  /** `collect` is V8's own, there with `--expose-gc`. */
  constructor(source: Bursting, collect: () => void) {
    this.#source = source;
    this.#collect = collect;
  }

  /** Called about once a second. */
  look(): void {
    const now = this.#source.counters.connects;
    const fresh = now - this.#last;
    this.#last = now;
    this.#burst += fresh;
    this.#quiet = fresh <= FEW ? this.#quiet + 1 : 0;
    const drained = this.#drained();
    if (!drained && (this.#burst < BURST || this.#quiet < LOOKS)) return;
    this.#burst = 0;
    this.#collect();
  }

  /** Whether much has waited, and has gone a while ago. */
  #drained(): boolean {
    const waiting = this.#source.flusher.pending;
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
