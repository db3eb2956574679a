/** The data folder: made for the owner alone, refused in an operator's words. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
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

test('what its group or others may write is refused with the command that mends it; what they may read is closed', () => {
  const fresh = (name: string): string => openDataFolder(at(name)).path;
  for (const mode of [0o770, 0o707, 0o777, 0o1777]) {
    const path = fresh(`folder-${mode}`);
    chmodSync(path, mode);
    assert.throws(
      () => openDataFolder(path),
      (error) => error instanceof ConfigError && error.message.includes(`chmod go-w ${path}`),
    );
  }
  for (const name of ['thingkeep.db', 'credentials', 'root-keys.json', 'ca/root.pem', 'audit/key'])
    for (const mode of [0o620, 0o602, 0o666]) {
      const path = fresh(`file-${name.replace('/', '-')}-${mode}`);
      mkdirSync(join(path, 'ca'), { mode: 0o700 });
      mkdirSync(join(path, 'audit'), { mode: 0o700 });
      writeFileSync(join(path, name), 'x');
      chmodSync(join(path, name), mode);
      assert.throws(
        () => openDataFolder(path),
        (error) => error instanceof ConfigError && error.message.includes(join(path, name)),
      );
      chmodSync(join(path, name), 0o644);
      const closed: string[] = [];
      openDataFolder(path, { closed: (file) => closed.push(file) });
      assert.deepEqual(closed, [join(path, name)]);
      assert.equal(statSync(join(path, name)).mode & 0o777, 0o600);
    }
});

test('a link to a file that others may write is refused', () => {
  const { path, dataFile } = openDataFolder(at('linked'));
  writeFileSync(at('elsewhere'), 'x');
  chmodSync(at('elsewhere'), 0o666);
  symlinkSync(at('elsewhere'), dataFile);
  assert.throws(() => openDataFolder(path), /may be written by its group or by others/);
  chmodSync(at('elsewhere'), 0o644);
  assert.throws(() => openDataFolder(path), /leads to a file that others may read/);
  chmodSync(at('elsewhere'), 0o600);
  openDataFolder(path);
});

test('a file deep in the folder is looked at too', () => {
  const { path } = openDataFolder(at('deep'));
  mkdirSync(join(path, 'functions/a/b'), { recursive: true, mode: 0o700 });
  writeFileSync(join(path, 'functions/a/b/file'), 'x');
  chmodSync(join(path, 'functions/a/b/file'), 0o666);
  assert.throws(() => openDataFolder(path), /may be written by its group or by others/);
});

test('a folder whose place everybody may take is refused, but for one below a sticky folder', () => {
  mkdirSync(at('above'), { mode: 0o700 });
  openDataFolder(at('above/data'));
  chmodSync(at('above'), 0o777);
  assert.throws(() => openDataFolder(at('above/data')), /may be written by everybody: chmod o-w/);
  chmodSync(at('above'), 0o1777);
  openDataFolder(at('above/data'));
});

test("somebody else's folder is refused", {
  skip: process.getuid?.() === 0 ? false : 'a folder can be given away by root alone',
}, () => {
  const { path } = openDataFolder(at('given'));
  chownSync(path, 12_345, 12_345);
  assert.throws(() => openDataFolder(path), /belongs to user 12345/);
});
