/** Who hears of a change of permissions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DamagedRecordError } from '../store/damage.ts';
import { type PermissionChange, PermissionChanges } from './permission-changes.ts';

async function* pagesThen(error: Error): AsyncGenerator<string[]> {
  yield ['a'];
  throw error;
}

test('a damaged record among those whose permissions change: the connections of all certificates are authorized anew', async () => {
  const changes = new PermissionChanges();
  const heard: PermissionChange[] = [];
  changes.on((change) => heard.push(change));
  await changes.publishPages(pagesThen(new DamagedRecordError({ collection: 'c', key: ['k'] })));
  assert.deepEqual(heard, [{ certificateIds: ['a'] }, { certificateIds: undefined }]);
  // Any other failure too: whose permissions have changed is not known. It is not kept from whoever has made the change.
  await assert.rejects(changes.publishPages(pagesThen(new RangeError('another'))), RangeError);
  assert.equal(heard.at(-1)?.certificateIds, undefined);
  assert.equal(changes.versionOf('x'), changes.count);
});

test('the version of a certificate rises with its changes, and with those of any once more have changed than are known', () => {
  const changes = new PermissionChanges();
  changes.publish(['a']);
  changes.publish(['c']);
  assert.deepEqual([changes.versionOf('a'), changes.versionOf('b'), changes.versionOf('c')], [1, 0, 2]);
  changes.publish(Array.from({ length: 10_000 }, (_, i) => `other-${i}`));
  assert.deepEqual([changes.versionOf('a'), changes.versionOf('b'), changes.versionOf('c')], [2, 2, 2]);
  assert.equal(changes.versionOf('other-1'), changes.count);
});
