/** When keys were last used. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACCOUNT, openIamFixture } from '../testing/iam-fixture.ts';

test('noting the use of a key is no change of IAM', async () => {
  const bench = await openIamFixture();
  await bench.call('CreateUser', { UserName: 'u' });
  const { AccessKey } = (await bench.call('CreateAccessKey', { UserName: 'u' })) as { AccessKey: { AccessKeyId: string } };
  const before = bench.iam.changes.count(ACCOUNT);
  bench.iam.uses.used(AccessKey.AccessKeyId, 'iot', 'us-east-1');
  await bench.iam.uses.flush();
  const after = bench.iam.changes.count(ACCOUNT);
  await bench.close();
  assert.equal(after, before);
});
