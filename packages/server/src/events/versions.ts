/**
 * Version numbers of presence events: they count a client id's connections, so that a reader can order what reaches it
 * out of order, and begin again at 0 when the client has been away for an hour (developer guide, page life-cycle-events).
 */
import type { Clock } from '../runtime/clock.ts';

const HOUR = 3_600_000;

interface Known {
  readonly version: number;
  /** Monotonic milliseconds; 0 while connected. */
  leftAt: number;
}

export class Versions {
  readonly #clock: Clock;
  /** Those that left longest ago come first among the disconnected. */
  readonly #known = new Map<string, Known>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  connected(name: string): number {
    const before = this.#known.get(name);
    const now = this.#clock.monotonic();
    const version = before === undefined || this.#isForgotten(before, now) ? 0 : before.version + 1;
    this.#known.delete(name);
    this.#known.set(name, { version, leftAt: 0 });
    return version;
  }

  /** The number that the connection had. */
  disconnected(name: string): number {
    const now = this.#clock.monotonic();
    const known = this.#known.get(name);
    if (known === undefined) return 0;
    this.#known.delete(name);
    known.leftAt = now;
    this.#known.set(name, known);
    this.#forget(now);
    return known.version;
  }

  #isForgotten({ leftAt }: Known, now: number): boolean {
    return leftAt !== 0 && now - leftAt > HOUR;
  }

  /** Two of the oldest are looked at for each that leaves: enough to keep up, and never a long look. */
  #forget(now: number): void {
    let looked = 0;
    for (const [name, known] of this.#known) {
      if (this.#isForgotten(known, now)) this.#known.delete(name);
      // Who is still connected is put behind, out of the way.
      else if (known.leftAt === 0) {
        this.#known.delete(name);
        this.#known.set(name, known);
      } else return;
      looked += 1;
      if (looked === 2) return;
    }
  }
}
