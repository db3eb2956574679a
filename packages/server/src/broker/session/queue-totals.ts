/** What the persistent sessions and shared subscriptions of an account keep on disk together, in all regions. */

export interface QueueLimits {
  readonly accountQueuedMessages: number;
  readonly accountQueuedBytes: number;
}

export class QueueTotals {
  readonly #limits: QueueLimits;
  messages = 0;
  bytes = 0;
  #sessions = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get full(): boolean {
    return this.messages >= this.#limits.accountQueuedMessages || this.bytes >= this.#limits.accountQueuedBytes;
  }

  /** Persistent sessions. */
  get sessions(): number {
    return this.#sessions;
  }

  sessionOpened(): void {
    this.#sessions += 1;
  }

  sessionEnded(): void {
    this.#sessions -= 1;
  }

  add(messages: number, bytes: number): void {
    this.messages += messages;
    this.bytes += bytes;
  }
}
