/**
 * Orders that go out together: those of one group, until there are enough of them, or the first has waited long enough.
 * A batch whose time is over takes more as long as nobody is free to send it.
 */
import type { Batching } from './actions/contract.ts';
import type { Entry } from './queue-quota.ts';

interface OpenBatch {
  readonly entries: [Entry, ...Entry[]];
  readonly timer: NodeJS.Timeout;
  bytes: number;
  /** Its time is over. */
  late: boolean;
}

/** BatchedActions that are open at a time: beyond that the oldest goes as it is. */
const MAX_OPEN = 1000;

export class BatchedActions {
  readonly #batching: Batching;
  readonly #onReady: () => void;
  /** By group, oldest first. */
  readonly #open = new Map<string, OpenBatch>();
  #ready: [Entry, ...Entry[]][] = [];
  #first = 0;

  /** `onReady`: {@link next} may give something now. */
  constructor(batching: Batching, onReady: () => void) {
    this.#batching = batching;
    this.#onReady = onReady;
  }

  add(entry: Entry): void {
    const { orders, bytes, openMs } = this.#batching;
    const { group } = entry;
    const size = entry.order?.payload.length ?? entry.size;
    let batch = this.#open.get(group);
    if (batch !== undefined && batch.bytes + size > bytes) {
      this.#close(group, batch);
      batch = undefined;
    }
    if (batch === undefined) {
      batch = { entries: [entry], bytes: size, late: false, timer: setTimeout(() => this.#isLate(group), openMs).unref() };
      this.#open.set(group, batch);
    } else {
      batch.entries.push(entry);
      batch.bytes += size;
    }
    if (batch.entries.length >= orders || batch.bytes >= bytes) this.#close(group, batch);
    else if (this.#open.size > MAX_OPEN) this.#closeOldest();
  }

  /** A batch that may go out. */
  next(): [Entry, ...Entry[]] | undefined {
    const ready = this.#ready[this.#first];
    if (ready === undefined) return this.#takeLate();
    this.#first += 1;
    if (this.#first > 1024 && this.#first * 2 > this.#ready.length) {
      this.#ready = this.#ready.slice(this.#first);
      this.#first = 0;
    }
    return ready;
  }

  clear(): void {
    for (const { timer } of this.#open.values()) clearTimeout(timer);
    this.#open.clear();
  }

  #isLate(group: string): void {
    const batch = this.#open.get(group);
    if (batch === undefined) return;
    batch.late = true;
    this.#onReady();
  }

  #takeLate(): [Entry, ...Entry[]] | undefined {
    for (const [group, { late, entries }] of this.#open) {
      // All have the same time: those behind are not late either.
      if (!late) return undefined;
      this.#open.delete(group);
      return entries;
    }
    return undefined;
  }

  #close(group: string, { timer, entries }: OpenBatch): void {
    clearTimeout(timer);
    this.#open.delete(group);
    this.#ready.push(entries);
  }

  #closeOldest(): void {
    const [[group, batch] = []] = this.#open;
    if (group !== undefined && batch !== undefined) this.#close(group, batch);
  }
}
