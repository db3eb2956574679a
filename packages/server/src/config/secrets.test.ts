/** The credentials file: AWS's own form, made once, read with an operator's additions. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openAccessKeys } from './secrets.ts';
import { ConfigError } from './settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'thingkeep-secrets-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const ACCOUNT = '123456789012';

test('the first start makes one key; the next finds the same', () => {
  const path = join(folder, 'credentials');
  const first = openAccessKeys(path, ACCOUNT);
  assert.equal(first.length, 1);
  assert.deepEqual(first, openAccessKeys(path, ACCOUNT));
  const [key] = first;
  assert.match(key?.accessKeyId ?? '', /^AKIA[A-Z2-7]{16}$/);
  assert.match(key?.secretAccessKey ?? '', /^[A-Za-z0-9+/]{40}$/);
  assert.equal(key?.profile, 'default');
  assert.equal(key?.accountId, ACCOUNT);
});

test('two folders never share a key', () => {
  const keys = Array.from({ length: 50 }, (_, i) => openAccessKeys(join(folder, `credentials-${i}`), ACCOUNT)[0]);
  assert.equal(new Set(keys.map((key) => key?.accessKeyId)).size, 50);
  assert.equal(new Set(keys.map((key) => key?.secretAccessKey)).size, 50);
});

test('a file that others could read is closed again', () => {
  const path = join(folder, 'open');
  openAccessKeys(path, ACCOUNT);
  chmodSync(path, 0o644);
  openAccessKeys(path, ACCOUNT);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('further profiles, each for an account; comments, blank lines and foreign settings are left alone', () => {
  const path = join(folder, 'profiles');
  writeFileSync(
    path,
    '# mine\r\n\r\n[default]\r\naws_access_key_id = A\r\naws_secret_access_key=a=b\r\nregion = x\r\n; other\n[two]\naws_access_key_id=B\naws_secret_access_key = c\naws_account_id = 999999999999\n',
  );
  assert.deepEqual(
    openAccessKeys(path, ACCOUNT).map(({ profile, accessKeyId, secretAccessKey, accountId }) => [
      profile,
      accessKeyId,
      secretAccessKey,
      accountId,
    ]),
    [
      ['default', 'A', 'a=b', ACCOUNT],
      ['two', 'B', 'c', '999999999999'],
    ],
  );
});

test('a file that is no such thing is refused, without a word of what it holds', () => {
  const path = join(folder, 'broken');
  for (const [text, expected] of [
    ['hunter2', /neither a profile nor a setting/],
    ['aws_secret_access_key = hunter2', /neither a profile nor a setting/],
    ['[default]\naws_secret_access_key = hunter2', /lacks a key id or a secret/],
    ['[default]\naws_access_key_id = A\naws_secret_access_key = hunter2\naws_account_id = 12', /no account id of 12 digits/],
    ['', /holds no profile/],
  ] as const) {
    writeFileSync(path, text);
    assert.throws(
      () => openAccessKeys(path, ACCOUNT),
      (error) => error instanceof ConfigError && expected.test(error.message) && !error.message.includes('hunter2'),
    );
  }
});
