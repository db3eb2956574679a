/** Failures of rules for their owners: a log line, a record and an event, no more of one rule than one a second. */
import type { Clock } from '../runtime/clock.ts';
import { RepeatLimiter } from '../runtime/repeat-limiter.ts';
import type { Logger } from '../runtime/log.ts';
import { type Place, placeKey } from '@thingkeep/wire/arn.ts';
import type { RuleFailure } from './action-dispatcher.ts';

export interface FailureOutlets {
  /** Publishes for subscribers of the account. */
  publish(place: Place, topic: string, payload: Buffer): void;
  /** Keeps a record for the rule's owner. */
  record(failure: RuleFailure): void;
}

/** Reports of one rule. */
const REPORTED = { max: 1, perMs: 1_000 };

export class RuleFailures {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #outlets: FailureOutlets;
  readonly #limiter: RepeatLimiter;

  constructor(clock: Clock, log: Logger, outlets: FailureOutlets) {
    this.#clock = clock;
    this.#log = log;
    this.#outlets = outlets;
    this.#limiter = new RepeatLimiter(clock, REPORTED);
  }

  report({ place, ruleName, topic, reason, isUnknown }: RuleFailure): void {
    const key = `${placeKey(place)}/${isUnknown === true ? '' : ruleName}`;
    const leftOut = this.#limiter.admit(key);
    if (leftOut === undefined) return;
    const time = new Date(this.#clock.now()).toISOString();
    const event = { ...place, ruleName, topic, reason, notTold: leftOut };
    this.#log.warn({ event: 'rule-failed', ...event }, 'a rule failed');
    this.#outlets.record({ place, ruleName, topic, reason });
    // A rule on this very topic that fails would cause failures for ever.
    if (!topic.startsWith('$thingkeep/'))
      this.#outlets.publish(place, `$thingkeep/events/rules/${ruleName}/failed`, Buffer.from(JSON.stringify({ time, ...event })));
  }
}
