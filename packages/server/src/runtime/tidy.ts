/**
 * A burst of handshakes leaves much garbage behind, and a process that then has little to do never collects it: V8 waits for
 * the next allocations. So it is collected once, when a burst has settled.
 */

/** Connections that make a burst. */
const BURST = 500;
/** Connections of one look, and looks one after another, that count as settled. */
const FEW = 5;
const LOOKS = 3;

export class Tidy {
  readonly #count: () => number;
  readonly #collect: () => void;
  #last = 0;
  #burst = 0;
  #quiet = 0;

  /** `count` rises with every connection; `collect` is V8's own, there with `--expose-gc`. */
  constructor(count: () => number, collect: () => void) {
    this.#count = count;
    this.#collect = collect;
  }

  /** Called about once a second. */
  look(): void {
    const now = this.#count();
    const fresh = now - this.#last;
    this.#last = now;
    this.#burst += fresh;
    this.#quiet = fresh <= FEW ? this.#quiet + 1 : 0;
    if (this.#burst < BURST || this.#quiet < LOOKS) return;
    this.#burst = 0;
    this.#collect();
  }
}

/** V8's collection, where Node was started with `--expose-gc`; else nothing. */
export const collectGarbage = (): void => {
  (globalThis as { gc?: () => void }).gc?.();
};
