/** Data files that are not whole, and files beside them that are not theirs, are refused before SQLite touches any. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { type Files, LogBench } from './log.fixture.ts';

/** Files of a store that was stopped, and of one that was killed. */
async function filesOf(bench: LogBench): Promise<{ stopped: Files; killed: Files }> {
  const store = await bench.open();
  for (let i = 0; i < 8; i += 1) await bench.write(store, 20);
  const killed = bench.take();
  await store[Symbol.asyncDispose]();
  assert.equal(existsSync(`${bench.path}-wal`), false);
  return { stopped: bench.take(), killed };
}

const NO_LOG = Buffer.alloc(0);

test('a data file that was cut off is refused at every length, whole pages or not', async () => {
  using bench = new LogBench();
  const { stopped } = await filesOf(bench);
  const pages = stopped.data.length / 4096;
  for (let page = 0; page < pages; page += 1)
    for (const more of [0, 1, 99, 512, 4095]) {
      if (page + more === 0) continue;
      bench.put({ data: stopped.data.subarray(0, page * 4096 + more), log: NO_LOG });
      await assert.rejects(bench.open(), /data file \S+ is damaged: .*Restore the data folder/, `${page} pages and ${more}`);
    }
  bench.put({ data: Buffer.concat([stopped.data, Buffer.alloc(100)]), log: NO_LOG });
  await assert.rejects(bench.open(), /no multiple of its page size/);
});

test('a data file that a checkpoint did not finish is taken with its log, and refused without it', async () => {
  using bench = new LogBench();
  const { stopped, killed } = await filesOf(bench);
  // SQLite writes the first page with its count of pages before the pages at the end; a full disk leaves half a page.
  for (const length of [4096, 8192, 8192 + 1024, stopped.data.length - 1]) {
    bench.put({ data: stopped.data.subarray(0, length), log: killed.log });
    await using store = await bench.open();
    assert.equal(await bench.last(store), bench.acknowledged, String(length));
  }
  bench.put({ data: stopped.data.subarray(0, 8192), log: NO_LOG });
  await assert.rejects(bench.open(), /it has 2 pages of \d+, and page 3 is not in its log/);
});

test('a crash at any moment of the checkpoint after a recovery leaves a store that opens with all', async () => {
  using bench = new LogBench();
  const { stopped, killed } = await filesOf(bench);
  const pages = stopped.data.length / 4096;
  // Pages are copied in their order; the log is cut only after the data file was synced.
  for (let copied = 0; copied <= pages; copied += 1) {
    const data = Buffer.concat([stopped.data.subarray(0, copied * 4096), killed.data.subarray(copied * 4096)]);
    for (const log of [killed.log, ...(copied === pages ? [NO_LOG, killed.log.subarray(0, 32)] : [])]) {
      bench.put({ data, log });
      await using store = await bench.open();
      assert.equal(await bench.last(store), bench.acknowledged, `${copied} pages, a log of ${log.length}`);
    }
  }
});

test('an empty, a missing and a header-damaged data file beside a log are refused, and the log stays', async () => {
  using bench = new LogBench();
  const { killed } = await filesOf(bench);
  bench.put({ data: NO_LOG, log: killed.log });
  await assert.rejects(bench.open(), /is empty, and its log \S+ is there/);
  rmSync(bench.path);
  await assert.rejects(bench.open(), /is missing, and its log \S+ is there/);
  assert.equal(existsSync(bench.path), false);
  for (const at of [0, 7, 16, 18, 19, 21, 22, 23, 24, 27, 92, 95]) {
    const data = Buffer.from(killed.data);
    data.writeUInt8(data.readUInt8(at) ^ 4, at);
    bench.put({ data, log: killed.log });
    await assert.rejects(bench.open(), /is damaged: its header|is not of data file/, `byte ${at}`);
    assert.ok(readFileSync(`${bench.path}-wal`).equals(killed.log));
  }
});

test('a rollback journal of another database is refused; that of a first start that was cut off is not', async () => {
  using bench = new LogBench();
  const { stopped, killed } = await filesOf(bench);
  const other = `${bench.path}-other`;
  const db = new DatabaseSync(other);
  db.exec('CREATE TABLE t (a); INSERT INTO t VALUES (1); BEGIN; PRAGMA cache_size = 1; UPDATE t SET a = 2;');
  db.exec(
    'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) INSERT INTO t SELECT hex(randomblob(99)) FROM n;',
  );
  const foreign = readFileSync(`${other}-journal`);
  db.exec('ROLLBACK');
  db.close();
  assert.ok(foreign.length > 512 && foreign[0] === 0xd9);
  for (const files of [stopped, killed]) {
    bench.put(files);
    writeFileSync(`${bench.path}-journal`, foreign);
    await assert.rejects(bench.open(), /rollback journal \S+ lies beside data file/);
    assert.ok(readFileSync(bench.path).equals(files.data));
  }
  const first = Buffer.alloc(512);
  Buffer.from('d9d505f920a163d7', 'hex').copy(first);
  first.writeUInt32BE(512, 20);
  first.writeUInt32BE(4096, 24);
  for (const length of [0, 4096]) {
    bench.put({ data: stopped.data.subarray(0, length), log: NO_LOG });
    writeFileSync(`${bench.path}-journal`, first);
    await using store = await bench.open();
    await store.write(async () => {});
  }
});

test('a store in use is told as such, not as damaged; a kill at any length of its log leaves it usable', async () => {
  using bench = new LogBench();
  const store = await bench.open();
  await bench.write(store);
  truncateSync(`${bench.path}-lock`, 0);
  await assert.rejects(bench.open(), /in use by another server/);
  await bench.write(store);
  await store[Symbol.asyncDispose]();
  await using again = await bench.open();
  assert.equal(await bench.last(again), 2);
});
