/**
 * Opens a data file: settings for durability, the lock that keeps a second server out, migrations, and a reading of all
 * that it holds, so that nothing damaged is served.
 */
import { chmodSync, statSync } from 'node:fs';
import type { Clock } from '../../runtime/clock.ts';
import type { DatabaseSync } from 'node:sqlite';
import { messageOf } from '@thingkeep/wire/errors.ts';
import type { Collection } from '../contract.ts';
import { nameOfDamage } from '../damage.ts';
import type { StoreFigures } from '../store-figures.ts';
import { COMMITS, lostCommits, markedCommits, nameFile } from './commit-mark.ts';
import { DataFileError, DataFileInUseError } from './data-file-error.ts';
import { emptyLog } from './empty-log.ts';
import { checkFiles, type DamagedLog, type Recovery } from './files.ts';
import { LockedDatabase, takeLock } from './lock.ts';
import { MIGRATIONS, NEWEST_FORM, TABLES } from './migrations/index.ts';
import type { ReportProgress } from './migrations/checksums.ts';
import { FORM, keepNote, readNotes } from './notes.ts';
import { dropIndexes, outdatedIndexes, reindex } from './reindex.ts';
import { Tallies, tallyNote } from './tallies.ts';
import { type Findings, verify } from './verify.ts';

/** What the store has to say to its operator. */
export interface StoreLog {
  info(members: object, text: string): void;
  warn(members: object, text: string): void;
  error(members: object, text: string): void;
}

export interface OpenOptions {
  /** By which batches of writes end in time; the system's when absent. */
  readonly clock?: Pick<Clock, 'monotonic'>;
  /** The data file; `:memory:` for one that goes with the process. */
  readonly path: string;
  /** All collections, so that indexes whose functions have changed are derived anew. */
  readonly collections?: readonly Collection<never>[];
  readonly log?: StoreLog | undefined;
  /** The server's own region: what a file from before there were regions holds is this one's. */
  readonly region?: string;
  /** Whether a file of an older form is brought to the newest one; it is refused otherwise. */
  readonly migrates?: boolean;
  /** What to do with a log in which something acknowledged is damaged. */
  readonly damagedLog?: DamagedLog;
  /** Hears what was done to the log. */
  readonly onRecovery?: (recovery: Recovery) => void;
  /** The caller has the lock already: {@link holdLock}. */
  readonly isLocked?: boolean;
  /** Counts commits and damaged records. */
  readonly figures?: StoreFigures | undefined;
  /** Ends the process after a sync that failed. */
  readonly panic?: (what: string, error: unknown) => void;
}

const DEFAULT_REGION = 'us-east-1';

/** Damaged records that are named in the log at a start, and in an error. */
const MAX_LOGGED = 100;
const MAX_NAMED = 5;

/** Records and entries below which no progress is told. */
const LONG_WORK = 200_000;

export const HOW_ON = 'restore it from a backup, or see with "thingkeep check" what can be saved';

/** Stands before the faults of a file; there is one file alone. */
const SQLITE_HEADING = /^\*\*\* in database main \*\*\*\n/;

/** SQLite's result codes (https://www.sqlite.org/rescode.html): of a file that another process holds, and of a damaged one. */
const IN_USE = new Set([5, 6]);
const DAMAGED = new Set([11, 26]);

const explain = (path: string, error: unknown): DataFileError => {
  const text = messageOf(error);
  const code = Number((error as { errcode?: unknown }).errcode) & 0xff;
  if (IN_USE.has(code)) return new DataFileInUseError(`data file ${path} is in use by another server`, { cause: error });
  if (DAMAGED.has(code)) return new DataFileError(`data file ${path} is damaged: ${text}; ${HOW_ON}`, { cause: error });
  return new DataFileError(`data file ${path} can't be opened: ${text}`, { cause: error });
};

/** The form of a file: the count of migrations it has taken. */
export function storedForm(db: DatabaseSync, path: string): number {
  const { user_version: form } = db.prepare('PRAGMA user_version').get() as { user_version: number };
  const names = db
    .prepare('SELECT name FROM sqlite_schema')
    .all()
    .map(({ name }) => name);
  const noted = names.includes('note') ? readNotes(db).good.get(FORM) : undefined;
  if (noted !== undefined && Number(noted) !== form)
    throw new DataFileError(
      `data file ${path} is damaged: its header says form ${form}, and its tables are of form ${noted}; ${HOW_ON}`,
    );
  if (form > NEWEST_FORM)
    throw new DataFileError(
      `data file ${path} was written by a newer Thingkeep (form ${form}, this one knows ${NEWEST_FORM}); start that version instead`,
    );
  if (form === 0 && names.length !== 0) throw new DataFileError(`data file ${path} holds tables that are not Thingkeep's`);
  return form;
}

/** Sets the modes of the file and of what SQLite keeps beside it: for the owner alone, whatever they were. */
function closeToOthers(path: string): void {
  for (const each of [path, `${path}-wal`, `${path}-shm`, `${path}-journal`]) {
    const stats = statSync(each, { throwIfNoEntry: false });
    if (stats !== undefined && (stats.mode & 0o777) !== 0o600) chmodSync(each, 0o600);
  }
}

/** Says at each tenth of a long piece of work how far it is. */
function progressOf(log: StoreLog | undefined, what: string): ReportProgress {
  let told = 0;
  return (done, of) => {
    const tenth = Math.floor((10 * done) / Math.max(of, 1));
    if (tenth <= told || of < LONG_WORK) return;
    told = tenth;
    log?.info({ event: 'data-file-progress', what, done, of }, `${what}: ${done} of ${of}`);
  };
}

function migrate(db: DatabaseSync, { path, log, region = DEFAULT_REGION, migrates = true }: OpenOptions): void {
  const form = storedForm(db, path);
  if (!migrates && form > 0 && form < NEWEST_FORM)
    throw new DataFileError(
      `data file ${path} is of form ${form}: use the version that wrote it, or start this one on it, which brings it to form ${NEWEST_FORM}`,
    );
  for (const [step, { describes, run }] of MIGRATIONS.entries()) {
    if (step < form) continue;
    if (form > 0)
      log?.info({ event: 'data-file-migration', form: step + 1 }, `the data file is brought to form ${step + 1}: ${describes}`);
    db.exec('BEGIN IMMEDIATE');
    try {
      run(db, progressOf(log, describes), region);
      if (step + 1 === NEWEST_FORM) keepNote(db, FORM, String(step + 1));
      db.exec(`PRAGMA user_version = ${step + 1}; COMMIT;`);
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  }
}

/** Compares the tables of the file with those that this form has. */
export function schemaFault(db: DatabaseSync): string | undefined {
  const found = db.prepare("SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'").all();
  const wrong = found.find(({ name, sql }) => TABLES[String(name)] !== sql);
  const isRight = wrong === undefined && found.length === Object.keys(TABLES).length;
  return isRight ? undefined : 'its tables are not those of its form';
}

function checkSchema(db: DatabaseSync, path: string): void {
  const fault = schemaFault(db);
  if (fault !== undefined) throw new DataFileError(`data file ${path} is damaged: ${fault}; ${HOW_ON}`);
}

/** What SQLite finds in the file's pages, each fault in a line; where it can't even look on, that is the last fault. */
export function structureFaults(db: DatabaseSync, most: number): string[] {
  const faults: string[] = [];
  try {
    for (const { quick_check: found } of db.prepare(`PRAGMA quick_check(${most})`).iterate())
      if (found !== 'ok') faults.push(String(found).replace(SQLITE_HEADING, '').replaceAll('\n', '; '));
  } catch (error) {
    faults.push((error as Error).message);
  }
  return faults;
}

function checkStructure(db: DatabaseSync, path: string): void {
  const [fault] = structureFaults(db, 1);
  if (fault !== undefined) throw new DataFileError(`data file ${path} is damaged: ${fault}; ${HOW_ON}`);
}

/** What is known of commits that are gone; undefined where none is. */
export function commitFault(db: DatabaseSync, path: string): string | undefined {
  const lost = lostCommits(path, readNotes(db));
  return lost === 0
    ? undefined
    : `${lost} acknowledged commits are not in it: its log was cut off or removed, or it is an older copy`;
}

function checkCommits(db: DatabaseSync, { path, damagedLog, onRecovery }: OpenOptions): void {
  const fault = commitFault(db, path);
  if (fault === undefined) return;
  if (damagedLog !== 'recover')
    throw new DataFileError(
      `data file ${path} is damaged: ${fault}. Restore the data folder from a backup, or start once with --damaged-log recover: that goes on without them`,
    );
  onRecovery?.({ event: 'commits-lost', frame: 0, offset: 0, lost: lostCommits(path, readNotes(db)) });
}

const listed = (names: readonly string[]): string =>
  names.slice(0, MAX_NAMED).join(', ') + (names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : '');

/** Fails at faults after which an answer could be wrong without a sign of it. */
function refuseUncertain({ misnamed, misplaced, miscounted }: Findings, path: string): void {
  if (misnamed.length > 0)
    throw new DataFileError(
      `data file ${path} is damaged: keys of stored records do not fit (${listed(misnamed.map(nameOfDamage))}); ${HOW_ON}`,
    );
  if (misplaced.length > 0)
    throw new DataFileError(`data file ${path} is damaged: its pages are not in their order (${listed(misplaced)}); ${HOW_ON}`);
  if (miscounted.length === 0) return;
  const names = miscounted.map(({ name, expected, found }) =>
    expected?.count === found.count
      ? `${name} is in an older state`
      : `${name} holds ${found.count} instead of ${expected?.count ?? 0}`,
  );
  throw new DataFileError(`data file ${path} is damaged: stored records are missing (${listed(names)}); ${HOW_ON}`);
}

/** Reads the whole file, refuses it where answers would be uncertain, and mends what can be derived. */
async function checkContent(db: DatabaseSync, { path, log, collections = [], figures }: OpenOptions): Promise<void> {
  const findings = await verify(db, progressOf(log, 'reading the data file'));
  refuseUncertain(findings, path);
  for (const damage of findings.damaged) figures?.met(damage);
  for (const damage of findings.damaged.slice(0, MAX_LOGGED))
    log?.error({ event: 'damaged-record', ...damage }, 'a stored record is damaged and is not served: see thingkeep check');
  if (findings.damaged.length > MAX_LOGGED)
    log?.error({ event: 'damaged-records', count: findings.damaged.length }, 'stored records are damaged: see thingkeep check');
  mendTallies(db, findings, { path, log });
  if (findings.misindexed.length > 0) {
    if (collections.length === 0) throw new DataFileError(`data file ${path} is damaged: its index entries; ${HOW_ON}`);
    const members = { event: 'index-damaged', collections: findings.misindexed };
    log?.warn(members, 'index entries were damaged: all are derived anew');
    dropIndexes(db);
  }
  for (const of of outdatedIndexes(db, collections)) await reindex(db, of, progressOf(log, `deriving the indexes of ${of.name}`));
}

/** A tally that is damaged itself is counted anew: every record under it has been read and is good, or named. */
function mendTallies(db: DatabaseSync, { notes, tallies }: Findings, { path, log }: OpenOptions): void {
  if (notes.length === 0) return;
  log?.warn({ event: 'notes-damaged', notes }, 'counts of stored records were damaged: they are taken anew');
  const kept = new Tallies(db);
  db.exec('BEGIN IMMEDIATE');
  for (const name of notes) db.prepare('DELETE FROM note WHERE name = ?').run(name);
  for (const [name, tally] of tallies) if (notes.includes(tallyNote(name))) kept.replace(name, tally);
  if (notes.includes(COMMITS)) keepNote(db, COMMITS, String(markedCommits(path, readNotes(db))));
  keepNote(db, FORM, String(NEWEST_FORM));
  db.exec('COMMIT');
}

/** Keeps everybody else out of a data file for as long as it is not disposed of, also while no database is open. */
export function holdLock(path: string): Disposable {
  try {
    return takeLock(path);
  } catch (error) {
    throw explain(path, error);
  }
}

/**
 * Opens a file whose log is whole, and keeps other processes out for as long as it is open. The log is taken into the file
 * once `check` has found nothing to refuse.
 */
export function lockDatabase(
  { path, isLocked = false, damagedLog, onRecovery }: OpenOptions,
  check: (db: DatabaseSync) => void = () => undefined,
): DatabaseSync {
  const isFile = path !== ':memory:';
  let lock: Disposable | undefined;
  let db: DatabaseSync | undefined;
  try {
    lock = isFile && !isLocked ? takeLock(path) : { [Symbol.dispose]: () => undefined };
    const checked = isFile ? checkFiles(path, damagedLog) : undefined;
    // SQLite gives the log beside the file the mode of the file.
    if (isFile) closeToOthers(path);
    db = new LockedDatabase(path, lock);
    // EXCLUSIVE keeps a second server out for as long as this one lives; the lock goes with the process, kill -9 included.
    // FULL syncs the write-ahead log at each commit: acknowledged means on disk, also after a power cut.
    db.exec(
      'PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY;',
    );
    db.exec('BEGIN EXCLUSIVE; COMMIT;');
    if (isFile) closeToOthers(path);
    check(db);
    if (checked !== undefined) emptyLog(db, path, checked.log);
    for (const recovery of checked?.recovered ?? []) onRecovery?.(recovery);
    return db;
  } catch (error) {
    db?.close();
    lock?.[Symbol.dispose]();
    throw error instanceof DataFileError ? error : explain(path, error);
  }
}

export async function openDatabase(options: OpenOptions): Promise<DatabaseSync> {
  const { path } = options;
  // What is counted beside a file that is missing is not of the one that is made in its place.
  const isNew = (statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0;
  const db = lockDatabase(options, (opened) => checkStructure(opened, path));
  try {
    migrate(db, options);
    checkSchema(db, path);
    if (isNew) nameFile(db);
    checkCommits(db, options);
    await checkContent(db, options);
    nameFile(db);
    return db;
  } catch (error) {
    db.close();
    throw error instanceof DataFileError ? error : explain(path, error);
  }
}
