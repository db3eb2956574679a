/** Accounts as passwd(5) and group(5) name them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findAccount, groupsOf } from './become-user.ts';

const PASSWD =
  'root:x:0:0:root:/root:/bin/sh\nthingkeep:x:998:997::/var/lib/thingkeep:/usr/sbin/nologin\nbroken\nbad:x:one:two::/:\n';

test('an account is found by its name and by its number', () => {
  const found = { name: 'thingkeep', uid: 998, gid: 997 };
  assert.deepEqual(findAccount('thingkeep', PASSWD), found);
  assert.deepEqual(findAccount('998', PASSWD), found);
  for (const none of ['', 'thing', 'broken', 'bad', 'one', '997']) assert.equal(findAccount(none, PASSWD), undefined, none);
});

test('an account has the groups that it is a member of, and no other', () => {
  const groups = 'root:x:0:\ndialout:x:20:pi,thingkeep\nkeep:x:21:thingkeepers\nodd:x:a:thingkeep\n';
  assert.deepEqual(groupsOf('thingkeep', groups), [20]);
});
