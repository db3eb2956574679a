/** Archives that are what they seem, and those that are not: none leaves its folder or its bounds. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { inspect, LARGEST_ARCHIVE, LARGEST_UNPACKED, unpack } from './archive.ts';
import { type ZipEntry, zipOf, zipOfFiles } from './zip.fixture.ts';

const root = mkdtempSync(join(tmpdir(), 'thingkeep-archive-'));
after(() => rmSync(root, { recursive: true, force: true }));
const folder = (): string => mkdtempSync(join(root, 'code-'));

const refused = (zip: Uint8Array, words: RegExp): Promise<void> =>
  assert.rejects(inspect(zip), { name: 'ArchiveError', message: words });

test('files and folders come out with their content, readable and not writable for others than the owner', async () => {
  const zip = zipOf([
    { name: 'index.py', content: 'print(1)' },
    { name: 'lib/', mode: 0o040755 },
    { name: 'lib/deep/more.txt', content: 'x'.repeat(100_000) },
    { name: 'bootstrap', content: '#!/bin/sh', mode: 0o100777 },
  ]);
  await inspect(zip);
  const into = folder();
  await unpack(zip, into);
  assert.deepEqual(readdirSync(into).sort(), ['bootstrap', 'index.py', 'lib']);
  assert.equal(readFileSync(join(into, 'lib/deep/more.txt'), 'utf8').length, 100_000);
  const modeOf = (name: string): string => (statSync(join(into, name)).mode & 0o777).toString(8);
  assert.deepEqual(['index.py', 'lib', 'lib/deep', 'bootstrap'].map(modeOf), ['640', '750', '750', '750']);
});

test('a mask of the process changes no mode', async () => {
  const before = process.umask(0o077);
  try {
    const into = folder();
    await unpack(zipOfFiles({ 'a/b.py': '' }), into);
    assert.equal(statSync(join(into, 'a/b.py')).mode & 0o777, 0o640);
    assert.equal(statSync(join(into, 'a')).mode & 0o777, 0o750);
  } finally {
    process.umask(before);
  }
});

describe('refused', () => {
  const cases: readonly (readonly [what: string, entries: readonly ZipEntry[], words: RegExp])[] = [
    ['a way up', [{ name: '../evil' }], /relative path|leads elsewhere/],
    ['a way up in the middle', [{ name: 'a/../../evil' }], /relative path|leads elsewhere/],
    ['a path from the root', [{ name: '/etc/passwd' }], /absolute path|leads elsewhere/],
    ['a backslash', [{ name: 'a\\..\\evil' }], /invalid characters|leads elsewhere/],
    ['an empty part', [{ name: 'a//b' }], /leads elsewhere/],
    ['a null character', [{ name: 'a\0b' }], /leads elsewhere|unzip/],
    ['a link', [{ name: 'link', content: '/etc/passwd', mode: 0o120777 }], /neither a file nor a folder/],
    ['a device', [{ name: 'null', mode: 0o020666 }], /neither a file nor a folder/],
    ['a pipe', [{ name: 'pipe', mode: 0o010666 }], /neither a file nor a folder/],
    ['one name twice', [{ name: 'a' }, { name: 'a' }], /twice/],
    ['a file as a folder', [{ name: 'a' }, { name: 'a/b' }], /as a file and as a folder/],
    ['a folder as a file', [{ name: 'a/b' }, { name: 'a' }], /twice/],
    ['encrypted content', [{ name: 'a', encrypted: true }], /encrypted/],
    ['nothing', [], /non-empty/],
    ['a claim of too much', [{ name: 'a', claimedSize: LARGEST_UNPACKED + 1 }], /Unzipped size must be smaller/],
    ['more than it claims', [{ name: 'a', content: Buffer.alloc(10_000_000), claimedSize: 10 }], /unzip/],
    ['less than it claims', [{ name: 'a', content: 'x', claimedSize: 10 }], /unzip/],
  ];
  for (const [what, entries, words] of cases) test(what, () => refused(zipOf(entries), words));

  test('many that are too much together', () =>
    refused(
      zipOf([1, 2, 3].map((n) => ({ name: `f${n}`, claimedSize: 100 * 1024 * 1024, content: '' }))),
      /unzip|Unzipped size/,
    ));
  test('more files than anyone needs', () =>
    refused(zipOf(Array.from({ length: 20_001 }, (_, n) => ({ name: `f${n}` }))), /more than 20000 files/));
  test('a larger file than may be brought', () => refused(Buffer.alloc(LARGEST_ARCHIVE + 1), /Zipped size/));
  test('what is no archive', () => refused(Buffer.from('not a zip'), /Could not unzip/));
  test('an archive cut off', () => refused(zipOfFiles({ a: 'x'.repeat(1000) }).subarray(0, -30), /Could not unzip/));
});

test('a bomb ends at the size that it claims, on disk too', async () => {
  const into = folder();
  const bomb = zipOf([{ name: 'bomb', content: Buffer.alloc(50_000_000), claimedSize: 1000 }]);
  await assert.rejects(unpack(bomb, into), { name: 'ArchiveError' });
  assert.ok(statSync(join(into, 'bomb')).size <= 1000);
});
