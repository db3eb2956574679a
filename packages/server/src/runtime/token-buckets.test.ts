/** Token buckets over simulated time: never more than the rate and one second's burst, and never less. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Bucket, Buckets } from './token-buckets.ts';

test('a bucket begins full, gives a second of burst and then its rate, to the token', () => {
  for (const rate of [1, 3, 7, 100, 3000, 20_000]) {
    const bucket = new Bucket(rate);
    let taken = 0;
    let now = 5;
    while (bucket.take(now)) taken += 1;
    assert.equal(taken, rate, 'the burst');
    for (; now <= 5 + 60_000; now += 1) while (bucket.take(now)) taken += 1;
    assert.equal(taken, 61 * rate, `a minute of ${rate} a second`);
  }
});

test('what is not taken is not saved up beyond one second', () => {
  const bucket = new Bucket(10);
  assert.equal(bucket.level(1_000_000), 10);
  bucket.spend(4, 1_000_000);
  assert.equal(bucket.level(1_000_000), 6);
  assert.equal(bucket.level(1_000_399), 9);
  assert.equal(bucket.level(1_000_400), 10);
  assert.equal(bucket.level(9_000_000), 10);
});

test('a debt is paid back before anything passes', () => {
  const bucket = new Bucket(1000);
  bucket.spend(3500, 0);
  assert.equal(bucket.level(0), -2500);
  assert.equal(bucket.take(2500), false);
  assert.equal(bucket.level(2500), 0);
  assert.equal(bucket.take(2501), true);
});

test('no rate lets everything pass', () => {
  const bucket = new Bucket(0);
  bucket.spend(1e12, 0);
  assert.equal(bucket.level(0), Number.POSITIVE_INFINITY);
  const buckets = new Buckets(0);
  buckets.spend('a', 1e12, 0);
  assert.equal(buckets.take('a', 0), true);
  assert.equal(buckets.size, 0);
});

/** Attempts to take some tokens, each so many milliseconds after the one before. */
const attempts = fc.array(fc.record({ after: fc.double({ min: 0, max: 3000, noNaN: true }), wanted: fc.nat(300) }), {
  maxLength: 200,
});

test('in no span of time does more pass than the rate times the span and one burst', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 0, max: 1e9 }), attempts, (rate, begin, steps) => {
      const bucket = new Bucket(rate);
      let now = begin;
      const passed: { at: number; sum: number }[] = [];
      let sum = 0;
      for (const { after, wanted } of steps) {
        now += after;
        const passing = Math.min(wanted, bucket.level(now));
        bucket.spend(passing, now);
        passed.push({ at: now, sum });
        sum += passing;
        for (const earlier of passed)
          assert.ok(
            sum - earlier.sum <= ((now - earlier.at) / 1000) * rate + rate + 1e-3,
            `${sum - earlier.sum} within ${now - earlier.at} ms`,
          );
      }
    }),
  );
});

test('whoever stays below the rate is never refused', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 500 }),
      fc.array(fc.double({ min: 0, max: 500, noNaN: true }), { maxLength: 200 }),
      (rate, pauses) => {
        const bucket = new Bucket(rate);
        let now = 0;
        for (const pause of pauses) {
          now += 1000 / rate + pause;
          assert.equal(bucket.take(now), true);
        }
      },
    ),
  );
});

test('keys do not share tokens, and are forgotten once their bucket is full', () => {
  const buckets = new Buckets(1);
  for (let i = 0; i < 1000; i += 1) assert.equal(buckets.take(`client ${i}`, i), true);
  assert.equal(buckets.size, 1000);
  assert.equal(buckets.take('client 999', 1998), false);
  assert.equal(buckets.take('client 999', 1999), true);
  assert.equal(buckets.size, 1);
});

test('buckets by key give what one bucket for each key gives', () => {
  const step = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), after: fc.nat(700), wanted: fc.nat(4) });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 300 }), (rate, steps) => {
      const buckets = new Buckets(rate);
      const each = new Map(['a', 'b', 'c', 'd'].map((key) => [key, new Bucket(rate)]));
      let now = 0;
      for (const { key, after, wanted } of steps) {
        now += after;
        const one = each.get(key) as Bucket;
        assert.equal(buckets.level(key, now), one.level(now));
        const passing = Math.min(wanted, one.level(now));
        buckets.spend(key, passing, now);
        one.spend(passing, now);
      }
    }),
  );
});
