/** What a power cut leaves of a last transaction is never refused, twice in a row; nor is a log that was cut anywhere. */
// suite: long
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HookedStore } from '../contract.ts';
import { type Files, LogBench, seeded } from './log.fixture.ts';

const FRAME = 4096 + 24;
/** Rounds of each kind; a round is two power cuts. */
const ROUNDS = 250;

/** The log after a cut: some sectors of what was written last are as they were before, or zeros. */
function loseSectors(before: Buffer, after: Buffer, sector: number, random: (below: number) => number): Buffer {
  const log = Buffer.from(after);
  const touched: number[] = [];
  for (let at = 0; at < log.length; at += sector) {
    const end = Math.min(at + sector, log.length);
    if (!log.subarray(at, end).equals(before.subarray(at, end))) touched.push(at);
  }
  const count = random(3) === 0 ? 1 : 1 + random(touched.length);
  for (let i = 0; i < count; i += 1) {
    const at = touched[random(touched.length)] ?? 0;
    log.fill(0, at, Math.min(at + sector, log.length));
    if (at < before.length) before.copy(log, at, at, Math.min(at + sector, before.length));
  }
  // SQLite syncs a new header before it writes a frame.
  after.copy(log, 0, 0, 32);
  // The end of the file may not be there either.
  return random(4) === 0 ? log.subarray(0, Math.max(32, before.length) + random(Math.max(1, log.length - before.length))) : log;
}

/** Writes some transactions and then one of many frames; gives the files before and after that. */
async function writeMuch(bench: LogBench, store: HookedStore, random: (below: number) => number): Promise<[Files, Files]> {
  const count = random(4);
  for (let i = 0; i < count; i += 1) await bench.write(store, 1 + random(4));
  const before = bench.take();
  await bench.write(store, 40 + random(100));
  return [before, bench.take()];
}

/** A store whose log has gone through more than one generation: old frames lie behind the new ones. */
async function aged(): Promise<{ bench: LogBench; store: HookedStore }> {
  const bench = new LogBench();
  const store = await bench.open();
  while (bench.take().log.length < 1010 * FRAME) await bench.write(store, 150);
  return { bench, store };
}

for (const sector of [512, 4096])
  test(`${ROUNDS} times two cuts that lose sectors of ${sector} bytes`, async (t) => {
    const random = seeded(sector);
    let base = await aged();
    const counts = { whole: 0, lost: 0 };
    for (let round = 1; round <= ROUNDS; round += 1) {
      using bench = new LogBench();
      // The first cut is in a log with old frames, the second in the one that follows the recovery.
      let [before, after] = await writeMuch(base.bench, base.store, random);
      bench.acknowledged = base.bench.acknowledged;
      for (let cut = 0; cut < 2; cut += 1) {
        bench.put({ data: before.data, log: loseSectors(before.log, after.log, sector, random) });
        const store = await bench.open();
        const last = await bench.last(store);
        assert.ok(last >= bench.acknowledged - 1, `round ${round}: ${last} of ${bench.acknowledged}`);
        counts[last === bench.acknowledged ? 'whole' : 'lost'] += 1;
        bench.acknowledged = last;
        [before, after] = await writeMuch(bench, store, random);
        await store[Symbol.asyncDispose]();
      }
      if (round % 25 !== 0) continue;
      await base.store[Symbol.asyncDispose]();
      base.bench[Symbol.dispose]();
      if (round < ROUNDS) base = await aged();
    }
    t.diagnostic(`${2 * ROUNDS} cuts: none refused, ${counts.lost} last transactions lost, ${counts.whole} whole`);
    assert.ok(counts.lost > ROUNDS);
  });

test('a log cut at any frame and inside one, and a data file beside it, open with whole transactions', async () => {
  using bench = new LogBench();
  const store = await bench.open();
  for (let i = 0; i < 12; i += 1) await bench.write(store, i % 4 === 0 ? 9 : 1);
  const { data, log } = bench.take();
  await store[Symbol.asyncDispose]();
  let most = 0;
  for (let frame = 0; 32 + frame * FRAME <= log.length; frame += 1)
    for (const more of [0, 1, 23, 24, 512, FRAME - 1]) {
      bench.put({ data, log: log.subarray(0, 32 + frame * FRAME + more) });
      await using again = await bench.open();
      const last = await bench.last(again);
      assert.ok(last >= most, 'a longer log has no less');
      most = last;
    }
  assert.equal(most, bench.acknowledged);
  for (const length of [0, 1, 12, 31]) {
    bench.put({ data, log: log.subarray(0, length) });
    await using again = await bench.open();
    await again.write(async () => {});
  }
});
