/** The domain of docs/add-a-domain.md, with the API's own client and a device: operations, a request on a topic, a cache. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateCustomMetricCommand, DescribeCustomMetricCommand } from '@aws-sdk/client-iot';
import { metricsDomain } from '../example-domain/domain.ts';
import type { KnownMetrics } from '../example-domain/known-metrics.ts';
import { openInProcess } from './core-in-process.ts';
import { ALLOW_ALL, makeDevice, makePolicy } from './devices.ts';
import { connectMqtt } from './mqtt-client.ts';

const REPORTS = '$aws/things/lamp/defender/metrics/json';

test('a domain of one folder and one line serves two operations and a reserved topic, and its cache follows changes', async () => {
  let known: KnownMetrics | undefined;
  await using running = await openInProcess([metricsDomain((opened) => (known = opened))]);
  const { server } = running;
  await makePolicy(server, 'all', ALLOW_ALL);
  const client = await connectMqtt(server, 'lamp', await makeDevice(server, 'lamp', 'all'));
  const report = async (metric: string): Promise<unknown> => {
    const answer = new Promise<string>((resolve) => client.once('message', (topic) => resolve(topic.slice(REPORTS.length + 1))));
    const payload = { header: { report_id: 1, version: '1.0' }, custom_metrics: { [metric]: [{ number: 5 }] } };
    await client.publishAsync(REPORTS, JSON.stringify(payload), { qos: 1 });
    return answer;
  };
  assert.equal(await report('watts'), 'rejected');
  assert.equal(await report('watts'), 'rejected');
  assert.equal(known?.reads, 1, 'the second answer comes from the cache');
  const made = { metricName: 'watts', metricType: 'number' as const, clientRequestToken: 'a' };
  await server.iot.send(new CreateCustomMetricCommand(made));
  assert.equal((await server.iot.send(new DescribeCustomMetricCommand({ metricName: 'watts' }))).metricType, 'number');
  assert.equal(await report('watts'), 'accepted');
  assert.equal(known?.reads, 2, 'the change has voided the cache');
  await client.endAsync();
});
