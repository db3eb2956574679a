/** One bit flipped anywhere in a log of many transactions: the start refuses it by name, or nothing acknowledged is missing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DataFileError } from './data-file-error.ts';
import type { Recovery } from './files.ts';
import { type Files, LogBench, seeded } from './log.fixture.ts';
import { assessLog } from './recovery.ts';

const PAGE = 4096;
const FRAME = PAGE + 24;
/** Fields of a frame's header, each with its first byte; the page comes behind. */
const FIELDS = { page: 0, pages: 4, salt1: 8, salt2: 12, sum1: 16, sum2: 20 };

/** A log of many transactions; in a log that was begun anew, frames of an earlier generation lie behind. */
async function logOf(bench: LogBench, transactions: number, isBegunAnew: boolean): Promise<Files> {
  const store = await bench.open();
  if (isBegunAnew) {
    while (bench.take().log.length < 900 * FRAME) await bench.write(store, 150);
    let before = bench.take().log.subarray(0, 32);
    for (;;) {
      await bench.write(store, 150);
      const now = bench.take().log.subarray(0, 32);
      if (!now.equals(before)) break;
      before = now;
    }
  }
  for (let i = 0; i < transactions; i += 1) await bench.write(store, i % 5 === 0 ? 9 : 1);
  const files = bench.take();
  await store[Symbol.asyncDispose]();
  return files;
}

interface Tally {
  refused: number;
  whole: number;
  /** Without the last transaction, and a line that says so: SQLite takes it for one that was cut off. */
  told: number;
  readonly lost: string[];
}

/** Opens the store on files; a refusal has to name the log, a frame or the header, a byte and a way to go on. */
async function tryOpen(bench: LogBench, files: Files, what: string, tally: Tally): Promise<void> {
  bench.put(files);
  try {
    const told: Recovery[] = [];
    await using store = await bench.open(undefined, (recovery) => told.push(recovery));
    const last = await bench.last(store);
    if (last === bench.acknowledged) tally.whole += 1;
    else if (last === bench.acknowledged - 1 && told.some(({ isOneByte }) => isOneByte)) tally.told += 1;
    else tally.lost.push(`${what}: ${last} of ${bench.acknowledged}`);
  } catch (error) {
    assert.ok(error instanceof DataFileError, `${what}: ${String(error)}`);
    assert.match(error.message, /-wal is damaged at (frame \d+|header), byte \d+: .*--damaged-log recover/, what);
    tally.refused += 1;
  }
}

const flipped = ({ data, log }: Files, byte: number, bit: number): Files => {
  const copy = Buffer.from(log);
  copy.writeUInt8(copy.readUInt8(byte) ^ (1 << bit), byte);
  return { data, log: copy };
};

for (const isBegunAnew of [false, true])
  test(`a bit in each field of each frame and of the header, in a log ${isBegunAnew ? 'begun anew' : 'of a new file'}`, async (t) => {
    using bench = new LogBench();
    const files = await logOf(bench, 20, isBegunAnew);
    bench.put(files);
    const state = assessLog({ path: `${bench.path}-wal`, pageSize: PAGE, filePages: files.data.length / PAGE });
    assert.equal(state.damage, undefined);
    assert.equal(state.torn, undefined, 'frames of an earlier generation may lie behind');
    const random = seeded(7);
    const tally: Tally = { refused: 0, whole: 0, told: 0, lost: [] };
    for (let field = 0; field < 32; field += 4)
      for (let i = 0; i < 4; i += 1)
        await tryOpen(bench, flipped(files, field + i, random(8)), `header byte ${field + i}`, tally);
    assert.equal(tally.refused, 32, 'each bit of the header is refused');
    for (let frame = 1; frame <= state.frames; frame += 1) {
      const at = 32 + (frame - 1) * FRAME;
      for (const [name, field] of Object.entries(FIELDS))
        await tryOpen(bench, flipped(files, at + field + random(4), random(8)), `frame ${frame} ${name}`, tally);
      await tryOpen(bench, flipped(files, at + 24 + random(PAGE), random(8)), `frame ${frame} content`, tally);
    }
    assert.deepEqual(tally.lost, []);
    t.diagnostic(`${state.frames} frames: ${tally.refused} flips refused, ${tally.whole} without effect, ${tally.told} told`);
    assert.ok(tally.refused > 100);
    // The last transaction's are mended, since SQLite would take it for one that was cut off.
    assert.ok(tally.whole > 0);
  });

test('a frame that ended a transaction is refused when nothing of it is left, also of the last but one', async () => {
  using bench = new LogBench();
  const { data, log } = await logOf(bench, 12, false);
  const ends: number[] = [];
  for (let at = 32; at < log.length; at += FRAME) if (log.readUInt32BE(at + 4) !== 0) ends.push(at);
  const tally: Tally = { refused: 0, whole: 0, told: 0, lost: [] };
  for (const at of ends.slice(0, -1)) {
    const copy = Buffer.from(log);
    copy.fill(0x5a, at, at + FRAME);
    await tryOpen(bench, { data, log: copy }, `the frame at ${at}`, tally);
  }
  assert.deepEqual(tally, { refused: ends.length - 1, whole: 0, told: 0, lost: [] });
});

test('with --damaged-log recover a single wrong byte is mended, and of more the rest of the log is given up', async () => {
  using bench = new LogBench();
  const files = await logOf(bench, 20, false);
  // In the middle: behind the making of the tables, before the last writes.
  const frame = Math.floor((files.log.length - 32) / FRAME / 2);
  const begin = 32 + frame * FRAME;
  const one = flipped(files, begin + 100, 3);
  bench.put(one);
  await assert.rejects(bench.open(), {
    message: new RegExp(`damaged at frame ${frame + 1}, byte ${begin}: .*nothing is lost by it`),
  });
  const told: unknown[] = [];
  {
    await using store = await bench.open('recover', (recovery) => told.push(recovery));
    assert.equal(await bench.last(store), bench.acknowledged);
  }
  assert.deepEqual(told, [{ event: 'log-mended', frame: frame + 1, offset: begin + 100, lost: 0 }]);
  bench.put(flipped(one, begin + 3000, 1));
  await assert.rejects(bench.open(), {
    message: new RegExp(`damaged at frame ${frame + 1}, .*without the \\d+ transactions behind it`),
  });
  const lost: { event: string; lost: number }[] = [];
  await using store = await bench.open('recover', (recovery) => lost.push(recovery));
  const last = await bench.last(store);
  assert.ok(last < bench.acknowledged);
  assert.deepEqual(
    lost.map(({ event, lost: count }) => [event, count]),
    [['log-cut', bench.acknowledged - last]],
  );
});

test('the header of another log, whole in itself, is refused; that of the next generation before old frames is not', async () => {
  using bench = new LogBench();
  const files = await logOf(bench, 6, false);
  using other = new LogBench();
  const foreign = await logOf(other, 1, false);
  const log = Buffer.concat([foreign.log.subarray(0, 32), files.log.subarray(32)]);
  bench.put({ data: files.data, log });
  await assert.rejects(bench.open(), /header, byte 0: its header is of another log than its frames/);
  bench.put({ data: files.data, log: log.subarray(0, 32 + FRAME * 3) });
  await assert.rejects(bench.open(), /header, byte 0/);
  // Cut off between the new header and the first new frame: all of the old generation is in the data file by then.
  using anew = new LogBench();
  const begun = await logOf(anew, 0, true);
  anew.put({ data: begun.data, log: Buffer.concat([begun.log.subarray(0, 32), begun.log.subarray(32 + 600 * FRAME)]) });
  await using store = await anew.open();
  assert.ok((await anew.last(store)) >= anew.acknowledged - 1);
});

test('a log in the other byte order is read as well', async () => {
  using bench = new LogBench();
  const files = await logOf(bench, 8, false);
  const log = otherOrder(files.log);
  bench.put({ data: files.data, log });
  {
    await using store = await bench.open();
    assert.equal(await bench.last(store), bench.acknowledged);
  }
  const random = seeded(11);
  const tally: Tally = { refused: 0, whole: 0, told: 0, lost: [] };
  for (let i = 0; i < 200; i += 1) {
    const byte = random(log.length);
    await tryOpen(bench, flipped({ data: files.data, log }, byte, random(8)), `byte ${byte}`, tally);
  }
  assert.deepEqual(tally.lost, []);
  assert.ok(tally.refused > 100);
});

/** The same log as a machine of the other byte order would have written it. */
function otherOrder(log: Buffer): Buffer {
  const copy = Buffer.from(log);
  copy.writeUInt32BE((copy.readUInt32BE(0) ^ 1) >>> 0, 0);
  const bigEndian = (copy.readUInt32BE(0) & 1) === 1;
  let sum: [number, number] = [0, 0];
  const add = (bytes: Buffer): void => {
    for (let i = 0; i < bytes.length; i += 8) {
      const [a, b] = bigEndian
        ? [bytes.readInt32BE(i), bytes.readInt32BE(i + 4)]
        : [bytes.readInt32LE(i), bytes.readInt32LE(i + 4)];
      const first = (sum[0] + a + sum[1]) | 0;
      sum = [first, (sum[1] + b + first) | 0];
    }
  };
  add(copy.subarray(0, 24));
  copy.writeInt32BE(sum[0], 24);
  copy.writeInt32BE(sum[1], 28);
  for (let at = 32; at + FRAME <= copy.length; at += FRAME) {
    add(copy.subarray(at, at + 8));
    add(copy.subarray(at + 24, at + FRAME));
    copy.writeInt32BE(sum[0], at + 16);
    copy.writeInt32BE(sum[1], at + 20);
  }
  return copy;
}
