/** Who hears of a change of rights. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DamagedRecordError } from '../store/damage.ts';
import { type RightsChange, RightsChanges } from './rights-changes.ts';

const ACCOUNT = '000000000000';

async function* pagesThen(error: Error): AsyncGenerator<string[]> {
  yield ['a'];
  throw error;
}

test('a damaged record among those whose rights change: the connections of all certificates are judged again', async () => {
  const changes = new RightsChanges();
  const heard: RightsChange[] = [];
  changes.on((change) => heard.push(change));
  await changes.ringPages(ACCOUNT, pagesThen(new DamagedRecordError({ collection: 'c', key: ['k'] })));
  assert.deepEqual(heard, [
    { accountId: ACCOUNT, certificateIds: ['a'] },
    { accountId: ACCOUNT, certificateIds: undefined },
  ]);
  await assert.rejects(changes.ringPages(ACCOUNT, pagesThen(new RangeError('another'))), RangeError);
  assert.equal(changes.count, 3);
});
