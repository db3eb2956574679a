/**
 * Delivery to one session. QoS 0 goes straight to the connection or, beyond the bound, nowhere. QoS 1 goes through a window
 * of unacknowledged packets with a queue behind it: in memory and bounded, or, for a persistent session, on disk. A
 * congested client holds its publishers back for a moment; one that stays so is marked slow, and holds none back any more.
 */
import type { Clock } from '../../runtime/clock.ts';
import type { Backlog } from './backlog.ts';
import { withRemaining } from '../message/expiry.ts';
import type { RateLimited, Progress } from './rate-limit-queue.ts';
import { SharedInFlight, type Reclaimed } from './shared-in-flight.ts';
import type { Congestible, Waiter } from '../messaging.ts';
import { keep, type PublishBatch, type EncodedBatch } from '../message/publish-batch.ts';
import { IN_MEMORY, isKept, isOnDisk, type StoragePlace } from './storage-place.ts';
import { decodeStored } from '../message/stored-message.ts';
import type { TopicEntry } from '../message/topic-entry.ts';
import { type ConnectionLink, Transmitter } from './transmitter.ts';
import type { DeliveryCounters, DropReason } from './delivery-counters.ts';

/** A client that is congested for so many milliseconds is slow, and publishers do not wait for it for so many. */
const SLOW_AFTER_MS = 100;
const SLOW_FOR_MS = 60_000;
/** Bytes of a persistent session's queue that are held in memory; the others are on disk alone. */
const MAX_IN_MEMORY = 256 * 1024;

interface Queued {
  readonly encoded: EncodedBatch;
  readonly topic: TopicEntry;
  /** Milliseconds since the epoch; undefined for never. */
  readonly expiresAt: number | undefined;
  /** Where it is kept. Its first message is number `first` there. */
  readonly row: StoragePlace;
  readonly first: number;
  /** Permissions generation by which it was allowed. */
  permissions: number;
  next: number;
}

/** Bytes of memory that a queued batch takes, its objects and tables included: small messages cost more than they weigh. */
const costOf = (encoded: EncodedBatch): number => encoded.bytes.length + 8 * encoded.count + 512;

export class Delivery implements RateLimited, Congestible {
  /** The queue on disk of a persistent session. */
  readonly backlog: Backlog | undefined;
  readonly #counters: DeliveryCounters;
  readonly #clock: Clock;
  /** Undefined while the client is away. */
  #transmitter: Transmitter | undefined;
  #queue: Queued[] = [];
  #queuedBytes = 0;
  #loading: object | undefined;
  /** Made by the first message of a share that is nowhere on disk. */
  #sharedInFlight: SharedInFlight | undefined;
  #waiters: Waiter[] | undefined;
  /** Monotonic ms: full since, and slow until; undefined when neither. */
  #fullSince: number | undefined;
  #slowUntil: number | undefined;

  constructor(counters: DeliveryCounters, clock: Clock, backlog?: Backlog) {
    this.#counters = counters;
    this.#clock = clock;
    this.backlog = backlog;
  }

  /** The client is there: what waited is sent. */
  attach(link: ConnectionLink): void {
    const done = (row: StoragePlace, index: number): void => this.#done(row, index);
    link.rates?.replays(this.backlog?.last ?? 0);
    this.#transmitter = new Transmitter({ link, counters: this.#counters, clock: this.#clock, done });
    this.#fill();
  }

  /** The client is gone: what it has not acknowledged waits on disk, or is gone too. */
  detach(): void {
    this.#account(-this.#queuedBytes);
    this.#transmitter = undefined;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#loading = undefined;
    this.#fullSince = undefined;
    this.#slowUntil = undefined;
    this.backlog?.rewind();
    this.#release();
  }

  /** Whether the client itself should not be read from: it takes nothing, so what it sends must not cause more. */
  get isBackpressured(): boolean {
    const output = this.#transmitter?.output;
    return this.#slowUntil === undefined && output !== undefined && output.pending > output.bound / 3;
  }

  /** Whether publishers should wait before they send more here. */
  get isCongested(): boolean {
    return this.#slowUntil === undefined && this.#transmitter !== undefined && !this.hasCapacity;
  }

  /** Whether the client takes what it gets: of the members of a share, those come first. */
  get hasCapacity(): boolean {
    const output = this.#transmitter?.output;
    if (output === undefined) return false;
    const max = output.bound / 3;
    return output.pending <= max && this.#queuedBytes <= max;
  }

  /** Messages that were sent and are not acknowledged. */
  get inFlight(): number {
    return this.#transmitter?.inFlight ?? 0;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  sendQos0(encoded: EncodedBatch, topic: TopicEntry): void {
    this.#transmitter?.sendQos0(encoded, topic);
  }

  /** Messages of the share of this filter are about to be sent, and not on disk. Gives where they are kept. */
  assign(filter: string, batch: PublishBatch): StoragePlace {
    this.#sharedInFlight ??= new SharedInFlight();
    return this.#sharedInFlight.assign(filter, batch);
  }

  /** The session has ended: what it got from shared subscriptions and has not acknowledged. */
  reclaim(topicOf: (name: string) => TopicEntry): Reclaimed[] {
    return this.#sharedInFlight?.reclaim(topicOf) ?? [];
  }

  /**
   * Sends or queues messages of QoS 1; `row` is where they are kept. False when the
   * queue in memory is beyond its bound: the client must go, since nothing acknowledged may be dropped.
   */
  sendQos1(encoded: EncodedBatch, batch: PublishBatch, row: StoragePlace, shared: boolean): boolean {
    const transmitter = this.#transmitter;
    if (isOnDisk(row) && !this.#isNext(encoded, row, shared)) return true;
    if (transmitter === undefined) return true;
    const { topic } = batch;
    let from = 0;
    // A message that waited in the shared group's queue has its remaining expiry from there.
    if (this.#queue.length === 0 && !(batch.waited && batch.expiresAt !== undefined)) {
      from = transmitter.fits(encoded, 0, row);
      if (from > 0) transmitter.send(encoded, 0, from, topic, row, 0);
    }
    if (from < encoded.count) {
      const permissions = transmitter.link.permissions.generation;
      this.#push({ encoded: keep(encoded, from), topic, expiresAt: batch.expiresAt, row, first: from, permissions, next: 0 });
      // All that was sent may have been too large for this client, and then no acknowledgement will come to go on.
      // Nor may one come in time where a rate, not the window, keeps messages back.
      if (transmitter.idle || transmitter.link.rates !== undefined) this.#sendQueued();
    }
    const { output } = transmitter;
    return isOnDisk(row) || this.#queuedBytes + output.pending <= output.bound;
  }

  /** Messages that are being stored are sent once they can be read from there. */
  sendStored(count: number, bytes: number, row: number): void {
    this.backlog?.put(row, count, bytes);
    this.#fill();
  }

  /**
   * Sends a message past subscriptions and queue. The answer gives up waiting for the acknowledgement; undefined when there
   * is no room for the message.
   */
  sendDirect(encoded: EncodedBatch, topic: TopicEntry, qos: number, confirmed: () => void): (() => void) | undefined {
    const transmitter = this.#transmitter;
    if (transmitter === undefined || encoded.largest > transmitter.link.largest) return undefined;
    if (transmitter.output.pending > transmitter.output.bound) return undefined;
    if (transmitter.link.rates?.fits(encoded, 0, 1, IN_MEMORY) === 0) return undefined;
    if (qos === 1) return transmitter.room > 0 ? transmitter.sendConfirmed(encoded, topic, confirmed) : undefined;
    transmitter.sendQos0(encoded, topic);
    return () => {};
  }

  /** A PUBACK came. */
  acknowledged(packetId: number): void {
    if (!this.#transmitter?.acknowledged(packetId)) return;
    if (this.#queue.length > 0) this.#sendQueued();
    else if (this.backlog?.behind) this.#fill();
  }

  /** Sends again what has waited for its acknowledgement for too long; called about once a second. */
  redeliver(now: number): void {
    this.#transmitter?.redeliver(now);
  }

  /** Tokens of a rate that messages wait for may have come back. */
  drain(): Progress {
    if (this.#transmitter === undefined) return 'done';
    const before = this.#counters.sentQos1;
    if (this.#sendQueued() !== 'limited') return 'done';
    return this.#counters.sentQos1 > before ? 'progress' : 'blocked';
  }

  wait(waiter: Waiter, now: number): void {
    this.#fullSince ??= now;
    this.#waiters ??= [];
    this.#waiters.push(waiter);
  }

  /** The output has taken bytes, or acknowledgements came: who waited may go on once half of the bound is free. */
  drained(): void {
    const output = this.#transmitter?.output;
    if (output !== undefined) {
      const max = output.bound / 6;
      if (output.pending > max || this.#queuedBytes > max) return;
    }
    this.#fullSince = undefined;
    this.#release();
  }

  /** Marks a client that stays full as slow: publishers do not wait for it for a while. */
  check(now: number): 'waiting' | 'done' {
    if (this.#slowUntil !== undefined && now >= this.#slowUntil && !this.isCongested) this.#slowUntil = undefined;
    if (this.#fullSince !== undefined && now - this.#fullSince > SLOW_AFTER_MS) {
      this.#slowUntil = now + SLOW_FOR_MS;
      this.#fullSince = undefined;
      this.#release();
    }
    return this.#slowUntil === undefined && this.#fullSince === undefined ? 'done' : 'waiting';
  }

  /** Enters a new row. Whether its messages can go now: the client is there and has no older ones before it on disk. */
  #isNext(encoded: EncodedBatch, row: number, shared: boolean): boolean {
    const backlog = this.backlog as Backlog;
    const { behind } = backlog;
    const size = (encoded.at[encoded.count] as number) - (encoded.at[0] as number);
    backlog.put(row, encoded.count, size);
    if (this.#transmitter === undefined) return false;
    if (behind || this.#queuedBytes > MAX_IN_MEMORY) {
      this.#fill();
      return false;
    }
    backlog.take(row, encoded.count, size, shared);
    return true;
  }

  #done(row: StoragePlace, index: number): void {
    if (isOnDisk(row)) this.backlog?.done(row, index);
    else this.#sharedInFlight?.done(row, index);
  }

  #release(): void {
    if (this.#waiters === undefined) return;
    const waiters = this.#waiters;
    this.#waiters = undefined;
    for (const waiter of waiters) waiter.resumeReading();
  }

  #account(bytes: number): void {
    this.#transmitter?.output.account(bytes);
  }

  #push(queued: Queued): void {
    this.#queue.push(queued);
    const cost = costOf(queued.encoded);
    this.#queuedBytes += cost;
    this.#account(cost);
  }

  #shift(first: Queued): void {
    this.#queue.shift();
    const cost = costOf(first.encoded);
    this.#queuedBytes -= cost;
    this.#account(-cost);
  }

  /** Sends what may go now; `limited` when a rate keeps the rest back. */
  #sendQueued(): 'limited' | undefined {
    const transmitter = this.#transmitter as Transmitter;
    while (this.#queue.length > 0) {
      if (transmitter.room <= 0) return undefined;
      const first = this.#queue[0] as Queued;
      const fault = this.#faultOf(first, transmitter);
      if (fault !== undefined) {
        this.#drop(first, fault);
        continue;
      }
      const upTo = first.next + transmitter.fits(first.encoded, first.next, first.row);
      if (upTo === first.next) {
        transmitter.link.rates?.wait(this, first.row);
        return 'limited';
      }
      const encoded = first.expiresAt === undefined ? first.encoded : this.#aged(first.encoded, first.expiresAt, transmitter);
      transmitter.send(encoded, first.next, upTo, first.topic, first.row, first.first);
      first.next = upTo;
      // Packets too large for this client took no room: there may be some left.
      if (upTo < first.encoded.count) continue;
      this.#shift(first);
      if (this.#fullSince !== undefined) this.drained();
    }
    this.#fill();
    return undefined;
  }

  #drop(first: Queued, why: DropReason): void {
    if (isKept(first.row)) for (let i = first.next; i < first.encoded.count; i += 1) this.#done(first.row, first.first + i);
    this.#counters.dropped[why] += first.encoded.count - first.next;
    this.#shift(first);
  }

  /** Why queued messages may not be sent any more: they have expired, or the permissions of now don't allow them. */
  #faultOf(queued: Queued, { link: { permissions } }: Transmitter): DropReason | undefined {
    if (queued.expiresAt !== undefined && queued.expiresAt <= this.#clock.now()) return 'expired';
    if (queued.permissions === permissions.generation) return undefined;
    queued.permissions = permissions.generation;
    return permissions.mayReceive(queued.topic) ? undefined : 'not-allowed';
  }

  /** The message with the seconds that are left of its expiry interval [MQTT-3.3.2-6]. */
  #aged(encoded: EncodedBatch, expiresAt: number, { link }: Transmitter): EncodedBatch {
    if (link.level !== 5) return encoded;
    return withRemaining(encoded, Math.max(0, Math.ceil((expiresAt - this.#clock.now()) / 1000)));
  }

  /** Reads on in the queue on disk when there is room for it. */
  #fill(): void {
    const { backlog } = this;
    const transmitter = this.#transmitter;
    if (backlog === undefined || transmitter === undefined || !backlog.behind) return;
    if (this.#loading !== undefined || this.#queuedBytes > MAX_IN_MEMORY / 2) return;
    const turn = {};
    this.#loading = turn;
    backlog
      .read(() => this.#loading === turn)
      .then(
        (page) => {
          // The connection has ended meanwhile.
          if (this.#loading !== turn) return;
          this.#loading = undefined;
          for (const { at, value, shared } of page) this.#load(backlog, transmitter.link, at, value, shared);
          this.#sendQueued();
        },
        (error: unknown) => {
          if (this.#loading !== turn) return;
          this.#loading = undefined;
          transmitter.link.failed(error);
        },
      );
  }

  #load(backlog: Backlog, { topics, level }: ConnectionLink, at: number, value: Uint8Array, shared: boolean): void {
    const batch = decodeStored(value, (name) => topics.topic(name));
    if (batch === undefined) {
      backlog.discard(at, 1, value.length, shared);
      return;
    }
    backlog.retake(at, batch.count, value.length, shared);
    const encoded = batch.encode(level, 1);
    const { expiresAt, count } = batch;
    const { topic } = batch;
    let from = 0;
    // Messages that an earlier connection acknowledged divide the row into pieces.
    for (let i = 0; i <= count; i += 1) {
      if (i < count && !backlog.isDone(at, i)) continue;
      const piece = from === 0 && i === count ? encoded : part(encoded, from, i);
      if (i > from) this.#push({ encoded: piece, topic, expiresAt, row: at, first: from, permissions: -1, next: 0 });
      from = i + 1;
    }
  }
}

/** Messages `from` to `to` of an encoded batch. */
const part = (encoded: EncodedBatch, from: number, to: number): EncodedBatch => ({
  ...encoded,
  count: to - from,
  at: encoded.at.slice(from, to + 1),
  idAt: encoded.idAt.slice(from, to),
});
