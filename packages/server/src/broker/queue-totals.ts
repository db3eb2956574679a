/** What the persistent sessions and shared subscriptions of an account keep on disk together, in all regions. */

export interface QueueLimits {
  readonly accountQueuedMessages: number;
  readonly accountQueuedBytes: number;
}

export class QueueTotals {
  readonly #limits: QueueLimits;
  messages = 0;
  bytes = 0;
  /** Persistent sessions. */
  sessions = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get full(): boolean {
    return this.messages >= this.#limits.accountQueuedMessages || this.bytes >= this.#limits.accountQueuedBytes;
  }

  add(messages: number, bytes: number): void {
    this.messages += messages;
    this.bytes += bytes;
  }
}
