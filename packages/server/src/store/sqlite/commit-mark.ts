/**
 * How many commits were acknowledged, in a small file beside the data file. It is written after each commit and not synced:
 * what it says was on disk when it said so, after a kill -9 and after a power cut. A data file that holds fewer commits has
 * lost some, whose log was cut off or removed, or is an older copy.
 */
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import type { StoredNotes } from './notes.ts';

/** Name of the note that counts commits in the data file. */
export const COMMITS = 'commits';

/** A double of 8 bytes and a CRC-32 of it. */
const SIZE = 12;
const SUM_AT = 8;

const pathOf = (dataFile: string): string => `${dataFile}-commits`;

/** The count that was marked last; undefined where there is no mark, or it is damaged. */
export function readMark(dataFile: string): number | undefined {
  const path = pathOf(dataFile);
  if (dataFile === ':memory:' || !existsSync(path)) return undefined;
  const bytes = readFileSync(path);
  if (bytes.length !== SIZE || bytes.readUInt32BE(SUM_AT) !== crc32(bytes.subarray(0, SUM_AT))) return undefined;
  return bytes.readDoubleBE(0);
}

/** Removes the mark of a data file that has been repaired. */
export const forgetMark = (dataFile: string): void => rmSync(pathOf(dataFile), { force: true });

/** Acknowledged commits that the data file does not hold. A count that is damaged itself says nothing. */
export function lostCommits(dataFile: string, notes: StoredNotes): number {
  const marked = readMark(dataFile);
  if (marked === undefined || notes.damaged.includes(COMMITS)) return 0;
  return Math.max(0, marked - Number(notes.good.get(COMMITS) ?? 0));
}

/** Writes the mark of an open data file; one in memory has none. */
export class CommitMark implements Disposable {
  readonly #file: number | undefined;
  readonly #bytes = Buffer.alloc(SIZE);

  constructor(db: DatabaseSync) {
    const dataFile = db.location();
    this.#file = dataFile === null ? undefined : openSync(pathOf(dataFile), existsSync(pathOf(dataFile)) ? 'r+' : 'w+', 0o600);
  }

  write(count: number): void {
    if (this.#file === undefined) return;
    this.#bytes.writeDoubleBE(count, 0);
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
