/** A semaphore for heavy work: a few run at a time, in order, a bounded number waits, the rest is throttled. */
import { fail } from '@thingkeep/wire/errors.ts';

export class Semaphore {
  readonly #atATime: number;
  readonly #inWait: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor({ atATime, inWait }: { atATime: number; inWait: number }) {
    this.#atATime = atATime;
    this.#inWait = inWait;
  }

  async run<R>(work: () => Promise<R>): Promise<R> {
    if (this.#running < this.#atATime) this.#running += 1;
    else if (this.#waiting.length < this.#inWait) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else fail('ThrottlingException', 'Rate exceeded');
    try {
      return await work();
    } finally {
      // The place goes straight to the next in line: what comes later can't take it.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
