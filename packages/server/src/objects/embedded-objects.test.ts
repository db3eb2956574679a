/** The embedded store of objects: its limit, and what lists cost. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { clockAt } from '../testing/operations-fixture.ts';
import type { Store } from '../store/contract.ts';
import { openMemoryStore } from '../store/rerunning-store.fixture.ts';
import { EmbeddedObjects } from './embedded-objects.ts';
import { ObjectFiles } from './object-files.ts';

const PLACE = { accountId: '000000000000', region: 'us-east-1' };
const Bucket = 'bucket';
/** What an object takes beside its bytes. */
const OVERHEAD = 4096;

class Bench implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'thingkeep-objects-'));
  readonly objects: EmbeddedObjects;
  readonly disk = { low: false };
  /** Records that were read by scans. */
  read = 0;
  limit = 1_000_000;

  private constructor(store: Store) {
    const watched: Store = {
      read: (work) =>
        store.read((tx) =>
          work({
            get: tx.get.bind(tx),
            getMany: tx.getMany.bind(tx),
            eachRow: tx.eachRow.bind(tx),
            scanRows: tx.scanRows.bind(tx),
            scan: async (of, scan) => {
              const page = await tx.scan(of, scan);
              this.read += page.items.length;
              return page;
            },
          }),
        ),
      write: store.write.bind(store),
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    };
    const files = new ObjectFiles(join(this.folder, 'objects'));
    this.objects = new EmbeddedObjects({
      ...{ store: watched, files, clock: clockAt(0) },
      limitOf: () => this.limit,
      isDiskLow: () => this.disk.low,
    });
  }

  static async open(): Promise<Bench> {
    const bench = new Bench(await openMemoryStore());
    await bench.objects.buckets.create(PLACE, Bucket);
    return bench;
  }

  get files(): readonly string[] {
    return readdirSync(join(this.folder, 'objects'));
  }

  put(key: string, content: AsyncIterable<Uint8Array>, size: number) {
    return this.objects.put(PLACE.accountId, { bucket: Bucket, key }, content, { size, headers: {} });
  }

  list(options: { readonly delimiter?: string; readonly after?: string; readonly limit?: number } = {}) {
    const all = { bucket: Bucket, prefix: '', delimiter: '', after: '', limit: 1000 };
    return this.objects.list(PLACE.accountId, { ...all, ...options });
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function* bytesOf(...sizes: readonly number[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const size of sizes) yield Buffer.alloc(size);
}

test('uploads at the same time share the limit before any of them has written a byte', async () => {
  using bench = await Bench.open();
  bench.limit = 100_000;
  const begun = Promise.withResolvers<void>();
  const { promise, resolve } = Promise.withResolvers<void>();
  const slow = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    begun.resolve();
    await promise;
    yield Buffer.alloc(60_000);
  };
  const first = bench.put('first', slow(), 60_000);
  await begun.promise;
  await assert.rejects(bench.put('second', bytesOf(60_000), 60_000), { code: 'QuotaExceeded' });
  assert.equal(bench.files.length, 1, 'nothing is written of the second');
  resolve();
  await first;
  await bench.objects.delete(PLACE.accountId, { bucket: Bucket, key: 'first' });
  await bench.put('second', bytesOf(60_000), 60_000);
});

test('what is announced is what may come: more or less leaves nothing, and takes nothing of the limit', async () => {
  using bench = await Bench.open();
  bench.limit = 20_000;
  for (let i = 0; i < 5; i += 1) {
    await assert.rejects(bench.put('a', bytesOf(10_000, 1), 10_000), { code: 'IncompleteBody' });
    await assert.rejects(bench.put('a', bytesOf(9_999), 10_000), { code: 'IncompleteBody' });
  }
  assert.deepEqual(bench.files, []);
  await bench.put('a', bytesOf(10_000), 10_000);
});

test('an account has so many transfers at a time, and others have theirs', async () => {
  using bench = await Bench.open();
  const record = await bench.put('a', bytesOf(300_000), 300_000);
  const begun = Array.from({ length: 128 }, () => bench.objects.content(record, 0, record.size)[Symbol.asyncIterator]());
  for (const each of begun) await each.next();
  assert.throws(() => bench.objects.content(record, 0, record.size), { code: 'SlowDown' });
  await assert.rejects(bench.put('b', bytesOf(1), 1), { code: 'SlowDown' });
  const other = bench.objects.content({ ...record, accountId: '111111111111' }, 0, record.size);
  for await (const bytes of other) assert.ok(bytes.length > 0);
  for (const each of begun) await each.return?.();
  await bench.put('b', bytesOf(1), 1);
});

test('uploads that begin at the same time share the number of transfers before any has opened a file', async () => {
  using bench = await Bench.open();
  const begun = Array.from({ length: 140 }, (_, i) => bench.put(`key-${i}`, bytesOf(1), 1));
  const outcomes = await Promise.allSettled(begun);
  const refused = outcomes.filter((each) => each.status === 'rejected');
  assert.deepEqual([...new Set(refused.map(({ reason }) => (reason as { code?: string }).code))], ['SlowDown']);
  assert.equal(refused.length, 12);
  await bench.put('later', bytesOf(1), 1);
});

test('an object without a byte counts too', async () => {
  using bench = await Bench.open();
  bench.limit = 3 * OVERHEAD;
  for (const key of ['a', 'b', 'c']) await bench.put(key, bytesOf(), 0);
  await assert.rejects(bench.put('d', bytesOf(), 0), { code: 'QuotaExceeded' });
});

test('an upload ends when the disk gets full under it', async () => {
  using bench = await Bench.open();
  const growing = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    yield Buffer.alloc(10);
    bench.disk.low = true;
    yield Buffer.alloc(10);
  };
  await assert.rejects(bench.put('a', growing(), 20), { code: 'ServiceUnavailable' });
  assert.deepEqual(bench.files, []);
});

test('a list with a delimiter reads few records of each beginning', async () => {
  using bench = await Bench.open();
  for (let i = 0; i < 30; i += 1) for (let j = 0; j < 4; j += 1) await bench.put(`${i}/${j}`, bytesOf(), 0);
  bench.read = 0;
  assert.equal((await bench.list({ delimiter: '/' })).prefixes.length, 30);
  assert.ok(bench.read <= 30 * 16, `${bench.read} records`);
});

test('an account has a hundred buckets', async () => {
  using bench = await Bench.open();
  for (let i = 1; i < 100; i += 1) await bench.objects.buckets.create(PLACE, `bucket-${i}`);
  const text = 'You have attempted to create more buckets than allowed';
  await assert.rejects(bench.objects.buckets.create(PLACE, 'one-more'), { code: 'TooManyBuckets', message: text });
});

test('a beginning is listed once, whatever goes on behind it', async () => {
  using bench = await Bench.open();
  for (const key of ['a/1', `a/${'\u{10FFFF}'.repeat(255)}`, 'b']) await bench.put(key, bytesOf(), 0);
  const { prefixes, objects } = await bench.list({ delimiter: '/' });
  assert.deepEqual([prefixes, objects.map(({ key }) => key)], [['a/'], ['b']]);
  const first = await bench.list({ delimiter: '/', limit: 1 });
  const second = await bench.list({ delimiter: '/', limit: 1, after: first.next ?? '' });
  assert.deepEqual([first.prefixes, second.objects.map(({ key }) => key), second.next], [['a/'], ['b'], undefined]);
});
