/** The list of all metrics: names as Prometheus and OpenMetrics want them, and labels with the values that there are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signedHead } from '../../api/signed-request.ts';
import { adminAction } from '../../api/http.ts';
import { ACTIONS } from '../../rules/actions/action-types.ts';
import { adminOperations } from '../admin.operations.ts';
import { Refusals } from '../../refusals/refusals.ts';
import { ACTION_KINDS, METRICS } from './metrics.ts';
import { listedValues, type MetricDeclaration } from './metric-declaration.ts';
import { ADMIN_OPERATIONS, API_OPERATIONS, API_SERVICES } from './operation-names.ts';

const all = Object.entries(METRICS) as [string, MetricDeclaration][];

test('a counter ends with _total, and nothing else does; a unit is the end of the name; a histogram has no reserved label', () => {
  for (const [name, { type, unit, labels = {} }] of all) {
    assert.match(name, /^(thingkeep|process)(_[a-z0-9]+)+$/);
    assert.equal(name.endsWith('_total'), type === 'counter', name);
    assert.equal(name.endsWith('_info'), type === 'info', name);
    assert.equal(/_(bytes|seconds)(_total)?$/.exec(name)?.[1], unit, name);
    assert.doesNotMatch(name, /_(count|sum|bucket|created|max_total)$/);
    for (const label of Object.keys(labels)) {
      assert.match(label, /^[a-z]+$/);
      assert.ok(!['le', 'quantile', 'job', 'instance'].includes(label), name);
    }
  }
});

test('no name of a family is the name of another one, with or without its suffix (OpenMetrics, "MetricFamily")', () => {
  const families = all.map(([name]) => name.replace(/_(total|info)$/, ''));
  assert.equal(new Set(families).size, families.length);
});

test('a help is one sentence, and needs no other one to be understood: Grafana shows one at a time', () => {
  for (const [name, { help }] of all) {
    assert.match(help, /^[A-Z][^\n]*\.$/, name);
    assert.doesNotMatch(help, /\b(these|such|it is not)\b|\bso\.$/i, name);
  }
  assert.equal(new Set(all.map(([, { help }]) => help)).size, all.length, 'no two have the same help');
});

test('no label takes what a client sends: values are listed, or names that the operator asks for', () => {
  const named = all.flatMap(([name, { labels = {} }]) =>
    Object.entries(labels).flatMap(([label, values]) => (values === 'named' ? [`${name} ${label}`] : [])),
  );
  for (const each of named)
    assert.match(
      each,
      /^thingkeep_(build_info (version|node)|rule_\w+ (account|region|rule|action)|fleet_metric (account|region|metric|value))$/,
    );
  for (const [name, { labels = {} }] of all)
    for (const values of Object.values(labels))
      assert.equal(new Set(listedValues(values)).size, listedValues(values)?.length ?? 0, `${name}: a value stands once`);
});

test('kinds of actions are those that there are', () => {
  const names = new Set([...Object.values(ACTIONS).map(({ name }) => name), 'Evaluation']);
  assert.deepEqual([...names].sort(), [...ACTION_KINDS].sort());
});

test('operations are those of the tables, and our own', () => {
  const log = { warn: () => undefined };
  const own = adminOperations({
    refusals: new Refusals({ now: () => 0, monotonic: () => 0 }, log as never),
    rootKeys: { create: () => ({}), renew: () => ({}) },
    listExpiring: async () => ({}),
    auditState: () => ({}),
    backup: async () => ({}),
    isOperator: () => true,
  });
  const actions = [...own.keys()].map((key) => {
    const [method = '', path = ''] = key.split(' ');
    return adminAction(signedHead(method, path, ['Host', 'localhost']));
  });
  assert.deepEqual(actions.sort(), [...ADMIN_OPERATIONS]);
  for (const name of ['CreateThing', 'Publish', 'Invoke', 'GetCallerIdentity', 'ImportCertificate', 'PutLogEvents', 'CreateRole'])
    assert.ok(API_OPERATIONS.includes(name), name);
  assert.ok(API_SERVICES.includes('iot-data'));
});
