/** Failures of rules for their owners: a log line, a record and an event, no more of one rule than one a second. */
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import { type Place, placeKey } from '@thingkeep/wire/arn.ts';
import type { RuleFailure } from './action-dispatcher.ts';

export interface FailureOutlets {
  /** Publishes for subscribers of the account. */
  publish(place: Place, topic: string, payload: Buffer): void;
  /** Keeps a record for the rule's owner. */
  record(failure: RuleFailure): void;
}

/** Milliseconds between two reports of one rule. */
const REPORT_INTERVAL_MS = 1000;
/** Rules that are remembered. */
const MAX_RULES = 10_000;

export class RuleFailures {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #outlets: FailureOutlets;
  /** By rule: when a failure was last reported, and how many were left out since. */
  readonly #reported = new Map<string, { at: number; left: number }>();

  constructor(clock: Clock, log: Logger, outlets: FailureOutlets) {
    this.#clock = clock;
    this.#log = log;
    this.#outlets = outlets;
  }

  report({ place, ruleName, topic, reason, isUnknown }: RuleFailure): void {
    const key = `${placeKey(place)}/${isUnknown === true ? '' : ruleName}`;
    const now = this.#clock.monotonic();
    const before = this.#reported.get(key);
    if (before !== undefined && now - before.at < REPORT_INTERVAL_MS) {
      before.left += 1;
      return;
    }
    if (this.#reported.size >= MAX_RULES) this.#reported.clear();
    this.#reported.set(key, { at: now, left: 0 });
    const time = new Date(this.#clock.now()).toISOString();
    const event = { ...place, ruleName, topic, reason, notTold: before?.left ?? 0 };
    this.#log.warn({ event: 'rule-failed', ...event }, 'a rule failed');
    this.#outlets.record({ place, ruleName, topic, reason });
    // A rule on this very topic that fails would cause failures for ever.
    if (!topic.startsWith('$thingkeep/'))
      this.#outlets.publish(place, `$thingkeep/events/rules/${ruleName}/failed`, Buffer.from(JSON.stringify({ time, ...event })));
  }
}
