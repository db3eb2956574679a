import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collection } from './contract.ts';
import { byRegion, regionsOf } from './regional.ts';
import { openMemoryStore } from './rerunning-store.fixture.ts';

const lamps = collection<{ name: string; room: string }>('lamps', (l) => [l.name], { byRoom: (l) => [[l.room]] });

test('regions share a store and see nothing of each other', async () => {
  await using store = await openMemoryStore();
  const inRegion = byRegion(store);
  const [east, west] = [inRegion('us-east-1'), inRegion('us-west-2')];
  assert.equal(inRegion('us-east-1'), east);
  await east.write((tx) => tx.put(lamps, { name: 'a', room: 'hall' }));
  assert.deepEqual(await regionsOf(store), ['us-east-1'], 'a region is known once it is written to');
  assert.equal(await west.read((tx) => tx.get(lamps, ['a'])), undefined);
  await west.write((tx) => tx.put(lamps, { name: 'a', room: 'attic' }));
  const rooms = async (region: string, room: string) =>
    (await inRegion(region).read((tx) => tx.scan(lamps, { index: 'byRoom', prefix: [room] }))).items.length;
  assert.deepEqual([await rooms('us-east-1', 'hall'), await rooms('us-east-1', 'attic')], [1, 0]);
  assert.deepEqual([await rooms('us-west-2', 'hall'), await rooms('us-west-2', 'attic')], [0, 1]);
  assert.equal(await west.write((tx) => tx.delete(lamps, ['a'])), true);
  assert.equal((await east.read((tx) => tx.get(lamps, ['a'])))?.room, 'hall');
  assert.deepEqual(await regionsOf(store), ['us-east-1', 'us-west-2']);
});

test('a write that fails makes no region known', async () => {
  await using store = await openMemoryStore();
  const west = byRegion(store)('us-west-2');
  await assert.rejects(
    west.write(async (tx) => {
      await tx.put(lamps, { name: 'a', room: 'hall' });
      throw new RangeError('no');
    }),
  );
  assert.deepEqual(await regionsOf(store), []);
});
