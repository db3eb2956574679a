/**
 * The errors of a disk, from the system (ENOSPC) or SQLite (SQLITE_FULL). A full or unwritable disk is a passing state and
 * answered with 503; after a failed sync it is not known what is on disk.
 */
import { ThingkeepError } from '@thingkeep/wire/errors.ts';

/** The text of a refusal while the disk is nearly full. */
export const DISK_LOW = "the server's disk is nearly full or can not be written: nothing more can be kept";

export type DiskFailure = 'full' | 'unwritable' | 'unsynced';

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const UNWRITABLE = new Set(['EIO', 'EROFS', 'EACCES', 'EPERM']);
/** System calls that do not concern files. */
const OTHER_CALLS = /^(connect|bind|listen|accept|send|recv|getaddrinfo|spawn|kill|set)/;
const SYNCS = new Set(['fsync', 'fdatasync']);

/** SQLite's result codes (https://www.sqlite.org/rescode.html), the last byte of which is the primary one. */
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_IOERR_FSYNC = 1034;
const SQLITE_IOERR_DIR_FSYNC = 1290;

/** Errors of a chain of causes that are read at most. */
const MAX_LINKS = 8;

interface SystemError {
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

function ofOne({ code, syscall, errcode, errno }: SystemError): DiskFailure | undefined {
  if (code === 'ERR_SQLITE_ERROR') return ofSqlite(Number(errcode));
  if (typeof code !== 'string' || typeof syscall !== 'string' || OTHER_CALLS.test(syscall)) return undefined;
  if (SYNCS.has(syscall)) return 'unsynced';
  return FULL.has(code) || errno === QUOTA ? 'full' : UNWRITABLE.has(code) ? 'unwritable' : undefined;
}

/** An error with its causes and suppressed errors. */
export function* chainOf(error: unknown): Generator<SystemError> {
  const chain: unknown[] = [error];
  for (let i = 0; i < MAX_LINKS && chain.length > 0; i += 1) {
    const next = chain.shift();
    if (typeof next !== 'object' || next === null) continue;
    yield next;
    const { suppressed, cause } = next as SystemError;
    chain.push(suppressed, cause);
    if (next instanceof SuppressedError) chain.push(next.error);
  }
}

/** The disk failure that an error means; undefined for any other error. */
export function diskFailure(error: unknown): DiskFailure | undefined {
  for (const each of chainOf(error)) {
    const found = ofOne(each);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The texts of refusals after a disk failure. */
export const DISK_FULL = "the server's disk is full: nothing can be stored";
export const DISK_UNWRITABLE = "the server's disk can not be written: nothing can be stored";

const TEXTS = new Set([DISK_FULL, DISK_UNWRITABLE, DISK_LOW]);

/** The refusal for a disk failure; any other error, and a refusal, is returned as it is. */
export function asRefusal(error: unknown): unknown {
  if (error instanceof ThingkeepError && error.code !== 'ServiceUnavailableException') return error;
  if (isDiskRefusal(error)) return error;
  const failure = diskFailure(error);
  if (failure === undefined) return error;
  const text = failure === 'full' ? DISK_FULL : DISK_UNWRITABLE;
  return new ThingkeepError('ServiceUnavailableException', text, {}, error);
}

/** Whether an error is the refusal of a disk failure: readiness logs it once, so none needs a line of its own. */
export const isDiskRefusal = (error: unknown): error is ThingkeepError =>
  error instanceof ThingkeepError && TEXTS.has(error.message);
