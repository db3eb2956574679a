/** A data file that is not as it was written: what is named, what is refused, what is derived anew. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { crc32 } from 'node:zlib';
import { collection, type Collection, rows, type Store } from '../contract.ts';
import { type Damage, DamagedRecordError } from '../damage.ts';
import { byRegion } from '../regional.ts';
import { DamageList } from './damage-list.ts';
import { Neighbours } from './neighbours.ts';
import { RecordTable } from './record-table.ts';
import { RowTable } from './row-table.ts';
import { DataFileError, openSqliteStore } from './sqlite-store.ts';
import { Tallies } from './tallies.ts';
import { seeded } from './log.fixture.ts';

interface Lamp {
  readonly room: string;
  readonly name: string;
  readonly watts: number;
}

const lamps = collection<Lamp>('lamps', (l) => [l.room, l.name], { byWatts: (l) => [[l.room, l.watts]] });
const queue = rows('queue');
const collections = [lamps] as readonly Collection<never>[];

let folder = '';
let told: object[] = [];
const note = (members: object): void => void told.push(members);
const log = { info: note, warn: note, error: note };

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'thingkeep-damage-'));
});
after(() => rmSync(folder, { recursive: true }));

/** A closed data file with lamps of one room, in two regions, and a queue. */
async function makeFile(name: string, count = 20): Promise<string> {
  const path = join(folder, name);
  await using store = await openSqliteStore({ path, collections });
  const east = byRegion(store)('us-east-1');
  const lamp = (i: number): Lamp => ({ room: 'hall', name: `lamp${i}`, watts: i % 5 });
  await east.write(async (tx) => {
    for (let i = 0; i < count; i += 1) await tx.put(lamps, lamp(i));
  });
  await byRegion(store)('us-west-2').write((tx) => tx.put(lamps, { room: 'hall', name: 'west', watts: 1 }));
  await store.write((tx) =>
    tx.putRows(
      queue,
      [1, 2, 3].map((at) => ({ owner: 1, at, value: Buffer.from(`message ${at}`) })),
    ),
  );
  return path;
}

/** Changes a closed file behind the engine's back. */
function alter(path: string, sql: string, ...values: (string | number | Uint8Array)[]): void {
  const db = new DatabaseSync(path);
  assert.notEqual(db.prepare(sql).run(...values).changes, 0, sql);
  db.close();
}

const open = (path: string): Promise<Store & AsyncDisposable> => {
  told = [];
  return openSqliteStore({ path, collections, log });
};
const eastOf = (store: Store): Store => byRegion(store)('us-east-1');
const HALL = { prefix: ['hall'] } as const;

describe('a damaged data file', () => {
  test('a damaged record is named and refused alone; lists leave it out, decisions fail', async () => {
    const path = await makeFile('record.db');
    alter(path, `UPDATE record SET value = replace(value, '"watts":2', '"watts":3') WHERE value LIKE '%"lamp7"%'`);
    await using store = await open(path);
    assert.deepEqual(
      told.map((line) => line as { event: string; key: unknown }).map(({ event, key }) => [event, key]),
      [['damaged-record', ['us-east-1', 'hall', 'lamp7']]],
    );
    const east = eastOf(store);
    await assert.rejects(
      east.read((tx) => tx.get(lamps, ['hall', 'lamp7'])),
      {
        name: 'InternalFailureException',
        message: /damaged.*lamps \["us-east-1","hall","lamp7"\]/,
      },
    );
    assert.equal((await east.read((tx) => tx.get(lamps, ['hall', 'lamp6'])))?.watts, 1);
    await assert.rejects(
      east.read((tx) => tx.scan(lamps, HALL)),
      DamagedRecordError,
    );
    const page = await east.read((tx) => tx.scan(lamps, { ...HALL, skipDamaged: true }));
    assert.deepEqual([page.items.length, page.damaged], [19, 1]);
    const watts = await east.read((tx) => tx.scan(lamps, { index: 'byWatts', prefix: ['hall', 2], skipDamaged: true }));
    assert.deepEqual([watts.items.length, watts.damaged], [3, 1]);
    // Written anew it is good again, in the index too.
    await east.write((tx) => tx.put(lamps, { room: 'hall', name: 'lamp7', watts: 9 }));
    assert.equal((await east.read((tx) => tx.scan(lamps, { index: 'byWatts', prefix: ['hall', 9] }))).items.length, 1);
    assert.equal((await east.read((tx) => tx.scan(lamps, HALL))).items.length, 20);
  });

  test('a record that became another type, or no JSON, is damaged too', async () => {
    for (const [i, value] of ['CAST(value AS BLOB)', "x'00'", "'{'", 'substr(value, 2)'].entries()) {
      const path = await makeFile(`type${i}.db`);
      alter(path, `UPDATE record SET value = ${value} WHERE value LIKE '%"lamp7"%'`);
      await using store = await open(path);
      await assert.rejects(
        eastOf(store).read((tx) => tx.get(lamps, ['hall', 'lamp7'])),
        DamagedRecordError,
      );
    }
  });

  test('a record in the place of another is damaged', async () => {
    const path = await makeFile('swapped.db');
    const from = `(SELECT value FROM record WHERE value LIKE '%"lamp1"%')`;
    const sum = `(SELECT sum FROM record WHERE value LIKE '%"lamp1"%')`;
    alter(path, `UPDATE record SET value = ${from}, sum = ${sum} WHERE value LIKE '%"lamp7"%'`);
    await assert.rejects(open(path), /keys of stored records do not fit/);
  });

  test('a file with a damaged key, with too few records or with older ones is refused', async () => {
    const cases: [string, string, RegExp][] = [
      ['key', `UPDATE record SET key = key || x'00' WHERE value LIKE '%"lamp7"%'`, /keys of stored records do not fit/],
      ['name', `UPDATE record SET collection = 'lamqs' WHERE value LIKE '%"lamp7"%'`, /keys of stored records do not fit/],
      ['fewer', `DELETE FROM record WHERE value LIKE '%"lamp7"%'`, /record\/lamps holds 20 instead of 21/],
      ['none', `DELETE FROM record WHERE collection = 'lamps'`, /record\/lamps holds 0 instead of 21/],
      [
        'sum',
        `UPDATE record SET sum = sum + (1 << 60) WHERE value LIKE '%"lamp7"%'`,
        /keys of stored records do not fit \(lamps \["us-east-1","hall","lamp7"\]\)/,
      ],
      ['rowsum', 'UPDATE row SET sum = sum + (1 << 60) WHERE at = 2', /keys of stored records do not fit \(queue \[1,2\]\)/],
      ['owner', 'UPDATE row SET owner = owner + (1 << 60) WHERE at = 2', /keys of stored records do not fit/],
      ['rows', 'DELETE FROM row WHERE at = 2', /row\/queue holds 2 instead of 3/],
      ['place', 'UPDATE row SET at = 7 WHERE at = 2', /keys of stored records do not fit/],
      ['type', "UPDATE row SET region = x'' WHERE at = 2", /keys of stored records do not fit/],
      ['tally', `DELETE FROM note WHERE name = 'tally/record/lamps'`, /record\/lamps holds 21 instead of 0/],
    ];
    for (const [name, sql, message] of cases) {
      const path = await makeFile(`${name}.db`);
      alter(path, sql);
      await assert.rejects(open(path), (error: Error) => error instanceof DataFileError && message.test(error.message), name);
    }
  });

  test('an older state of a record is found', async () => {
    const path = await makeFile('older.db');
    const earlier = join(folder, 'earlier.db');
    copyFileSync(path, earlier);
    {
      await using store = await open(path);
      await eastOf(store).write((tx) => tx.put(lamps, { room: 'hall', name: 'lamp7', watts: 100 }));
    }
    const db = new DatabaseSync(path);
    db.exec(`ATTACH '${earlier}' AS earlier`);
    db.exec(
      `UPDATE record SET (value, sum) = (SELECT value, sum FROM earlier.record e WHERE e.key = record.key AND e.collection = 'lamps')
       WHERE value LIKE '%"lamp7"%'`,
    );
    db.close();
    await assert.rejects(open(path), /record\/lamps is in an older state/);
  });

  test('an older state of rows is found, as many as there are', async () => {
    const path = await makeFile('older-rows.db');
    const earlier = join(folder, 'earlier-rows.db');
    copyFileSync(path, earlier);
    {
      await using store = await open(path);
      await store.write((tx) => tx.putRows(queue, [{ owner: 1, at: 4, value: Buffer.from('message 4') }]));
      await store.write((tx) => tx.deleteRows(queue, [{ owner: 1, at: 1 }]));
      await store.write((tx) => tx.putRows(queue, [{ owner: 1, at: 3, value: Buffer.from('again') }]));
    }
    {
      await using _store = await open(path);
      assert.deepEqual(told, []);
    }
    const db = new DatabaseSync(path);
    db.exec(`ATTACH '${earlier}' AS earlier; DELETE FROM row; INSERT INTO row SELECT * FROM earlier.row`);
    db.close();
    await assert.rejects(open(path), /row\/queue is in an older state/);
  });

  test('pages that lie where others belong are found, whatever they hold', async () => {
    const path = await makeFile('misplaced.db', 600);
    const bytes = readFileSync(path);
    const size = bytes.readUInt16BE(16) || 65_536;
    /** Leaves of tables without row ids. */
    const leaves: number[] = [];
    for (let at = size; at < bytes.length; at += size) if (bytes[at] === 0x0a) leaves.push(at);
    const ends = { refused: 0, same: 0 };
    for (const [i, one] of leaves.entries()) {
      const other = leaves[i + 1];
      if (other === undefined) continue;
      const swapped = Buffer.from(bytes);
      bytes.copy(swapped, one, other, other + size);
      bytes.copy(swapped, other, one, one + size);
      writeFileSync(path, swapped);
      try {
        await using store = await open(path);
        const [all, light] = await eastOf(store).read(async (tx) => [
          await tx.scan(lamps, HALL),
          await tx.scan(lamps, { index: 'byWatts', prefix: ['hall', 1] }),
        ]);
        assert.deepEqual([all?.items.length, light?.items.length], [600, 120], `pages at ${one} and ${other}`);
        ends.same += 1;
      } catch (error) {
        if (!(error instanceof DataFileError)) throw error;
        ends.refused += 1;
      }
    }
    assert.ok(ends.refused > 5 && ends.same > 0, JSON.stringify(ends));
  });

  test('index entries that are damaged, missing or too many are derived anew', async () => {
    for (const [i, sql] of [
      "UPDATE entry SET entry = x'00' || entry WHERE entry = (SELECT min(entry) FROM entry)",
      'DELETE FROM entry WHERE entry = (SELECT min(entry) FROM entry)',
      'DELETE FROM entry',
      "INSERT INTO entry SELECT scope, entry || x'00', key, sum FROM entry LIMIT 1",
      'UPDATE entry SET sum = sum + 1 WHERE entry = (SELECT min(entry) FROM entry)',
      "UPDATE record SET entries = x'00' WHERE collection = 'lamps'",
      "UPDATE note SET value = 'x' WHERE name = 'index/lamps'",
      "DELETE FROM note WHERE name = 'index/lamps'",
    ].entries()) {
      const path = await makeFile(`entries${i}.db`);
      alter(path, sql);
      await using store = await open(path);
      for (let watts = 0; watts < 5; watts += 1)
        assert.equal(
          (await eastOf(store).read((tx) => tx.scan(lamps, { index: 'byWatts', prefix: ['hall', watts] }))).items.length,
          4,
          sql,
        );
    }
  });

  test('a damaged row is named and left out; the rows around it come', async () => {
    const path = await makeFile('row.db');
    alter(path, "UPDATE row SET value = x'00' WHERE at = 2");
    await using store = await open(path);
    assert.deepEqual(
      told.map((line) => (line as { key: unknown }).key),
      [[1, 2]],
    );
    const read = await store.read((tx) => tx.scanRows(queue, 1, { after: 0, rows: 10, bytes: 1e6 }));
    assert.deepEqual(
      read.map(({ at }) => at),
      [1, 3],
    );
    const seen: number[] = [];
    await store.read((tx) => tx.eachRow(queue, ({ at }) => seen.push(at)));
    assert.deepEqual(seen, [1, 3]);
  });

  test('a tally that is damaged itself is counted anew', async () => {
    const path = await makeFile('count.db');
    alter(path, "UPDATE note SET value = '3 4' WHERE name = 'tally/record/lamps'");
    {
      await using store = await open(path);
      assert.equal((told[0] as { event: string }).event, 'notes-damaged');
      await eastOf(store).write((tx) => tx.delete(lamps, ['hall', 'lamp1']));
    }
    await using again = await open(path);
    assert.deepEqual(told, []);
    assert.equal((await eastOf(again).read((tx) => tx.scan(lamps, HALL))).items.length, 19);
  });

  test('another form in the header than in the tables, or other tables, are refused', async () => {
    for (const form of [0, 1, 2, 4]) {
      const path = await makeFile(`form${form}.db`);
      const db = new DatabaseSync(path);
      db.exec(`PRAGMA user_version = ${form}`);
      db.close();
      await assert.rejects(open(path), /its header says form/);
    }
    const path = await makeFile('tables.db');
    const db = new DatabaseSync(path);
    db.exec('CREATE TABLE more (x)');
    db.close();
    await assert.rejects(open(path), /its tables are not those of its form/);
  });

  test('counts follow writes that fail, replace and remove', async () => {
    const path = await makeFile('counts.db');
    {
      await using store = await open(path);
      const east = eastOf(store);
      const put = (name: string, watts: number) => east.write((tx) => tx.put(lamps, { room: 'hall', name, watts }));
      await Promise.allSettled([
        put('a', 1),
        east.write(async (tx) => {
          await tx.put(lamps, { room: 'hall', name: 'never', watts: 1 });
          await tx.delete(lamps, ['hall', 'lamp2']);
          await tx.putRows(queue, [{ owner: 9, at: 9, value: Buffer.from('x') }]);
          throw new RangeError('no');
        }),
        put('lamp3', 1),
        put('a', 7),
        east.write((tx) => tx.delete(lamps, ['hall', 'lamp4'])),
        store.write((tx) => tx.putRows(queue, [{ owner: 1, at: 1, value: Buffer.from('again') }])),
        store.write((tx) =>
          tx.deleteRows(queue, [
            { owner: 1, at: 2 },
            { owner: 5, at: 5 },
          ]),
        ),
      ]);
    }
    await using store = await open(path);
    assert.deepEqual(told, []);
    assert.equal((await eastOf(store).read((tx) => tx.scan(lamps, HALL))).items.length, 20);
  });
});

describe('one flipped bit', () => {
  test('anywhere in the file changes no answer', async () => {
    const path = await makeFile('flips.db', 300);
    const bytes = readFileSync(path);
    const answer = async (store: Store): Promise<string> => {
      const east = eastOf(store);
      const all = await east.read((tx) => tx.scan(lamps, HALL));
      const indexed = await Promise.all(
        [0, 1, 2, 3, 4].map((w) => east.read((tx) => tx.scan(lamps, { index: 'byWatts', prefix: ['hall', w] }))),
      );
      const queued = await store.read((tx) => tx.scanRows(queue, 1, { after: 0, rows: 100, bytes: 1e6 }));
      const parts = [all.items, ...indexed.map(({ items }) => items), queued.map(({ at, value }) => [at, value.toString()])];
      return parts.map((list) => `${list.length} ${crc32(JSON.stringify(list))}`).join(' ');
    };
    let right = '';
    {
      await using store = await open(path);
      right = await answer(store);
    }
    const draw = seeded(1);
    const ends = { refused: 0, named: 0, same: 0 };
    for (let i = 0; i < 300; i += 1) {
      const flipped = Buffer.from(bytes);
      const at = draw(flipped.length);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << draw(8));
      writeFileSync(path, flipped);
      let end: keyof typeof ends = 'refused';
      try {
        await using store = await open(path);
        const got = await answer(store).catch((error: unknown) => {
          assert.ok(error instanceof DamagedRecordError);
          return 'refused';
        });
        end = told.some((line) => (line as { event: string }).event === 'damaged-record') ? 'named' : 'same';
        if (end === 'same') assert.equal(got, right, `byte ${at}`);
      } catch (error) {
        if (!(error instanceof DataFileError)) throw error;
      }
      ends[end] += 1;
    }
    assert.ok(ends.refused > 0 && ends.named > 0 && ends.same > 0, JSON.stringify(ends));
  });
});

test('a checksum beyond the numbers of JavaScript damages its own record alone, while the store is in use', async () => {
  const path = await makeFile('live.db');
  const db = new DatabaseSync(path);
  const found: Damage[] = [];
  const list = new DamageList((damage) => found.push(damage));
  const tallies = new Tallies(db);
  const records = new RecordTable(db, tallies, list, new Neighbours(db));
  const queued = new RowTable(db, tallies, list, new Neighbours(db));
  db.exec(
    `UPDATE record SET sum = sum + (1 << 60) WHERE value LIKE '%"lamp7"%'; UPDATE row SET sum = sum + (1 << 60) WHERE at = 2`,
  );
  const key = ['us-east-1', 'hall', 'lamp7'];
  assert.throws(() => records.get(lamps, key), DamagedRecordError);
  assert.equal(records.scan(lamps, { prefix: ['us-east-1', 'hall'], skipDamaged: true }).items.length, 19);
  assert.deepEqual(
    queued.scan(queue, 1, { after: 0, rows: 9, bytes: 1e6 }).map(({ at }) => at),
    [1, 3],
  );
  assert.equal(records.delete(lamps as Collection<never>, key), true);
  assert.deepEqual(found, [
    { collection: 'lamps', key },
    { collection: 'queue', key: [1, 2] },
  ]);
  db.close();
});
