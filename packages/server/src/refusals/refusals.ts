/**
 * Refusals of devices and callers: each is one record and one log line. The newest records are kept in memory for reading
 * back, a fair share for each account, and those of peers without one apart. Log lines and explanations of an account, and
 * what an unidentified peer leaves, are limited in rate; the next one says how many were left out.
 */
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import { networkOf } from '../runtime/peer-network.ts';
import { RepeatLimiter } from '../runtime/repeat-limiter.ts';
import { NewestByAccount, UNIDENTIFIED } from './newest-by-account.ts';

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
  'provisioning',
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
  /** The account is that of a key or name which the peer gave and has not proven. */
  readonly isUnproven?: true;
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
  /** More of the reason. It costs more than the refusal: it is called for 10 of an account's refusals in a second. */
  readonly explain?: () => string;
}

type Recordable = Omit<Refusal, 'explain' | 'isUnproven'>;

export interface RecordedRefusal extends Recordable {
  /** Number of the refusal since the start, from 1. */
  readonly sequence: number;
  /** ISO 8601 instant. */
  readonly time: string;
}

export interface RefusalQuery {
  readonly accountId?: string;
  readonly clientId?: string;
  /** The id, or its first digits. */
  readonly certificateId?: string;
  readonly check?: string;
  /** Only those after this sequence number. */
  readonly after?: number;
  /** Records of an answer at most: the newest ones. */
  readonly limit?: number;
}

const KEPT = { max: 10_000, maxUnidentified: 2_000 };
/** Refusals that an address leaves in a minute whose peer has not proven to be of an account, and all of these in a second. */
const UNPROVEN = { max: 60, perMs: 60_000 };
const ALL_UNPROVEN = { max: 100, perMs: 1_000 };
/** Log lines of one account, or of all unidentified peers. */
const LOGGED = { max: 100, perMs: 1_000 };
/** Explanations of one account's refusals. */
const EXPLAINED = { max: 10, perMs: 1_000 };
/** Characters that are kept of a text which a peer has sent. */
const LONGEST_TEXT = 1024;

/** Cuts a text, by way of bytes: a slice of a string would keep the whole string in memory. */
const cut = (text: string): string => `${Buffer.from(text.slice(0, LONGEST_TEXT)).toString()}…`;

const bounded = (refusal: Recordable): Recordable =>
  Object.fromEntries(
    Object.entries(refusal).map(([name, value]) => [
      name,
      typeof value === 'string' && value.length > LONGEST_TEXT ? cut(value) : value,
    ]),
  ) as unknown as Recordable;

const isOfAnother = (refusal: RecordedRefusal, { accountId }: RefusalQuery): boolean =>
  accountId !== undefined && refusal.accountId !== undefined && refusal.accountId !== accountId;

export class Refusals {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #records = new NewestByAccount<RecordedRefusal>(KEPT);
  readonly #unproven: RepeatLimiter;
  readonly #allUnproven: RepeatLimiter;
  readonly #logged: RepeatLimiter;
  readonly #explained: RepeatLimiter;
  readonly #listeners = new Set<(refusal: RecordedRefusal) => void>();
  readonly #byCheck = Object.fromEntries(REFUSAL_CHECKS.map((check) => [check, 0])) as Record<RefusalCheck, number>;
  #sequence = 0;

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
    this.#unproven = new RepeatLimiter(clock, UNPROVEN);
    this.#allUnproven = new RepeatLimiter(clock, ALL_UNPROVEN);
    this.#logged = new RepeatLimiter(clock, LOGGED);
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

  record({ explain, isUnproven, ...refusal }: Refusal): void {
    this.#byCheck[refusal.check] += 1;
    const account = refusal.accountId ?? UNIDENTIFIED;
    const leftOut = account === UNIDENTIFIED || isUnproven === true ? this.#admitUnproven(refusal.sourceIp) : 0;
    if (leftOut === undefined) return;
    this.#sequence += 1;
    const more = leftOut === 0 ? '' : ` (${leftOut} more refusals of this address were not recorded)`;
    const recorded: RecordedRefusal = {
      sequence: this.#sequence,
      time: new Date(this.#clock.now()).toISOString(),
      ...bounded({ ...refusal, reason: `${refusal.reason}${this.#explain(account, explain)}${more}` }),
    };
    // What is not proven pushes out no record of the account's own.
    this.#records.add(isUnproven === true ? UNIDENTIFIED : account, recorded);
    // A rule's failure has a log line already.
    if (refusal.protocol !== 'rule') this.#write(account, recorded);
    for (const listener of this.#listeners) listener(recorded);
  }

  #admitUnproven(sourceIp = ''): number | undefined {
    const leftOut = this.#unproven.admit(networkOf(sourceIp));
    return leftOut === undefined || this.#allUnproven.admit('') === undefined ? undefined : leftOut;
  }

  /** The newest refusals that match, oldest first. */
  list(query: RefusalQuery = {}): RecordedRefusal[] {
    const { limit = 100, after = 0 } = query;
    const found: RecordedRefusal[] = [];
    for (const refusal of this.#records.newestFirst(query.accountId)) {
      if (refusal.sequence <= after || found.length >= limit) break;
      if (isOfAnother(refusal, query)) continue;
      if (query.clientId !== undefined && refusal.clientId !== query.clientId) continue;
      if (query.certificateId !== undefined && refusal.certificateId?.startsWith(query.certificateId) !== true) continue;
      if (query.check !== undefined && refusal.check !== query.check) continue;
      found.push(refusal);
    }
    return found.reverse();
  }

  /** An explanation that fails is left out: the refusal stands. */
  #explain(account: string, explain: Refusal['explain']): string {
    if (explain === undefined || this.#explained.admit(account) === undefined) return '';
    try {
      return `: ${explain()}`;
    } catch (error) {
      this.#log.error({ err: error, event: 'explain-failed' }, 'the reason of a refusal could not be worked out');
      return '';
    }
  }

  #write(account: string, refusal: RecordedRefusal): void {
    const leftOut = this.#logged.admit(account);
    if (leftOut === undefined) return;
    if (leftOut > 0) {
      const whose = account === UNIDENTIFIED ? {} : { accountId: account };
      this.#log.warn({ event: 'refused', count: leftOut, ...whose }, 'more refusals than are logged in a second');
    }
    const { time: _, ...members } = refusal;
    this.#log.warn({ event: 'refused', ...members }, refusal.reason);
  }
}
