/** Links to archives: of one archive, for a time, few at a time. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
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
