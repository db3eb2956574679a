/** Garbage is collected once after a burst of connections, and not in it, nor without one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Tidy } from './tidy.ts';

test('a burst is tidied up once it has settled', () => {
  let connections = 0;
  let collected = 0;
  const tidy = new Tidy(
    () => connections,
    () => (collected += 1),
  );
  const seconds = (count: number, each: number): void => {
    for (let n = 0; n < count; n += 1) {
      connections += each;
      tidy.look();
    }
  };
  seconds(10, 3);
  assert.equal(collected, 0, 'no burst');
  seconds(5, 300);
  assert.equal(collected, 0, 'not settled');
  seconds(2, 0);
  assert.equal(collected, 0);
  seconds(1, 1);
  assert.equal(collected, 1);
  seconds(20, 1);
  assert.equal(collected, 1);
  seconds(2, 300);
  seconds(3, 0);
  assert.equal(collected, 2);
});
