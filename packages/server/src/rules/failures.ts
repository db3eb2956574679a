/** Failures of rules for their owners: a log line and an event, no more of one rule than one a second. */
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import { type Place, placeKey } from '@thingkeep/wire/arn.ts';
import type { RuleFailure } from './action-dispatcher.ts';

/** Publishes for whoever subscribes to it in the account. */
export type PublishFailure = (place: Place, topic: string, payload: Buffer) => void;

/** Milliseconds between two reports of one rule. */
const QUIET = 1000;
/** Rules that are remembered. */
const MOST = 10_000;

export class RuleFailures {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #publish: PublishFailure;
  /** By rule: when it was last told of, and how many failures were not told since. */
  readonly #told = new Map<string, { at: number; left: number }>();

  constructor(clock: Clock, log: Logger, publish: PublishFailure) {
    this.#clock = clock;
    this.#log = log;
    this.#publish = publish;
  }

  tell({ place, ruleName, topic, reason }: RuleFailure): void {
    const key = `${placeKey(place)}/${ruleName}`;
    const now = this.#clock.monotonic();
    const told = this.#told.get(key);
    if (told !== undefined && now - told.at < QUIET) {
      told.left += 1;
      return;
    }
    if (this.#told.size >= MOST) this.#told.clear();
    this.#told.set(key, { at: now, left: 0 });
    const time = new Date(this.#clock.now()).toISOString();
    const event = { ...place, ruleName, topic, reason, notTold: told?.left ?? 0 };
    this.#log.warn({ event: 'rule-failed', ...event }, 'a rule failed');
    // A rule on this very topic that fails would be told of for ever.
    if (!topic.startsWith('$thingkeep/'))
      this.#publish(place, `$thingkeep/events/rules/${ruleName}/failed`, Buffer.from(JSON.stringify({ time, ...event })));
  }
}
