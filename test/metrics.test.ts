/** The reference of metrics, the dashboard and the alerts name declared metrics alone, with their labels. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { METRICS } from '../packages/server/src/admin/metrics/metrics.ts';
import { metricsTable, valuesTable } from '../tools/metrics-reference.ts';
import { textOf } from './architecture/sources.ts';
import { type Expression, expressionFaults } from './prometheus/expressions.ts';

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly { readonly expr: string; readonly titleFormat: string }[] };
}

const dashboard = JSON.parse(textOf('deploy/grafana/thingkeep.json')) as Dashboard;
const alerts = textOf('deploy/prometheus/alerts.yml')
  .split(/^ {6}- alert: /m)
  .slice(1);

const shownIn = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, label = '']) => label);

const ofDashboard: readonly Expression[] = [
  ...dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat }) => ({ where: title, expr, shown: shownIn(legendFormat, /\{\{\s*(\w+)\s*\}\}/g) })),
  ),
  ...dashboard.annotations.list.map(({ expr, titleFormat }) => ({
    where: 'annotations',
    expr,
    shown: shownIn(titleFormat, /\{\{\s*(\w+)\s*\}\}/g),
  })),
].map((each) => ({ ...each, expr: each.expr.replaceAll(/\{instance=~"\$instance",?/g, '{') }));

const ofAlerts: readonly Expression[] = alerts.map((text) => {
  const [, name = '', expr = ''] =
    /^(\w+)\n {8}expr: ((?:>-\n(?: {10}.*\n)+)|.*\n)/.exec(text) ?? assert.fail(`no alert: ${text}`);
  return { where: name, expr: expr.replace(/^>-/, ''), shown: shownIn(text, /\$labels\.(\w+)/g) };
});

const none = (faults: readonly string[]): void => assert.deepEqual(faults, []);

test('docs/operate/metrics.md has the tables of metrics and of their values; node tools/metrics-reference.ts writes them', () => {
  const page = textOf('docs/operate/metrics.md');
  for (const table of [metricsTable(), valuesTable()]) assert.ok(page.includes(`\n${table}\n`));
});

test('the dashboard asks for metrics that there are', () => none(ofDashboard.flatMap((each) => expressionFaults(each, METRICS))));

test('every metric is on the dashboard', () => {
  const all = ofDashboard.map(({ expr }) => expr).join('\n');
  none(Object.keys(METRICS).filter((name) => !new RegExp(`\\b${name}(_bucket|_count|_sum)?\\b`).test(all)));
});

test('panels of the dashboard have a title, a description and a place of their own', () => {
  const { panels } = dashboard;
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  const taken = new Set<string>();
  for (const { type, title, description, gridPos, targets = [] } of panels) {
    if (type !== 'row') assert.ok(targets.length > 0 && /\.$/.test(description ?? ''), title);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
        assert.ok(x < 24 && !taken.has(`${x} ${y}`), `${title} lies on another panel`);
        taken.add(`${x} ${y}`);
      }
  }
});

test('alerts ask for metrics that there are, and each says what to do', () => {
  none(ofAlerts.flatMap((each) => expressionFaults(each, METRICS)));
  for (const text of alerts) {
    assert.match(text, /severity: (warning|critical) \}/, text);
    assert.match(text, /\n {10}summary: ".+"\n {10}runbook: "[^"]{20,}\."\n/, text);
  }
});

test('caught: a metric that is not there, a label that it has not, a value that it never has', () => {
  const faultsOf = (expr: string, shown: string[] = []): string[] => expressionFaults({ where: 'x', expr, shown }, METRICS);
  assert.deepEqual(faultsOf('sum by (check) (rate(thingkeep_refusals_total{check="policy"}[5m]))', ['check']), []);
  assert.deepEqual(faultsOf('rate(thingkeep_refused_total[5m])'), ['x: there is no metric thingkeep_refused_total']);
  assert.deepEqual(faultsOf('thingkeep_event_loop_delay_seconds'), ['x: there is no metric thingkeep_event_loop_delay_seconds']);
  assert.deepEqual(faultsOf('thingkeep_refusals_total{reason="policy"}'), ['x: thingkeep_refusals_total has no label reason']);
  assert.deepEqual(faultsOf('thingkeep_refusals_total{check=~"tls|polity"}'), [
    'x: check of thingkeep_refusals_total is never "polity"',
  ]);
  assert.deepEqual(faultsOf('sum by (client) (thingkeep_refusals_total)', ['device']), [
    'x: no metric there has the label client',
    'x: no metric there has the label device',
  ]);
  assert.deepEqual(faultsOf('node_load1'), ['x asks for no metric of ours']);
});
