/** Garbage is collected once after a burst of connections, and not in it, nor without one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IdleGarbageCollector } from './idle-garbage-collector.ts';

test('garbage of a burst is collected once it has settled', () => {
  const traffic = { connects: 0, received: 0, sent: 0 };
  let collected = 0;
  const collector = new IdleGarbageCollector({ traffic, output: { waiting: 0 } }, () => (collected += 1));
  const seconds = (count: number, each: number): void => {
    for (let n = 0; n < count; n += 1) {
      traffic.connects += each;
      collector.look();
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

test('what much that waited has left is collected once it has gone for a while, and no earlier', () => {
  const mib = 1024 * 1024;
  const output = { waiting: 0 };
  let collected = 0;
  const collector = new IdleGarbageCollector({ traffic: { connects: 0, received: 0, sent: 0 }, output }, () => (collected += 1));
  const seconds = (count: number, bytes: number): void => {
    output.waiting = bytes;
    for (let n = 0; n < count; n += 1) collector.look();
  };
  seconds(10, 4 * mib);
  seconds(10, 0);
  assert.equal(collected, 0, 'not much');
  seconds(10, 30 * mib);
  seconds(2, mib);
  seconds(2, 20 * mib);
  seconds(2, mib);
  assert.equal(collected, 0, 'not settled');
  seconds(1, mib);
  assert.equal(collected, 1);
  seconds(20, 0);
  assert.equal(collected, 2, 'and once more, for buffers');
});

test('a process that is busy is not stopped; it is done once it has little to do', () => {
  const traffic = { connects: 0, received: 0, sent: 0 };
  let collected = 0;
  const collector = new IdleGarbageCollector({ traffic, output: { waiting: 0 } }, () => (collected += 1));
  const seconds = (count: number, connects: number, messages: number): void => {
    for (let n = 0; n < count; n += 1) {
      traffic.connects += connects;
      traffic.received += messages / 2;
      traffic.sent += messages / 2;
      collector.look();
    }
  };
  seconds(5, 300, 2_000);
  seconds(60, 0, 2_000);
  assert.equal(collected, 0);
  seconds(1, 0, 100);
  assert.equal(collected, 1);
  seconds(20, 0, 100);
  assert.equal(collected, 1);
});
