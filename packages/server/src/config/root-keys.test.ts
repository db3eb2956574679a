/** Root keys: made once, moved once from where earlier releases had them, and never read from the clients' copy. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { ThingkeepError } from '@thingkeep/wire/errors.ts';
import { ConfigError } from './config-error.ts';
import { type DataFolder, openDataFolder } from './data-folder.ts';
import { openRootKeys, RootKeys, rootKeyChanges } from './root-keys.ts';
import { readAccessKeys } from './secrets.ts';

const temporary = mkdtempSync(join(tmpdir(), 'thingkeep-root-keys-'));
after(() => rmSync(temporary, { recursive: true, force: true }));
const ACCOUNT = '123456789012';
let count = 0;
const freshFolder = (): DataFolder => openDataFolder(join(temporary, String(count++)));

function open(folder: DataFolder, wereMade = false): { keys: RootKeys; told: string[] } {
  const told: string[] = [];
  return { keys: openRootKeys({ folder, accountId: ACCOUNT, wereMade, onMoved: (what) => told.push(what) }), told };
}

test('the first start makes one key and its copy, private both; the next finds the same', () => {
  const folder = freshFolder();
  const { keys, told } = open(folder);
  const [key] = keys.values();
  assert.match(key?.accessKeyId ?? '', /^AKIA[A-Z2-7]{16}$/);
  assert.match(key?.secretAccessKey ?? '', /^[A-Za-z0-9+/]{40}$/);
  assert.deepEqual([key?.profile, key?.accountId], ['default', ACCOUNT]);
  assert.deepEqual(readAccessKeys(folder.credentials, ACCOUNT), keys.values());
  for (const path of [folder.rootKeys, folder.credentials]) assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(open(folder, true).keys.values(), keys.values());
  assert.deepEqual(told, []);
});

test('two folders never share a key', () => {
  const keys = Array.from({ length: 50 }, () => open(freshFolder()).keys.values()[0]);
  assert.equal(new Set(keys.map((key) => key?.accessKeyId)).size, 50);
  assert.equal(new Set(keys.map((key) => key?.secretAccessKey)).size, 50);
});

test("an earlier release's file is moved with all its profiles, once, and told", () => {
  const folder = freshFolder();
  const old =
    '[default]\naws_access_key_id = AKIAOLD\naws_secret_access_key = s\n[two]\naws_access_key_id = AKIATWO\naws_secret_access_key = t\naws_account_id = 222222222222\n';
  writeFileSync(folder.credentials, old, { mode: 0o600 });
  const { keys, told } = open(folder);
  assert.deepEqual(
    keys.values().map(({ accessKeyId, accountId, profile }) => [accessKeyId, accountId, profile]),
    [
      ['AKIAOLD', ACCOUNT, 'default'],
      ['AKIATWO', '222222222222', 'two'],
    ],
  );
  assert.equal(told.length, 1);
  assert.match(readFileSync(folder.credentials, 'utf8'), /^\[default\].*\[two\]/s);
});

test('what a client tool writes into the copy is nobody’s key, and the copy is made anew only when it is missing', () => {
  const folder = freshFolder();
  const { keys } = open(folder);
  const mine = '[default]\naws_access_key_id = AKIALIMITEDUSER\naws_secret_access_key = x\n';
  writeFileSync(folder.credentials, mine);
  const again = open(folder, true);
  assert.equal(again.keys.get('AKIALIMITEDUSER'), undefined);
  assert.deepEqual(again.keys.values(), keys.values());
  assert.equal(readFileSync(folder.credentials, 'utf8'), mine);
  rmSync(folder.credentials);
  open(folder, true);
  assert.deepEqual(readAccessKeys(folder.credentials, ACCOUNT), keys.values());
});

test('a lost file of root keys is not replaced by the copy', () => {
  const folder = freshFolder();
  open(folder);
  rmSync(folder.rootKeys);
  assert.throws(
    () => open(folder, true),
    (error) => error instanceof ConfigError && /is missing: restore it from a backup, or make a new key/.test(error.message),
  );
  assert.ok(!existsSync(folder.rootKeys));
});

test('accounts are made once and renewed; a damaged file is refused without a word of what it holds', () => {
  const folder = freshFolder();
  const { keys } = open(folder);
  const changed: string[] = [];
  const changes = rootKeyChanges(keys, (accountId) => void changed.push(accountId));
  const made = changes.create('222222222222', 'two');
  assert.deepEqual(keys.get(made.accessKeyId), made);
  for (const [id, profile, expected] of [
    ['222222222222', 'three', /is there/],
    ['333333333333', 'two', /there is a profile/],
    ['333333333333', 'a]\n[b', /not a name of a profile/],
  ] as const)
    assert.throws(
      () => changes.create(id, profile),
      (error: ThingkeepError) => error.code === 'InvalidRequestException' && expected.test(error.message),
    );
  const fresh = changes.renew('222222222222');
  assert.deepEqual(changed, ['222222222222', '222222222222']);
  assert.equal(keys.get(made.accessKeyId), undefined);
  assert.deepEqual(keys.get(fresh.accessKeyId), fresh);
  assert.throws(() => changes.renew('444444444444'), /there is no account/);
  assert.match(changes.create(undefined, undefined).accountId, /^\d{12}$/);
  for (const text of ['hunter2', '{"version":1,"keys":[{"secretAccessKey":"hunter2"}]}', '{"version":2,"keys":[]}', 'null']) {
    writeFileSync(folder.rootKeys, text);
    assert.throws(
      () => new RootKeys(folder.rootKeys),
      (error) => error instanceof ConfigError && /is damaged/.test(error.message) && !error.message.includes('hunter2'),
    );
  }
});
