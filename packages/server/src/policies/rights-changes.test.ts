/** Who hears of a change of rights. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DamagedRecordError } from '../store/damage.ts';
import { type RightsChange, RightsChanges } from './rights-changes.ts';

async function* pagesThen(error: Error): AsyncGenerator<string[]> {
  yield ['a'];
  throw error;
}

test('a damaged record among those whose rights change: the connections of all certificates are judged again', async () => {
  const changes = new RightsChanges();
  const heard: RightsChange[] = [];
  changes.on((change) => heard.push(change));
  await changes.publishPages(pagesThen(new DamagedRecordError({ collection: 'c', key: ['k'] })));
  assert.deepEqual(heard, [{ certificateIds: ['a'] }, { certificateIds: undefined }]);
  await assert.rejects(changes.publishPages(pagesThen(new RangeError('another'))), RangeError);
  assert.equal(changes.count, 3);
});

test('changed since: of a certificate alone; of any once more have changed than are kept in mind', () => {
  const changes = new RightsChanges();
  const before = changes.count;
  changes.publish(['a']);
  assert.deepEqual([changes.changedSince('a', before), changes.changedSince('b', before)], [true, false]);
  assert.equal(changes.changedSince('a', changes.count), false);
  changes.publish(Array.from({ length: 10_000 }, (_, i) => `other-${i}`));
  assert.deepEqual([changes.changedSince('a', before), changes.changedSince('b', before)], [true, true]);
  assert.equal(changes.changedSince('b', changes.count), false);
});
