/**
 * The parts of a data folder know each other: one that is missing, empty, damaged or of another server ends the start
 * with a line that names it.
 */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ListThingsCommand } from '@aws-sdk/client-iot';
import { FREE_PORTS, startServer, temporaryFolder, thingkeep } from './test-core.ts';
import { forgetInstallation, installationIn, thingsOf } from './things-of.ts';

const work = temporaryFolder();
after(() => rmSync(work, { recursive: true, force: true }));
let count = 0;

const good = join(work, 'good');
const other = join(work, 'other');
before(async () => {
  await thingsOf(good, 'lamp');
  await thingsOf(other, 'strange');
});

const copyOf = (folder: string): string => {
  const copy = join(work, String(count++));
  cpSync(folder, copy, { recursive: true });
  return copy;
};

const PATHS = {
  'data-file': 'thingkeep.db',
  ca: 'ca',
  'root-keys': 'root-keys.json',
  audit: 'audit',
  functions: 'functions',
} as const;
type Part = keyof typeof PATHS;
const FOLDERS: readonly Part[] = ['ca', 'audit', 'functions'];

const idOf = (folder: string): string => installationIn(folder) ?? '';

const FAULTS: Readonly<Record<string, (path: string, part: Part) => void>> = {
  missing: (path) => rmSync(path, { recursive: true }),
  empty(path, part) {
    rmSync(path, { recursive: true });
    if (FOLDERS.includes(part)) mkdirSync(path, { mode: 0o700 });
    else writeFileSync(path, '', { mode: 0o600 });
  },
  "another server's"(path, part) {
    rmSync(path, { recursive: true });
    cpSync(join(other, PATHS[part]), path, { recursive: true });
  },
  'without an id'(path, part) {
    if (part === 'data-file') {
      rmSync(path);
      return;
    }
    if (FOLDERS.includes(part)) {
      rmSync(join(path, 'installation.json'));
      return;
    }
    const { keys } = JSON.parse(readFileSync(path, 'utf8')) as { keys: unknown };
    writeFileSync(path, JSON.stringify({ version: 1, keys }));
  },
};

for (const part of Object.keys(PATHS) as Part[])
  for (const [fault, make] of Object.entries(FAULTS))
    test(`${part} that is ${fault}: refused in one line, and taken once by the flag of the refusal`, async () => {
      const folder = copyOf(good);
      make(join(folder, PATHS[part]), part);
      const { code, stderr } = await thingkeep(['start', '--data-dir', folder, ...FREE_PORTS]);
      assert.equal(code, 2, stderr);
      assert.equal(stderr.trim().split('\n').length, 1, stderr);
      assert(stderr.includes(join(folder, PATHS[part])), stderr);
      const flag = / --accept-loss (\S+)$/m.exec(stderr)?.[1];
      if (part === 'root-keys' && flag === undefined) {
        // A lost or unreadable key file is answered by a new key.
        assert.match(stderr, /make a new key by thingkeep accounts keys/);
        if (fault === 'empty') rmSync(join(folder, PATHS[part]));
        const made = await thingkeep(['accounts', 'keys', '000000000000', '--new', '--data-dir', folder]);
        assert.equal(made.code, 0, made.stderr);
        rmSync(join(folder, 'credentials'));
        assert.deepEqual(await thingsOf(folder), ['lamp']);
        return;
      }
      assert.equal(flag, `${part}:${idOf(good)}`);
      const isThere = fault === "another server's" || (fault === 'without an id' && ['ca', 'audit', 'root-keys'].includes(part));
      assert.match(stderr, isThere ? /or take over what is there as it is/ : /or give up what is lost/);
      // A copy of the keys of the installation that the file is of.
      rmSync(join(folder, 'credentials'));
      const lost = part === 'data-file' ? (fault === "another server's" ? ['strange'] : []) : ['lamp'];
      assert.deepEqual(await thingsOf(folder, undefined, [['accept-loss', flag ?? '']]), lost);
      assert.notEqual(idOf(folder), idOf(good));
      assert.deepEqual(await thingsOf(folder), lost);
      // The flag, left where it is, takes no second loss.
      rmSync(join(folder, PATHS[part]), { recursive: true });
      await assert.rejects(thingsOf(folder, undefined, [['accept-loss', flag ?? '']]), { name: 'ConfigError' });
    });

test('a folder of an earlier release gets its ids at the first start, and one that has lost its authorities does not', async () => {
  const old = copyOf(good);
  await forgetInstallation(old);
  for (const path of ['ca', 'thingkeep.db']) {
    const part = copyOf(old);
    rmSync(join(part, path), { recursive: true });
    await assert.rejects(thingsOf(part), { name: 'ConfigError', message: /--accept-loss (ca|data-file):unnamed/ });
  }
  assert.deepEqual(await thingsOf(old), ['lamp']);
  assert.deepEqual(await thingsOf(old), ['lamp']);
  for (const part of FOLDERS) assert(existsSync(join(old, PATHS[part], 'installation.json')));
  assert.equal(readFileSync(join(old, 'audit', 'key')).length, 64);
  assert.match(readFileSync(join(old, 'ca', 'rsa-root.pem'), 'utf8'), /\nsha256 [0-9a-f]{64}\n$/);
  assert.match(idOf(old), /^[0-9a-f-]{36}$/);
});

test('an account that is made before the first start keeps no folder from its first start', async () => {
  const folder = join(work, 'accounts-first');
  const made = await thingkeep(['accounts', 'create', '222222222222', '--data-dir', folder]);
  assert.equal(made.code, 0, made.stderr);
  await using server = await startServer({ dataDir: folder });
  assert.equal(idOf(folder).length, 36);
  assert.equal((await server.iot.send(new ListThingsCommand({}))).things?.length, 0);
});

test('one flipped bit at any place of the small files is refused with the name of the file', async () => {
  const folder = copyOf(good);
  for (const [file, named] of [
    ['root-keys.json', 'root-keys.json'],
    ['ca/installation.json', '/ca/'],
    ['audit/installation.json', '/audit/'],
    ['functions/installation.json', '/functions/'],
    ['audit/key', 'audit/key'],
  ] as const) {
    const path = join(folder, file);
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at += 1) {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << ((at * 5) % 8));
      writeFileSync(path, bytes);
      await assert.rejects(thingsOf(folder), (error: Error) => error.message.includes(named), `${file}: byte ${at}`);
    }
    writeFileSync(path, whole);
  }
  assert.deepEqual(await thingsOf(folder), ['lamp']);
});
