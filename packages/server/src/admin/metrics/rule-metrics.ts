/** Metrics of rules, functions and the fleet metrics of accounts. */
import type { FunctionFigures } from '../../functions/function-figures.ts';
import type { RuleFigures, RuleMetrics } from '../../rules/metrics.ts';
import type { MetricSource, ServerSamples } from './sources.ts';

function addRule(samples: ServerSamples, { counters, names }: RuleFigures): void {
  samples.add('thingkeep_rule_topic_match_total', counters.topicMatch, names);
  samples.add('thingkeep_rule_passed_total', counters.passed, names);
  samples.add('thingkeep_rule_parse_error_total', counters.parseError, names);
  samples.add('thingkeep_rule_message_throttled_total', counters.throttled, names);
  samples.add('thingkeep_rule_loops_total', counters.loops, names);
  counters.actions.forEach(({ name, success, failure }, i) => {
    const labels = { ...names, ...(names === undefined ? {} : { action: String(i) }), type: name };
    samples.add('thingkeep_rule_action_success_total', success, labels);
    samples.add('thingkeep_rule_action_failure_total', failure, labels);
  });
}

/** `tenants`: rules have their names, and the account and region that they belong to. */
export const ruleMetrics =
  (rules: RuleMetrics, tenants: boolean): MetricSource =>
  (samples) => {
    for (const rule of rules.figures(tenants)) addRule(samples, rule);
    samples.addEach('thingkeep_rule_actions_waiting', 'type', Object.fromEntries(rules.waiting()));
    samples.add('thingkeep_rule_not_found_total', rules.notFound);
    const { memory, disk } = rules.usage();
    samples.addEach('thingkeep_rule_order_bytes', 'in', { memory, disk });
  };

export const functionMetrics =
  (figures: FunctionFigures, eventsWaiting: () => number): MetricSource =>
  (samples) => {
    for (const [place, { results, time, running }] of Object.entries(figures.places)) {
      for (const [result, count] of Object.entries(results))
        samples.add('thingkeep_function_invocations_total', count, { place, result });
      samples.addHistogram('thingkeep_function_duration_seconds', time, { place });
      samples.add('thingkeep_function_invocations_running', running, { place });
    }
    samples.add('thingkeep_function_events_waiting', eventsWaiting());
  };

interface FleetFigure {
  readonly region: string;
  readonly accountId: string;
  readonly metricName: string;
  readonly values: Readonly<Record<string, number>>;
}

/** Fleet metrics, which are all of tenants: none without `tenants`. */
export const fleetMetricSource =
  (figures: () => AsyncIterable<FleetFigure>, tenants: boolean): MetricSource =>
  async (samples) => {
    if (!tenants) return;
    for await (const { accountId: account, region, metricName: metric, values } of figures())
      for (const [value, figure] of Object.entries(values))
        samples.add('thingkeep_fleet_metric', figure, { account, region, metric, value });
  };
