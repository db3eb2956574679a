/** Version numbers of presence events (developer guide, page life-cycle-events). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PresenceVersions } from './presence-versions.ts';

const HOUR = 3_600_000;

function openVersions() {
  const time = { now: 10 * HOUR };
  return { time, versions: new PresenceVersions({ now: () => time.now, monotonic: () => time.now }) };
}

test('version numbers rise by connection, begin again after an hour away, and are not kept for ever', () => {
  const { time, versions } = openVersions();
  for (const expected of [0, 1, 2]) {
    assert.equal(versions.connect('a'), expected);
    versions.disconnect('a', expected);
    time.now += HOUR - 1;
  }
  assert.deepEqual(versions.forget(10), []);
  time.now += 2;
  assert.deepEqual(versions.forget(10), ['a']);
  assert.equal(versions.connect('a'), 0);
});

test('a client that stays connected for hours is not forgotten, and none is forgotten before it has been away for an hour', () => {
  const { time, versions } = openVersions();
  for (const name of ['stays', 'x', 'y', 'z']) versions.connect(name);
  for (const name of ['x', 'y', 'z']) versions.disconnect(name, 0);
  time.now += HOUR + 1;
  assert.deepEqual(versions.forget(2), ['x', 'y']);
  assert.deepEqual(versions.forget(2), ['z']);
  assert.equal(versions.connect('stays'), 1);
});

test('versions that were stored go on, as long ago as the client left', () => {
  const { time, versions } = openVersions();
  versions.restore('old', 7, HOUR - 1000);
  versions.restore('new', 3, 0);
  assert.equal(versions.connect('new'), 4);
  time.now += 1001;
  assert.equal(versions.connect('old'), 0);
});
