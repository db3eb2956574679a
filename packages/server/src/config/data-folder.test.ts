/** The data folder: made for the owner alone, refused in an operator's words. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openDataFolder } from './data-folder.ts';
import { writePrivateFile } from './private-file.ts';
import { ConfigError } from './settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'thingkeep-folder-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);

test('a folder is made with what is missing above it, for the owner alone', () => {
  const { path, dataFile } = openDataFolder(at('a/b/c'));
  assert.equal(statSync(path).mode & 0o777, 0o700);
  assert.equal(dataFile, at('a/b/c/thingkeep.db'));
});

test("a folder that is there keeps its owner's mode and content", () => {
  mkdirSync(at('there'), { mode: 0o750 });
  writeFileSync(at('there/mine'), 'x');
  openDataFolder(at('there'));
  assert.equal(statSync(at('there')).mode & 0o777, 0o750);
  assert.deepEqual(readdirSync(at('there')), ['mine']);
});

test('a file in the place of the folder, or of one above it', () => {
  writeFileSync(at('file'), 'x');
  for (const path of ['file', 'file/below', 'file/below/more'])
    assert.throws(
      () => openDataFolder(at(path)),
      (error) => error instanceof ConfigError && /is not a folder/.test(error.message),
    );
});

test('a place where the kernel makes no folders ends with an error', () => {
  assert.throws(
    () => openDataFolder('/proc/thingkeep/below'),
    (error) => error instanceof ConfigError && /can't be written to/.test(error.message),
  );
});

test('a private file is written whole, with its mode, in place of what was there', () => {
  writeFileSync(at('secret'), 'a longer text than the new one', { mode: 0o644 });
  writePrivateFile(at('secret'), 'new');
  assert.equal(readFileSync(at('secret'), 'utf8'), 'new');
  assert.equal(statSync(at('secret')).mode & 0o777, 0o600);
  writePrivateFile(at('open'), 'x', 0o644);
  assert.equal(statSync(at('open')).mode & 0o777, 0o644);
  assert.equal(existsSync(at('secret.new')), false);
});
