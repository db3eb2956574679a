/** The rates of one connection, received and sent: which messages may pass now, and the answer to those that may not. */
import { type AccountThrottle, reasonOf, type ThrottleKind } from '../routing/account-throttle.ts';
import type { AccountSpace } from '../routing/account.ts';
import type { BrokerCounters } from './counters.ts';
import type { Reading } from './reading.ts';
import type { RateLimited, RateLimitQueue, Progress } from '../session/rate-limit-queue.ts';
import { Bucket } from '../../runtime/token-buckets.ts';
import type { EncodedBatch } from '../message/publish-batch.ts';
import type { Subscriber } from '../session/session.ts';
import { IN_MEMORY, isOnDisk, type StoragePlace } from '../session/storage-place.ts';
import type { DeliveryRates } from '../session/transmitter.ts';

/** A connection, as its rates know it. */
export interface Throttled extends Pick<Subscriber, 'clientId' | 'state' | 'refuse'> {
  readonly account: AccountSpace | undefined;
  readonly broker: { readonly counters: BrokerCounters };
  readonly reading: Reading;
}

export class ConnectionThrottle implements DeliveryRates, RateLimited {
  readonly #account: AccountThrottle;
  readonly #client: Throttled;
  readonly #rateLimited: RateLimitQueue;
  readonly #in: Bucket;
  readonly #out: Bucket;
  readonly #bytesIn: Bucket;
  readonly #bytesOut: Bucket;
  readonly #replayed: Bucket;
  #holding = false;
  /** Sequence of the last row that was stored before the client came: up to there it is replayed. */
  #storedUpTo = 0;

  constructor(account: AccountThrottle, client: Throttled, rateLimited: RateLimitQueue) {
    const { publishesPerConnection, bytesPerConnection, replayedMessages } = account.rates;
    this.#account = account;
    this.#client = client;
    this.#rateLimited = rateLimited;
    this.#in = new Bucket(publishesPerConnection);
    this.#out = new Bucket(publishesPerConnection);
    this.#bytesIn = new Bucket(bytesPerConnection);
    this.#bytesOut = new Bucket(bytesPerConnection);
    this.#replayed = new Bucket(replayedMessages);
  }

  /** Bytes came. AWS delays what is too much: nothing more is read until the rate has caught up. */
  received(bytes: number): void {
    const { now } = this.#account;
    this.#bytesIn.spend(bytes, now);
    if (this.#holding || this.#bytesIn.level(now) >= 0) return;
    this.#holding = true;
    this.#client.reading.pause();
    this.#rateLimited.wait(this);
    throttled(this.#client, 'bytes');
  }

  drain(): Progress {
    if (this.#bytesIn.level(this.#account.now) < 0 && this.#client.state !== 'closed') return 'blocked';
    this.#holding = false;
    this.#client.reading.resume();
    return 'done';
  }

  /** How many of so many messages from the client may be published now; they have been, then. The others are counted. */
  publish(wanted: number): number {
    const { now } = this.#account;
    const passing = this.#account.publish(Math.max(0, Math.min(wanted, this.#in.level(now))), now);
    this.#in.spend(passing, now);
    if (passing < wanted) throttled(this.#client, 'publish', wanted - passing);
    return passing;
  }

  /** Whether a message that goes alone may be published now. */
  publishAlone(topic: string, retain: boolean): boolean {
    const { now } = this.#account;
    const kind = this.#in.level(now) < 1 ? 'publish' : this.#account.refusesMessage(topic, retain);
    if (kind === undefined) this.#in.spend(1, now);
    else throttled(this.#client, kind);
    return kind === undefined;
  }

  replays(storedUpTo: number): void {
    this.#storedUpTo = storedUpTo;
  }

  /** How many messages of the batch, `from` on and `max` at most, may be sent now; `row` is where they are stored. */
  fits(encoded: EncodedBatch, from: number, max: number, row: StoragePlace): number {
    const { now, publishesOut } = this.#account;
    const byCount = Math.min(max, this.#out.level(now), publishesOut.level(now));
    const count = this.#isReplayed(row) ? Math.min(byCount, this.#replayed.level(now)) : byCount;
    const bytes = this.#bytesOut.level(now);
    const start = encoded.at[from] as number;
    let fitting = 0;
    // The last one may be more than is left: it would never go otherwise.
    while (fitting < count && (encoded.at[from + fitting] as number) - start < bytes) fitting += 1;
    return fitting;
  }

  sent(encoded: EncodedBatch, from: number, to: number, row: StoragePlace): void {
    const { now, publishesOut } = this.#account;
    this.#out.spend(to - from, now);
    publishesOut.spend(to - from, now);
    this.#bytesOut.spend((encoded.at[to] as number) - (encoded.at[from] as number), now);
    if (this.#isReplayed(row)) this.#replayed.spend(to - from, now);
  }

  /** How many messages of QoS 0 may be sent now; they are sent, and the others are discarded. */
  pass(encoded: EncodedBatch): number {
    const passing = this.fits(encoded, 0, encoded.count, IN_MEMORY);
    this.sent(encoded, 0, passing, IN_MEMORY);
    if (passing < encoded.count) throttled(this.#client, 'deliver', encoded.count - passing);
    return passing;
  }

  /** Messages of QoS 1 do not fit: `limited` is asked to go on when tokens have come back. */
  wait(limited: RateLimited, row: StoragePlace): void {
    if (this.#rateLimited.wait(limited) && !this.#isReplayed(row)) throttled(this.#client, 'deliver');
  }

  #isReplayed(row: StoragePlace): boolean {
    return isOnDisk(row) && row <= this.#storedUpTo;
  }
}

/** Counts what a connected client had too much of, and records the refusal unless that was done just now. */
export function throttled(client: Throttled, kind: ThrottleKind, count = 1): void {
  client.broker.counters.throttled += count;
  if (client.account?.throttle?.records(kind, client.clientId)) client.refuse({ check: 'rate', reason: reasonOf(kind) });
}
