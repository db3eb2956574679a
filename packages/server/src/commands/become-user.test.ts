/** Accounts as passwd(5) and group(5) name them, and what root hands over to one. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { findAccount, groupsOf, handOverFolder } from './become-user.ts';

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

describe('the data folder', { skip: process.getuid?.() === 0 ? false : 'root alone hands over' }, () => {
  const USER = { name: 'one', uid: 60_302, gid: 60_302 };
  const OTHER = 60_303;

  /** A folder of root's, and what is in it. */
  function within(work: (folder: string, owner: (name: string) => number) => void): void {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'thingkeep-test-')));
    chmodSync(folder, 0o755);
    try {
      work(folder, (name) => lstatSync(join(folder, name)).uid);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  const file = (path: string, uid = 0): void => {
    writeFileSync(path, '');
    chownSync(path, uid, uid);
  };
  const made = (path: string, uid = 0): void => {
    mkdirSync(path, { mode: 0o755 });
    chownSync(path, uid, uid);
  };

  test('is handed over with what is below it, and a link is not followed', () =>
    within((folder, owner) => {
      made(join(folder, 'data'));
      made(join(folder, 'data/ca'));
      file(join(folder, 'data/ca/key'));
      file(join(folder, 'elsewhere'));
      symlinkSync(join(folder, 'elsewhere'), join(folder, 'data/link'));
      handOverFolder(join(folder, 'data'), USER);
      for (const name of ['data', 'data/ca', 'data/ca/key', 'data/link']) assert.equal(owner(name), USER.uid, name);
      assert.equal(owner('elsewhere'), 0);
    }));

  for (const [whose, uid] of [
    ['the user', USER.uid],
    ['somebody else', OTHER],
  ] as const)
    test(`of root's with a folder of ${whose} in it, as after an interruption: root does not go into that`, () =>
      within((folder, owner) => {
        made(join(folder, 'data'));
        made(join(folder, 'data/given'), uid);
        made(join(folder, 'data/given/in'));
        file(join(folder, 'data/given/in/key'));
        file(join(folder, 'data/later'));
        handOverFolder(join(folder, 'data'), USER);
        assert.deepEqual(['data', 'data/given', 'data/later'].map(owner), [USER.uid, uid, USER.uid]);
        assert.deepEqual(['data/given/in', 'data/given/in/key'].map(owner), [0, 0]);
      }));

  test('is refused where others may write to it, or to a folder below it', () =>
    within((folder, owner) => {
      for (const open of ['data', 'data/ca']) {
        made(join(folder, 'data'));
        made(join(folder, 'data/ca'));
        file(join(folder, 'data/ca/key'));
        chmodSync(join(folder, open), 0o777);
        assert.throws(() => handOverFolder(join(folder, 'data'), USER), /may be written to by others/);
        assert.deepEqual(['data', 'data/ca', 'data/ca/key'].map(owner), [0, 0, 0]);
        rmSync(join(folder, 'data'), { recursive: true });
      }
    }));

  test('is refused in a folder that somebody else may exchange it in, also behind a link', () =>
    within((folder, owner) => {
      for (const [name, uid, mode] of [
        ['users', USER.uid, 0o755],
        ['others', OTHER, 0o755],
        ['open', 0, 0o777],
      ] as const) {
        made(join(folder, name), uid);
        chmodSync(join(folder, name), mode);
        made(join(folder, name, 'root'));
        made(join(folder, name, 'root/data'));
        symlinkSync(join(folder, name, 'root'), join(folder, `to-${name}`));
        for (const path of [`${name}/root/data`, `to-${name}/data`]) {
          assert.throws(() => handOverFolder(join(folder, path), USER), /others than root may write to/, path);
          assert.equal(owner(`${name}/root/data`), 0);
        }
      }
    }));

  test('that is not there is made where root alone names things, and left to the user in a folder of its own', () =>
    within((folder, owner) => {
      const umask = process.umask(0o077);
      handOverFolder(join(folder, 'a/b/data'), USER);
      process.umask(umask);
      assert.deepEqual(
        ['a', 'a/b'].map((name) => lstatSync(join(folder, name)).mode & 0o777),
        [0o755, 0o755],
      );
      assert.deepEqual(['a', 'a/b', 'a/b/data'].map(owner), [0, 0, USER.uid]);
      made(join(folder, 'users'), USER.uid);
      handOverFolder(join(folder, 'users/data'), USER);
      assert.ok(!existsSync(join(folder, 'users/data')), 'the server makes it as the user');
      made(join(folder, 'others'), OTHER);
      assert.throws(() => handOverFolder(join(folder, 'others/data'), USER), /others than root may write to/);
    }));
});
