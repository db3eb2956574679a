/** AWS shared credentials files: read with what other tools leave in them, and written in their form. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readAccessKeys, renderProfiles } from './secrets.ts';
import { ConfigError } from './settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'thingkeep-secrets-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const ACCOUNT = '123456789012';

test('profiles, each for an account; comments, blank lines and foreign settings are left alone', () => {
  const path = join(folder, 'profiles');
  writeFileSync(
    path,
    '# mine\r\n\r\n[default]\r\naws_access_key_id = A\r\naws_secret_access_key=a=b\r\nregion = x\r\n; other\n[two]\naws_access_key_id=B\naws_secret_access_key = c\naws_account_id = 999999999999\n',
  );
  const keys = readAccessKeys(path, ACCOUNT);
  assert.deepEqual(keys, [
    { profile: 'default', accessKeyId: 'A', secretAccessKey: 'a=b', accountId: ACCOUNT },
    { profile: 'two', accessKeyId: 'B', secretAccessKey: 'c', accountId: '999999999999' },
  ]);
  writeFileSync(path, renderProfiles(keys));
  assert.deepEqual(readAccessKeys(path, '111111111111'), keys, 'what is written is read as the same');
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
      () => readAccessKeys(path, ACCOUNT),
      (error) => error instanceof ConfigError && expected.test(error.message) && !error.message.includes('hunter2'),
    );
  }
});
