/**
 * What a disk's errors mean, wherever they come from: the system (ENOSPC) or SQLite (SQLITE_FULL). Full and unwritable are
 * states that pass, and are answered with 503; after a failed sync it is not known what is on disk.
 */
import { ThingkeepError } from '@thingkeep/wire/errors.ts';

/** Why what would need more of the disk is refused. */
export const DISK_LOW = "the server's disk is nearly full or can not be written: nothing more can be kept";

export type DiskFailure = 'full' | 'unwritable' | 'unsynced';

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const UNWRITABLE = new Set(['EIO', 'EROFS', 'EACCES', 'EPERM']);
/** Calls that are not about files. */
const OTHER_CALLS = /^(connect|bind|listen|accept|send|recv|getaddrinfo|spawn|kill|set)/;
const SYNCS = new Set(['fsync', 'fdatasync']);

/** SQLite's result codes (https://www.sqlite.org/rescode.html), the last byte of which is the primary one. */
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_IOERR_FSYNC = 1034;
const SQLITE_IOERR_DIR_FSYNC = 1290;

/** Links of a chain of causes that are looked at. */
const MAX_LINKS = 8;

interface Known {
  readonly code?: unknown;
  readonly syscall?: unknown;
  readonly errcode?: unknown;
  readonly errno?: unknown;
  readonly cause?: unknown;
  readonly suppressed?: unknown;
}

function ofSqlite(errcode: number): DiskFailure | undefined {
  if (errcode === SQLITE_IOERR_FSYNC || errcode === SQLITE_IOERR_DIR_FSYNC) return 'unsynced';
  const primary = errcode & 0xff;
  if (primary === SQLITE_FULL) return 'full';
  return [SQLITE_READONLY, SQLITE_IOERR, SQLITE_CANTOPEN].includes(primary) ? 'unwritable' : undefined;
}

/** EDQUOT, for which Node has no name. */
const QUOTA = -122;

function ofOne({ code, syscall, errcode, errno }: Known): DiskFailure | undefined {
  if (code === 'ERR_SQLITE_ERROR') return ofSqlite(Number(errcode));
  if (typeof code !== 'string' || typeof syscall !== 'string' || OTHER_CALLS.test(syscall)) return undefined;
  if (SYNCS.has(syscall)) return 'unsynced';
  return FULL.has(code) || errno === QUOTA ? 'full' : UNWRITABLE.has(code) ? 'unwritable' : undefined;
}

/** An error and what stands behind it: what it suppressed, and its causes. */
export function* chainOf(error: unknown): Generator<Known> {
  const chain: unknown[] = [error];
  for (let i = 0; i < MAX_LINKS && chain.length > 0; i += 1) {
    const next = chain.shift();
    if (typeof next !== 'object' || next === null) continue;
    yield next;
    const { suppressed, cause } = next as Known;
    chain.push(suppressed, cause);
    if (next instanceof SuppressedError) chain.push(next.error);
  }
}

/** What an error says of the disk; undefined when it is of something else. */
export function diskFailure(error: unknown): DiskFailure | undefined {
  for (const each of chainOf(error)) {
    const found = ofOne(each);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Why something is refused, as its owner is told. */
export const DISK_FULL = "the server's disk is full: nothing can be stored";
export const DISK_UNWRITABLE = "the server's disk can not be written: nothing can be stored";

const TEXTS = new Set([DISK_FULL, DISK_UNWRITABLE, DISK_LOW]);

/** The refusal that stands for an error of the disk; the error itself when it is none, or says already what it is. */
export function asRefusal(error: unknown): unknown {
  if (error instanceof ThingkeepError && error.code !== 'ServiceUnavailableException') return error;
  if (isDiskRefusal(error)) return error;
  const failure = diskFailure(error);
  if (failure === undefined) return error;
  const text = failure === 'full' ? DISK_FULL : DISK_UNWRITABLE;
  return new ThingkeepError('ServiceUnavailableException', text, {}, error);
}

/** Whether an error is a refusal for the disk's sake: readiness tells of it once, and no log line is needed for each. */
export const isDiskRefusal = (error: unknown): error is ThingkeepError =>
  error instanceof ThingkeepError && TEXTS.has(error.message);
