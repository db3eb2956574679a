/** Notes that the engine keeps of its file beside the records: the form, the forms of indexes, the tallies. */
import type { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { wholeNumber } from './statements.ts';

export const noteSum = (name: string, value: string): number => crc32(`${name}\0${value}`);

export interface NotesReader {
  readonly good: ReadonlyMap<string, string>;
  /** Names of those whose checksum does not fit. */
  readonly damaged: readonly string[];
}

export function readNotes(db: DatabaseSync): NotesReader {
  const good = new Map<string, string>();
  const damaged: string[] = [];
  for (const { name, value, sum } of db.prepare(`SELECT name, value, ${wholeNumber('sum')} AS sum FROM note`).all()) {
    if (typeof name === 'string' && typeof value === 'string' && noteSum(name, value) === sum) good.set(name, value);
    else damaged.push(String(name));
  }
  return { good, damaged };
}

/** Keeps a note, in a transaction of the caller's. */
export function keepNote(db: DatabaseSync, name: string, value: string): void {
  db.prepare(
    'INSERT INTO note (name, value, sum) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value, sum = excluded.sum',
  ).run(name, value, noteSum(name, value));
}
