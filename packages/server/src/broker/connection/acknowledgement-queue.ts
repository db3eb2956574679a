/**
 * Acknowledgements of one client that wait for what has to be stored first: those of later messages wait behind them, so
 * that all go in the order of the messages [MQTT-4.6.0-2].
 */
import type { PendingStorage } from '../messaging.ts';

interface Held {
  readonly bytes: Uint8Array;
  /** How many have not stored it yet. */
  left: number;
}

export interface AcknowledgementQueueOptions {
  readonly journal: { after(done: () => void, failed: (error: unknown) => void): void };
  readonly send: (bytes: Uint8Array) => void;
  /** Something could not be stored: it is not acknowledged, and neither is what waits behind it. */
  readonly failed: (error: unknown) => void;
}

export class AcknowledgementQueue {
  readonly #options: AcknowledgementQueueOptions;
  #held: Held[] = [];
  #failed = false;

  constructor(options: AcknowledgementQueueOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#held.length === 0;
  }

  /** Sends the bytes once what is pending is stored, and all before them have been sent. */
  add(bytes: Uint8Array, { journal, others }: PendingStorage): void {
    const held: Held = { bytes, left: others.length + (journal ? 1 : 0) };
    this.#held.push(held);
    const stored = (): void => {
      held.left -= 1;
      this.#send();
    };
    const failed = (error: unknown): void => this.#fail(error);
    if (journal) this.#options.journal.after(stored, failed);
    for (const other of others) other.then(stored, failed);
  }

  #send(): void {
    while (this.#held[0]?.left === 0) this.#options.send((this.#held.shift() as Held).bytes);
  }

  #fail(error: unknown): void {
    this.#held = [];
    if (this.#failed) return;
    this.#failed = true;
    this.#options.failed(error);
  }
}
