/** The two text formats: Prometheus's exposition format 0.0.4 and OpenMetrics 1.0. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Histogram } from '../../runtime/histogram.ts';
import type { MetricDeclaration } from './metric-declaration.ts';
import { renderMetrics } from './render.ts';
import { MetricSamples } from './samples.ts';

const samplesOf = <const D extends Readonly<Record<string, MetricDeclaration>>>(declared: D) => new MetricSamples(declared);

test('help and label values are escaped: backslash, line end, and the quote of a label (0.0.4, "Comments, help text, and type information")', () => {
  const samples = samplesOf({ a_total: { type: 'counter', help: 'a "b"\\c\nd', labels: { name: 'named' } } });
  samples.add('a_total', 1, { name: 'a "b"\\c\nd' });
  assert.equal(
    renderMetrics(samples, 'prometheus'),
    '# HELP a_total a "b"\\\\c\\nd\n# TYPE a_total counter\na_total{name="a \\"b\\"\\\\c\\nd"} 1\n',
  );
});

test('OpenMetrics: the family of a counter has no _total, a unit its line, a quote in help is escaped, and the end has its line', () => {
  const samples = samplesOf({
    a_bytes_total: { type: 'counter', help: 'so "called"', unit: 'bytes' },
    a_build_info: { type: 'info', help: 'b', labels: { version: 'named' } },
  });
  samples.add('a_bytes_total', 1);
  samples.add('a_build_info', 1, { version: '1' });
  assert.equal(
    renderMetrics(samples, 'openmetrics'),
    '# TYPE a_bytes counter\n# UNIT a_bytes bytes\n# HELP a_bytes so \\"called\\"\na_bytes_total 1\n' +
      '# TYPE a_build info\n# HELP a_build b\na_build_info{version="1"} 1\n# EOF\n',
  );
  assert.match(renderMetrics(samples, 'prometheus'), /^# TYPE a_build_info gauge\na_build_info\{version="1"\} 1\n$/m);
});

test('values: not a number, infinite, beyond the safe integers, and small', () => {
  const samples = samplesOf({ a: { type: 'gauge', help: 'a', labels: { of: 'named' } } });
  const values = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** 53, 1e21, 1e-7, -0, 123456789012];
  values.forEach((value, i) => {
    samples.add('a', value, { of: String(i) });
  });
  const lines = renderMetrics(samples, 'prometheus').trim().split('\n').slice(2);
  assert.deepEqual(
    lines.map((line) => line.split(' ')[1]),
    ['NaN', '+Inf', '-Inf', '9007199254740992', '1e+21', '1e-7', '0', '123456789012'],
  );
});

test('a histogram: cumulative buckets up to +Inf, the sum and the count; bounds of OpenMetrics are floating-point numbers', () => {
  const histogram = new Histogram([0.005, 1, 250]);
  for (const value of [0.001, 0.5, 2, 1000]) histogram.observe(value);
  const samples = samplesOf({ a_seconds: { type: 'histogram', help: 'a', labels: { of: ['x'] } } });
  samples.addHistogram('a_seconds', histogram, { of: 'x' });
  const bounds = (format: 'prometheus' | 'openmetrics') =>
    [...renderMetrics(samples, format).matchAll(/^a_seconds_bucket\{of="x",le="(.*)"\} (\d)$/gm)].map(([, ...found]) => found);
  assert.deepEqual(bounds('prometheus'), [
    ['0.005', '1'],
    ['1', '2'],
    ['250', '3'],
    ['+Inf', '4'],
  ]);
  assert.deepEqual(
    bounds('openmetrics').map(([bound]) => bound),
    ['0.005', '1.0', '250.0', '+Inf'],
  );
  assert.match(renderMetrics(samples, 'prometheus'), /^a_seconds_sum\{of="x"\} 1002\.501\na_seconds_count\{of="x"\} 4\n$/m);
});

test('a label has declared values alone: all others are one, and are added up', () => {
  const samples = samplesOf({
    a_total: { type: 'counter', help: 'a', labels: { check: ['policy', 'tls'] } },
    b_seconds: { type: 'histogram', help: 'b', labels: { check: ['policy'] } },
  });
  for (const check of ['policy', 'client-17', 'client-18', 'constructor']) samples.add('a_total', 1, { check });
  samples.add('a_total', 1);
  for (const check of ['x', 'y']) {
    const histogram = new Histogram([1]);
    histogram.observe(2);
    samples.addHistogram('b_seconds', histogram, { check });
  }
  const text = renderMetrics(samples, 'prometheus');
  assert.match(text, /^a_total\{check="policy"\} 1\na_total\{check="other"\} 4\n#/m);
  assert.match(text, /^b_seconds_count\{check="other"\} 2\n/m);
});

test('a name that the operator has not asked for leaves its label out', () => {
  const samples = samplesOf({ a_total: { type: 'counter', help: 'a', labels: { rule: 'named', type: ['x'] } } });
  samples.add('a_total', 1, { type: 'x' });
  assert.match(renderMetrics(samples, 'prometheus'), /^a_total\{type="x"\} 1$/m);
});

test('values whose label is not declared are one: counts are added up, and of times the longest counts', () => {
  const samples = samplesOf({
    waiting: { type: 'gauge', help: 'a', labels: { kind: ['task'] } },
    delay_seconds: { type: 'gauge', help: 'b', labels: { kind: ['task'] }, unit: 'seconds' },
    cpu_seconds_total: { type: 'counter', help: 'c', labels: { kind: ['task'] }, unit: 'seconds' },
  });
  for (const [kind, value] of [
    ['job', 3],
    ['mail', 5],
    ['push', 4],
  ] as const)
    for (const name of ['waiting', 'delay_seconds', 'cpu_seconds_total'] as const) samples.add(name, value, { kind });
  const lines = renderMetrics(samples, 'prometheus').split('\n');
  assert.deepEqual(
    lines.filter((line) => line.includes('kind=')),
    ['waiting{kind="other"} 12', 'delay_seconds{kind="other"} 5', 'cpu_seconds_total{kind="other"} 12'],
  );
});
