/**
 * Writes log events and keeps them within bounds: a full stream loses its oldest events, a full account its streams with the
 * oldest last write.
 */
import { randomInt } from 'node:crypto';
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { MEMORY } from '../runtime/memory.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import type { ReadTransaction, Store, WriteTransaction } from '../store/contract.ts';
import { pages } from '../store/pages.ts';
import { logEvents, type LogGroupRecord, logGroups, type LogStreamRecord, logStreams, readBatch, writeBatch } from './store.ts';

export interface LogEvent {
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly message: string;
}

/** Bounds on disk, all ours: bytes of a stream and of an account in a region, streams of a group, groups of an account. */
const LARGEST_STREAM = 4 * 1024 * 1024;
const LARGEST_ACCOUNT = 128 * 1024 * 1024;
const MAX_STREAMS = 1_000;
const MAX_GROUPS = 1_000;
/** Bytes that wait to be written, all streams together. */
const MAX_WAITING = MEMORY.logs;
const READ = { rows: 64, bytes: 1024 * 1024 };
const DAY = 24 * 3600 * 1000;

export async function createGroup(tx: WriteTransaction, record: LogGroupRecord): Promise<void> {
  const { items } = await tx.scan(logGroups, { skipDamaged: true, prefix: [record.accountId] });
  if (items.length >= MAX_GROUPS) fail('LimitExceededException', `An account can have at most ${MAX_GROUPS} log groups here.`);
  await tx.put(logGroups, record);
}

export async function removeStream(tx: WriteTransaction, { accountId, group, name, number }: LogStreamRecord): Promise<void> {
  await removeRows(tx, number, () => true);
  await tx.delete(logStreams, [accountId, group, name]);
}

/** Removes rows, the oldest first, while `goes` is true of them; returns the bytes removed. */
async function removeRows(tx: WriteTransaction, owner: number, goes: (value: Uint8Array) => boolean): Promise<number> {
  let bytes = 0;
  for (let after = -1; ; ) {
    const found = await tx.scanRows(logEvents, owner, { after, ...READ });
    if (found.length === 0) return bytes;
    for (const { at, value } of found) {
      if (!goes(value)) return bytes;
      bytes += value.length;
      await tx.deleteRows(logEvents, [{ owner, at }]);
      after = at;
    }
  }
}

export async function createStream(
  tx: WriteTransaction,
  { accountId }: Place,
  group: string,
  name: string,
  now: number,
): Promise<LogStreamRecord> {
  const { items } = await tx.scan(logStreams, { skipDamaged: true, index: 'byTime', prefix: [accountId, group] });
  // The stream with the oldest last write is removed.
  if (items.length >= MAX_STREAMS && items[0] !== undefined) await removeStream(tx, items[0]);
  const record: LogStreamRecord = {
    accountId,
    group,
    name,
    number: randomInt(2 ** 47),
    createdAt: now,
    next: 0,
    bytes: 0,
  };
  await tx.put(logStreams, record);
  return record;
}

/** Adds events to a stream; a full stream loses its oldest ones. */
export async function append(
  tx: WriteTransaction,
  stream: LogStreamRecord,
  events: readonly LogEvent[],
  now: number,
): Promise<LogStreamRecord> {
  const value = writeBatch({ ingestedAt: now, events: events.map(({ timestamp, message }) => [timestamp, message]) });
  await tx.putRows(logEvents, [{ owner: stream.number, at: stream.next, value }]);
  const times = events.map(({ timestamp }) => timestamp);
  let bytes = stream.bytes + value.length;
  if (bytes > LARGEST_STREAM) {
    let over = bytes - LARGEST_STREAM / 2;
    bytes -= await removeRows(tx, stream.number, (row) => {
      over -= row.length;
      return over > -row.length;
    });
  }
  const record: LogStreamRecord = {
    ...stream,
    next: stream.next + 1,
    bytes,
    ingestedAt: now,
    first: Math.min(stream.first ?? Number.POSITIVE_INFINITY, ...times),
    last: Math.max(stream.last ?? 0, ...times),
  };
  await tx.put(logStreams, record);
  return record;
}

/** Every event of a stream within two times (the end not included), in the order of their times. */
export async function eventsOf(
  tx: ReadTransaction,
  stream: LogStreamRecord,
  from: number,
  to: number,
): Promise<(LogEvent & { readonly ingestedAt: number; readonly id: number })[]> {
  const found: (LogEvent & { ingestedAt: number; id: number })[] = [];
  for (let after = -1; ; ) {
    const list = await tx.scanRows(logEvents, stream.number, { after, ...READ });
    for (const { at, value } of list) {
      const { ingestedAt, events } = readBatch(value);
      for (const [index, [timestamp, message]] of events.entries())
        if (timestamp >= from && timestamp < to) found.push({ timestamp, message, ingestedAt, id: at * 10_000 + index });
      after = at;
    }
    if (list.length === 0) break;
  }
  return found.sort((a, b) => a.timestamp - b.timestamp || a.id - b.id);
}

export interface LogWriterOptions {
  readonly inRegion: (region: string) => Store;
  readonly regions: () => Promise<readonly string[]>;
  readonly clock: Clock;
  readonly log: Logger;
}

interface WaitingEvents {
  readonly place: Place;
  readonly group: string;
  readonly stream: string;
  readonly events: readonly LogEvent[];
}

/** Writes log lines of the server itself; groups and streams are created as needed. */
export class LogWriter {
  readonly #options: LogWriterOptions;
  #waiting: WaitingEvents[] = [];
  #bytes = 0;
  #writing: Promise<void> | undefined;

  constructor(options: LogWriterOptions) {
    this.#options = options;
  }

  /** Queues events to be written; drops them when too many wait. */
  write(place: Place, group: string, stream: string, events: readonly LogEvent[]): void {
    const size = events.reduce((sum, { message }) => sum + message.length, 0);
    if (this.#bytes + size > MAX_WAITING) {
      this.#options.log.warn({ event: 'function-log-dropped', group }, 'log events were dropped: too many wait to be written');
      return;
    }
    this.#bytes += size;
    this.#waiting.push({ place, group, stream, events });
    this.#writing ??= this.#drain();
  }

  /** Resolves once all queued events are on disk. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  async #drain(): Promise<void> {
    // The events of one turn are one transaction.
    await new Promise(setImmediate);
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      this.#bytes = 0;
      for (const [region, list] of Map.groupBy(batch, ({ place }) => place.region))
        await this.#options
          .inRegion(region)
          .write(async (tx) => {
            for (const each of list) await this.#put(tx, each);
          })
          .catch((error: unknown) => this.#options.log.error({ err: error }, 'log events could not be written'));
    }
    this.#writing = undefined;
  }

  async #put(tx: WriteTransaction, { place, group, stream, events }: WaitingEvents): Promise<void> {
    const now = this.#options.clock.now();
    const { accountId } = place;
    if ((await tx.get(logGroups, [accountId, group])) === undefined)
      await createGroup(tx, { accountId, name: group, createdAt: now, tags: {} });
    const record = (await tx.get(logStreams, [accountId, group, stream])) ?? (await createStream(tx, place, group, stream, now));
    await append(tx, record, events, now);
  }

  /** Removes events beyond the retention of their group, and the oldest streams of accounts over their bound. */
  async tidy(): Promise<void> {
    for (const region of await this.#options.regions()) {
      const store = this.#options.inRegion(region);
      const accounts = new Set<string>();
      for await (const { items } of pages(store, logGroups, { skipDamaged: true, prefix: [] }))
        for (const group of items) {
          accounts.add(group.accountId);
          if (group.retentionDays !== undefined) await store.write((tx) => this.#expire(tx, group));
        }
      for (const accountId of accounts) await this.#shrink(store, accountId);
    }
  }

  async #expire(tx: WriteTransaction, { accountId, name, retentionDays }: LogGroupRecord): Promise<void> {
    if (retentionDays === undefined) return;
    const oldest = this.#options.clock.now() - retentionDays * DAY;
    for (const stream of (await tx.scan(logStreams, { skipDamaged: true, prefix: [accountId, name] })).items) {
      if ((stream.first ?? Number.POSITIVE_INFINITY) >= oldest) continue;
      const gone = await removeRows(tx, stream.number, (value) =>
        readBatch(value).events.every(([timestamp]) => timestamp < oldest),
      );
      if (gone > 0) await tx.put(logStreams, { ...stream, bytes: stream.bytes - gone, first: oldest });
    }
  }

  async #shrink(store: Store, accountId: string): Promise<void> {
    const streams: LogStreamRecord[] = [];
    for await (const { items } of pages(store, logStreams, { skipDamaged: true, prefix: [accountId] })) streams.push(...items);
    let bytes = streams.reduce((sum, stream) => sum + stream.bytes, 0);
    for (const stream of streams.sort((a, b) => (a.ingestedAt ?? 0) - (b.ingestedAt ?? 0))) {
      if (bytes <= LARGEST_ACCOUNT) return;
      bytes -= stream.bytes;
      await store.write((tx) => removeStream(tx, stream));
    }
  }
}
