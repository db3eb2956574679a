/**
 * Writes the table of all metrics in docs/operate/metrics.md from the list of declarations: node tools/metrics-reference.ts
 * A test compares the two.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabelValues, MetricDeclaration } from '../packages/server/src/admin/metrics/metric-declaration.ts';
import { METRICS } from '../packages/server/src/admin/metrics/metrics.ts';

/** Values of a label that are written out; the page says where those of longer lists are from. */
const MAX_VALUES = 9;

const valuesText = (values: LabelValues): string =>
  values === 'named' || values.length > MAX_VALUES ? '' : `: ${values.map((value) => `\`${value}\``).join(' ')}`;

const labelsText = ({ labels = {} }: MetricDeclaration): string =>
  Object.entries(labels)
    .map(([label, values]) => `**${label}**${valuesText(values)}`)
    .join('; ');

/** The lines of the table. */
export function metricsTable(): string {
  const rows = Object.entries<MetricDeclaration>(METRICS).map(
    ([name, declared]) => `| \`${name}\` | ${declared.type} | ${labelsText(declared)} | ${declared.help} |`,
  );
  return ['| metric | type | labels | |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

const PAGE = join(import.meta.dirname, '../docs/operate/metrics.md');
const TABLE = /^\| metric \| type .*(?:\n\|.*)*/m;

if (import.meta.main)
  writeFileSync(
    PAGE,
    readFileSync(PAGE, 'utf8').replace(TABLE, () => metricsTable()),
  );
