/** Credentials for the operator's endpoints: each account has its own, and none is a key of this server. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openActionKeys } from './action-keys.ts';
import { ConfigError } from './config-error.ts';

const folder = mkdtempSync(join(tmpdir(), 'thingkeep-action-keys-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const HOME = '000000000000';
const file = (...profiles: readonly (readonly [name: string, id: string])[]): string => {
  const path = join(folder, 'keys');
  const text = profiles.map(([name, id]) => `[${name}]\naws_access_key_id = ${id}\naws_secret_access_key = s\n`);
  writeFileSync(path, text.join('\n'), { mode: 0o600 });
  return path;
};

test('a service has its profile, or the default one; the profiles of one account are not those of another', () => {
  const path = file(
    ['sqs', 'A'],
    ['default', 'B'],
    ['222222222222/sqs', 'C'],
    ['333333333333/default', 'D'],
    ['odd profile', 'E'],
  );
  const keys = openActionKeys(path, [], HOME);
  for (const [account, service, id] of [
    [HOME, 'sqs', 'A'],
    [HOME, 's3', 'B'],
    ['222222222222', 'sqs', 'C'],
    ['222222222222', 's3', undefined],
    ['333333333333', 's3', 'D'],
    ['444444444444', 'sqs', undefined],
  ] as const)
    assert.equal(keys?.of(account, service)?.accessKeyId, id, `${account} ${service}`);
  assert.equal(openActionKeys('', [], HOME), undefined);
});

test('a root key of this server is refused, whatever its profile', () => {
  const own = [{ profile: 'default', accessKeyId: 'ROOT', secretAccessKey: 's', accountId: HOME }];
  for (const name of ['default', 'sqs', '222222222222/s3', 'unused profile'])
    assert.throws(
      () => openActionKeys(file(['logs', 'A'], [name, 'ROOT']), own, HOME),
      (error) => error instanceof ConfigError && /holds an access key of this server's root/.test(error.message),
    );
});
