/** Metrics are served on a listener of their own, and name no tenant unless the operator asks for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateTopicRuleCommand } from '@aws-sdk/client-iot';
import { republish } from './rule-bench.ts';
import { startServer, thingkeep } from './test-core.ts';

const NAMES = ['000000000000', 'us-east-1', 'secret_rule'];

for (const tenants of [false, true])
  test(`${tenants ? '--metrics-tenants: ' : ''}rules are ${tenants ? 'named' : 'added up, and no name of a tenant is shown'}`, async () => {
    await using server = await startServer({ args: tenants ? ['--metrics-tenants'] : [] });
    for (const ruleName of ['secret_rule', 'another'])
      await server.iot.send(
        new CreateTopicRuleCommand({ ruleName, topicRulePayload: { sql: "SELECT * FROM 'a'", actions: [republish('b')] } }),
      );
    const answer = await fetch(server.metrics);
    assert.equal(answer.status, 200);
    const metrics = await answer.text();
    for (const name of NAMES) assert.equal(metrics.includes(name), tenants, name);
    const labels = tenants ? '\\{account="000000000000",region="us-east-1",rule="another"\\}' : '';
    assert.match(metrics, new RegExp(`^thingkeep_rule_topic_match_total${labels} 0$`, 'm'));
    if (!tenants) assert.match(metrics, /^thingkeep_rule_action_success_total\{type="RepublishAction"\} 0$/m);
  });

test('a stranger at the other ports learns nothing, and the listener answers nothing else', async () => {
  await using server = await startServer();
  const atApi = await fetch(`${server.url}/metrics`);
  assert.equal(atApi.status, 404);
  assert.match(await atApi.text(), /--metrics-bind/);
  const { origin } = new URL(server.metrics);
  for (const [path, method, status] of [
    ['/', 'GET', 404],
    ['/metrics/x', 'GET', 404],
    ['/%zz', 'GET', 404],
    ['/metrics', 'POST', 405],
    ['/metrics?a=b', 'GET', 200],
  ] as const)
    assert.equal((await fetch(`${origin}${path}`, { method })).status, status, path);
});

test('an address that is none is refused in one line', async () => {
  for (const value of ['', 'x', '127.0.0.1', '127.0.0.1:', ':9464', '127.0.0.1:70000', '127.0.0.1:9464/metrics', '::1:1']) {
    const { code, stderr } = await thingkeep(['start', '--metrics-bind', value]);
    assert.equal(code, 2, value);
    assert.match(stderr, /^thingkeep: --metrics-bind.*\n$/);
  }
});
