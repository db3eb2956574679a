/**
 * Refusals of devices and callers: each is one record and one log line. The newest records are kept in memory for reading
 * back, those of strangers apart, so that a peer without an account can't push out an owner's. Log lines, and what one
 * stranger leaves, are limited in rate; the next one says how many were left out.
 */
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import { RepeatLimiter } from '../runtime/repeat-limiter.ts';
import { NewestByAccount } from './newest-by-account.ts';

/** The check that failed, one word each. */
export const REFUSAL_CHECKS = [
  'tls',
  'certificate-missing',
  'certificate-unknown',
  'certificate-not-active',
  'certificate-expired',
  'certificate-not-yet-valid',
  'authorizer',
  'credentials',
  'client-id',
  'policy',
  'reserved-topic',
  'topic',
  'limit',
  'rate',
  'protocol',
  'signature',
  'take-over',
  'rule',
  'not-implemented',
  'overload',
] as const;
export type RefusalCheck = (typeof REFUSAL_CHECKS)[number];

export interface Refusal {
  readonly check: RefusalCheck;
  /** One sentence for the device's owner. */
  readonly reason: string;
  /** `rule` for the failure of a rule, which has no peer. */
  readonly protocol: 'mqtt' | 'websocket' | 'https' | 'api' | 'rule';
  readonly sourceIp?: string;
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
  /** More of the reason. It costs more than the refusal: it is called for 20 of an account's refusals in a second. */
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
/** Of peers that could not be placed in an account. */
const KEPT_OF_STRANGERS = 2_000;
/** Refusals that one address without an account leaves in a minute. */
const STRANGER = { max: 60, perMs: 60_000 };
const LOGGED_PER_SECOND = 200;
/** Explanations of one account's refusals. */
const EXPLAINED = { max: 20, perMs: 1_000 };
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

/** Two lists, newest first, as one. */
function* newestOf(ones: Generator<RecordedRefusal>, others: Generator<RecordedRefusal>): Generator<RecordedRefusal> {
  let [a, b] = [ones.next(), others.next()];
  while (a.done !== true || b.done !== true) {
    if (b.done === true || (a.done !== true && a.value.sequence > b.value.sequence)) {
      if (a.done !== true) yield a.value;
      a = ones.next();
    } else {
      yield b.value;
      b = others.next();
    }
  }
}

export class Refusals {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #owned = new NewestByAccount<RecordedRefusal>(KEPT);
  readonly #ofStrangers = new NewestByAccount<RecordedRefusal>(KEPT_OF_STRANGERS);
  readonly #strangers: RepeatLimiter;
  readonly #explained: RepeatLimiter;
  readonly #listeners = new Set<(refusal: RecordedRefusal) => void>();
  readonly #byCheck = Object.fromEntries(REFUSAL_CHECKS.map((check) => [check, 0])) as Record<RefusalCheck, number>;
  #sequence = 0;
  #second = 0;
  #loggedInSecond = 0;
  #unlogged = 0;

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
    this.#strangers = new RepeatLimiter(clock, STRANGER);
    this.#explained = new RepeatLimiter(clock, EXPLAINED);
  }

  /** Number of refusals since the start, by check. */
  get byCheck(): Readonly<Record<RefusalCheck, number>> {
    return this.#byCheck;
  }

  on(listener: (refusal: RecordedRefusal) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  record({ explain, ...refusal }: Refusal): void {
    this.#byCheck[refusal.check] += 1;
    const isStranger = refusal.accountId === undefined;
    const leftOut = isStranger ? this.#strangers.admit(refusal.sourceIp ?? '') : 0;
    if (leftOut === undefined) return;
    const now = this.#clock.now();
    this.#sequence += 1;
    this.#beginSecond(Math.floor(now / 1000));
    const isLogged = this.#loggedInSecond < LOGGED_PER_SECOND;
    const explanation = this.#explain(refusal, explain);
    const more = leftOut === 0 ? '' : ` (${leftOut} more refusals of this address were not recorded)`;
    const recorded: RecordedRefusal = {
      sequence: this.#sequence,
      time: new Date(now).toISOString(),
      ...bounded({ ...refusal, reason: `${refusal.reason}${explanation}${more}` }),
    };
    if (refusal.accountId === undefined) this.#ofStrangers.add('', recorded);
    else this.#owned.add(refusal.accountId, recorded);
    // A rule's failure has a log line already.
    if (refusal.protocol !== 'rule') {
      if (isLogged) this.#write(recorded);
      else this.#unlogged += 1;
    }
    for (const listener of this.#listeners) listener(recorded);
  }

  /** The newest refusals that match, oldest first. */
  list(query: RefusalQuery = {}): RecordedRefusal[] {
    const { limit = 100, after = 0 } = query;
    const found: RecordedRefusal[] = [];
    const owned = this.#owned.newestFirst(query.accountId === undefined ? undefined : [query.accountId]);
    for (const refusal of newestOf(owned, this.#ofStrangers.newestFirst())) {
      if (refusal.sequence <= after || found.length >= limit) break;
      if (query.clientId !== undefined && refusal.clientId !== query.clientId) continue;
      if (query.certificateId !== undefined && refusal.certificateId !== query.certificateId) continue;
      if (query.check !== undefined && refusal.check !== query.check) continue;
      found.push(refusal);
    }
    return found.reverse();
  }

  /** An explanation that fails is left out: the refusal stands. */
  #explain({ accountId = '' }: Refusal, explain: Refusal['explain']): string {
    if (explain === undefined || this.#explained.admit(accountId) === undefined) return '';
    try {
      return `: ${explain()}`;
    } catch (error) {
      this.#log.error({ err: error, event: 'explain-failed' }, 'the reason of a refusal could not be worked out');
      return '';
    }
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
