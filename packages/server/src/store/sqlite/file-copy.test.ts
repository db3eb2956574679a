/** Copies of a data file in use: one moment of it, while writes go on, with the lock kept and the loop free. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { collection } from '../contract.ts';
import { openSqliteStore } from './sqlite-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'thingkeep-copy-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);

interface Numbered {
  readonly number: number;
  readonly text: string;
}
const left = collection<Numbered>('left', (r) => [r.number]);
const right = collection<Numbered>('right', (r) => [r.number]);
const TEXT = 'x'.repeat(4000);

type OpenStore = Awaited<ReturnType<typeof openSqliteStore>>;
const putBoth = (store: OpenStore, number: number): Promise<void> =>
  store.write(async (tx) => {
    await tx.put(left, { number, text: TEXT });
    await tx.put(right, { number, text: TEXT });
  });
const numbersOf = async (store: OpenStore): Promise<readonly [number[], number[]]> =>
  store.read(async (tx) => {
    const of = async (what: typeof left): Promise<number[]> =>
      (await tx.scan(what, { prefix: [] })).items.map(({ number }) => number);
    return [await of(left), await of(right)];
  });

/** Tries to open a data file in another process. */
const openElsewhere = async (path: string): Promise<string> => {
  const script = `import { openSqliteStore } from ${JSON.stringify(new URL('./sqlite-store.ts', import.meta.url).href)};
    await openSqliteStore({ path: ${JSON.stringify(path)} }).then(() => console.log('opened'), (e) => console.log(e.message));`;
  return (await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])).stdout.trim();
};

test('a copy is of one moment and has what was acknowledged before; writes go on, others stay out', async () => {
  await using store = await openSqliteStore({ path: at('a') });
  await Promise.all(Array.from({ length: 4000 }, (_, number) => putBoth(store, number)));
  let acknowledged = 4000;
  let copying = true;
  let before = 0;
  const writer = (async () => {
    while (copying) {
      await putBoth(store, acknowledged);
      acknowledged += 1;
      await setImmediate();
    }
  })();
  for (const name of ['first', 'second']) {
    before = acknowledged;
    await store.backup(at(name));
    assert(acknowledged > before, 'writes went on');
    assert.match(await openElsewhere(at('a')), /in use by another server/);
    await using copy = await openSqliteStore({ path: at(name) });
    const [lefts, rights] = await numbersOf(copy);
    assert(lefts.length >= before, `${lefts.length} of ${before}`);
    assert.deepEqual(
      lefts,
      Array.from(lefts, (_, i) => i),
    );
    assert.deepEqual(lefts, rights);
    assert.equal(statSync(at(name)).mode & 0o777, 0o600);
  }
  copying = false;
  await writer;
  await assert.rejects(store.backup(at('first')), /EEXIST/);
  // SQLite puts the log into the file again by itself.
  for (let i = 0; i < 2000; i += 1) await putBoth(store, i);
  assert(statSync(`${at('a')}-wal`).size < 64 * 1024 * 1024, `${statSync(`${at('a')}-wal`).size} bytes in the log`);
});

test('a store that is closed ends its copy; a second copy at a time, and one of a store in memory, are refused', async () => {
  const store = await openSqliteStore({ path: at('b') });
  await Promise.all(Array.from({ length: 2000 }, (_, number) => putBoth(store, number)));
  const copied = store.backup(at('ended'));
  await assert.rejects(store.backup(at('other')), /is being copied already/);
  const ended = assert.rejects(copied, /is stopping/);
  await store[Symbol.asyncDispose]();
  await ended;
  assert.equal(await openElsewhere(at('b')), 'opened');
  assert(!readdirSync(folder).includes('other'));
  await using memory = await openSqliteStore({ path: ':memory:' });
  await assert.rejects(memory.backup(at('memory')), /no file to copy/);
});
