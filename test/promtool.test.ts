/** Prometheus's own tool reads what the server writes. */
// needs: promtool
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { listedValues, type MetricDeclaration } from '../packages/server/src/admin/metrics/metric-declaration.ts';
import { METRICS } from '../packages/server/src/admin/metrics/metrics.ts';
import { renderMetrics } from '../packages/server/src/admin/metrics/render.ts';
import { MetricSamples } from '../packages/server/src/admin/metrics/samples.ts';
import { Histogram } from '../packages/server/src/runtime/histogram.ts';
import { ROOT, textOf } from './architecture/sources.ts';
import { run } from './end-to-end/run-command.ts';
import { temporaryFolder } from './end-to-end/test-core.ts';

/** A value of every metric, with the first value of each label, and a name that has to be escaped. */
function oneOfEach(): string {
  const samples = new MetricSamples<Readonly<Record<string, MetricDeclaration>>>(METRICS);
  for (const [name, { type, labels = {} }] of Object.entries<MetricDeclaration>(METRICS)) {
    const values = Object.entries(labels).map(([label, known]) => [label, listedValues(known)?.[0] ?? 'a "b"\\\n']);
    const one = new Histogram([0.1, 1]);
    one.observe(0.5);
    if (type === 'histogram') samples.addHistogram(name, one, Object.fromEntries(values));
    else samples.add(name, 1, Object.fromEntries(values));
  }
  return renderMetrics(samples, 'prometheus');
}

test('promtool check metrics: every metric is well-formed, and named as Prometheus recommends', async () => {
  const { code, stdout, stderr } = await run('promtool', ['check', 'metrics'], { input: oneOfEach() });
  assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: '', stderr: '' });
});

test('promtool check rules: the alerts are well-formed', async () => {
  const { code, stderr } = await run('promtool', ['check', 'rules', `${ROOT}/deploy/prometheus/alerts.yml`]);
  assert.equal(code, 0, stderr);
});

test('promtool test rules: alerts fire when they should, and not before', async () => {
  const { code, stdout, stderr } = await run('promtool', ['test', 'rules', `${ROOT}/test/prometheus/alerts.yml`]);
  assert.equal(code, 0, stdout + stderr);
});

test('promtool reads every expression of the dashboard', async () => {
  const { panels } = JSON.parse(textOf('deploy/grafana/thingkeep.json')) as {
    readonly panels: readonly { readonly targets?: readonly { readonly expr: string }[] }[];
  };
  const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '5m')));
  const rules = expressions.map((expr, i) => ({ record: `panel:${i}`, expr }));
  const folder = temporaryFolder();
  try {
    // JSON is YAML too.
    writeFileSync(join(folder, 'rules.yml'), JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
    const { code, stderr } = await run('promtool', ['check', 'rules', join(folder, 'rules.yml')]);
    assert.equal(code, 0, stderr);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
