/** Parts of files in memory: bounded, shared by those who ask at the same time, and read few at a time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clockAt } from '../testing/operations-fixture.ts';
import { FileParts } from './file-parts.ts';

const part = (size = 100): Buffer => Buffer.alloc(size);

test('the least recently used parts make way for others', async () => {
  const parts = new FileParts(clockAt(0), 250);
  let reads = 0;
  const get = (name: string) =>
    parts.get('a', name, async () => {
      reads += 1;
      return part();
    });
  for (const name of ['1', '2', '1', '3', '1']) await get(name);
  assert.deepEqual([reads, parts.size], [3, 200]);
  await get('2');
  assert.deepEqual([reads, parts.size], [4, 200]);
});

test('a reading that fails is tried again by the next one', async () => {
  const parts = new FileParts(clockAt(0), 250);
  const failed = parts.get('a', '1', () => Promise.reject(new RangeError('no')));
  const also = parts.get('a', '1', async () => part());
  await assert.rejects(failed, RangeError);
  await assert.rejects(also, RangeError);
  assert.equal((await parts.get('a', '1', async () => part())).length, 100);
});

test('eight parts of an account are read at once, and one account does not hold another up', async () => {
  const parts = new FileParts(clockAt(0), 1_000_000);
  const ends: (() => void)[] = [];
  const slow = (): Promise<Buffer> => {
    const { promise, resolve } = Promise.withResolvers<Buffer>();
    ends.push(() => resolve(part()));
    return promise;
  };
  const readings = Array.from({ length: 20 }, (_, i) => parts.get('a', String(i), slow));
  await parts.get('b', '1', async () => part());
  assert.equal(ends.length, 8);
  for (let i = 0; i < 20; i += 1) {
    ends[i]?.();
    await readings[i];
    await Promise.resolve();
  }
  assert.equal(ends.length, 20);
  await parts.get('a', 'more', async () => part());
});
