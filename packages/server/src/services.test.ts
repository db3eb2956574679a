import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Domain } from './domain.ts';
import { DomainConflict, mergeServices } from './services.ts';
import { byRegion } from './store/regional.ts';
import { openMemoryStore } from './store/rerunning-store.fixture.ts';

const describing = (name: string): Domain => ({
  name,
  operations: () => ({ iot: { DescribeEndpoint: async () => ({ endpointAddress: name }) } }),
});

test('domains are merged for each region, once; all see what can carry tags', async () => {
  await using store = await openMemoryStore();
  const asked: string[] = [];
  const tagging: Domain = {
    name: 'tagging',
    taggable: { rule: async () => true },
    operations: ({ region, taggable }) => {
      asked.push(`${region} ${Object.keys(taggable)}`);
      return {};
    },
    json: { logs: ({ region }) => ({ target: region, operations: {} }) },
  };
  const { services, jsonServices } = mergeServices([describing('a'), tagging], byRegion(store));
  assert.equal(services('us-east-1'), services('us-east-1'));
  services('eu-west-1');
  assert.deepEqual(asked, ['us-east-1 rule', 'eu-west-1 rule']);
  assert.deepEqual(Object.keys(services('us-east-1').iot), ['DescribeEndpoint']);
  assert.equal(jsonServices.get('logs')?.('eu-west-1').target, 'eu-west-1');
});

test('two domains that serve one operation are a fault', async () => {
  await using store = await openMemoryStore();
  assert.throws(() => mergeServices([describing('a'), describing('b')], byRegion(store)).services('us-east-1'), DomainConflict);
});
