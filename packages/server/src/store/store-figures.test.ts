/** The store counts its commits, those that fail, and damaged records. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { systemClock } from '../runtime/clock.ts';
import { regions } from './regional.ts';
import { openSqliteStore } from './sqlite/sqlite-store.ts';
import { StoreFigures } from './store-figures.ts';

test('writes that wait together are one commit', async () => {
  const figures = new StoreFigures(systemClock);
  await using store = await openSqliteStore({ path: ':memory:', figures });
  const before = figures.commitTime.cumulative.at(-1) ?? 0;
  await store.write((tx) => tx.put(regions, { region: 'a' }));
  await Promise.all(['b', 'c', 'd'].map((region) => store.write((tx) => tx.put(regions, { region }))));
  const commits = (figures.commitTime.cumulative.at(-1) ?? 0) - before;
  assert.ok(commits >= 2 && commits <= 3, `${commits} commits`);
  assert.equal(figures.commitWrites.sum, 4);
  assert.equal(figures.failedCommits, 0);
});

test('writes that take long are in commits of their own, so that others have their turn between', async () => {
  const figures = new StoreFigures(systemClock);
  let time = 0;
  await using store = await openSqliteStore({ path: ':memory:', figures, clock: { monotonic: () => time } });
  const write = (region: string, takes: number) =>
    store.write(async (tx) => {
      time += takes;
      await tx.put(regions, { region });
    });
  await write('first', 0);
  const before = figures.commitTime.cumulative.at(-1) ?? 0;
  await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map((region) => write(region, 10)));
  assert.deepEqual([(figures.commitTime.cumulative.at(-1) ?? 0) - before, figures.commitWrites.sum], [3, 7]);
});

test('where several write, those that come within the time of the last commit share the next one', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'thingkeep-commits-'));
  t.after(() => rm(folder, { recursive: true }));
  let time = 0;
  class SlowCommits extends StoreFigures {
    override commit(writes: number, run: () => void): void {
      super.commit(writes, run);
      time += 20;
    }
  }
  const figures = new SlowCommits(systemClock);
  await using store = await openSqliteStore({ path: join(folder, 'data'), figures, clock: { monotonic: () => time } });
  const write = (region: string) => store.write((tx) => tx.put(regions, { region }));
  await write('first');
  const before = figures.commitTime.cumulative.at(-1) ?? 0;
  await Promise.all([write('a'), write('b')]);
  const later = [write('c')];
  for (let turn = 0; turn < 3; turn += 1) {
    await setImmediate();
    later.push(write(`turn ${turn}`));
  }
  await Promise.all(later);
  assert.equal((figures.commitTime.cumulative.at(-1) ?? 0) - before, 2);
});

test('a damaged record counts once, however often it is met', () => {
  const figures = new StoreFigures(systemClock);
  for (const key of ['a', 'a', 'b']) figures.met({ collection: 'things', key: [key] });
  assert.equal(figures.damaged, 2);
});
