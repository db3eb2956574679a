/** Metrics: each moves with what it counts, in both text formats; no label names a tenant unless the operator asks for it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { connect } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { CreateTopicRuleCommand } from '@aws-sdk/client-iot';
import mqtt from 'mqtt';
import { METRICS } from '../../packages/server/src/admin/metrics/metrics.ts';
import { listedValues, type MetricDeclaration } from '../../packages/server/src/admin/metrics/metric-declaration.ts';
import { openCore } from '../../packages/server/src/core.ts';
import { coreOptions } from './core-in-process.ts';
import { DeviceConnection } from './device-connection.ts';
import { ALLOW_ALL, type Device, makeDevice, makePolicy, ownTopics } from './devices.ts';
import { type ReadFamily, readOpenMetrics } from './open-metrics.ts';
import { presign } from './presign.ts';
import { republish } from './rule-bench.ts';
import { startServer, temporaryFolder, type TestServer, thingkeep } from './test-core.ts';
import { until, within } from './until.ts';

const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0';
const NAMES = ['000000000000', 'us-east-1', 'secret_rule'];

/** What the tests of one server have done by then. */
class Scrape {
  readonly families: ReadonlyMap<string, ReadFamily>;

  constructor(families: ReadonlyMap<string, ReadFamily>) {
    this.families = families;
  }

  static async of(server: TestServer): Promise<Scrape> {
    const answer = await fetch(server.metrics, { headers: { accept: OPEN_METRICS } });
    assert.equal(answer.headers.get('content-type'), `${OPEN_METRICS}; charset=utf-8`);
    return new Scrape(readOpenMetrics(await answer.text()));
  }

  /** The samples of a metric that have these labels, added up. */
  value(name: string, labels: Readonly<Record<string, string>> = {}): number {
    const family = this.families.get(name.replace(/_(total|info|count)$/, '')) ?? assert.fail(`${name} is not exported`);
    const found = family.samples.filter(
      (sample) => sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels.get(label) === value),
    );
    return found.reduce((sum, { value }) => sum + value, 0);
  }
}

type Row = readonly [name: string, value: number, labels?: Readonly<Record<string, string>>];

describe('what moves them', () => {
  let server: TestServer;
  let device: Device;
  let limited: Device;
  let start: Scrape;
  let scrape: Scrape;
  before(async () => {
    server = await startServer();
    await makePolicy(server, 'all', ALLOW_ALL);
    await makePolicy(server, 'own', ownTopics('own'));
    device = await makeDevice(server, 'device', 'all');
    limited = await makeDevice(server, 'limited', 'own');
  });
  after(() => server[Symbol.asyncDispose]());

  beforeEach(async () => {
    start = await Scrape.of(server);
  });

  const reached = async (name: string, value: number, labels?: Readonly<Record<string, string>>): Promise<void> => {
    await until(`${name} ${JSON.stringify(labels)} ${value}`, async () => {
      scrape = await Scrape.of(server);
      return scrape.value(name, labels) >= value ? true : undefined;
    });
  };
  /** Values that are at least so high: times, bytes, and what the test's own requests move too. */
  const atLeast = async (rows: readonly Row[]): Promise<void> => {
    for (const [name, value, labels] of rows) await reached(name, value, labels);
  };
  /** By how much values have moved since the test's begin, exactly: nothing is counted twice. */
  const moved = async (rows: readonly Row[]): Promise<void> => {
    for (const [name, by, labels] of rows) await reached(name, start.value(name, labels) + by, labels);
    scrape = await Scrape.of(server);
    const differences = rows.map(([name, , labels]): Row => {
      const by = scrape.value(name, labels) - start.value(name, labels);
      return labels === undefined ? [name, by] : [name, by, labels];
    });
    assert.deepEqual(differences, rows);
  };
  const byAlpn = () => ({ ...device, port: server.ports.https, tls: { ALPNProtocols: ['x-amzn-mqtt-ca'] } });

  test('connections by protocol and transport, sessions, subscriptions, messages, what waits, take-overs', async () => {
    using kept = await DeviceConnection.admitted(server, 5, 'kept', device, { properties: { sessionExpiryInterval: 3600 } });
    using small = await DeviceConnection.admitted(server, 5, 'small', device, { properties: { maximumPacketSize: 512 } });
    using sender = await DeviceConnection.admitted(server, 4, 'sender', byAlpn());
    const url = await presign(`wss://localhost:${server.ports.https}`, server.credentials());
    const socket = await mqtt.connectAsync(url, { ca: readFileSync(server.rootCa), reconnectPeriod: 0, clientId: 'socket' });
    for (const subscriber of [kept, small]) {
      subscriber.subscribe('a/#', 1);
      assert.equal((await subscriber.next()).cmd, 'suback');
    }
    sender.publish('a/0', 'x');
    sender.publish('a/1', 'x'.repeat(600), { qos: 1, retain: true });
    assert.equal((await sender.next()).cmd, 'puback');
    await moved([
      ['thingkeep_connections', 2, { protocol: '5', transport: 'mqtts' }],
      ['thingkeep_connections', 1, { protocol: '3.1.1', transport: 'alpn' }],
      ['thingkeep_connections', 1, { protocol: '3.1.1', transport: 'wss' }],
      ['thingkeep_connects_total', 4, { result: 'accepted' }],
      ['thingkeep_sessions', 1, { state: 'online', kind: 'persistent' }],
      ['thingkeep_sessions', 3, { state: 'online', kind: 'clean' }],
      ['thingkeep_subscriptions', 2],
      ['thingkeep_messages_received_total', 1, { qos: '0' }],
      ['thingkeep_messages_received_total', 1, { qos: '1' }],
      ['thingkeep_messages_sent_total', 2, { qos: '0' }],
      ['thingkeep_messages_sent_total', 1, { qos: '1' }],
      ['thingkeep_messages_dropped_total', 1, { reason: 'too-large' }],
      ['thingkeep_messages_in_flight', 1],
      ['thingkeep_retained_messages', 1],
      ['thingkeep_tls_handshake_duration_seconds_count', 4],
    ]);
    await atLeast([
      ['thingkeep_retained_bytes', 600],
      ['thingkeep_received_bytes_total', 600],
      ['thingkeep_sent_bytes_total', 600],
      ['thingkeep_sockets', 4],
    ]);
    using taker = await DeviceConnection.admitted(server, 4, 'sender', device);
    await moved([['thingkeep_disconnects_total', 1, { reason: 'DUPLICATE_CLIENTID' }]]);
    kept.send({ cmd: 'disconnect', reasonCode: 0 });
    assert.equal((await kept.next()).cmd, 'publish');
    await moved([
      ['thingkeep_disconnects_total', 1, { reason: 'CLIENT_INITIATED_DISCONNECT' }],
      ['thingkeep_sessions', 1, { state: 'offline', kind: 'persistent' }],
    ]);
    taker.publish('a/2', 'later', { qos: 1 });
    assert.equal((await taker.next()).cmd, 'puback');
    await moved([['thingkeep_queued_messages', 2]]);
    await atLeast([['thingkeep_queued_bytes', 600]]);
    await socket.endAsync(true);
  });

  test('refusals by check, refused CONNECTs, disconnects for them, handshakes that fail', async () => {
    const { answer } = await DeviceConnection.connect(server, 4, 'another', limited);
    assert.equal(answer.cmd, 'closed');
    using own = await DeviceConnection.admitted(server, 4, 'own', limited);
    own.publish('elsewhere', 'x');
    assert.equal((await own.next()).cmd, 'closed');
    const plain = connect(server.ports.mqtt, '127.0.0.1');
    plain.write('GET / HTTP/1.1\r\n\r\n');
    plain.resume();
    await within('the end of what is no TLS', once(plain, 'close'));
    await moved([
      ['thingkeep_refusals_total', 2, { check: 'policy' }],
      ['thingkeep_refusals_total', 1, { check: 'tls' }],
      ['thingkeep_connects_total', 1, { result: 'refused' }],
      ['thingkeep_disconnects_total', 1, { reason: 'FORBIDDEN_ACCESS' }],
      ['thingkeep_tls_handshake_failures_total', 1, { reason: 'not-tls' }],
    ]);
  });

  test('API calls by operation, devices over HTTPS among them; a path that is no operation is another', async () => {
    const options = { host: '127.0.0.1', port: server.ports.https, servername: 'localhost', ca: readFileSync(server.rootCa) };
    const publish = request({
      ...options,
      cert: device.certPem,
      key: device.keyPem,
      path: '/topics/a?qos=0',
      method: 'POST',
      agent: false,
    });
    publish.end('x');
    const [answer] = await within('the answer', once(publish, 'response'));
    answer.resume();
    await makePolicy(server, 'counted', ALLOW_ALL);
    assert.equal((await fetch(`${server.url}/no-such-thing/client-17`)).status, 403);
    await moved([
      ['thingkeep_api_requests_total', 1, { port: 'api', service: 'iot', operation: 'CreatePolicy', status: '2xx' }],
      ['thingkeep_api_requests_total', 1, { port: 'https', service: 'iot-data', operation: 'Publish', status: '2xx' }],
      ['thingkeep_api_requests_total', 1, { port: 'api', service: 'other', operation: 'other', status: '4xx' }],
      ['thingkeep_api_request_duration_seconds_count', 1, { service: 'iot', operation: 'CreatePolicy' }],
    ]);
  });

  test('rules, what waits for them, and calls of functions', async () => {
    const functionArn = 'arn:aws:lambda:us-east-1:000000000000:function:missing';
    const sql = "SELECT * FROM 'rule/in'";
    for (const [ruleName, action] of [
      ['again', republish('rule/out')],
      ['calls', { lambda: { functionArn } }],
    ] as const)
      await server.iot.send(new CreateTopicRuleCommand({ ruleName, topicRulePayload: { sql, actions: [action] } }));
    using sender = await DeviceConnection.admitted(server, 4, 'rules', device);
    sender.publish('rule/in', '{}', { qos: 1 });
    sender.publish('$aws/rules/none/x', '{}', { qos: 1 });
    await moved([
      ['thingkeep_rule_topic_match_total', 2],
      ['thingkeep_rule_passed_total', 2],
      ['thingkeep_rule_action_success_total', 1, { type: 'RepublishAction' }],
      ['thingkeep_rule_not_found_total', 1],
    ]);
    // The action is tried again.
    await atLeast([
      ['thingkeep_function_invocations_total', 1, { place: 'elsewhere', result: 'unavailable' }],
      ['thingkeep_function_duration_seconds_count', 1, { place: 'elsewhere' }],
    ]);
  });

  test('what is always there: the store, certificates, the event loop, the process', async () => {
    await atLeast([
      ['thingkeep_build_info', 1],
      ['thingkeep_ready', 1],
      ['thingkeep_store_commit_duration_seconds_count', 1],
      ['thingkeep_store_commit_writes_count', 1],
      ['thingkeep_store_file_bytes', 1, { file: 'log' }],
      ['thingkeep_disk_free_bytes', 1],
      ['thingkeep_disk_floor_bytes', 1],
      ['thingkeep_output_limit_bytes', 1],
      ['thingkeep_certificate_remaining_seconds', 86_400, { role: 'server-ec' }],
      ['thingkeep_certificate_remaining_seconds', 86_400, { role: 'device-issuer' }],
      ['thingkeep_event_loop_delay_seconds_count', 1],
      ['thingkeep_heap_bytes', 1, { state: 'used' }],
      ['process_start_time_seconds', 1_700_000_000],
      ['process_resident_memory_bytes', 1],
      ['process_open_fds', 10],
      ['process_max_fds', 10],
    ]);
    assert.deepEqual([scrape.value('thingkeep_scrape_errors_total'), scrape.value('thingkeep_damaged_records_total')], [0, 0]);
  });

  test('every declared metric is exported, with its declared labels, and nothing that a client has sent is in one', () => {
    const declared = Object.entries<MetricDeclaration>(METRICS);
    assert.deepEqual(
      [...scrape.families.keys()],
      declared.map(([name]) => name.replace(/_(total|info)$/, '')),
    );
    for (const [name, { type, labels = {} }] of declared)
      for (const sample of scrape.families.get(name.replace(/_(total|info)$/, ''))?.samples ?? [])
        for (const [label, value] of sample.labels) {
          if (label === 'le' && type === 'histogram') continue;
          const values = listedValues(labels[label] ?? assert.fail(`${name} has no label ${label}`));
          assert.ok(values === undefined || value === 'other' || values.includes(value), `${name} ${label}="${value}"`);
        }
  });
});

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

test('without --metrics-bind nothing is measured for metrics: the event loop is not looked at', async (t) => {
  const folder = temporaryFolder();
  after(() => rmSync(folder, { recursive: true, force: true }));
  const { mock } = t.mock.method(globalThis, 'setInterval');
  await using core = await openCore(coreOptions(folder));
  assert.equal(core.ports.metrics, undefined);
  const shortest = Math.min(...mock.calls.map(({ arguments: [, milliseconds] }) => milliseconds ?? 0));
  assert.ok(shortest >= 100, String(shortest));
});

test('an address that is none is refused in one line', async () => {
  for (const value of ['', 'x', '127.0.0.1', '127.0.0.1:', ':9464', '127.0.0.1:70000', '127.0.0.1:9464/metrics', '::1:1']) {
    const { code, stderr } = await thingkeep(['start', '--metrics-bind', value]);
    assert.equal(code, 2, value);
    assert.match(stderr, /^thingkeep: --metrics-bind.*\n$/);
  }
});
