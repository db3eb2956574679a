/** Tags of what a permission is asked for: by whatever ARN an operation knows it (Service Authorization Reference). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { domainConfigurations } from './domains/store.ts';
import { functions } from './functions/hosted/store.ts';
import { logGroups } from './logs/store.ts';
import { tags } from './registry/store.ts';
import { resourceTags } from './resource-tags.ts';
import { serverCertificates } from './server-certificates/store.ts';
import type { Collection } from './store/contract.ts';
import { byRegion } from './store/regional.ts';
import { openMemoryStore } from './store/rerunning-store.fixture.ts';

const accountId = '123456789012';
const place = { accountId, region: 'us-east-1' };
const arn = (service: string, rest: string): string => `arn:aws:${service}:us-east-1:${accountId}:${rest}`;
const blue = [['aws:ResourceTag/team', 'blue']];

async function openBench() {
  const store = await openMemoryStore();
  const inRegion = byRegion(store);
  const put = <T extends object>(of: Collection<T>, record: object) =>
    inRegion(place.region).write((tx) => tx.put(of, record as T));
  const list = [{ Key: 'team', Value: 'blue' }];
  for (const resource of ['rule/r', 'policy/p', 'cacert/abc', 'domainconfiguration/d/x1'])
    await put(tags, { accountId, resourceArn: arn('iot', resource), tags: list });
  await put(domainConfigurations, { accountId, name: 'd', id: 'x1' });
  await put(logGroups, { accountId, name: '/app/x', tags: { team: 'blue' } });
  await put(serverCertificates, { accountId, id: 'c', createdAt: 1, hostNames: [], tags: list });
  const statements = [{ sid: 's', principal: 'iot.amazonaws.com' }];
  await put(functions, {
    accountId,
    name: 'f',
    tags: { team: 'blue' },
    permissions: { $LATEST: { statements }, live: { statements: [{ sid: 's', principal: '*' }] } },
  });
  const iamKeys = async (name: string) => [['iam:ResourceTag/of', name] as const];
  const keys = resourceTags({ inRegion, iamKeys });
  const ask = (resource: string, action = 'x:Y', input = {}, from = place) => keys({ action, resource }, from, input);
  return { ask, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}

test('of every service, however the resource is named', async () => {
  await using bench = await openBench();
  for (const resource of [
    ...['rule/r', 'policy/p', 'cacert/abc', 'domainconfiguration/d', 'domainconfiguration/d/x1'].map((rest) => arn('iot', rest)),
    ...['function:f', 'function:f:live', 'function:f:3'].map((rest) => arn('lambda', rest)),
    ...['log-group:/app/x', 'log-group:/app/x:*', 'log-group:/app/x:log-stream:', 'log-group:/app/x:log-stream:a/b'].map((rest) =>
      arn('logs', rest),
    ),
    arn('acm', 'certificate/c'),
  ])
    assert.deepEqual(await bench.ask(resource), blue, resource);
  assert.deepEqual(await bench.ask(`arn:aws:iam::${accountId}:user/u`), [
    ['iam:ResourceTag/of', `arn:aws:iam::${accountId}:user/u`],
  ]);
});

test('of what is not there, of another place, and of what has none', async () => {
  await using bench = await openBench();
  for (const resource of [
    '*',
    arn('iot', 'topic/t'),
    arn('iot', 'rule/other'),
    arn('lambda', 'function:g'),
    arn('s3', 'x'),
    'nothing',
  ])
    assert.deepEqual(await bench.ask(resource), [], resource);
  assert.deepEqual(await bench.ask(arn('iot', 'rule/r'), 'x:Y', {}, { ...place, region: 'eu-west-1' }), []);
  assert.deepEqual(await bench.ask(arn('iot', 'rule/r'), 'x:Y', {}, { ...place, accountId: '210987654321' }), []);
});

test('whose the permission is that is to be removed', async () => {
  await using bench = await openBench();
  const principal = async (resource: string, StatementId = 's') =>
    (await bench.ask(arn('lambda', resource), 'lambda:RemovePermission', { StatementId })).find(
      ([key]) => key === 'lambda:Principal',
    );
  assert.deepEqual(await principal('function:f'), ['lambda:Principal', 'iot.amazonaws.com']);
  assert.deepEqual(await principal('function:f:live'), ['lambda:Principal', '*']);
  assert.equal(await principal('function:f', 'other'), undefined);
});
