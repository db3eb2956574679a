/** The contract suite: every engine runs all of it. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Collection, collection, type Key, MAX_KEY_BYTES, type Row, rows, type Store, type WriteOrder } from './contract.ts';
import { decodeKey, encodeKey } from './key-encoding.ts';
import { byRegion } from './regional.ts';
import { openMemoryStore } from './rerunning-store.fixture.ts';
import { openSqliteStore } from './sqlite/sqlite-store.ts';

interface Lamp {
  readonly room: string;
  readonly name: string;
  readonly watts: number;
  readonly labels: readonly string[];
}

const lamps = collection<Lamp>('lamps', (l) => [l.room, l.name], {
  byWatts: (l) => [[l.room, l.watts]],
  byLabel: (l) => l.labels.map((label) => [l.room, label]),
});

const lamp = (name: string, watts: number, labels: string[] = [], room = 'hall'): Lamp => ({ room, name, watts, labels });

test('a key of any parts is its parts in a row', () => {
  const part = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ maxLength: 5000 }), fc.nat());
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), (key) => {
      assert.deepEqual(encodeKey(key), Buffer.concat(key.map((each) => encodeKey([each]))));
      assert.deepEqual(decodeKey(encodeKey(key)), key);
    }),
    { examples: [[['', '\0', 'a\0b', 0]], [['ü'.repeat(4100), 'behind']]] },
  );
});

const engines: Record<string, () => Promise<Store>> = {
  sqlite: () => openSqliteStore({ path: ':memory:' }),
  'sqlite, every write run twice': openMemoryStore,
};

for (const [engine, open] of Object.entries(engines)) {
  describe(`store contract: ${engine}`, () => {
    test('gives back what was put, by key', async () => {
      await using store = await open();
      await store.write((tx) => tx.put(lamps, lamp('a', 5, ['x'])));
      assert.deepEqual(await store.read((tx) => tx.get(lamps, ['hall', 'a'])), lamp('a', 5, ['x']));
      assert.equal(await store.read((tx) => tx.get(lamps, ['hall', 'b'])), undefined);
    });

    test('a write that throws leaves nothing, and its neighbours of the same commit stay', async () => {
      await using store = await open();
      const results = await Promise.allSettled([
        store.write((tx) => tx.put(lamps, lamp('a', 1))),
        store.write(async (tx) => {
          await tx.put(lamps, lamp('b', 2));
          throw new Error('no');
        }),
        store.write((tx) => tx.put(lamps, lamp('c', 3))),
      ]);
      assert.deepEqual(
        results.map((r) => r.status),
        ['fulfilled', 'rejected', 'fulfilled'],
      );
      const { items } = await store.read((tx) => tx.scan(lamps, { prefix: ['hall'] }));
      assert.deepEqual(
        items.map((l) => l.name),
        ['a', 'c'],
      );
    });

    test('rows come back by owner in order, up to a number and a size, and go by their key', async () => {
      await using store = await open();
      const queue = rows('queue');
      const other = rows('other');
      const row = (owner: number, at: number, text = `${owner}-${at}`): Row => ({ owner, at, value: Buffer.from(text) });
      await store.write(async (tx) => {
        await tx.putRows(queue, [row(2, 9), row(1, 10), row(1, 2), row(1, 2 ** 40), row(1, 2, 'newer')]);
        await tx.putRows(other, [row(1, 2, 'elsewhere')]);
      });
      const read = (after: number, most = 100, bytes = 1e6): Promise<string[]> =>
        store.read(async (tx) =>
          (await tx.scanRows(queue, 1, { after, rows: most, bytes })).map(({ at, value }) => `${at}:${Buffer.from(value)}`),
        );
      assert.deepEqual(await read(0), ['2:newer', '10:1-10', `${2 ** 40}:1-${2 ** 40}`]);
      assert.deepEqual(await read(2, 1), ['10:1-10']);
      assert.deepEqual(await read(0, 100, 5), ['2:newer']);
      await store.write((tx) => tx.deleteRows(queue, [row(1, 10), row(1, 11)]));
      const all: string[] = [];
      await store.read((tx) => tx.eachRow(queue, ({ owner, at }, size) => all.push(`${owner} ${at} ${size}`)));
      assert.deepEqual(all, ['1 2 5', `1 ${2 ** 40} 15`, '2 9 3']);
    });

    test('index entries follow the record', async () => {
      await using store = await open();
      await store.write((tx) => tx.put(lamps, lamp('a', 5, ['old', 'both'])));
      await store.write((tx) => tx.put(lamps, lamp('a', 7, ['both', 'new'])));
      const byLabel = (label: string) => store.read((tx) => tx.scan(lamps, { index: 'byLabel', prefix: ['hall', label] }));
      assert.equal((await byLabel('old')).items.length, 0);
      assert.equal((await byLabel('both')).items[0]?.watts, 7);
      assert.equal((await byLabel('new')).items.length, 1);
      assert.equal(await store.write((tx) => tx.delete(lamps, ['hall', 'a'])), true);
      assert.equal(await store.write((tx) => tx.delete(lamps, ['hall', 'a'])), false);
      assert.equal((await byLabel('both')).items.length, 0);
    });

    test('pages run through all records once, both ways, with equal index entries among them', async () => {
      await using store = await open();
      const names = Array.from({ length: 23 }, (_, i) => `lamp${String(i).padStart(2, '0')}`);
      await store.write(async (tx) => {
        for (const [i, name] of names.entries()) await tx.put(lamps, lamp(name, i % 4));
        await tx.put(lamps, lamp('elsewhere', 1, [], 'hall2'));
      });
      for (const reverse of [false, true]) {
        for (const index of [undefined, 'byWatts']) {
          const seen: string[] = [];
          let after: string | undefined;
          do {
            const page = await store.read((tx) => tx.scan(lamps, { index, prefix: ['hall'], limit: 5, reverse, after }));
            seen.push(...page.items.map((l) => l.name));
            after = page.next;
            if (after !== undefined) assert.match(after, /^[A-Za-z0-9+/]+={0,2}$/);
          } while (after !== undefined);
          assert.equal(seen.length, names.length);
          assert.deepEqual([...seen].sort(), names);
        }
      }
    });

    test('a prefix of a string part finds by beginning', async () => {
      await using store = await open();
      await store.write(async (tx) => {
        for (const name of ['al', 'alpha', 'alpine', 'beta']) await tx.put(lamps, lamp(name, 1));
      });
      const page = await store.read((tx) => tx.scan(lamps, { prefix: ['hall'], startsWith: 'al' }));
      assert.deepEqual(
        page.items.map((l) => l.name),
        ['al', 'alpha', 'alpine'],
      );
    });

    test('a scan goes on behind all entries that begin with some parts', async () => {
      await using store = await open();
      await store.write(async (tx) => {
        for (const name of ['a', 'b', 'c'])
          for (const watts of [1, 2]) await tx.put(lamps, lamp(`${name}${watts}`, watts, [name]));
      });
      const labels = async (beyond: Key, limit?: number) => {
        const { items, next } = await store.read((tx) => tx.scan(lamps, { index: 'byLabel', prefix: ['hall'], beyond, limit }));
        return [items.map(({ name }) => name), next !== undefined];
      };
      assert.deepEqual(await labels(['a']), [['b1', 'b2', 'c1', 'c2'], false]);
      assert.deepEqual(await labels(['a'], 1), [['b1'], true]);
      assert.deepEqual(await labels(['bb']), [['c1', 'c2'], false]);
      assert.deepEqual(await labels(['c']), [[], false]);
    });

    test('many records come at once, in the order of their keys', async () => {
      await using store = await open();
      await store.write(async (tx) => {
        for (const name of ['a', 'b', 'c']) await tx.put(lamps, lamp(name, 1));
      });
      const keys = ['c', 'none', 'a', 'c'].map((name): Key => ['hall', name]);
      const found = await store.read((tx) => tx.getMany(lamps, keys));
      assert.deepEqual(
        found.map((each) => each?.name),
        ['c', undefined, 'a', 'c'],
      );
      const regional = byRegion(store)('eu-west-1');
      assert.deepEqual(await regional.read((tx) => tx.getMany(lamps, keys)), [undefined, undefined, undefined, undefined]);
      await regional.write((tx) => tx.put(lamps, lamp('c', 2)));
      assert.equal((await regional.read((tx) => tx.getMany(lamps, keys)))[3]?.watts, 2);
    });

    test('writes of one order run one after another, and so do they with the writes of all', async () => {
      await using store = await open();
      await store.write((tx) => tx.put(lamps, lamp('n', 0)));
      const add = async (order: WriteOrder | undefined): Promise<void> =>
        store.write(async (tx) => {
          const now = await tx.get(lamps, ['hall', 'n']);
          await tx.put(lamps, lamp('n', (now?.watts ?? 0) + 1));
        }, order);
      const orders = [undefined, 'all', { of: 'lamp/n' }] as const;
      await Promise.all(Array.from({ length: 90 }, (_, i) => add(orders[i % 3])));
      assert.equal((await store.read((tx) => tx.get(lamps, ['hall', 'n'])))?.watts, 90);
    });

    test('keys and entries of 2,000 bytes are kept, longer ones are refused, and nothing of them stays', async () => {
      await using store = await open();
      // Region and tags of the parts: 4 bytes each for two strings.
      const name = 'n'.repeat(MAX_KEY_BYTES - encodeKey(['hall', '']).length);
      const plain = collection<Lamp>('plain', (l) => [l.room, l.name]);
      await store.write((tx) => tx.put(plain, lamp(name, 1)));
      assert.equal((await store.read((tx) => tx.get(plain, ['hall', name])))?.watts, 1);
      const tooLong = { code: 'InvalidRequestException' };
      await assert.rejects(
        store.write((tx) => tx.put(plain, lamp(`${name}n`, 1))),
        tooLong,
      );
      await assert.rejects(
        store.write((tx) => tx.put(lamps, lamp('a', 1, ['l'.repeat(MAX_KEY_BYTES - 16)]))),
        tooLong,
      );
      assert.equal((await store.read((tx) => tx.scan(lamps, { prefix: [] }))).items.length, 0);
      assert.equal(await store.read((tx) => tx.get(plain, ['hall', `${name}n`])), undefined);
    });

    test('a token that is none is refused as a bad request', async () => {
      await using store = await open();
      for (const after of ['', '!!', 'AAAA', '////', 'gggggggg'])
        await assert.rejects(
          store.read((tx) => tx.scan(lamps, { prefix: ['hall'], after })),
          { code: 'InvalidRequestException' },
        );
    });

    test('writers read, decide and write without a race', async () => {
      await using store = await open();
      await store.write((tx) => tx.put(lamps, lamp('n', 0)));
      await Promise.all(
        Array.from({ length: 100 }, () =>
          store.write(async (tx) => {
            const now = await tx.get(lamps, ['hall', 'n']);
            await tx.put(lamps, lamp('n', (now?.watts ?? 0) + 1));
          }),
        ),
      );
      assert.equal((await store.read((tx) => tx.get(lamps, ['hall', 'n'])))?.watts, 100);
    });

    test('a read that began before a write sees one state', async () => {
      await using store = await open();
      await store.write((tx) => tx.put(lamps, lamp('n', 1)));
      const read = store.read(async (tx) => {
        const first = await tx.get(lamps, ['hall', 'n']);
        await Promise.resolve();
        return [first?.watts, (await tx.get(lamps, ['hall', 'n']))?.watts];
      });
      const write = store.write((tx) => tx.put(lamps, lamp('n', 2)));
      assert.deepEqual(await read, [1, 1]);
      await write;
      assert.equal((await store.read((tx) => tx.get(lamps, ['hall', 'n'])))?.watts, 2);
    });

    test('writes and reads in a loop give the event loop its turn', async () => {
      await using store = await open();
      let turns = 0;
      let running = true;
      const count = (): void => {
        turns += 1;
        if (running) setImmediate(count);
      };
      setImmediate(count);
      for (let i = 0; i < 500; i += 1) await store.write((tx) => tx.put(lamps, lamp(`n${i}`, i)));
      const turnsOfWrites = turns;
      for (let i = 0; i < 20_000; i += 1) await store.read((tx) => tx.get(lamps, ['hall', 'n1']));
      const turnsOfReads = turns - turnsOfWrites;
      for (let i = 0; i < 200; i += 1) await store.read((tx) => tx.scan(lamps, { prefix: ['hall'], limit: 100 }));
      running = false;
      assert.ok(turnsOfWrites >= 499, `${turnsOfWrites} turns in 500 writes`);
      assert.ok(turnsOfReads >= 9, `${turnsOfReads} turns in 20,000 reads`);
      assert.ok(turns - turnsOfWrites - turnsOfReads >= 9, 'pages count by their records');
    });

    test('names that JavaScript treats apart are plain data', async () => {
      await using store = await open();
      await store.write((tx) => tx.put(lamps, lamp('__proto__', 1, ['constructor', 'a\u0000b'])));
      const page = await store.read((tx) => tx.scan(lamps, { index: 'byLabel', prefix: ['hall', 'a\u0000b'] }));
      assert.equal(page.items[0]?.name, '__proto__');
    });
  });
}

test('key encoding keeps the order of tuples', () => {
  const part = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 6 }),
    fc.nat(),
    fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
  );
  const compare = (a: Key, b: Key): number => {
    for (let i = 0; i < Math.min(a.length, b.length); i += 1) {
      const [x, y] = [a[i], b[i]];
      if (typeof x === 'number' && typeof y === 'number') {
        if (x !== y) return x - y;
      } else if (typeof x !== typeof y) return typeof x === 'number' ? -1 : 1;
      else {
        const order = Buffer.compare(Buffer.from(String(x)), Buffer.from(String(y)));
        if (order !== 0) return order;
      }
    }
    return a.length - b.length;
  };
  const tuple = fc.array(part, { maxLength: 4 });
  fc.assert(
    fc.property(tuple, tuple, (a, b) => {
      assert.equal(Math.sign(Buffer.compare(encodeKey(a), encodeKey(b))), Math.sign(compare(a, b)));
    }),
    { numRuns: 3000 },
  );
  fc.assert(
    fc.property(tuple, (key) => assert.deepEqual(decodeKey(encodeKey(key)), key)),
    { numRuns: 1000 },
  );
});

test('an index whose function has changed is derived anew, one that is gone leaves nothing, one that is new is filled', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'thingkeep-store-'));
  try {
    const path = join(folder, 'thingkeep.db');
    const open = (of: Collection<Lamp>) => openSqliteStore({ path, collections: [of] as readonly Collection<never>[] });
    const old = collection<Lamp>('lamps', (l) => [l.room, l.name], {
      byWatts: (l) => [[l.room, l.watts]],
      gone: (l) => [[l.name]],
    });
    {
      await using store = await open(old);
      await byRegion(store)('us-east-1').write(async (tx) => {
        for (let i = 0; i < 100; i += 1) await tx.put(old, lamp(`n${i}`, i % 2, ['x']));
      });
      await store.write((tx) => tx.put(old, lamp('raw', 1)));
    }
    const fresh = collection<Lamp>('lamps', (l) => [l.room, l.name], {
      byWatts: (l) => [[l.room, l.watts + 10]],
      byLabel: (l) => l.labels.map((label) => [label]),
    });
    {
      await using store = await open(fresh);
      const east = byRegion(store)('us-east-1');
      const count = async (index: string, ...prefix: Key) =>
        (await east.read((tx) => tx.scan(fresh, { index, prefix }))).items.length;
      assert.deepEqual(
        [await count('byWatts', 'hall', 1), await count('byWatts', 'hall', 11), await count('byLabel', 'x')],
        [0, 50, 100],
      );
      assert.equal((await store.read((tx) => tx.scan(fresh, { index: 'byWatts', prefix: ['hall'] }))).items[0]?.name, 'raw');
      // A record that is put or deleted takes its entries along.
      await east.write((tx) => tx.put(fresh, lamp('n1', 5)));
      await east.write((tx) => tx.delete(fresh, ['hall', 'n3']));
      assert.deepEqual(
        [await count('byWatts', 'hall', 11), await count('byWatts', 'hall', 15), await count('byLabel', 'x')],
        [48, 1, 98],
      );
    }
    const db = new DatabaseSync(path);
    assert.equal(db.prepare("SELECT count(*) AS n FROM entry WHERE scope = 'lamps/gone'").get()?.n, 0);
    db.close();
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('what was acknowledged is there after the file is opened again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'thingkeep-store-'));
  try {
    const path = join(folder, 'thingkeep.db');
    {
      await using store = await openSqliteStore({ path });
      await store.write((tx) => tx.put(lamps, lamp('a', 5)));
      await assert.rejects(openSqliteStore({ path }), /in use by another server/);
    }
    await using again = await openSqliteStore({ path });
    assert.equal((await again.read((tx) => tx.get(lamps, ['hall', 'a'])))?.watts, 5);
  } finally {
    await rm(folder, { recursive: true });
  }
});
