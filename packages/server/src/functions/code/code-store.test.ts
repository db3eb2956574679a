/** Links to archives: of one archive, for a time, few at a time. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CodeStore } from './code-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'thingkeep-code-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('a link leads to its archive, and no longer than ten minutes (API reference, FunctionCodeLocation)', async () => {
  const code = new CodeStore(folder);
  const link = code.linkTo(await code.put(Buffer.from('one')), 0);
  const other = code.linkTo(await code.put(Buffer.from('two')), 0);
  const follow = async (query: string, now = 0) => (await code.follow(query, now, new AbortController().signal))?.toString();
  assert.equal(await follow(link), 'one');
  assert.equal(await follow(link, 600_000), 'one');
  assert.equal(await follow(link, 600_001), undefined);
  const [claim] = link.split('&');
  const [, signature] = other.split('&');
  assert.equal(await follow(`${claim}&${signature}`), undefined, 'the signature of another link');
});

test('four are fetched at a time, until they are sent', async () => {
  const code = new CodeStore(folder);
  const link = code.linkTo(await code.put(Buffer.from('one')), 0);
  const fetches = Array.from({ length: 4 }, () => new AbortController());
  for (const { signal } of fetches) await code.follow(link, 0, signal);
  const { signal } = new AbortController();
  await assert.rejects(code.follow(link, 0, signal), { code: 'TooManyRequestsException' });
  assert.equal(await code.follow('code=a&signature=b', 0, signal), undefined, 'a stranger takes no room');
  fetches[0]?.abort();
  assert.ok(await code.follow(link, 0, signal));
});

test('an archive with a flipped bit, a cut one and a missing one are never given out', async () => {
  const code = new CodeStore(folder);
  const zip = Buffer.from('the code of a function');
  const digest = await code.put(zip);
  const file = join(folder, `${Buffer.from(digest, 'base64').toString('hex')}.zip`);
  const link = code.linkTo(digest, 0);
  const refused = async (words: RegExp): Promise<void> => {
    await assert.rejects(code.get(digest), { name: 'CodeFault', message: words, file });
    await assert.rejects(code.follow(link, 0, AbortSignal.timeout(1)), { name: 'CodeFault' });
  };
  for (let bit = 0; bit < zip.length * 8; bit += 1) {
    const bytes = Buffer.from(zip);
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    writeFileSync(file, bytes);
    await assert.rejects(code.get(digest), { name: 'CodeFault', message: /is damaged/ });
  }
  await refused(/is damaged/);
  writeFileSync(file, zip.subarray(1));
  await refused(/is damaged/);
  rmSync(file);
  await refused(/is missing/);
  await code.put(zip);
  assert.deepEqual(await code.get(digest), readFileSync(file));
});
