/** Long work that no caller waits for: it runs beside requests, and rests as long as it has worked. */
import type { Clock } from './clock.ts';
import type { Logger } from './log.ts';

/** To be awaited by the work after each page. Rejects once the server stops. */
export type Rest = () => Promise<void>;

/** Milliseconds of one rest at most. */
const MAX_REST = 100;

class Stopped extends Error {}

export class Background {
  readonly #clock: Clock;
  readonly #log: Pick<Logger, 'error'>;
  readonly #running = new Map<string, Promise<void>>();
  /** Work that was started again while it ran: it runs once more. */
  readonly #again = new Map<string, (rest: Rest) => Promise<void>>();
  #closed = false;

  constructor(clock: Clock, log: Pick<Logger, 'error'>) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Starts work, after work of the same name that is under way. */
  start(name: string, work: (rest: Rest) => Promise<void>): void {
    if (this.#closed) return;
    if (this.#running.has(name)) this.#again.set(name, work);
    else this.#running.set(name, this.#run(name, work));
  }

  /** Resolves once no work is under way. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  /** Ends work at its next rest. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#again.clear();
    await this.idle();
  }

  async #run(name: string, work: (rest: Rest) => Promise<void>): Promise<void> {
    try {
      await work(this.#restAfter(this.#clock.monotonic()));
    } catch (error) {
      if (!(error instanceof Stopped))
        this.#log.error({ err: error, event: 'background-failed', work: name }, 'work in the background failed');
    }
    this.#running.delete(name);
    const next = this.#again.get(name);
    this.#again.delete(name);
    if (next !== undefined) this.start(name, next);
  }

  #restAfter(began: number): Rest {
    let since = began;
    return async () => {
      if (this.#closed) throw new Stopped();
      const worked = this.#clock.monotonic() - since;
      await new Promise<void>((resolve) => {
        if (worked < 1) setImmediate(resolve);
        else setTimeout(resolve, Math.min(worked, MAX_REST));
      });
      since = this.#clock.monotonic();
    };
  }
}
