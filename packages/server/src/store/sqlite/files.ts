/**
 * Looks at the data file and the files beside it before SQLite opens any of them: SQLite deletes a log beside an empty
 * data file, plays back a journal of another, drops what lies behind a damaged frame, and takes a page that was cut off.
 */
import { closeSync, fsyncSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { DamagedLogError, DataFileError } from './data-file-error.ts';
import { assessLog, type LogDamage, type LogState, NO_LOG } from './recovery.ts';
import { HEADER_SIZE } from './wal.ts';

/** What a start does with a log in which something acknowledged is damaged: refuse, or go on with what can be read. */
export type DamagedLog = 'refuse' | 'recover';

/** What was found and done, for the server's log. */
export interface Recovery {
  readonly event: 'log-mended' | 'log-torn' | 'log-cut' | 'commits-lost';
  readonly frame: number;
  readonly offset: number;
  /** Transactions that were acknowledged and are lost. */
  readonly lost: number;
  /** A log that was cut off differs by one byte alone: more likely it is damaged. */
  readonly isOneByte?: boolean;
}

export interface CheckedFiles {
  /** The log as SQLite will take it. */
  readonly log: LogState;
  readonly recovered: readonly Recovery[];
}

const SQLITE_MAGIC = 'SQLite format 3\0';
const DATABASE_HEADER = 100;
/** A byte that SQLite locks: the page that holds it is never written. */
const LOCK_BYTE = 2 ** 30;
/** Mends of one start: more wrong bytes than these are no accident of single bits. */
const MAX_MENDS = 64;

const sizeOf = (path: string): number | undefined => {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats?.size;
};

function beginningOf(path: string, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  const file = openSync(path, 'r');
  try {
    return bytes.subarray(0, readSync(file, bytes, 0, length, 0));
  } finally {
    closeSync(file);
  }
}

interface DatabaseHeader {
  readonly pageSize: number;
  /** Pages of the database, of which the file holds those that the log does not. */
  readonly pages: number;
}

/** Reads the data file's first bytes; undefined when they are not those of a database. */
function readDatabaseHeader(bytes: Buffer): DatabaseHeader | undefined {
  if (bytes.length < DATABASE_HEADER || bytes.toString('latin1', 0, SQLITE_MAGIC.length) !== SQLITE_MAGIC) return undefined;
  const written = bytes.readUInt16BE(16);
  const pageSize = written === 1 ? 65_536 : written;
  if (pageSize < 512 || (pageSize & (pageSize - 1)) !== 0) return undefined;
  const versions = [bytes[18], bytes[19]];
  if (versions.some((version) => version !== 1 && version !== 2)) return undefined;
  // Fixed fractions of a page (https://www.sqlite.org/fileformat2.html#the_database_header).
  if (bytes[21] !== 64 || bytes[22] !== 32 || bytes[23] !== 32) return undefined;
  // The number of pages is good where the two change counters agree, as they do in all that SQLite writes today.
  if (bytes.readUInt32BE(24) !== bytes.readUInt32BE(92)) return undefined;
  return { pageSize, pages: bytes.readUInt32BE(28) };
}

/** Whether SQLite would play back a rollback journal: its beginning is no zero. */
const isHot = (path: string): boolean => (sizeOf(path) ?? 0) > 0 && beginningOf(path, 1)[0] !== 0;

/** Whether a journal undoes the making of the data file: the file had no pages before. */
const isOfFirstStart = (path: string): boolean => {
  const bytes = beginningOf(path, 20);
  return bytes.length < 20 || bytes.readUInt32BE(16) === 0;
};

function writeMend(path: string, { offset, bytes }: NonNullable<LogState['mend']>): void {
  const file = openSync(path, 'r+');
  try {
    writeSync(file, bytes, 0, bytes.length, offset);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

const RESTORE = 'Restore the data folder from a backup';

const refusal = (path: string, { what, frame, offset, behind }: LogDamage, isMendable: boolean): DamagedLogError => {
  const lost = isMendable
    ? 'mends that byte; nothing is lost by it'
    : `goes on without it and without the ${behind} transactions behind it, which were acknowledged`;
  const where = frame === 0 ? `header, byte ${offset}` : `frame ${frame}, byte ${offset}`;
  return new DamagedLogError(
    `the log ${path} is damaged at ${where}: ${what}, and ${behind} whole transactions lie behind it. ${RESTORE}, or copy the folder and start once with --damaged-log recover: that ${lost}`,
  );
};

/** Assesses the log. A wrong byte is mended; what can't be is given up where the operator wants that, and refused otherwise. */
function recoverLog(path: string, pageSize: number, filePages: number, damagedLog: DamagedLog): CheckedFiles {
  const recovered: Recovery[] = [];
  for (;;) {
    const log = assessLog({ path, pageSize, filePages });
    const { damage, mend, torn } = log;
    const isMendable = mend !== undefined && recovered.length < MAX_MENDS;
    if (damage !== undefined && damagedLog === 'refuse') throw refusal(path, damage, isMendable);
    if (isMendable) {
      writeMend(path, mend);
      recovered.push({ event: 'log-mended', frame: damage?.frame ?? log.frames, offset: mend.offset, lost: 0 });
      continue;
    }
    if (damage !== undefined)
      recovered.push({ event: 'log-cut', frame: damage.frame, offset: damage.offset, lost: damage.behind + 1 });
    else if (torn !== undefined) recovered.push({ event: 'log-torn', ...torn, lost: 0 });
    return { log, recovered };
  }
}

/** Fails where pages of the database are neither in the file nor in the log. */
function checkSize(path: string, size: number, { pageSize, pages }: DatabaseHeader, log: LogState): void {
  const whole = Math.floor(size / pageSize);
  const wanted = log.pages ?? pages;
  const lockPage = LOCK_BYTE / pageSize + 1;
  const damaged = (what: string): DataFileError => new DataFileError(`data file ${path} is damaged: ${what}. ${RESTORE}`);
  if (size % pageSize !== 0 && (log.pages === undefined || (whole < wanted && !log.added.has(whole + 1))))
    throw damaged(`its size, ${size} bytes, is no multiple of its page size, ${pageSize}`);
  // What is missing has to be in the log, each page; the log has no more pages than it has frames.
  const most = whole + log.added.size + 1;
  for (let page = whole + 1; page <= wanted; page += 1)
    if (page > most || (page !== lockPage && !log.added.has(page)))
      throw damaged(`it has ${whole} pages of ${wanted}, and page ${page} is not in its log`);
}

/** Checks all files of a data file. Fails with a DataFileError where something acknowledged would be lost. */
export function checkFiles(path: string, damagedLog: DamagedLog = 'refuse'): CheckedFiles {
  const [logPath, journal] = [`${path}-wal`, `${path}-journal`];
  const size = sizeOf(path) ?? 0;
  const logSize = sizeOf(logPath) ?? 0;
  if (isHot(journal) && !(isOfFirstStart(journal) && logSize === 0))
    throw new DataFileError(
      `a rollback journal ${journal} lies beside data file ${path}: it is not this server's, and would be written into it. Move it elsewhere`,
    );
  // The making of the data file was cut off: SQLite undoes it.
  if (isHot(journal)) return { log: NO_LOG, recovered: [] };
  if (size === 0) {
    if (logSize > HEADER_SIZE)
      throw new DataFileError(
        `data file ${path} is ${sizeOf(path) === undefined ? 'missing' : 'empty'}, and its log ${logPath} is there: it would be lost. ${RESTORE}, or move the log elsewhere`,
      );
    return { log: NO_LOG, recovered: [] };
  }
  const header = readDatabaseHeader(beginningOf(path, DATABASE_HEADER));
  if (header === undefined) throw new DataFileError(`data file ${path} is damaged: its header is not a database's. ${RESTORE}`);
  const { pageSize } = header;
  const checked =
    logSize === 0 ? { log: NO_LOG, recovered: [] } : recoverLog(logPath, pageSize, Math.floor(size / pageSize), damagedLog);
  const { log } = checked;
  if (log.pageSize !== undefined && log.pageSize !== pageSize)
    throw new DataFileError(
      `the log ${logPath} is not of data file ${path}: its pages have ${log.pageSize} bytes, not ${pageSize}. ${RESTORE}`,
    );
  checkSize(path, size, header, log);
  return checked;
}
