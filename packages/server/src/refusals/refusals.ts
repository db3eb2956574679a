/**
 * Refusals of devices and callers: each is one record and one log line. The newest records are kept in memory for reading
 * back; log lines are limited in rate, and the next one says how many were left out.
 */
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';

/** The check that failed, one word each. */
export type RefusalCheck =
  | 'tls'
  | 'certificate-missing'
  | 'certificate-unknown'
  | 'certificate-not-active'
  | 'certificate-expired'
  | 'certificate-not-yet-valid'
  | 'authorizer'
  | 'credentials'
  | 'client-id'
  | 'policy'
  | 'reserved-topic'
  | 'topic'
  | 'limit'
  | 'rate'
  | 'protocol'
  | 'signature'
  | 'take-over'
  | 'overload';

export interface Refusal {
  readonly check: RefusalCheck;
  /** One sentence for the device's owner. */
  readonly reason: string;
  readonly protocol: 'mqtt' | 'websocket' | 'https' | 'api';
  readonly sourceIp: string;
  readonly accountId?: string;
  readonly region?: string;
  readonly clientId?: string;
  readonly certificateId?: string;
  readonly principal?: string;
  /** IoT action that was asked for, such as `iot:Publish`. */
  readonly action?: string;
  /** ARN of the resource of the action. */
  readonly resource?: string;
  readonly decision?: 'EXPLICIT_DENY' | 'IMPLICIT_DENY';
  /** The policy and statement of an explicit deny. */
  readonly policyName?: string;
  readonly statement?: string;
  /** More of the reason, where it costs something to find out: asked for the refusals of a second that are logged. */
  readonly explain?: () => string;
}

export interface RecordedRefusal extends Omit<Refusal, 'explain'> {
  /** Number of the refusal since the start, from 1. */
  readonly sequence: number;
  /** ISO 8601 instant. */
  readonly time: string;
}

export interface RefusalQuery {
  readonly accountId?: string;
  readonly clientId?: string;
  readonly certificateId?: string;
  readonly check?: string;
  /** Only those after this sequence number. */
  readonly after?: number;
  /** Records of an answer at most: the newest ones. */
  readonly limit?: number;
}

const KEPT = 10_000;
const LOGGED_PER_SECOND = 200;
/** Characters that are kept of a text which a peer has sent. */
const LONGEST_TEXT = 1024;

/** Cuts a text, by way of bytes: a slice of a string would keep the whole string in memory. */
const cut = (text: string): string => `${Buffer.from(text.slice(0, LONGEST_TEXT)).toString()}…`;

const bounded = (refusal: Omit<Refusal, 'explain'>): Omit<Refusal, 'explain'> =>
  Object.fromEntries(
    Object.entries(refusal).map(([name, value]) => [
      name,
      typeof value === 'string' && value.length > LONGEST_TEXT ? cut(value) : value,
    ]),
  ) as unknown as Omit<Refusal, 'explain'>;

export class Refusals {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #ring: RecordedRefusal[] = [];
  readonly #listeners = new Set<(refusal: RecordedRefusal) => void>();
  #sequence = 0;
  #second = 0;
  #loggedInSecond = 0;
  #unlogged = 0;

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Number of refusals since the start. */
  get count(): number {
    return this.#sequence;
  }

  on(listener: (refusal: RecordedRefusal) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  record({ explain, ...refusal }: Refusal): void {
    const now = this.#clock.now();
    this.#sequence += 1;
    this.#beginSecond(Math.floor(now / 1000));
    const isLogged = this.#loggedInSecond < LOGGED_PER_SECOND;
    const reason = explain === undefined || !isLogged ? refusal.reason : `${refusal.reason}: ${explain()}`;
    const recorded: RecordedRefusal = {
      sequence: this.#sequence,
      time: new Date(now).toISOString(),
      ...bounded({ ...refusal, reason }),
    };
    this.#ring[(this.#sequence - 1) % KEPT] = recorded;
    if (isLogged) this.#write(recorded);
    else this.#unlogged += 1;
    for (const listener of this.#listeners) listener(recorded);
  }

  /** The newest refusals that match, oldest first. */
  list(query: RefusalQuery = {}): RecordedRefusal[] {
    const { limit = 100, after = 0 } = query;
    const found: RecordedRefusal[] = [];
    const oldest = Math.max(1, this.#sequence - KEPT + 1, after + 1);
    for (let sequence = this.#sequence; sequence >= oldest && found.length < limit; sequence -= 1) {
      const refusal = this.#ring[(sequence - 1) % KEPT] as RecordedRefusal;
      if (query.accountId !== undefined && refusal.accountId !== undefined && refusal.accountId !== query.accountId) continue;
      if (query.clientId !== undefined && refusal.clientId !== query.clientId) continue;
      if (query.certificateId !== undefined && refusal.certificateId !== query.certificateId) continue;
      if (query.check !== undefined && refusal.check !== query.check) continue;
      found.push(refusal);
    }
    return found.reverse();
  }

  #beginSecond(second: number): void {
    if (second === this.#second) return;
    if (this.#unlogged > 0)
      this.#log.warn({ event: 'refused', count: this.#unlogged }, 'more refusals than are logged in a second');
    this.#second = second;
    this.#loggedInSecond = 0;
    this.#unlogged = 0;
  }

  #write(refusal: RecordedRefusal): void {
    this.#loggedInSecond += 1;
    const { time: _, ...members } = refusal;
    this.#log.warn({ event: 'refused', ...members }, refusal.reason);
  }
}
