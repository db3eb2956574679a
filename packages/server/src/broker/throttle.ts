/**
 * The rates of an account in one region, and of each of its connections: what may pass now, and who is told when it may
 * not (General Reference, "AWS IoT Core endpoints and quotas"). Where an account has no rates there are none of these.
 */
import type { Clock } from '../runtime/clock.ts';
import type { Client } from './client.ts';
import type { Pacer, Paced, Progress } from './pacer.ts';
import { Bucket, Buckets, type Rates } from './rates.ts';
import type { Segment } from './run.ts';

/** What was too much, in the words of the refusal that says so. */
const REASONS = {
  connect: 'too many CONNECTs in a second, of the client id or of the account',
  publish: 'too many messages published in a second, on the connection or in the account',
  retain: 'too many retained messages published in a second, on the topic or in the account',
  deliver: 'too many messages for the client in a second, or in the account: QoS 0 is discarded, QoS 1 waits',
  bytes: 'too many bytes from the client in a second: they are read more slowly',
  subscribe: 'too many topic filters subscribed to in a second in the account',
  request: 'too many requests about connections in a second, of the client id or of the account',
} as const;
export type ThrottleKind = keyof typeof REASONS;
export const reasonOf = (kind: ThrottleKind): string => REASONS[kind];

/** Of one client and kind, one refusal in ten seconds is recorded; so many clients and kinds are remembered for that. */
const RECORDS_PER_SECOND = 0.1;
const MAX_REMEMBERED = 10_000;

export class AccountThrottle {
  readonly rates: Rates;
  readonly publishesOut: Bucket;
  readonly #clock: Clock;
  readonly #publishesIn: Bucket;
  readonly #connects: Bucket;
  readonly #connectsOf: Buckets;
  readonly #subscriptions: Bucket;
  readonly #retained: Bucket;
  readonly #retainedOn: Buckets;
  readonly #requests: Bucket;
  readonly #requestsOn: Buckets;
  readonly #recorded = new Buckets(RECORDS_PER_SECOND, 1);

  constructor(rates: Rates, clock: Clock) {
    this.rates = rates;
    this.#clock = clock;
    this.publishesOut = new Bucket(rates.publishesOut);
    this.#publishesIn = new Bucket(rates.publishesIn);
    this.#connects = new Bucket(rates.connects);
    this.#connectsOf = new Buckets(rates.connectsPerClientId);
    this.#subscriptions = new Bucket(rates.subscriptions);
    this.#retained = new Bucket(rates.retainedPublishes);
    this.#retainedOn = new Buckets(rates.retainedPublishesPerTopic);
    this.#requests = new Bucket(rates.connectionRequests);
    this.#requestsOn = new Buckets(rates.connectionRequestsPerClientId);
  }

  /** Monotonic milliseconds. */
  get now(): number {
    return this.#clock.monotonic();
  }

  /** Whether a client may connect now. Only who has been admitted counts: nobody else can use up a client's turn. */
  mayConnect(clientId: string): boolean {
    return this.#takeBoth(this.#connects, this.#connectsOf, clientId);
  }

  /** Whether somebody may ask about, or end, a client's connection now. */
  mayRequest(clientId: string): boolean {
    return this.#takeBoth(this.#requests, this.#requestsOn, clientId);
  }

  /** Whether one topic filter more may be subscribed to now. */
  maySubscribe(): boolean {
    return this.#subscriptions.take(this.now);
  }

  /** How many of so many messages may be published now; they have been, then. */
  publish(wanted: number, now: number): number {
    const passing = Math.max(0, Math.min(wanted, this.#publishesIn.level(now)));
    this.#publishesIn.spend(passing, now);
    return passing;
  }

  /** What keeps one message from being published now; nothing has been spent then. */
  refusesMessage(topic: string, retain: boolean): ThrottleKind | undefined {
    const { now } = this;
    if (retain && (this.#retained.level(now) < 1 || this.#retainedOn.level(topic, now) < 1)) return 'retain';
    if (this.publish(1, now) < 1) return 'publish';
    if (retain) {
      this.#retained.spend(1, now);
      this.#retainedOn.spend(topic, 1, now);
    }
    return undefined;
  }

  /** Whether the refusal is to be recorded; if not, there has been one of this kind for this client just now. */
  records(kind: ThrottleKind, clientId: string): boolean {
    const { now } = this;
    const key = `${kind} ${clientId}`;
    return this.#recorded.level(key, now) >= 1 && this.#recorded.size < MAX_REMEMBERED && this.#recorded.take(key, now);
  }

  #takeBoth(ofAccount: Bucket, ofClients: Buckets, clientId: string): boolean {
    const { now } = this;
    if (ofAccount.level(now) < 1 || ofClients.level(clientId, now) < 1) return false;
    ofAccount.spend(1, now);
    ofClients.spend(clientId, 1, now);
    return true;
  }
}

/** One connection, both ways. */
export class ConnectionThrottle implements Paced {
  /** Sequence of the last row that was stored before the client came: up to there it is replayed. */
  storedUpTo = 0;
  readonly #account: AccountThrottle;
  readonly #client: Client;
  readonly #pacer: Pacer;
  readonly #in: Bucket;
  readonly #out: Bucket;
  readonly #bytesIn: Bucket;
  readonly #bytesOut: Bucket;
  readonly #replayed: Bucket;
  #holding = false;

  constructor(account: AccountThrottle, client: Client, pacer: Pacer) {
    const { publishesPerConnection, bytesPerConnection, replayedMessages } = account.rates;
    this.#account = account;
    this.#client = client;
    this.#pacer = pacer;
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
    this.#client.hold();
    this.#pacer.wait(this);
    throttled(this.#client, 'bytes');
  }

  goOn(): Progress {
    if (this.#bytesIn.level(this.#account.now) < 0 && this.#client.state !== 'closed') return 'stuck';
    this.#holding = false;
    this.#client.released();
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

  /** How many messages of the segment, `from` on and `most` at most, may be sent now; `row` is where they are stored. */
  fits(segment: Segment, from: number, most: number, row: number): number {
    const { now, publishesOut } = this.#account;
    const byCount = Math.min(most, this.#out.level(now), publishesOut.level(now));
    const count = this.#isReplayed(row) ? Math.min(byCount, this.#replayed.level(now)) : byCount;
    const bytes = this.#bytesOut.level(now);
    const start = segment.at[from] as number;
    let fitting = 0;
    // The last one may be more than is left: it would never go otherwise.
    while (fitting < count && (segment.at[from + fitting] as number) - start < bytes) fitting += 1;
    return fitting;
  }

  sent(segment: Segment, from: number, to: number, row: number): void {
    const { now, publishesOut } = this.#account;
    this.#out.spend(to - from, now);
    publishesOut.spend(to - from, now);
    this.#bytesOut.spend((segment.at[to] as number) - (segment.at[from] as number), now);
    if (this.#isReplayed(row)) this.#replayed.spend(to - from, now);
  }

  /** How many messages of QoS 0 may be sent now; they are sent, and the others are discarded. */
  pass(segment: Segment): number {
    const passing = this.fits(segment, 0, segment.count, 0);
    this.sent(segment, 0, passing, 0);
    if (passing < segment.count) throttled(this.#client, 'deliver', segment.count - passing);
    return passing;
  }

  /** Messages of QoS 1 do not fit: whoever has them is asked to go on when tokens have come back. */
  wait(paced: Paced, row: number): void {
    if (this.#pacer.wait(paced) && !this.#isReplayed(row)) throttled(this.#client, 'deliver');
  }

  #isReplayed(row: number): boolean {
    return row > 0 && row <= this.storedUpTo;
  }
}

/** Undefined for an account without rates. */
export function accountThrottle(rates: Rates, clock: Clock): AccountThrottle | undefined {
  return Object.values(rates).some((rate) => rate > 0) ? new AccountThrottle(rates, clock) : undefined;
}

/** Counts what a connected client had too much of, and records the refusal unless that was done just now. */
export function throttled(client: Client, kind: ThrottleKind, count = 1): void {
  client.broker.counters.throttled += count;
  if (client.account?.throttle?.records(kind, client.clientId)) client.refuse({ check: 'rate', reason: REASONS[kind] });
}
