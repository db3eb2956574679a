/** Prometheus's own tool reads what the server writes. */
// needs: promtool
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MetricDeclaration } from '../packages/server/src/admin/metrics/declaration.ts';
import { METRICS } from '../packages/server/src/admin/metrics/declarations.ts';
import { renderMetrics } from '../packages/server/src/admin/metrics/render.ts';
import { MetricSamples } from '../packages/server/src/admin/metrics/samples.ts';
import { Histogram } from '../packages/server/src/runtime/histogram.ts';
import { run } from './end-to-end/run-command.ts';

/** A value of every metric, with the first value of each label, and a name that has to be escaped. */
function oneOfEach(): string {
  const samples = new MetricSamples(METRICS);
  for (const [name, { type, labels = {} }] of Object.entries<MetricDeclaration>(METRICS)) {
    const values = Object.entries(labels).map(([label, known]) => [label, known === 'named' ? 'a "b"\\\n' : (known[0] ?? '')]);
    const histogram = new Histogram([0.1, 1]);
    histogram.observe(0.5);
    samples.add(name as keyof typeof METRICS, type === 'histogram' ? histogram : 1, Object.fromEntries(values));
  }
  return renderMetrics(samples, 'prometheus');
}

test('promtool check metrics: every metric is well-formed, and named as Prometheus recommends', async () => {
  const { code, stdout, stderr } = await run('promtool', ['check', 'metrics'], { input: oneOfEach() });
  assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: '', stderr: '' });
});
