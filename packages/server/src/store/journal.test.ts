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
      time.now += commitTime.ms;
      return store.write(work);
    },
  } as unknown as Store;
  const time = { now: 0 };
  /** What a commit takes, in milliseconds. */
  const commitTime = { ms: 0 };
  const clock = { now: () => time.now, monotonic: () => time.now };
  const journal = new Journal({ store: counted, clock, log: openLog('silent') });
  const put = (name: string) => (tx: Parameters<Parameters<Store['write']>[0]>[0]) => tx.put(notes, { name });
  const stored = async () => (await store.read((tx) => tx.scan(notes, { prefix: [] }))).items.map(({ name }) => name);
  return { store, journal, put, stored, commits: () => commits, time, commitTime };
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

const turns = async (count = 6): Promise<void> => {
  for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate);
};

test('paced records share a commit, which begins four times the time of the last one behind it', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { store, journal, put, stored, commits, time, commitTime } = await open();
  await using _ = store;
  const pass = (ms: number): void => {
    time.now += ms;
    t.mock.timers.tick(ms);
  };
  const told: string[] = [];
  const record = (name: string): void => {
    journal.recordPaced(name, put(name));
    journal.afterPaced(
      () => told.push(name),
      () => assert.fail('it is stored'),
    );
  };
  commitTime.ms = 3;
  record('a');
  await turns();
  assert.deepEqual([commits(), told], [1, ['a']]);
  record('b');
  pass(6);
  record('c');
  pass(5);
  await turns();
  assert.deepEqual([commits(), told], [1, ['a']]);
  pass(1);
  await turns();
  assert.deepEqual([commits(), told, await stored()], [2, ['a', 'b', 'c'], ['a', 'b', 'c']]);
  // A commit that took long: 50 ms behind it, and no longer.
  commitTime.ms = 500;
  pass(12);
  record('d');
  await turns();
  record('e');
  pass(49);
  await turns();
  assert.equal(commits(), 3);
  pass(1);
  await turns();
  assert.deepEqual([commits(), told.at(-1)], [4, 'e']);
});

test('a paced record goes at once with what is not paced, and with a commit that is asked for', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { store, journal, put, stored, commits, commitTime } = await open();
  await using _ = store;
  commitTime.ms = 3;
  journal.recordPaced('a', put('a'));
  await turns();
  journal.recordPaced('b', put('b'));
  journal.record('c', put('c'));
  await turns();
  assert.deepEqual([commits(), await stored()], [2, ['a', 'b', 'c']]);
  journal.recordPaced('d', put('d'));
  await journal.committed();
  assert.deepEqual([commits(), await stored()], [3, ['a', 'b', 'c', 'd']]);
  // What comes during a commit that is not paced is behind it, in a paced one of its own.
  journal.record('e', put('e'));
  await new Promise(setImmediate);
  journal.recordPaced('f', put('f'));
  await turns();
  assert.deepEqual(await stored(), ['a', 'b', 'c', 'd', 'e']);
  t.mock.timers.tick(50);
  await turns();
  assert.deepEqual(await stored(), ['a', 'b', 'c', 'd', 'e', 'f']);
});
