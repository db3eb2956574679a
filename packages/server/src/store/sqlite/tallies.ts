/**
 * How many records each collection holds, and a digest of their checksums, kept in the same commits: what is missing from
 * the file, or has come back from an older state of it, is found by counting again.
 */
import type { DatabaseSync } from 'node:sqlite';
import { COMMITS } from './commit-mark.ts';
import { type StoredNotes, preparePutNote, type PutNote, readNotes } from './notes.ts';

export interface Tally {
  readonly count: number;
  /** Sum of the checksums, modulo 2^50. */
  readonly digest: number;
}

const RANGE = 2 ** 50;
export const NO_TALLY: Tally = { count: 0, digest: 0 };
const PREFIX = 'tally/';

/** Name of the note that keeps a tally. */
export const tallyNote = (name: string): string => PREFIX + name;

const addTallies = (a: Tally, b: Tally): Tally => ({
  count: a.count + b.count,
  digest: (a.digest + b.digest + RANGE) % RANGE,
});

export const sameTally = (a: Tally, b: Tally): boolean => a.count === b.count && a.digest === b.digest;

const render = ({ count, digest }: Tally): string => `${count} ${digest}`;

const parse = (text: string): Tally => {
  const [count = Number.NaN, digest = Number.NaN] = text.split(' ').map(Number);
  return { count, digest };
};

/** Adds to the tally of a name. */
export const addTo = (to: Map<string, Tally>, name: string, change: Tally): void => {
  to.set(name, addTallies(to.get(name) ?? NO_TALLY, change));
};

export class Tallies {
  readonly #putNote: PutNote;
  readonly #stored = new Map<string, Tally>();
  #commits: number;
  #batch = new Map<string, Tally>();
  #write = new Map<string, Tally>();

  constructor(db: DatabaseSync, notes: StoredNotes = readNotes(db)) {
    this.#putNote = preparePutNote(db);
    this.#commits = Number(notes.good.get(COMMITS) ?? 0);
    for (const [name, value] of notes.good)
      if (name.startsWith(PREFIX)) this.#stored.set(name.slice(PREFIX.length), parse(value));
  }

  /** Commits that have changed something, since the file was made. */
  get commits(): number {
    return this.#commits;
  }

  /** Committed tallies by name. */
  get stored(): ReadonlyMap<string, Tally> {
    return this.#stored;
  }

  /** Notes that the write under way adds, replaces or removes something: checksums, or 0 for none. */
  change(name: string, added: number, removed: number, count: number): void {
    addTo(this.#write, name, { count, digest: added - removed });
  }

  /** The write's changes belong to the batch from here on. */
  keep(): void {
    if (this.#write.size === 0) return;
    for (const [name, change] of this.#write) addTo(this.#batch, name, change);
    this.#write = new Map();
  }

  /** The write's changes are undone. */
  drop(): void {
    if (this.#write.size > 0) this.#write = new Map();
  }

  /** Writes the tallies of the batch, and counts its commit, in its transaction. */
  store(): void {
    if (this.#batch.size === 0) return;
    this.#putNote(COMMITS, String(this.#commits + 1));
    for (const [name, change] of this.#batch)
      if (change.count !== 0 || change.digest !== 0) this.#set(name, addTallies(this.#stored.get(name) ?? NO_TALLY, change));
  }

  /** The batch is on disk. Says whether it has changed anything. */
  committed(): boolean {
    if (this.#batch.size === 0) return false;
    this.#commits += 1;
    for (const [name, change] of this.#batch) addTo(this.#stored, name, change);
    this.#batch = new Map();
    return true;
  }

  /** The batch is undone. */
  rolledBack(): void {
    this.#batch = new Map();
    this.drop();
  }

  /** Replaces a tally by what was counted, in a transaction of the caller's. */
  replace(name: string, tally: Tally): void {
    this.#set(name, tally);
    this.#stored.set(name, tally);
  }

  #set(name: string, tally: Tally): void {
    this.#putNote(tallyNote(name), render(tally));
  }
}
