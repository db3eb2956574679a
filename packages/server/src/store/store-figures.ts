/** The work of the store, counted: commits with their time and their writes, those that failed, and damaged records. */
import type { Clock } from '../runtime/clock.ts';
import { Histogram, SECONDS } from '../runtime/histogram.ts';
import { type Damage, nameOfDamage } from './damage.ts';

const WRITES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
/** Names of damaged records that are kept, to count each record once. */
const MAX_DAMAGED = 10_000;

export class StoreFigures {
  readonly commitTime = new Histogram(SECONDS.commit);
  readonly commitWrites = new Histogram(WRITES);
  failedCommits = 0;
  readonly #clock: Clock;
  readonly #damaged = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Damaged records that were met, each once. */
  get damaged(): number {
    return this.#damaged.size;
  }

  /** Runs a commit of so many writes. */
  commit(writes: number, run: () => void): void {
    const began = this.#clock.monotonic();
    run();
    this.commitTime.observe((this.#clock.monotonic() - began) / 1000);
    this.commitWrites.observe(writes);
  }

  /** Notes a damaged record. */
  met(damage: Damage): void {
    if (this.#damaged.size < MAX_DAMAGED) this.#damaged.add(nameOfDamage(damage));
  }
}
