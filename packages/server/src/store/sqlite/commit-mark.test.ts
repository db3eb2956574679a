/** A data file that holds fewer commits than were acknowledged is refused, whatever has become of its log. */
import assert from 'node:assert/strict';
import { copyFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { LogBench } from './log.fixture.ts';

/** Bytes of a frame of the log. */
const FRAME = 4120;

/** Files after a kill -9: the data file, its log and the mark, `commits` transactions in. */
async function killed(bench: LogBench, commits = 6): Promise<void> {
  await using store = await bench.open();
  for (let i = 0; i < commits; i += 1) await bench.write(store);
  for (const end of ['', '-wal', '-commits']) copyFileSync(bench.path + end, `${bench.path}.kept${end}`);
}

function putBack(bench: LogBench): void {
  rmSync(`${bench.path}-wal`, { force: true });
  for (const end of ['', '-wal', '-commits']) copyFileSync(`${bench.path}.kept${end}`, bench.path + end);
}

const LOST = /(\d+) acknowledged commits are not in it.*--damaged-log recover/;

test('a log that was removed, emptied or cut at the end of a transaction', async () => {
  using bench = new LogBench();
  await killed(bench);
  const log = `${bench.path}-wal`;
  const frames = Math.floor(statSync(`${bench.path}.kept-wal`).size / FRAME);
  const ways: [string, () => void][] = [
    ['removed', () => rmSync(log)],
    ['emptied', () => truncateSync(log, 0)],
    ['the header alone', () => truncateSync(log, 32)],
  ];
  for (let frame = Math.floor(frames / 2); frame < frames; frame += 1)
    ways.push([`${frame} frames`, () => truncateSync(log, 32 + frame * FRAME)]);
  let refused = 0;
  for (const [name, damage] of ways) {
    putBack(bench);
    damage();
    try {
      await using store = await bench.open();
      assert.equal(await bench.last(store), bench.acknowledged, name);
    } catch (error) {
      if ((error as Error).name !== 'DataFileError') throw error;
      refused += 1;
    }
  }
  assert.ok(refused >= ways.length - 1, `${refused} of ${ways.length}`);
});

test('an older copy of the data file, and one that goes on without what is lost', async () => {
  using bench = new LogBench();
  {
    await using store = await bench.open();
    await bench.write(store);
  }
  copyFileSync(bench.path, `${bench.path}.older`);
  {
    await using store = await bench.open();
    for (let i = 0; i < 3; i += 1) await bench.write(store);
  }
  copyFileSync(`${bench.path}.older`, bench.path);
  await assert.rejects(bench.open(), { message: LOST });
  const told: unknown[] = [];
  {
    await using store = await bench.open('recover', ({ event, lost }) => told.push([event, lost]));
    assert.equal(await bench.last(store), 1);
  }
  assert.deepEqual(told, [['commits-lost', 3]]);
  await using _ = await bench.open();
});

test('a mark that is missing, damaged or older refuses nothing', async () => {
  using bench = new LogBench();
  await killed(bench);
  for (const damage of [
    (path: string) => rmSync(path),
    (path: string) => writeFileSync(path, 'abc'),
    (path: string) => writeFileSync(path, Buffer.alloc(20, 0xff)),
    (path: string) => writeFileSync(path, Buffer.alloc(40)),
    (path: string) => truncateSync(path, 5),
  ]) {
    putBack(bench);
    damage(`${bench.path}-commits`);
    await using store = await bench.open();
    assert.equal(await bench.last(store), bench.acknowledged);
    assert.equal(statSync(`${bench.path}-commits`).size, 20);
  }
});

test('a mark says nothing of another data file, and stays until that one has its first commit', async () => {
  using bench = new LogBench();
  await killed(bench, 2);
  putBack(bench);
  for (const end of ['', '-wal']) rmSync(bench.path + end);
  {
    // A new one: whether it is missed is not for the store to say.
    await using store = await bench.open();
    assert.equal(await bench.last(store), 0);
  }
  copyFileSync(`${bench.path}.kept`, bench.path);
  await assert.rejects(bench.open(), { message: LOST });
  rmSync(bench.path);
  {
    await using store = await bench.open();
    bench.acknowledged = 0;
    await bench.write(store);
  }
  await using store = await bench.open();
  assert.equal(await bench.last(store), 1);
});

test('writes that change nothing, or fail, are not counted', async () => {
  using bench = new LogBench();
  {
    await using store = await bench.open();
    await bench.write(store);
    await store.write(async () => undefined);
    await assert.rejects(
      store.write(async () => {
        throw new RangeError('no');
      }),
    );
    await bench.write(store);
  }
  await using store = await bench.open();
  assert.equal(await bench.last(store), 2);
});
