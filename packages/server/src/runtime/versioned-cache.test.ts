import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VersionedCache } from './versioned-cache.ts';

test('an answer counts until what it was read from has changed', () => {
  const cache = new VersionedCache<string>(2);
  cache.set('a', 1, 'one');
  assert.equal(cache.get('a', 1), 'one');
  assert.equal(cache.get('a', 0), 'one');
  assert.equal(cache.get('a', 2), undefined);
  assert.equal(cache.get('a', 1), undefined, 'what was void once is gone');
});

test('the longest unused are forgotten first', () => {
  const cache = new VersionedCache<string>(2);
  cache.set('a', 1, 'a');
  cache.set('b', 1, 'b');
  assert.equal(cache.get('a', 1), 'a');
  cache.set('c', 1, 'c');
  assert.deepEqual([cache.get('a', 1), cache.get('b', 1), cache.get('c', 1)], ['a', undefined, 'c']);
});
