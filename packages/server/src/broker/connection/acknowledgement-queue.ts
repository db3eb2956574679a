/**
 * Acknowledgements of one client that wait for what has to be stored first: those of later messages wait behind them, so
 * that all go in the order of the messages [MQTT-4.6.0-2].
 */
import type { PendingStorage } from '../messaging.ts';

/** Acknowledgements that wait, beyond which the client is not read from. */
export const MAX_HELD = 1_000;

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
  /** Stops reading from the client, and goes on with it. */
  readonly pause: () => void;
  readonly resume: () => void;
}

export class AcknowledgementQueue {
  readonly #options: AcknowledgementQueueOptions;
  #held: Held[] = [];
  #failed = false;
  #isPaused = false;

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
    if (this.#held.length >= MAX_HELD && !this.#isPaused) {
      this.#isPaused = true;
      this.#options.pause();
    }
    const stored = (): void => {
      held.left -= 1;
      this.#send();
    };
    const failed = (error: unknown): void => this.#fail(error);
    if (journal) this.#options.journal.after(stored, failed);
    for (const other of others) other.then(stored, failed);
  }

  #send(): void {
    const first = this.#held.findIndex(({ left }) => left > 0);
    const ready = this.#held.splice(0, first === -1 ? this.#held.length : first);
    for (const { bytes } of ready) this.#options.send(bytes);
    if (this.#isPaused && this.#held.length < MAX_HELD / 2) this.#resume();
  }

  #resume(): void {
    this.#isPaused = false;
    this.#options.resume();
  }

  #fail(error: unknown): void {
    this.#held = [];
    if (this.#isPaused) this.#resume();
    if (this.#failed) return;
    this.#failed = true;
    this.#options.failed(error);
  }
}
