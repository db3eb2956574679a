/** What `thingkeep check` does with a data file that no server holds: reads it whole, and saves what can be saved. */
import { chmodSync, closeSync, fsyncSync, linkSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Collection } from '../contract.ts';
import { forgetMark, nameFile } from './commit-mark.ts';
import { DataFileError, DataFileInUseError } from './data-file-error.ts';
import { NEWEST_FORM } from './migrations/index.ts';
import { commitFault, holdLock, lockDatabase, type OpenOptions, schemaFault, storedForm } from './open.ts';
import { repair, type Repair } from './repair.ts';
import { type Findings, verify } from './verify.ts';

export interface FileReport {
  /** Of the file; it has checksums from the third form on. */
  readonly form: number;
  /** Faults of the file's pages and tables. */
  readonly structure: readonly string[];
  /** Absent where the tables can't be read, or have no checksums. */
  readonly findings?: Findings;
}

export const isWhole = ({ structure, findings }: FileReport): boolean =>
  structure.length === 0 &&
  (findings === undefined ||
    [findings.damaged, findings.misnamed, findings.misplaced, findings.miscounted, findings.misindexed, findings.notes].every(
      (each) => each.length === 0,
    ));

/** Pages' faults that are listed. */
const MAX_FAULTS = 100;

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Reads a data file whole. Nothing of it is changed but that its log is taken in. */
export async function checkFile(options: OpenOptions, progress: (done: number, of: number) => void): Promise<FileReport> {
  let db: DatabaseSync;
  try {
    db = lockDatabase(options);
  } catch (error) {
    if (!(error instanceof DataFileError) || error instanceof DataFileInUseError) throw error;
    return { form: 0, structure: [error.message] };
  }
  try {
    const structure = db
      .prepare(`PRAGMA quick_check(${MAX_FAULTS})`)
      .all()
      .map(({ quick_check }) => String(quick_check))
      .filter((text) => text !== 'ok');
    const form = storedForm(db, options.path);
    if (form < NEWEST_FORM) return { form, structure };
    const fault = schemaFault(db) ?? commitFault(db, options.path);
    if (fault !== undefined) return { form, structure: [...structure, fault] };
    try {
      return { form, structure, findings: await verify(db, progress) };
    } catch (error) {
      return { form, structure: [...structure, textOf(error)] };
    }
  } finally {
    db.close();
  }
}

/** Writes what can be saved of a data file into a fresh one, with every change on disk. */
async function saveInto(fresh: string, path: string, collections: readonly Collection<never>[]): Promise<Repair> {
  const from = lockDatabase({ path, damagedLog: 'recover', isLocked: true });
  try {
    const form = storedForm(from, path);
    if (form < NEWEST_FORM)
      throw new DataFileError(`data file ${path} is of form ${form}, which has no checksums: nothing can be repaired by them`);
    const to = new DatabaseSync(fresh);
    try {
      to.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
      const done = await repair(from, to, collections);
      nameFile(to);
      return done;
    } finally {
      to.close();
    }
  } finally {
    from.close();
  }
}

/** Saves what a data file holds into a new one, which takes its place; the old one is kept under `keptName`. */
export async function repairFile(path: string, collections: readonly Collection<never>[], keptName: string): Promise<Repair> {
  // A server that started between the reading and the renaming would go on writing into the old file.
  using _ = holdLock(path);
  const fresh = `${path}.repaired`;
  for (const end of ['', '-wal', '-shm']) rmSync(fresh + end, { force: true });
  const done = await saveInto(fresh, path, collections);
  chmodSync(fresh, 0o600);
  // The name always leads to a whole file: first to the old one, then to the new one.
  linkSync(path, keptName);
  for (const end of ['-wal', '-shm']) rmSync(path + end, { force: true });
  renameSync(fresh, path);
  forgetMark(path);
  const folder = openSync(dirname(path), 'r');
  fsyncSync(folder);
  closeSync(folder);
  return done;
}
