/** What rules did, counted under the names that AWS's metrics have (developer guide, page metrics_dimensions). */
import { type Place, placeKey } from '@thingkeep/wire/arn.ts';

export interface ActionCounters {
  readonly name: string;
  success: number;
  failure: number;
}

export interface RuleCounters {
  readonly place: Place;
  readonly ruleName: string;
  /** Messages on the rule's topics, and those of them that WHERE let pass. */
  topicMatch: number;
  passed: number;
  /** Messages whose SQL could not be evaluated to an end. */
  parseError: number;
  /** Messages that came too thick for an action's queue. */
  throttled: number;
  /** Chains of rules that were cut. */
  loops: number;
  /** By place in the rule; the error action is last. */
  readonly actions: ActionCounters[];
}

/** The counters of one rule with its names, or of all rules together without names. */
export interface RuleFigures {
  readonly counters: RuleCounters;
  readonly names: Readonly<Record<'account' | 'region' | 'rule', string>> | undefined;
}

const NOTHING = { memory: 0, disk: 0 };
const NO_KINDS: ReadonlyMap<string, number> = new Map();

/** Counters of all rules since the server's start. */
export class RuleMetrics {
  readonly #rules = new Map<string, RuleCounters>();
  /** Basic Ingest for rules that are not there, or disabled. */
  notFound = 0;
  /** Bytes of orders that are not done, of all rules. */
  usage: () => { readonly memory: number; readonly disk: number } = () => NOTHING;
  /** Orders that are not done, by the kind of their action. */
  waiting: () => ReadonlyMap<string, number> = () => NO_KINDS;

  of(place: Place, ruleName: string, actions: readonly string[]): RuleCounters {
    const key = keyOf(place, ruleName);
    const known = this.#rules.get(key);
    const counted = actions.map((name, i) => {
      const before = known?.actions[i];
      return before?.name === name ? before : { name, success: 0, failure: 0 };
    });
    const counters: RuleCounters = {
      ...(known ?? { place, ruleName, topicMatch: 0, passed: 0, parseError: 0, throttled: 0, loops: 0 }),
      actions: counted,
    };
    this.#rules.set(key, counters);
    return counters;
  }

  forget(place: Place, ruleName: string): void {
    this.#rules.delete(keyOf(place, ruleName));
  }

  /** Without `tenants` the rules of all accounts are added up, and no name of one is given. */
  *figures(tenants: boolean): Iterable<RuleFigures> {
    const all = tenants ? this.#rules.values() : [added([...this.#rules.values()])];
    for (const counters of all) {
      const { place, ruleName } = counters;
      yield { counters, names: tenants ? { account: place.accountId, region: place.region, rule: ruleName } : undefined };
    }
  }
}

/** The counters of all rules as one, with an action for each type. */
function added(rules: readonly RuleCounters[]): RuleCounters {
  const sum = (of: (rule: RuleCounters) => number): number => rules.reduce((total, rule) => total + of(rule), 0);
  const byType = new Map<string, ActionCounters>();
  for (const { name, success, failure } of rules.flatMap(({ actions }) => actions)) {
    const known = byType.get(name) ?? { name, success: 0, failure: 0 };
    byType.set(name, { name, success: known.success + success, failure: known.failure + failure });
  }
  return {
    place: { accountId: '', region: '' },
    ruleName: '',
    topicMatch: sum((rule) => rule.topicMatch),
    passed: sum((rule) => rule.passed),
    parseError: sum((rule) => rule.parseError),
    throttled: sum((rule) => rule.throttled),
    loops: sum((rule) => rule.loops),
    actions: [...byType.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

const keyOf = (place: Place, ruleName: string): string => `${placeKey(place)}/${ruleName}`;
