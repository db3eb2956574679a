/** How much may wait for actions: in one queue, and in all of them together. */
import { MEMORY } from '../runtime/memory.ts';
import type { KeptOrder } from './orders.ts';

export interface Entry {
  /** Row on disk; 0 for an order that is in memory only. */
  readonly at: number;
  readonly size: number;
  /** What may go out together with others of the same; empty where nothing does. */
  readonly group: string;
  /** Undefined while it is on disk only. */
  order: KeptOrder | undefined;
  attempts: number;
  /** Milliseconds that had passed since its message when it was found on disk at a start; 0 for a new one. */
  readonly age: number;
  /** Monotonic ms of its first attempt; 0 before. */
  since: number;
}

/** What all queues hold together. */
export interface QueueUsage {
  orders: number;
  /** Bytes of orders in memory, and of those on disk. */
  memory: number;
  disk: number;
}

const MIB = 1024 * 1024;
const MAX_IN_MEMORY_ONLY = 10_000;
/** In one queue, and in all of them. */
const MOST = {
  orders: [100_000, 900_000],
  memory: [MEMORY.orders / 8, MEMORY.orders],
  disk: [1024 * MIB, 8192 * MIB],
} as const satisfies Readonly<Record<keyof QueueUsage, readonly [number, number]>>;

/** One queue's part. */
export class QueueQuota {
  readonly #ofAll: QueueUsage;
  readonly #own: QueueUsage = { orders: 0, memory: 0, disk: 0 };
  #inMemoryOnly = 0;

  constructor(ofAll: QueueUsage) {
    this.#ofAll = ofAll;
  }

  get orders(): number {
    return this.#own.orders;
  }

  /** Whether an order would find room; of `bytes`, and on disk or not. */
  has(bytes: number, onDisk: boolean): boolean {
    if (!this.#fits('orders', 1)) return false;
    if (onDisk) return this.#fits('disk', bytes);
    return this.#inMemoryOnly < MAX_IN_MEMORY_ONLY && this.#fits('memory', bytes);
  }

  /** What is on disk is in memory too as long as that has room. */
  take(entry: Entry): void {
    if (entry.at > 0 && !this.#fits('memory', entry.size)) entry.order = undefined;
    this.#count(entry, 1);
  }

  giveBack(entry: Entry): void {
    this.#count(entry, -1);
  }

  /** However many queues stand still, the others find room: none may have more than an eighth of what is free. */
  #fits(what: keyof QueueUsage, more: number): boolean {
    const [most, mostOfAll] = MOST[what];
    return this.#own[what] + more <= Math.min(most, (mostOfAll - this.#ofAll[what]) / 8);
  }

  #count({ at, size, order }: Entry, sign: 1 | -1): void {
    if (at === 0) this.#inMemoryOnly += sign;
    for (const held of [this.#own, this.#ofAll]) {
      held.orders += sign;
      if (at > 0) held.disk += sign * size;
      if (order !== undefined) held.memory += sign * size;
    }
  }
}
