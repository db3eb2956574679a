/** Documents follow marks: each is made of what is there then, one after another, again after a failure. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DocumentPump } from './document-pump.ts';
import type { IndexedDocument } from './documents/values.ts';

const documentOf = (name: string, n: number): IndexedDocument => ({ name, shown: { n }, terms: [], points: [] });

function workbench({ fails = 0 } = {}) {
  const source = new Map<string, number>();
  const index = new Map<string, unknown>();
  const batches: number[] = [];
  let [left, overflows, failures] = [fails, 0, 0];
  const pump = new DocumentPump({
    read: async (names) => {
      const found = names.map((name) => source.get(name));
      await Promise.resolve();
      return found.map((n, i) => (n === undefined ? undefined : documentOf(names[i] ?? '', n)));
    },
    update: async (documents, removed) => {
      batches.push(documents.length + removed.length);
      left -= 1;
      if (left >= 0) throw new Error('not now');
      for (const { name, shown } of documents) index.set(name, shown.n);
      for (const name of removed) index.delete(name);
    },
    overflowed: () => (overflows += 1),
    failed: () => (failures += 1),
  });
  return { source, index, batches, pump, counts: () => ({ overflows, failures }) };
}

test('what changes while its document is made is made again', async () => {
  const { source, index, pump } = workbench();
  for (let round = 0; round < 50; round += 1) {
    for (let i = 0; i < 30; i += 1) {
      const name = `t${(round * 7 + i) % 40}`;
      if ((round + i) % 5 === 0) source.delete(name);
      else source.set(name, round * 100 + i);
      pump.mark(name);
    }
    await Promise.resolve();
  }
  await pump.settled();
  assert.deepEqual(new Map([...index].toSorted()), new Map([...source].toSorted()));
});

test('documents go in batches, and a name that is marked twice goes once', async () => {
  const { source, batches, pump } = workbench();
  for (let i = 0; i < 250; i += 1) {
    source.set(`t${i}`, i);
    pump.mark(`t${i}`);
    pump.mark(`t${i}`);
  }
  await pump.settled();
  assert.deepEqual(batches, [100, 100, 50]);
});

test('what could not be put is tried again a second later', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { source, index, pump, counts } = workbench({ fails: 1 });
  source.set('t', 1);
  pump.mark('t');
  while (counts().failures === 0) await Promise.resolve();
  assert.deepEqual([index.size, pump.waiting], [0, 1]);
  t.mock.timers.tick(1000);
  await pump.settled();
  assert.equal(index.get('t'), 1);
});

test('what was marked before is waited for, and nothing that is marked later', async () => {
  const { source, index, pump } = workbench();
  let running = true;
  const busy = (async () => {
    for (let i = 0; running; i += 1) {
      pump.mark(`busy${i % 500}`);
      await Promise.resolve();
    }
  })();
  source.set('t', 1);
  pump.mark('t');
  await pump.caughtUp();
  assert.equal(index.get('t'), 1);
  running = false;
  await busy;
  await pump.close();
  await pump.caughtUp();
});

test('what could not be put and is marked again is waited for once', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { source, index, pump, counts } = workbench({ fails: 1 });
  source.set('t', 1);
  pump.mark('t');
  while (counts().failures === 0) {
    pump.mark('t');
    await Promise.resolve();
  }
  const done = pump.caughtUp();
  t.mock.timers.tick(1000);
  await done;
  assert.equal(index.get('t'), 1);
});

test('more marks than are kept are given up, and told', async () => {
  const { pump, counts } = workbench();
  for (let i = 0; i <= 100_101; i += 1) pump.mark(`t${i}`);
  assert.equal(counts().overflows, 1);
  await pump.close();
  assert.equal(pump.waiting, 0);
  pump.mark('late');
  assert.equal(pump.waiting, 0);
});
