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

const NOTHING = { orders: 0, memory: 0, disk: 0 };

const label = (text: string): string => text.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`));

/** Counters of all rules since the server's start. */
export class RuleMetrics {
  readonly #rules = new Map<string, RuleCounters>();
  /** Basic Ingest for rules that are not there, or disabled. */
  notFound = 0;
  /** Orders that are not done, of all rules, and their bytes. */
  usage: () => { readonly orders: number; readonly memory: number; readonly disk: number } = () => NOTHING;

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

  /** Prometheus's text form. Without `tenants` the rules of all accounts are added up, and no name of one is shown. */
  text(tenants: boolean): string {
    const all = tenants ? [...this.#rules.values()] : [added([...this.#rules.values()])];
    const { orders, memory, disk } = this.usage();
    const family = (name: string, help: string, lines: readonly string[], type = 'counter'): string =>
      `# HELP thingkeep_${name} ${help}\n# TYPE thingkeep_${name} ${type}\n${lines.map((line) => `thingkeep_${name}${line}\n`).join('')}`;
    const labels = ({ place, ruleName }: RuleCounters): readonly string[] =>
      tenants ? [`account="${label(place.accountId)}"`, `region="${label(place.region)}"`, `rule="${label(ruleName)}"`] : [];
    const sample = (names: readonly string[], value: number): string =>
      names.length === 0 ? ` ${value}` : `{${names.join(',')}} ${value}`;
    const counted = (name: string, help: string, of: (rule: RuleCounters) => number): string =>
      family(
        name,
        help,
        all.map((rule) => sample(labels(rule), of(rule))),
      );
    const actions = all.flatMap((rule) => rule.actions.map((action, i) => ({ rule, action, i })));
    const ofActions = (name: string, help: string, of: (action: ActionCounters) => number): string =>
      family(
        name,
        help,
        actions.map(({ rule, action, i }) =>
          sample([...labels(rule), ...(tenants ? [`action="${i}"`] : []), `type="${label(action.name)}"`], of(action)),
        ),
      );
    return [
      counted('rule_topic_match_total', 'Messages on the topics of a rule.', (r) => r.topicMatch),
      counted('rule_passed_total', 'Messages that a rule acted on.', (r) => r.passed),
      counted('rule_parse_error_total', 'Messages whose SQL could not be evaluated.', (r) => r.parseError),
      counted('rule_message_throttled_total', 'Messages that came too thick for an action.', (r) => r.throttled),
      counted('rule_loops_total', 'Chains of rules that were cut.', (r) => r.loops),
      ofActions('rule_action_success_total', 'Actions done.', (a) => a.success),
      ofActions('rule_action_failure_total', 'Actions given up.', (a) => a.failure),
      family('rule_not_found_total', 'Basic Ingest messages without an enabled rule.', [` ${this.notFound}`]),
      family('rule_orders', 'Orders of actions that are not done.', [` ${orders}`], 'gauge'),
      family('rule_order_bytes', 'Bytes of these.', [`{in="memory"} ${memory}`, `{in="disk"} ${disk}`], 'gauge'),
    ].join('');
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
