/**
 * Metrics as text: Prometheus's exposition format 0.0.4, and OpenMetrics 1.0. OpenMetrics has no `_created` here: counters
 * begin at the start of the process, which `process_start_time_seconds` gives.
 */
import type { Histogram } from '../../runtime/histogram.ts';
import { exposedText } from './exposed-text.ts';
import type { MetricDeclaration } from './metric-declaration.ts';
import type { MetricSample, MetricSamples } from './samples.ts';

export type MetricsFormat = 'prometheus' | 'openmetrics';

export const CONTENT_TYPES: Readonly<Record<MetricsFormat, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** A value, as both formats write it. */
export function valueText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}

/**
 * The upper bound of a bucket. OpenMetrics writes whole numbers as floating-point ones (section "Considerations: Canonical
 * Numbers").
 */
const boundText = (bound: number, format: MetricsFormat): string =>
  format === 'openmetrics' && Number.isInteger(bound) && Math.abs(bound) < 1e21 ? `${bound}.0` : valueText(bound);

/** OpenMetrics escapes quotes in a help text too. */
const helpText = (text: string, format: MetricsFormat): string => exposedText(text, { quotes: format === 'openmetrics' });

/** The name of the metric itself, in OpenMetrics: without the suffix that its samples have. */
function familyName(name: string, { type }: MetricDeclaration): string {
  if (type === 'counter') return name.replace(/_total$/, '');
  return type === 'info' ? name.replace(/_info$/, '') : name;
}

function headOf(name: string, declared: MetricDeclaration, format: MetricsFormat): string {
  const { type, help, unit } = declared;
  if (format === 'prometheus')
    return `# HELP ${name} ${helpText(help, format)}\n# TYPE ${name} ${type === 'info' ? 'gauge' : type}\n`;
  const family = familyName(name, declared);
  const unitLine = unit === undefined ? '' : `# UNIT ${family} ${unit}\n`;
  return `# TYPE ${family} ${type}\n${unitLine}# HELP ${family} ${helpText(help, format)}\n`;
}

const line = (name: string, labels: string, value: number): string =>
  labels === '' ? `${name} ${valueText(value)}\n` : `${name}{${labels}} ${valueText(value)}\n`;

function histogramLines(name: string, labels: string, histogram: Histogram, format: MetricsFormat): string {
  const before = labels === '' ? '' : `${labels},`;
  const counts = histogram.cumulative;
  const bounds = [...histogram.bounds, Number.POSITIVE_INFINITY];
  const buckets = bounds.map((bound, i) => line(`${name}_bucket`, `${before}le="${boundText(bound, format)}"`, counts[i] ?? 0));
  return `${buckets.join('')}${line(`${name}_sum`, labels, histogram.sum)}${line(`${name}_count`, labels, counts.at(-1) ?? 0)}`;
}

const sampleLines = (name: string, { labels, value }: MetricSample, format: MetricsFormat): string =>
  typeof value === 'number' ? line(name, labels, value) : histogramLines(name, labels, value, format);

export function renderMetrics(samples: Pick<MetricSamples, 'families'>, format: MetricsFormat): string {
  const parts: string[] = [];
  for (const { name, declared, samples: of } of samples.families()) {
    parts.push(headOf(name, declared, format));
    for (const sample of of) parts.push(sampleLines(name, sample, format));
  }
  if (format === 'openmetrics') parts.push('# EOF\n');
  return parts.join('');
}
