/**
 * Events that were accepted for later (invocation type Event): on disk before they are acknowledged, tried again when their
 * function fails, given up when they are too old. A server that was killed goes on with them when it is back: an event is run
 * at least once. Source: Lambda developer guide, page invocation-async-error-handling.
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Row, Store } from '../../store/contract.ts';
import { waitingEvents } from './store.ts';

/** What is kept beside the payload. */
export interface WaitingEvent {
  readonly accountId: string;
  readonly name: string;
  readonly qualifier?: string;
  readonly requestId: string;
  /** Milliseconds since the epoch. */
  readonly acceptedAt: number;
  readonly notBefore: number;
  /** Times that the function ran and failed. */
  readonly failures: number;
  /** Times that there was no room to run it, since it last ran. */
  readonly throttles: number;
}

/** What came of an attempt: done with (run, or given up), or to be tried again at a time with these counts. */
export type Attempt = 'done' | Pick<WaitingEvent, 'notBefore' | 'failures' | 'throttles'>;

export interface EventQueueOptions {
  readonly inRegion: (region: string) => Store;
  readonly regions: () => Promise<readonly string[]>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Runs an event. Fails only where it is not known what came of it; it is then tried again. */
  readonly attempt: (place: Place, event: WaitingEvent, payload: Uint8Array) => Promise<Attempt>;
  /** Events under way at most. */
  readonly most: number;
}

/** An event as the memory has it: its payload stays on disk. */
interface QueuedEvent {
  readonly region: string;
  readonly owner: number;
  readonly at: number;
  readonly size: number;
  notBefore: number;
  underWay: boolean;
  /** It waits for room, not for its time. */
  throttled: boolean;
}

/** Events of one function, and bytes of all of them; ours. */
const MAX_OF_ONE = 1_000;
const MAX_BYTES = 256 * 1024 * 1024;
/** Milliseconds after which an attempt whose end is not known is repeated. */
const AGAIN = 60_000;

const rowValue = (event: WaitingEvent, payload: Uint8Array): Buffer => {
  const head = Buffer.from(JSON.stringify(event));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(head.length);
  return Buffer.concat([length, head, payload]);
};

function readValue({ value }: Row): { event: WaitingEvent; payload: Uint8Array } {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  const end = 4 + bytes.readUInt32BE(0);
  return { event: JSON.parse(bytes.subarray(4, end).toString()) as WaitingEvent, payload: bytes.subarray(end) };
}

export class EventQueue {
  readonly #options: EventQueueOptions;
  readonly #items = new Set<QueuedEvent>();
  readonly #byOwner = new Map<number, number>();
  /** Events under way by function. */
  readonly #running = new Map<number, number>();
  #bytes = 0;
  #underWay = 0;
  #next = 1;
  #closed = false;

  constructor(options: EventQueueOptions) {
    this.#options = options;
  }

  /** Finds what a server before this one left. */
  async load(): Promise<void> {
    for (const region of await this.#options.regions()) {
      const found: Omit<QueuedEvent, 'notBefore' | 'underWay' | 'throttled'>[] = [];
      const store = this.#options.inRegion(region);
      await store.read((tx) => tx.eachRow(waitingEvents, ({ owner, at }, size) => void found.push({ region, owner, at, size })));
      for (const each of found) {
        this.#next = Math.max(this.#next, each.at + 1);
        const row = await this.#read(each);
        if (row !== undefined) {
          const { notBefore, throttles } = row.event;
          this.#keep({ ...each, notBefore, underWay: false, throttled: throttles > 0 });
        }
      }
    }
  }

  /** Events of all functions, those under way among them. */
  get size(): number {
    return this.#items.size;
  }

  /** Events that wait for a function, those under way among them. */
  waitingFor(owner: number): number {
    return this.#byOwner.get(owner) ?? 0;
  }

  /** Resolves with true once the event is on disk; with false, at once, when there is no room for it. */
  async add(region: string, owner: number, event: WaitingEvent, payload: Uint8Array): Promise<boolean> {
    const value = rowValue(event, payload);
    if (this.waitingFor(owner) >= MAX_OF_ONE || this.#bytes + value.length > MAX_BYTES) return false;
    const item: QueuedEvent = {
      region,
      owner,
      at: this.#next++,
      size: value.length,
      notBefore: event.notBefore,
      // It must not be run before it is there.
      underWay: true,
      throttled: false,
    };
    this.#keep(item);
    try {
      const { at } = item;
      await this.#options.inRegion(region).write((tx) => tx.putRows(waitingEvents, [{ owner, at, value }]));
    } catch (error) {
      this.#drop(item);
      throw error;
    }
    item.underWay = false;
    this.tick();
    return true;
  }

  /** Forgets a function's events. */
  async clear(region: string, owner: number): Promise<void> {
    const gone = [...this.#items].filter((item) => item.region === region && item.owner === owner);
    for (const item of gone) this.#drop(item);
    await this.#options.inRegion(region).write((tx) => tx.deleteRows(waitingEvents, gone));
  }

  /** There may be room for events of this function again: the one that waits for it, or all of them, need wait no longer. */
  wake(owner: number, all = false): void {
    const now = this.#options.clock.now();
    for (const item of this.#items) {
      if (item.owner !== owner || !item.throttled) continue;
      item.notBefore = Math.min(item.notBefore, now);
      item.throttled = false;
      if (!all) return;
    }
  }

  /** Begins what is due, as far as there is room. */
  tick(): void {
    const now = this.#options.clock.now();
    for (const item of this.#items) {
      if (this.#closed || this.#underWay >= this.#options.most) return;
      if (item.underWay || item.notBefore > now) continue;
      // Half of the room at most is one function's: the events of others go on beside those that take long.
      const own = this.#running.get(item.owner) ?? 0;
      if (own >= Math.max(1, this.#options.most >> 1)) continue;
      this.#running.set(item.owner, own + 1);
      item.underWay = true;
      this.#underWay += 1;
      void this.#run(item).finally(() => {
        item.underWay = false;
        this.#underWay -= 1;
        const left = (this.#running.get(item.owner) ?? 1) - 1;
        if (left === 0) this.#running.delete(item.owner);
        else this.#running.set(item.owner, left);
        if (!this.#closed) this.tick();
      });
    }
  }

  close(): void {
    this.#closed = true;
  }

  async #run(item: QueuedEvent): Promise<void> {
    const { clock, log, inRegion, attempt } = this.#options;
    const { region, owner, at } = item;
    try {
      const row = await this.#read(item);
      if (row === undefined) return this.#drop(item);
      const { event, payload } = row;
      const outcome = await attempt({ region, accountId: event.accountId }, event, payload);
      // The server ends: whatever came of it, it came of the ending. The next one tries again.
      if (this.#closed || !this.#items.has(item)) return;
      if (outcome === 'done') {
        await inRegion(region).write((tx) => tx.deleteRows(waitingEvents, [{ owner, at }]));
        this.#drop(item);
      } else {
        item.notBefore = outcome.notBefore;
        item.throttled = outcome.throttles > 0;
        const value = rowValue({ ...event, ...outcome }, payload);
        await inRegion(region).write((tx) => tx.putRows(waitingEvents, [{ owner, at, value }]));
      }
      if (!item.throttled) this.wake(owner);
    } catch (error) {
      item.notBefore = clock.now() + AGAIN;
      if (!this.#closed) log.error({ err: error, region }, 'an event for a function could not be run');
    }
  }

  async #read({ region, owner, at }: Pick<QueuedEvent, 'region' | 'owner' | 'at'>) {
    const [row] = await this.#options
      .inRegion(region)
      .read((tx) => tx.scanRows(waitingEvents, owner, { after: at - 1, rows: 1, bytes: 1 }));
    return row?.at === at ? readValue(row) : undefined;
  }

  #keep(item: QueuedEvent): void {
    this.#items.add(item);
    this.#byOwner.set(item.owner, this.waitingFor(item.owner) + 1);
    this.#bytes += item.size;
  }

  #drop(item: QueuedEvent): void {
    if (!this.#items.delete(item)) return;
    const left = this.waitingFor(item.owner) - 1;
    if (left === 0) this.#byOwner.delete(item.owner);
    else this.#byOwner.set(item.owner, left);
    this.#bytes -= item.size;
  }
}
