/**
 * Writes the tables of all metrics, and of what values of labels mean, in docs/operate/metrics.md from the list of
 * declarations: node tools/metrics-reference.ts
 * A test compares them.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type LabelValues,
  listedValues,
  meaningsOf,
  type MetricDeclaration,
} from '../packages/server/src/admin/metrics/metric-declaration.ts';
import { METRICS } from '../packages/server/src/admin/metrics/metrics.ts';

/** Values of a label that are written out; the page says where those of longer lists are from. */
const MAX_VALUES = 9;

function valuesText(values: LabelValues): string {
  const listed = listedValues(values) ?? [];
  return listed.length === 0 || listed.length > MAX_VALUES ? '' : `: ${listed.map((value) => `\`${value}\``).join(' ')}`;
}

const labelsText = ({ labels = {} }: MetricDeclaration): string =>
  Object.entries(labels)
    .map(([label, values]) => `**${label}**${valuesText(values)}`)
    .join('; ');

/** The lines of the table of metrics. */
export function metricsTable(): string {
  const rows = Object.entries<MetricDeclaration>(METRICS).map(
    ([name, declared]) => `| \`${name}\` | ${declared.type} | ${labelsText(declared)} | ${declared.help} |`,
  );
  return ['| metric | type | labels | |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

/** Labels whose values have meanings, with the metrics that have them. */
function meanings(): Map<Readonly<Record<string, string>>, { readonly label: string; readonly metrics: string[] }> {
  const found = new Map<Readonly<Record<string, string>>, { readonly label: string; readonly metrics: string[] }>();
  for (const [name, { labels = {} }] of Object.entries<MetricDeclaration>(METRICS))
    for (const [label, values] of Object.entries(labels)) {
      const meaning = meaningsOf(values);
      if (meaning === undefined) continue;
      const known = found.get(meaning) ?? { label, metrics: [] };
      known.metrics.push(name);
      found.set(meaning, known);
    }
  return found;
}

/** The lines of the table of values that have a meaning. */
export function valuesTable(): string {
  const rows = [...meanings()].flatMap(([values, { label, metrics }]) =>
    Object.entries(values).map(([value, meaning], i) => {
      const head = i === 0 ? `**${label}** of ${metrics.map((name) => `\`${name}\``).join(', ')}` : '';
      return `| ${head} | \`${value}\` | ${meaning} |`;
    }),
  );
  return ['| label | value | |', '| --- | --- | --- |', ...rows].join('\n');
}

const PAGE = join(import.meta.dirname, '../docs/operate/metrics.md');
const METRICS_TABLE = /^\| metric \| type .*(?:\n\|.*)*/m;
const VALUES_TABLE = /^\| label \| value .*(?:\n\|.*)*/m;

if (import.meta.main)
  writeFileSync(
    PAGE,
    readFileSync(PAGE, 'utf8')
      .replace(METRICS_TABLE, () => metricsTable())
      .replace(VALUES_TABLE, () => valuesTable()),
  );
