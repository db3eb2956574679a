/** What `thingkeep check` does with a data file that no server holds: reads it whole, and saves what can be saved. */
import { chmodSync, copyFileSync, linkSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { messageOf } from '@thingkeep/wire/errors.ts';
import { fsyncFolder } from '../../runtime/fsync-folder.ts';
import type { Collection } from '../contract.ts';
import { forgetMark, lostCommits, nameFile } from './commit-mark.ts';
import { DamagedLogError, DataFileError, DataFileInUseError } from './data-file-error.ts';
import type { Recovery } from './files.ts';
import { NEWEST_FORM } from './migrations/index.ts';
import { readNotes } from './notes.ts';
import {
  commitFault,
  HOW_ON,
  holdLock,
  lockDatabase,
  type OpenOptions,
  schemaFault,
  storedForm,
  structureFaults,
} from './open.ts';
import { repair, type Repair } from './repair.ts';
import { type Findings, verify } from './verify.ts';

export interface FileReport {
  /** Of the file; it has checksums from the third form on. */
  readonly form: number;
  /** Faults of the file's pages and tables. */
  readonly structure: readonly string[];
  /** Whether a repair can save anything: not where the file can't be opened for another reason than its log. */
  readonly repairable: boolean;
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

/** Reads a data file whole. Nothing of it is changed but that its log is taken in. */
export async function checkFile(options: OpenOptions, progress: (done: number, of: number) => void): Promise<FileReport> {
  let db: DatabaseSync;
  try {
    db = lockDatabase(options);
  } catch (error) {
    if (!(error instanceof DataFileError) || error instanceof DataFileInUseError) throw error;
    const repairable = error instanceof DamagedLogError;
    return { form: 0, structure: [error.message.replace(`; ${HOW_ON}`, '')], repairable };
  }
  try {
    return await readFile(db, options.path, progress);
  } finally {
    db.close();
  }
}

async function readFile(db: DatabaseSync, path: string, progress: (done: number, of: number) => void): Promise<FileReport> {
  const structure = structureFaults(db, MAX_FAULTS);
  let form = 0;
  try {
    form = storedForm(db, path);
    if (form === 0) structure.push('it is empty');
    if (form < NEWEST_FORM) return { form, structure, repairable: false };
    const fault = schemaFault(db) ?? commitFault(db, path);
    if (fault !== undefined) return { form, structure: [...structure, fault], repairable: true };
    return { form, structure, repairable: true, findings: await verify(db, progress) };
  } catch (error) {
    return { form, structure: [...new Set([...structure, messageOf(error).replace(`; ${HOW_ON}`, '')])], repairable: true };
  }
}

export interface RepairedFile extends Repair {
  /** What was done to the log. */
  readonly log: readonly Recovery[];
  /** Acknowledged commits that are in neither the data file nor its log. */
  readonly lostCommits: number;
  /** The log as it was found, where there was one. */
  readonly keptLog?: string;
}

export const isLossless = ({ lost, missing, stale, log, lostCommits: commits }: RepairedFile): boolean =>
  lost.length + missing.length + stale.length + commits === 0 && log.every(({ event }) => event !== 'log-cut');

/** Commits that are lost, as far as what is left can tell. */
function lostOf(from: DatabaseSync, path: string): number {
  try {
    return lostCommits(path, readNotes(from));
  } catch {
    return 0;
  }
}

/** Writes what can be saved of a data file into a fresh one, with every change on disk. */
async function saveInto(fresh: string, path: string, collections: readonly Collection<never>[]): Promise<RepairedFile> {
  const log: Recovery[] = [];
  const from = lockDatabase({ path, damagedLog: 'recover', isLocked: true, onRecovery: (recovery) => log.push(recovery) });
  try {
    const form = storedForm(from, path);
    if (form < NEWEST_FORM)
      throw new DataFileError(`data file ${path} is of form ${form}, which has no checksums: nothing can be repaired by them`);
    const to = new DatabaseSync(fresh);
    try {
      to.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
      const done = { ...(await repair(from, to, collections)), log, lostCommits: lostOf(from, path) };
      nameFile(to);
      return done;
    } finally {
      to.close();
    }
  } finally {
    from.close();
  }
}

/** Copies the log before it is opened, which takes it in and drops what is damaged. Its name is none that SQLite reads. */
function keepLog(path: string, keptName: string): string | undefined {
  if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) === 0) return undefined;
  const kept = `${keptName}-log`;
  copyFileSync(`${path}-wal`, kept);
  return kept;
}

/**
 * Saves what a data file holds into a new one, which takes its place; the old one is kept under `keptName`, and its log, as
 * it was found, beside it.
 */
export async function repairFile(
  path: string,
  collections: readonly Collection<never>[],
  keptName: string,
): Promise<RepairedFile> {
  // A server that started between the reading and the renaming would go on writing into the old file.
  using _ = holdLock(path);
  const fresh = `${path}.repaired`;
  for (const end of ['', '-wal', '-shm']) rmSync(fresh + end, { force: true });
  const keptLog = keepLog(path, keptName);
  let done: RepairedFile;
  try {
    done = await saveInto(fresh, path, collections);
  } catch (error) {
    if (keptLog !== undefined) rmSync(keptLog);
    throw error;
  }
  chmodSync(fresh, 0o600);
  // The name always leads to a whole file: first to the old one, then to the new one.
  linkSync(path, keptName);
  for (const end of ['-wal', '-shm']) rmSync(path + end, { force: true });
  renameSync(fresh, path);
  forgetMark(path);
  fsyncFolder(dirname(path));
  return keptLog === undefined ? done : { ...done, keptLog };
}
