/** What an action is told of the destination that covers its URL. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DestinationDirectory } from './destination-directory.ts';

const HOME = { accountId: '000000000000', region: 'us-east-1' };
const OTHER = { ...HOME, accountId: '111122223333' };
const url = new URL('http://10.0.0.9/hooks/lamp?key=secret');

test('a URL without consent is refused with the status of its destination, and its reason', () => {
  const directory = new DestinationDirectory([]);
  const record = { ...HOME, id: 'a', createdAt: 0, lastUpdatedAt: 0, confirmed: true, confirmationUrl: 'http://10.0.0.9/hooks/' };
  const words = 'no destination that is ENABLED covers http://10.0.0.9/hooks/lamp';
  assert.equal(directory.whyUnconfirmed(HOME, url, undefined), words);
  const statusReason = `10.0.0.9 is not of the internet; --outgoing-allow${'x'.repeat(2000)}`;
  directory.put(HOME, { ...record, status: 'ERROR', statusReason });
  const told = directory.whyUnconfirmed(HOME, url, undefined);
  assert.ok(
    told.startsWith(`${words}; the one of http://10.0.0.9/hooks/ is ERROR: 10.0.0.9 is not of the internet; --outgoing-allow`),
  );
  assert.ok(told.length < 800);
  assert.equal(directory.isConfirmed(HOME, url, undefined), false);
  assert.equal(directory.whyUnconfirmed(OTHER, url, undefined), words, 'nothing of another account');
  directory.put(HOME, { ...record, status: 'DISABLED', statusReason: '' });
  assert.ok(directory.whyUnconfirmed(HOME, url, undefined).endsWith('is DISABLED'));
  directory.put(HOME, { ...record, status: 'ENABLED' });
  assert.equal(directory.isConfirmed(HOME, url, undefined), true);
  assert.equal(directory.isConfirmed(OTHER, url, undefined), false);
});
