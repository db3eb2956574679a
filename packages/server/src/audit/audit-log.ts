/**
 * The audit log: a line before each call that changes something, and one with its result. A line is written before the
 * change begins and is on disk before the change is committed; the commit stores the number and the MAC of the last line.
 */
import { closeSync, fdatasyncSync, fsyncSync, ftruncateSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { fail, messageOf } from '@thingkeep/wire/errors.ts';
import type { Clock } from '../runtime/clock.ts';
import { asRefusal, isDiskRefusal } from '../runtime/disk-failure.ts';
import type { Logger } from '../runtime/log.ts';
import { fsyncFolder } from '../runtime/fsync-folder.ts';
import type { HookedStore, WriteTransaction } from '../store/contract.ts';
import { type ChainLink, makeLine, ORIGIN, readLink } from './chain.ts';
import { auditFiles, fileOf, makeKey, readKey, sealOldKey, sizeOf } from './files.ts';
import { type AuditState, putHead, putRemoved, readAuditState } from './store.ts';

export interface AuditLogOptions {
  readonly folder: string;
  readonly store: HookedStore;
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends the process after a sync that failed. */
  readonly panic?: (what: string, error: unknown) => void;
  /** Bytes of all files together; beyond them the oldest file is removed. */
  readonly keptBytes: number;
  /** Bytes of one file; 16 MiB when absent. */
  readonly fileBytes?: number;
}

/** Lines of refused changes of one account in a second. */
const REFUSED_PER_SECOND = 10;
/** Bytes of one file. */
const FILE_BYTES = 16 * 1024 * 1024;

/** The caller and the call, as plain data without secrets. */
export type AuditedCall = Readonly<Record<string, unknown>>;

export interface AuditResult {
  readonly result: string;
}

/** An audit log that can't be used; the message tells an operator what and why. */
export class AuditError extends Error {
  override readonly name = 'AuditError';
}

export class AuditLog implements AsyncDisposable {
  readonly #options: AuditLogOptions;
  readonly #key: Buffer;
  #file: number;
  #fileBytes: number;
  /** The last line that was written. */
  #last: ChainLink;
  #removed: ChainLink;
  /** The last line that a commit has stored. */
  #stored: ChainLink;
  #synced = true;
  #closed = false;
  #holds = 0;
  #second = 0;
  /** Refused changes of the second, by account. */
  readonly #refusedOf = new Map<string, number>();
  #leftOut = 0;

  private constructor(options: AuditLogOptions, key: Buffer, state: AuditState, last: ChainLink, file: number) {
    this.#options = options;
    this.#key = key;
    this.#last = last;
    this.#stored = state.head;
    this.#removed = state.removed;
    this.#file = file;
    this.#fileBytes = statSync(auditFiles(options.folder).at(-1)?.path ?? options.folder).size;
  }

  /**
   * Opens the log after its last complete line. A mismatch with the data file (a cut tail, a missing key) is logged and
   * becomes a line of its own; `thingkeep audit verify` then says where the chain is broken.
   */
  static async open(options: AuditLogOptions): Promise<AuditLog> {
    try {
      return await AuditLog.#open(options);
    } catch (error) {
      const why = messageOf(error);
      throw new AuditError(`the audit log ${options.folder} can't be opened: ${why}`, { cause: error });
    }
  }

  static async #open(options: AuditLogOptions): Promise<AuditLog> {
    const { folder, store, log } = options;
    const state = await store.read(readAuditState);
    const known = readKey(folder);
    if (known !== undefined) sealOldKey(folder, known);
    const key = known ?? makeKey(folder);
    const found = lastOf(folder);
    const { path } = auditFiles(folder).at(-1) ?? fileOf(folder, Math.max(state.head.number, found?.number ?? 0) + 1);
    const file = openSync(path, 'a+', 0o600);
    fsyncFolder(folder);
    const isShort = (found?.number ?? 0) < state.head.number;
    // The last line that the data file knows, with another MAC: it was changed.
    const isChanged = found?.number === state.head.number && found.mac !== state.head.mac;
    const last = isShort || isChanged ? state.head : (found ?? ORIGIN);
    const audit = new AuditLog(options, key, state, last, file);
    store.beforeCommit(audit.#beforeCommit);
    if (isShort) {
      const members = { event: 'audit-log-cut', found: found?.number ?? 0, expected: state.head.number };
      log.error(members, 'the audit log ends before the line that the data file knows: lines are missing');
      audit.#append(members);
    }
    if (isChanged) {
      const members = { event: 'audit-log-changed', of: state.head.number };
      log.error(members, 'the last line of the audit log is not the one that the data file knows: it was changed');
      audit.#append(members);
    }
    if (known === undefined && state.head.number > 0) {
      log.error({ event: 'audit-key-made' }, 'the key of the audit log was missing: earlier lines can not be verified');
      audit.#append({ event: 'audit-key-made' });
    }
    return audit;
  }

  get state(): AuditState {
    return { head: this.#stored, removed: this.#removed };
  }

  /**
   * Writes the line of a call that is about to change something. Fails with ServiceUnavailableException when it can't be
   * written: the caller must then not make the change. Returns the function that writes the result.
   */
  begin(call: AuditedCall): (result: AuditResult) => void {
    let number: number;
    try {
      number = this.#append(call);
    } catch (error) {
      const refusal = asRefusal(error);
      if (isDiskRefusal(refusal)) throw refusal;
      this.#options.log.error({ err: error }, 'the audit log can not be written: a change was refused');
      return fail('ServiceUnavailableException', 'The audit log can not be written, so nothing is changed.');
    }
    return (result) => {
      try {
        this.#append({ of: number, ...result });
      } catch (error) {
        this.#options.log.error({ err: error, of: number }, 'the result of a change could not be written to the audit log');
      }
    };
  }

  /**
   * Writes the line of a change that was refused before it began: a bounded number per second and account, so that a caller
   * without permissions can't push out the lines of others. The next line says how many were left out.
   */
  refused(call: AuditedCall, result: AuditResult): void {
    const second = Math.floor(this.#options.clock.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#refusedOf.clear();
    }
    const account = String(call.accountId);
    const count = (this.#refusedOf.get(account) ?? 0) + 1;
    this.#refusedOf.set(account, count);
    if (count > REFUSED_PER_SECOND) {
      this.#leftOut += 1;
      return;
    }
    const leftOut = this.#leftOut === 0 ? undefined : this.#leftOut;
    try {
      this.#append({ ...call, ...result, refusedLeftOut: leftOut });
      this.#leftOut = 0;
    } catch (error) {
      this.#options.log.error({ err: asRefusal(error) }, 'a refused change could not be written to the audit log');
    }
  }

  /** Keeps old files from being removed until the returned function is called: for a backup. */
  async hold(): Promise<() => void> {
    // Files that the data file no longer keeps are removed first.
    do await this.settle();
    while (this.#last.number !== this.#stored.number);
    this.#holds += 1;
    return () => {
      this.#holds -= 1;
    };
  }

  /** Syncs all lines to disk and stores the number and MAC of the last one in the transaction; called before each commit. */
  readonly #beforeCommit = async (tx: WriteTransaction): Promise<(() => void) | undefined> => {
    if (this.#last.number === this.#stored.number) return undefined;
    this.#sync();
    const [head, removed] = [this.#last, this.#removed];
    await putHead(tx, head);
    await putRemoved(tx, removed);
    return () => {
      this.#stored = head;
      if (this.#holds > 0) return;
      try {
        this.#removeFiles(removed);
      } catch (error) {
        this.#options.log.error({ err: error }, 'old files of the audit log could not be removed');
      }
    };
  };

  /** Stores the last line's number and MAC, if no commit has done so. */
  async settle(): Promise<void> {
    if (this.#last.number !== this.#stored.number) await this.#options.store.write(async () => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.settle();
    } finally {
      this.#closed = true;
      closeSync(this.#file);
    }
  }

  #sync(): void {
    if (this.#synced) return;
    try {
      fdatasyncSync(this.#file);
    } catch (error) {
      this.#options.panic?.('the audit log', error);
      throw error;
    }
    this.#synced = true;
  }

  #append(members: object): number {
    if (this.#closed) throw new AuditError('the log is closed');
    const { line, link } = makeLine(this.#key, this.#last, {
      time: new Date(this.#options.clock.now()).toISOString(),
      ...members,
    });
    const bytes = Buffer.from(`${line}\n`);
    if (this.#fileBytes > 0 && this.#fileBytes + bytes.length > (this.#options.fileBytes ?? FILE_BYTES)) this.#nextFile();
    this.#synced = false;
    try {
      for (let written = 0; written < bytes.length; ) written += writeSync(this.#file, bytes, written);
    } catch (error) {
      // A full disk takes a part of the line: it must not precede the next line.
      ftruncateSync(this.#file, this.#fileBytes);
      throw error;
    }
    this.#fileBytes += bytes.length;
    this.#last = link;
    return link.number;
  }

  #nextFile(): void {
    const { folder, keptBytes } = this.#options;
    this.#sync();
    // A file of this name is empty: an earlier try has left it.
    const next = openSync(fileOf(folder, this.#last.number + 1).path, 'a', 0o600);
    closeSync(this.#file);
    this.#file = next;
    this.#fileBytes = 0;
    fsyncFolder(folder);
    const files = auditFiles(folder);
    while (this.#holds === 0 && files.length > 2 && sizeOf(files) > keptBytes) {
      const [oldest] = files.splice(0, 1);
      this.#removed = (oldest && lastLineOf(oldest.path)) ?? this.#removed;
    }
  }

  /** Removes files whose last line is at most this one; the data file no longer keeps them. */
  #removeFiles({ number }: ChainLink): void {
    const files = auditFiles(this.#options.folder);
    for (const [i, { path }] of files.entries()) {
      const next = files[i + 1];
      if (next === undefined || next.first > number + 1) return;
      rmSync(path, { force: true });
    }
  }
}

function lastLineOf(path: string): ChainLink | undefined {
  const text = readFileSync(path, 'utf8');
  return readLink(text.slice(text.lastIndexOf('\n', text.length - 2) + 1, -1));
}

/** Finds the last line of the log; removes empty files at its end, which a failed rotation has left. */
function lastOf(folder: string): ChainLink | undefined {
  for (const { path } of auditFiles(folder).reverse()) {
    const bytes = cutTornLine(path);
    const link = bytes
      .toString()
      .split('\n')
      .reverse()
      .map(readLink)
      .find((found) => found !== undefined);
    if (link !== undefined) return link;
    // A file with other content is kept: `audit verify` names it.
    if (bytes.length > 0) return undefined;
    rmSync(path, { force: true });
  }
  return undefined;
}

/** Reads the complete lines of a file; cuts off an incomplete line at its end, which a crash leaves. */
function cutTornLine(path: string): Buffer {
  const bytes = readFileSync(path);
  const end = bytes.lastIndexOf(0x0a) + 1;
  if (end === bytes.length) return bytes;
  const file = openSync(path, 'r+');
  try {
    ftruncateSync(file, end);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return bytes.subarray(0, end);
}
