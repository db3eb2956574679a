/**
 * The rates of an account in one region: what may pass now (General Reference, "AWS IoT Core endpoints and quotas"). An
 * account without rates has none.
 */
import type { Clock } from '../../runtime/clock.ts';
import { Bucket, Buckets } from '../../runtime/token-buckets.ts';
import type { Rates } from './rates.ts';

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

  /** Whether a client may connect now. Only admitted clients count: no other can use up a client's rate. */
  mayConnect(clientId: string): boolean {
    return this.#takeBoth(this.#connects, this.#connectsOf, clientId);
  }

  /** Whether one request about a client's connection, or to end it, is within the rate now. */
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

/** Undefined for an account without rates. */
export function accountThrottle(rates: Rates, clock: Clock): AccountThrottle | undefined {
  return Object.values(rates).some((rate) => rate > 0) ? new AccountThrottle(rates, clock) : undefined;
}
