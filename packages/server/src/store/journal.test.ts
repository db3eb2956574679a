/** When what is recorded reaches the disk, and in how many commits. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collection, type Store } from './contract.ts';
import { openLog } from '../runtime/log.ts';
import { openMemoryStore } from './rerunning-store.fixture.ts';
import { Journal } from './journal.ts';

const notes = collection<{ readonly name: string }>('notes', (n) => [n.name]);

async function open() {
  const store = await openMemoryStore();
  let commits = 0;
  const counted = {
    write: (work: Parameters<Store['write']>[0]) => {
      commits += 1;
      return store.write(work);
    },
  } as unknown as Store;
  const journal = new Journal(counted, openLog('silent'));
  const put = (name: string) => (tx: Parameters<Parameters<Store['write']>[0]>[0]) => tx.put(notes, { name });
  const stored = async () => (await store.read((tx) => tx.scan(notes, { prefix: [] }))).items.map(({ name }) => name);
  return { store, journal, put, stored, commits: () => commits };
}

test('what can wait goes with the next commit', async () => {
  const { store, journal, put, stored, commits } = await open();
  await using _ = store;
  journal.recordSoon('a', put('a'));
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
  assert.equal(commits(), 0);
  journal.record('b', put('b'));
  await journal.committed();
  assert.deepEqual([commits(), await stored()], [1, ['a', 'b']]);
});

test('what can wait waits for 100 ms, and for nobody who asks for a commit', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { store, journal, put, stored } = await open();
  await using _ = store;
  journal.recordSoon('a', put('a'));
  t.mock.timers.tick(99);
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
  assert.deepEqual(await stored(), []);
  t.mock.timers.tick(1);
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
  assert.deepEqual(await stored(), ['a']);
  journal.recordSoon('b', put('b'));
  await journal.committed();
  assert.deepEqual(await stored(), ['a', 'b']);
});
