/**
 * The third form: each record, index entry and row has a checksum, a record has its entries beside it, tallies say how
 * many there are, and the region, before a part of the collection's name, is the first part of the key.
 */
import type { DatabaseSync } from 'node:sqlite';
import { encodeKey } from '../../key-encoding.ts';
import { digestOf, seedOf, sumOf } from '../checksums.ts';
import { recordTally } from '../record-table.ts';
import { rowDigest, rowName, rowTally } from '../row-place.ts';
import { addTo, Tallies, type Tally } from '../tallies.ts';

/** Hears how much of a long piece of work is done. */
export type ReportProgress = (done: number, of: number) => void;

/** SQL of each table by its name. */
export const TABLES: Readonly<Record<string, string>> = {
  record:
    'CREATE TABLE record (collection TEXT NOT NULL, key BLOB NOT NULL, value TEXT NOT NULL, entries BLOB NOT NULL, sum INTEGER NOT NULL, PRIMARY KEY (collection, key)) WITHOUT ROWID',
  entry:
    'CREATE TABLE entry (scope TEXT NOT NULL, entry BLOB NOT NULL, key BLOB NOT NULL, sum INTEGER NOT NULL, PRIMARY KEY (scope, entry)) WITHOUT ROWID',
  row: 'CREATE TABLE row (rows TEXT NOT NULL, region TEXT NOT NULL, owner INTEGER NOT NULL, at INTEGER NOT NULL, value BLOB NOT NULL, sum INTEGER NOT NULL, PRIMARY KEY (rows, region, owner, at)) WITHOUT ROWID',
  note: 'CREATE TABLE note (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL, sum INTEGER NOT NULL) WITHOUT ROWID',
};

const EMPTY = Buffer.alloc(0);
/** Rows between two reports of progress. */
const REPORT = 50_000;

/** Collections that the first form kept without a region: all that it had. */
const BEFORE_REGIONS: ReadonlySet<string> = new Set([
  ...['retained-messages', 'policies', 'policy-attachments', 'certificates', 'ca-certificates', 'registration-codes'],
  ...['things', 'thing-types', 'thing-principals', 'tags'],
]);
const REGIONS = 'regions';

/** The region and the plain name of what an older form calls `region/name`, or `name` before there were regions. */
function splitName(name: string, homeRegion: string): { region: string; plain: string } {
  const slash = name.indexOf('/');
  if (slash >= 0) return { region: name.slice(0, slash), plain: name.slice(slash + 1) };
  return { region: BEFORE_REGIONS.has(name) ? homeRegion : '', plain: name };
}

/** The region that the first form's ARNs name; undefined where it has none, or none is needed. */
function regionInArns(db: DatabaseSync): string | undefined {
  const found = db
    .prepare(
      `SELECT value FROM old_record
       WHERE collection IN ('policy-attachments', 'thing-principals', 'tags') AND value LIKE '%"arn:aws:iot:%' LIMIT 1`,
    )
    .get();
  return /"arn:aws:iot:([a-z0-9-]+):/.exec(String(found?.value))?.[1];
}

const countOf = (db: DatabaseSync, table: string): number => Number(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n);

export function addChecksums(db: DatabaseSync, progress: ReportProgress, serverRegion: string): void {
  db.exec('ALTER TABLE record RENAME TO old_record; ALTER TABLE row RENAME TO old_row; DROP TABLE entry;');
  for (const sql of Object.values(TABLES)) db.exec(sql);
  const total = countOf(db, 'old_record') + countOf(db, 'old_row');
  let done = 0;
  const step = (): void => {
    done += 1;
    if (done % REPORT === 0) progress(done, total);
  };
  const tallies = new Map<string, Tally>();
  const count = (name: string, sum: number): void => addTo(tallies, name, { count: 1, digest: digestOf(sum) });
  copyRecords(db, count, step, regionInArns(db) ?? serverRegion);
  copyRows(db, count, step);
  db.exec('DROP TABLE old_record; DROP TABLE old_row;');
  const kept = new Tallies(db);
  for (const [name, tally] of tallies) kept.replace(name, tally);
}

type Count = (tally: string, sum: number) => void;

/**
 * The index entries are derived anew afterwards: no index has a known form yet. Where a server that knew regions has been
 * started on a file from before them, what it wrote stands.
 */
function copyRecords(db: DatabaseSync, count: Count, step: () => void, homeRegion: string): void {
  const insert = db.prepare(
    'INSERT INTO record (collection, key, value, entries, sum) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const put = (collection: string, key: Uint8Array, value: string): void => {
    const sum = sumOf(seedOf(collection), key, value);
    if (insert.run(collection, key, value, EMPTY, sum).changes === 1) count(recordTally(collection), sum);
  };
  const order = "instr(collection, '/') = 0, collection, key";
  const all = db.prepare(`SELECT collection, key, value FROM old_record ORDER BY ${order}`).iterate();
  let hasHome = false;
  for (const { collection, key, value } of all as Iterable<{ collection: string; key: Uint8Array; value: string }>) {
    const { region, plain } = splitName(collection, homeRegion);
    hasHome ||= BEFORE_REGIONS.has(collection);
    put(plain, region === '' ? key : Buffer.concat([encodeKey([region]), key]), value);
    step();
  }
  if (hasHome) put(REGIONS, encodeKey([homeRegion]), JSON.stringify({ region: homeRegion }));
}

function copyRows(db: DatabaseSync, count: Count, step: () => void): void {
  const put = db.prepare('INSERT INTO row (rows, region, owner, at, value, sum) VALUES (?, ?, ?, ?, ?, ?)');
  const all = db.prepare('SELECT rows, owner, at, value FROM old_row ORDER BY rows, owner, at').iterate();
  for (const { rows, owner, at, value } of all as Iterable<{ rows: string; owner: number; at: number; value: Uint8Array }>) {
    const { region, plain } = splitName(rows, '');
    const sum = sumOf(0, rowName(plain, region, owner, at), value);
    put.run(plain, region, owner, at, value, sum);
    count(rowTally(plain), rowDigest(plain, region, owner, at));
    step();
  }
}
