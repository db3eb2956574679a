/** Changes as data: what is told, in which order, and that a durable subscriber misses nothing, whenever the process dies. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { ChangeFeed } from './change-feed.ts';
import { changePositions, storedChanges } from './durable-changes.ts';
import type { Change } from './changes.ts';
import { collection, type HookedStore } from './contract.ts';
import { byRegion } from './regional.ts';
import { openSqliteStore } from './sqlite/sqlite-store.ts';
import { lamps, type Lamp, subscribe, subscriberOf } from './lamps.fixture.ts';

const ACCOUNT = '000000000000';

/** Waits, turn by turn of the event loop. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

const secrets = collection<{ readonly id: string; readonly accountId: string; readonly secret: string }>(
  'secrets',
  (s) => [s.id],
  {},
  { changes: 'access-key', shows: false },
);
const untold = collection<Lamp>('untold', (l) => [l.accountId, l.name]);

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'thingkeep-changes-'));
});
after(() => rmSync(folder, { recursive: true }));

const lamp = (name: string, watts: number): Lamp => ({ accountId: ACCOUNT, name, watts });
const errors: object[] = [];
const log = { error: (line: object): void => void errors.push(line) };

async function open(path = ':memory:'): Promise<{ feed: ChangeFeed; store: HookedStore }> {
  errors.length = 0;
  const feed = new ChangeFeed({ store: await openSqliteStore({ path }), log });
  return { feed, store: feed.store };
}

test('each put and delete is told with its place, key and both states, in the order of the commits', async () => {
  const { feed, store } = await open();
  await using _ = store;
  const heard: Change<Lamp>[] = [];
  feed.on(lamps, (change) => void heard.push(change));
  const east = byRegion(store)('us-east-1');
  await east.write(async (tx) => {
    await tx.put(lamps, lamp('a', 1));
    await tx.put(untold, lamp('a', 1));
    await tx.put(lamps, lamp('b', 2));
  });
  await Promise.all([
    east.write((tx) => tx.put(lamps, lamp('a', 3))),
    assert.rejects(
      east.write(async (tx) => {
        await tx.put(lamps, lamp('c', 9));
        throw new RangeError('undone');
      }),
      RangeError,
    ),
    east.write(async (tx) => {
      assert.equal(await tx.delete(lamps, [ACCOUNT, 'b']), true);
      assert.equal(await tx.delete(lamps, [ACCOUNT, 'no such']), false);
    }),
  ]);
  assert.deepEqual(
    heard.map(({ kind, place, key, before, after }) => [
      kind,
      place.region,
      place.accountId,
      key[1],
      before?.watts,
      after?.watts,
    ]),
    [
      ['thing', 'us-east-1', ACCOUNT, 'a', undefined, 1],
      ['thing', 'us-east-1', ACCOUNT, 'b', undefined, 2],
      ['thing', 'us-east-1', ACCOUNT, 'a', 1, 3],
      ['thing', 'us-east-1', ACCOUNT, 'b', 2, undefined],
    ],
  );
  const numbers = heard.map(({ number }) => number);
  assert.deepEqual(
    numbers,
    [...new Set(numbers)].sort((a, b) => a - b),
  );
  // Nobody needs them later: nothing of them is stored.
  assert.deepEqual(await store.read((tx) => tx.scanRows(storedChanges, 0, { after: 0, rows: 9, bytes: 1e6 })), []);
});

test('a writer is answered once its listeners have settled; one that fails is told to the writer, and harms no other', async () => {
  const { feed, store } = await open();
  await using _ = store;
  const order: string[] = [];
  const held = Promise.withResolvers<void>();
  feed.on(lamps, async () => {
    order.push('began');
    await held.promise;
    order.push('settled');
  });
  feed.on(lamps, () => {
    throw new RangeError('a listener');
  });
  const off = feed.on(lamps, () => void order.push('heard'));
  const written = store
    .write((tx) => tx.put(lamps, lamp('a', 1)))
    .catch((error: unknown) => {
      assert.ok(error instanceof RangeError);
      order.push('answered');
    });
  while (order.length < 2) await new Promise(setImmediate);
  off();
  // Others write on meanwhile.
  await store.write((tx) => tx.put(untold, lamp('a', 1)));
  held.resolve();
  await written;
  assert.deepEqual(order, ['began', 'heard', 'settled', 'answered']);
  assert.equal(errors.length, 1);
  assert.equal((await store.read((tx) => tx.get(lamps, [ACCOUNT, 'a'])))?.watts, 1, 'what was written is stored');
});

test('what holds a secret is told without its records; what tells nothing can not be listened to', async () => {
  const { feed, store } = await open();
  await using _ = store;
  const heard: Change<object>[] = [];
  feed.on(secrets, (change) => void heard.push(change));
  await store.write((tx) => tx.put(secrets, { id: 'key', accountId: ACCOUNT, secret: 's3cret' }));
  assert.deepEqual(heard, [{ number: 1, kind: 'access-key', place: { region: '', accountId: ACCOUNT }, key: ['key'] }]);
  assert.throws(() => feed.on(untold, () => undefined), RangeError);
});

test('a record that is damaged is replaced, and said to have been', async () => {
  const path = join(folder, 'damaged.db');
  {
    const { store } = await open(path);
    await using _ = store;
    await store.write((tx) => tx.put(lamps, lamp('a', 1)));
  }
  const db = new DatabaseSync(path);
  db.exec(`UPDATE record SET value = replace(value, '"watts":1', '"watts":2')`);
  db.close();
  const { feed, store } = await open(path);
  await using _ = store;
  const heard: Change<Lamp>[] = [];
  feed.on(lamps, (change) => void heard.push(change));
  await store.write((tx) => tx.put(lamps, lamp('a', 3)));
  await store.write((tx) => tx.put(lamps, lamp('b', 3)));
  assert.deepEqual(
    heard.map(({ before, wasDamaged }) => [before, wasDamaged]),
    [
      [undefined, true],
      [undefined, undefined],
    ],
  );
});

test('a durable subscriber goes on where it was; what all have taken is removed; one that is gone holds nothing', async () => {
  const path = join(folder, 'durable.db');
  const names = async (known: readonly string[]): Promise<string[][]> => {
    const { feed, store } = await open(path);
    await using _ = store;
    await using __ = feed;
    const taken = known.map(() => [] as string[]);
    await subscribe(
      feed,
      known.map((name, i) => subscriberOf(name, (change) => void taken[i]?.push(String(change.key[1])))),
    );
    await store.write((tx) => tx.put(lamps, lamp(`for-${known.join('-')}`, 1)));
    await feed.settled();
    const left = await store.read((tx) => tx.scanRows(storedChanges, 0, { after: 0, rows: 9, bytes: 1e6 }));
    const { items } = await store.read((tx) => tx.scan(changePositions, { prefix: [] }));
    assert.deepEqual([left.length, items.map(({ subscriber }) => subscriber)], [0, [...known].sort()]);
    return taken;
  };
  assert.deepEqual(await names(['index']), [['for-index']]);
  assert.deepEqual(await names(['index', 'jobs']), [['for-index-jobs'], ['for-index-jobs']]);
  assert.deepEqual(await names(['jobs']), [['for-jobs']]);
  assert.deepEqual(await names([]), []);
});

test('a durable subscriber that fails gets the same again, and holds up nobody', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { feed, store } = await open();
  await using _ = store;
  await using __ = feed;
  const taken: string[] = [];
  let fails = true;
  await subscribe(feed, [
    subscriberOf('index', (change) => {
      if (fails) throw new RangeError('not now');
      taken.push(String(change.key[1]));
    }),
  ]);
  await store.write((tx) => tx.put(lamps, lamp('a', 1)));
  await store.write((tx) => tx.put(lamps, lamp('b', 1)));
  await feed.settled();
  assert.deepEqual([taken.length, errors.length], [0, 1]);
  fails = false;
  t.mock.timers.tick(1_000);
  await feed.settled();
  assert.deepEqual(taken, ['a', 'b']);
});

test('20 times kill -9 while a durable subscriber takes: it gets every change that was acknowledged', async () => {
  const path = join(folder, 'killed.db');
  const acknowledged = join(folder, 'acknowledged');
  const given = join(folder, 'taken');
  for (let round = 0; round < 20; round += 1) {
    const program = join(import.meta.dirname, 'change-writer.fixture.ts');
    const child = spawn(process.execPath, [program, path, acknowledged, given, String(round)], { stdio: 'inherit' });
    const [, signal] = await once(child, 'exit');
    assert.equal(signal, 'SIGKILL');
  }
  const { feed, store } = await open(path);
  await using _ = store;
  await using __ = feed;
  const taken = new Set(readFileSync(given, 'utf8').trim().split('\n'));
  await subscribe(feed, [subscriberOf('index', (change) => void taken.add(String(change.key[1])))]);
  await feed.settled();
  const all = readFileSync(acknowledged, 'utf8').trim().split('\n');
  assert.ok(all.length > 40, String(all.length));
  assert.deepEqual(
    all.filter((name) => !taken.has(name)),
    [],
  );
});

const leftIn = async (store: HookedStore): Promise<number> =>
  (await store.read((tx) => tx.scanRows(storedChanges, 0, { after: 0, rows: 99, bytes: 1e6 }))).length;

test('what no durable subscriber wants is not stored, and one that waits for nothing keeps nothing of others', async () => {
  const { feed, store } = await open();
  await using _ = store;
  await using __ = feed;
  const taken: string[] = [];
  const seldom: string[] = [];
  let isOn = false;
  const releases: (() => void)[] = [];
  const all = subscriberOf('all', (change) => void taken.push(String(change.key[1])));
  await subscribe(feed, [
    { ...subscriberOf('seldom', (change) => void seldom.push(String(change.key[1]))), wants: () => isOn },
    // Does not take before it is let: what it waits for stays.
    { ...all, take: (changes) => new Promise<void>((resolve) => void releases.push(resolve)).then(() => all.take(changes)) },
  ]);
  await store.write((tx) => tx.put(lamps, lamp('a', 1)));
  await until(() => releases.length === 1);
  assert.equal(await leftIn(store), 1);
  releases[0]?.();
  await feed.settled();
  assert.deepEqual([taken, seldom, await leftIn(store)], [['a'], [], 0]);
  isOn = true;
  await store.write((tx) => tx.put(lamps, lamp('b', 1)));
  await until(() => releases.length === 2);
  releases[1]?.();
  await feed.settled();
  assert.deepEqual([taken, seldom, await leftIn(store)], [['a', 'b'], ['b'], 0]);
});

test('changes wait for a subscriber that has not begun', async () => {
  const { feed, store } = await open();
  await using _ = store;
  await using __ = feed;
  const taken: string[] = [];
  const late = subscriberOf('late', (change) => void taken.push(String(change.key[1])));
  await feed.load([late]);
  await store.write((tx) => tx.put(lamps, lamp('a', 1)));
  assert.deepEqual([taken, await leftIn(store)], [[], 1]);
  feed.begin([late]);
  await feed.settled();
  assert.deepEqual([taken, await leftIn(store)], [['a'], 0]);
  assert.throws(() => feed.begin([subscriberOf('unknown', () => undefined)]), RangeError);
});
