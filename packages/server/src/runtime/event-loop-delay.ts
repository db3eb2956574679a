/** How late the event loop comes to what is due: a timer that notes how late it is, fifty times a second. */
import type { Clock } from './clock.ts';
import { Histogram, SECONDS } from './histogram.ts';

const INTERVAL_MS = 20;

export class EventLoopDelay implements Disposable {
  readonly time = new Histogram(SECONDS.eventLoop);
  readonly #clock: Clock;
  readonly #timer: NodeJS.Timeout;
  #due: number;
  #longest = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#due = clock.monotonic() + INTERVAL_MS;
    this.#timer = setInterval(() => this.#look(), INTERVAL_MS).unref();
  }

  /** Seconds of the longest delay since this was asked last, one that has not come to its end among them. */
  takeLongest(): number {
    const longest = Math.max(this.#longest, this.#late);
    this.#longest = 0;
    return longest;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  get #late(): number {
    return Math.max(0, this.#clock.monotonic() - this.#due) / 1000;
  }

  #look(): void {
    const late = this.#late;
    this.time.observe(late);
    if (late > this.#longest) this.#longest = late;
    this.#due = this.#clock.monotonic() + INTERVAL_MS;
  }
}
