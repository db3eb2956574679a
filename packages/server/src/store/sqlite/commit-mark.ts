/**
 * How many commits were acknowledged, in a small file beside the data file. It is written after each commit and not synced:
 * what it says was on disk when it said so, after a kill -9 and after a power cut. A data file that holds fewer commits has
 * lost some, whose log was cut off or removed, or is an older copy. It names the data file that it counts for: of another
 * one, or of one that was made anew, it says nothing, and the check of the installation decides that.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { keepNote, type StoredNotes, readNotes } from './notes.ts';

/** Name of the note that counts commits in the data file. */
export const COMMITS = 'commits';
/** Name of the note that tells a data file, with all its copies, from others. */
const FILE = 'file';

/** 8 bytes of the data file's name, a double of 8 bytes, and a CRC-32 of both. */
const SIZE = 20;
const COUNT_AT = 8;
const SUM_AT = 16;

const pathOf = (dataFile: string): string => `${dataFile}-commits`;

interface Mark {
  readonly file: string;
  readonly count: number;
}

/** What was marked last; undefined where there is no mark, or it is damaged. */
function readMark(dataFile: string): Mark | undefined {
  const path = pathOf(dataFile);
  if (dataFile === ':memory:' || !existsSync(path)) return undefined;
  const bytes = readFileSync(path);
  if (bytes.length !== SIZE || bytes.readUInt32BE(SUM_AT) !== crc32(bytes.subarray(0, SUM_AT))) return undefined;
  return { file: bytes.toString('hex', 0, COUNT_AT), count: bytes.readDoubleBE(COUNT_AT) };
}

/** The count that was marked last for this data file; 0 where nothing says. One without a name has lost it with its log. */
export function markedCommits(dataFile: string, { good }: StoredNotes): number {
  const mark = readMark(dataFile);
  return mark !== undefined && mark.file === (good.get(FILE) ?? mark.file) ? mark.count : 0;
}

/** Removes the mark of a data file that has been repaired. */
export const forgetMark = (dataFile: string): void => rmSync(pathOf(dataFile), { force: true });

/** Acknowledged commits that the data file does not hold. A count that is damaged itself says nothing. */
export function lostCommits(dataFile: string, notes: StoredNotes): number {
  if (notes.damaged.includes(COMMITS)) return 0;
  return Math.max(0, markedCommits(dataFile, notes) - Number(notes.good.get(COMMITS) ?? 0));
}

/** Names a data file that has no name yet. */
export function nameFile(db: DatabaseSync): void {
  if (readNotes(db).good.has(FILE)) return;
  db.exec('BEGIN IMMEDIATE');
  keepNote(db, FILE, randomBytes(COUNT_AT).toString('hex'));
  db.exec('COMMIT');
}

export class CommitMark implements Disposable {
  readonly #file: number | undefined;
  readonly #bytes = Buffer.alloc(SIZE);

  /** Of a data file that is open and holds so many commits. A mark for another file stays until the first commit. */
  constructor(db: DatabaseSync, count: number) {
    const dataFile = db.location();
    if (dataFile === null) return;
    const name = readNotes(db).good.get(FILE) ?? '';
    const mark = readMark(dataFile);
    this.#file = openSync(pathOf(dataFile), mark === undefined ? 'w+' : 'r+', 0o600);
    this.#bytes.write(name, 0, 'hex');
    if (mark === undefined || mark.file === name) this.write(count);
  }

  write(count: number): void {
    if (this.#file === undefined) return;
    this.#bytes.writeDoubleBE(count, COUNT_AT);
    this.#bytes.writeUInt32BE(crc32(this.#bytes.subarray(0, SUM_AT)), SUM_AT);
    try {
      writeSync(this.#file, this.#bytes, 0, SIZE, 0);
    } catch {
      // An older mark is true as well.
    }
  }

  [Symbol.dispose](): void {
    if (this.#file !== undefined) closeSync(this.#file);
  }
}
