/** Notes that the engine keeps of its file beside the records: the form, the forms of indexes, the tallies. */
import type { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { wholeNumber } from './statements.ts';

/** Name of the note of the file's form. */
export const FORM = 'form';

const noteSum = (name: string, value: string): number => crc32(`${name}\0${value}`);

/** The notes of a file. */
export interface StoredNotes {
  readonly good: ReadonlyMap<string, string>;
  /** Names of those whose checksum does not fit. */
  readonly damaged: readonly string[];
}

export function readNotes(db: DatabaseSync): StoredNotes {
  const good = new Map<string, string>();
  const damaged: string[] = [];
  for (const { name, value, sum } of db.prepare(`SELECT name, value, ${wholeNumber('sum')} AS sum FROM note`).all()) {
    if (typeof name === 'string' && typeof value === 'string' && noteSum(name, value) === sum) good.set(name, value);
    else damaged.push(String(name));
  }
  return { good, damaged };
}

/** Writes a note in a transaction of the caller's. */
export type PutNote = (name: string, value: string) => void;

export function preparePutNote(db: DatabaseSync): PutNote {
  const put = db.prepare(
    'INSERT INTO note (name, value, sum) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value, sum = excluded.sum',
  );
  return (name, value) => void put.run(name, value, noteSum(name, value));
}

/** Writes one note, in a transaction of the caller's. */
export const keepNote = (db: DatabaseSync, name: string, value: string): void => preparePutNote(db)(name, value);
