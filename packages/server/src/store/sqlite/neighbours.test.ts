/** One flipped bit in a key, on a page that is read after it: what is asked for comes, or is refused; it never just lacks. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { collection, rows, type Scan } from '../contract.ts';
import { type Damage, DamagedRecordError } from '../damage.ts';
import { DamageList } from './damage-list.ts';
import { Neighbours } from './neighbours.ts';
import { RecordTable } from './record-table.ts';
import { RowTable } from './row-table.ts';
import { openSqliteStore } from './sqlite-store.ts';
import { Tallies } from './tallies.ts';
import { seeded } from './log.fixture.ts';

interface Lamp {
  readonly room: string;
  readonly name: string;
  readonly watts: number;
}

const lamps = collection<Lamp>('lamps', (l) => [l.room, l.name], { byWatts: (l) => [[l.watts, l.room]] });
const queue = rows('queue');
const ROOMS = ['attic', 'hall', 'kitchen', 'porch'];
/** Enough for pages that lead to pages. */
const LAMPS = 1_200;

const lampAt = (i: number): Lamp => ({ room: ROOMS[i % 4] ?? '', name: `lamp${i}`, watts: i % 7 });

let path = '';
before(async () => {
  path = join(mkdtempSync(join(tmpdir(), 'thingkeep-neighbours-')), 'thingkeep.db');
  await using store = await openSqliteStore({ path, collections: [lamps as never] });
  await store.write(async (tx) => {
    for (let i = 0; i < LAMPS; i += 1) await tx.put(lamps, lampAt(i));
    await tx.putRows(
      queue,
      Array.from({ length: 400 }, (_, i) => ({ owner: 1 + (i % 4), at: 1 + i, value: Buffer.from(`message ${i}`) })),
    );
  });
});
after(() => rmSync(join(path, '..'), { recursive: true }));

/** The tables of a file as it is on disk now: nothing of it is in memory yet. */
function openTables() {
  const db = new DatabaseSync(path);
  const found: Damage[] = [];
  const list = new DamageList((damage) => found.push(damage));
  const parts = [db, new Tallies(db), list, new Neighbours(db)] as const;
  return { db, found, records: new RecordTable(...parts), queued: new RowTable(...parts) };
}

/** Places in the file where a key of a record or an entry is: `\x02lamp12\x00`. */
function keysIn(bytes: Buffer): number[] {
  const places: number[] = [];
  for (let at = bytes.indexOf('\x02lamp'); at >= 0; at = bytes.indexOf('\x02lamp', at + 1)) places.push(at);
  return places;
}

const SCANS: readonly Scan[] = [
  { prefix: [] },
  ...ROOMS.map((room) => ({ prefix: [room] })),
  ...ROOMS.map((room) => ({ prefix: [room], startsWith: 'lamp1', reverse: true, limit: 50 })),
  ...Array.from({ length: 7 }, (_, watts) => ({ index: 'byWatts', prefix: [watts] })),
  ...ROOMS.map((room, watts) => ({ index: 'byWatts', prefix: [watts, room], limit: 10 })),
];

test('records and entries', () => {
  const whole = readFileSync(path);
  const keys = keysIn(whole);
  const truth = openTables();
  const right = SCANS.map((scan) => JSON.stringify(truth.records.scan(lamps, scan).items));
  truth.db.close();
  const draw = seeded(7);
  let refused = 0;
  let told = 0;
  for (let round = 0; round < 300; round += 1) {
    const flipped = Buffer.from(whole);
    const at = (keys[draw(keys.length)] ?? 0) - 4 + draw(10);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << draw(8));
    writeFileSync(path, flipped);
    const { db, records, found } = openTables();
    const refuses = (ask: () => unknown): boolean => {
      try {
        ask();
        return false;
      } catch (error) {
        if (!(error instanceof DamagedRecordError)) throw error;
        return true;
      }
    };
    for (const [i, scan] of SCANS.entries()) {
      const refusal = refuses(() => assert.equal(JSON.stringify(records.scan(lamps, scan).items), right[i], `byte ${at}`));
      const page = records.scan(lamps, { ...scan, skipDamaged: true });
      assert.equal(page.damaged !== undefined, refusal, `byte ${at}`);
      if (refusal) refused += 1;
    }
    for (let i = 0; i < LAMPS; i += 1) {
      const { room, name } = lampAt(i);
      refuses(() => assert.deepEqual(records.get(lamps, [room, name]), lampAt(i), `byte ${at}`));
    }
    // A copy of a key in the free part of a page is read by nobody.
    if (found.length > 0) told += 1;
    db.close();
  }
  writeFileSync(path, whole);
  assert.ok(told > 200 && refused > told, `${refused} ${told}`);
});

test('a removal of a record whose key is damaged does not say that there was none', () => {
  const whole = readFileSync(path);
  const at = whole.indexOf('lamps\x02hall\x00\x02lamp801\x00');
  assert.ok(at > 0);
  const flipped = Buffer.from(whole);
  flipped[at + 12] = (flipped[at + 12] ?? 0) ^ 0x40;
  writeFileSync(path, flipped);
  const { db, records } = openTables();
  assert.throws(() => records.delete(lamps as never, ['hall', 'lamp801']), DamagedRecordError);
  assert.equal(records.get(lamps, ['hall', 'no such lamp']), undefined);
  db.close();
  writeFileSync(path, whole);
});

test('rows: one whose place is damaged is told', () => {
  const whole = readFileSync(path);
  const flipped = Buffer.from(whole);
  // The columns of a row as SQLite has them: rows, region (none), owner (1 takes no byte), at (41), value.
  const row = whole.lastIndexOf('queue)message 40');
  assert.ok(row > 0);
  flipped[row + 5] = 41 ^ 64;
  writeFileSync(path, flipped);
  const { db, queued, found } = openTables();
  const scan = { rows: 1_000, bytes: 1e6 };
  const isThere = queued.scan(queue, 1, { ...scan, after: 0 }).some(({ at }) => at === 41);
  assert.deepEqual([isThere, found.length], [false, 1]);
  // Of another owner, far from it, nothing is said.
  assert.equal(queued.scan(queue, 4, { ...scan, after: 0 }).length, 100);
  assert.equal(found.length, 1);
  db.close();
  writeFileSync(path, whole);
});
