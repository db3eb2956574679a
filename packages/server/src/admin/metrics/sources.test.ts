/** A scrape goes on where one part of the server provides nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fleetMetricSource } from './rule-metrics.ts';
import { renderMetrics } from './render.ts';
import { MetricSources } from './sources.ts';

test('a source that fails is logged and counted, and the others are exported', async () => {
  const errors: unknown[] = [];
  const sources = new MetricSources({ error: (line: object) => void errors.push(line) } as never);
  sources.add(() => Promise.reject(new TypeError('no')));
  sources.add((samples) => samples.add('thingkeep_ready', 1));
  for (const failures of [1, 2]) {
    const text = renderMetrics(await sources.collect(), 'prometheus');
    assert.match(text, /^thingkeep_ready 1$/m);
    assert.match(text, new RegExp(`^thingkeep_scrape_errors_total ${failures}$`, 'm'));
  }
  assert.equal(errors.length, 2);
});

test('a source that never answers is given up', async () => {
  const sources = new MetricSources({ error: () => undefined } as never, 1);
  sources.add(() => new Promise(() => undefined));
  sources.add((samples) => samples.add('thingkeep_ready', 1));
  assert.match(renderMetrics(await sources.collect(), 'prometheus'), /^thingkeep_scrape_errors_total 1$/m);
});

test('fleet metrics are named where the operator asks for tenants, and not even read without', async () => {
  async function* figures() {
    yield { region: 'us-east-1', accountId: '000000000000', metricName: 'cold', values: { count: 3, 95: 7.5 } };
  }
  const textWith = async (tenants: boolean): Promise<string> => {
    const sources = new MetricSources({ error: () => undefined } as never);
    sources.add(fleetMetricSource(tenants ? figures : () => assert.fail('not asked for'), tenants));
    return renderMetrics(await sources.collect(), 'prometheus');
  };
  const text = await textWith(true);
  for (const [value, figure] of [
    ['count', 3],
    ['95', 7.5],
  ] as const) {
    const labels = `account="000000000000",region="us-east-1",metric="cold",value="${value}"`;
    assert.ok(text.includes(`\nthingkeep_fleet_metric{${labels}} ${figure}\n`), text);
  }
  const none = await textWith(false);
  assert.ok(!none.includes('thingkeep_fleet_metric{') && none.includes('\nthingkeep_scrape_errors_total 0\n'));
});
