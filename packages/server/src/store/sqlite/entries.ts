/**
 * The index entries of a record, as they are kept beside it: what was written when the record was, whatever its index
 * functions say today. An entry is the tuple that the index function gave, encoded; in the table it is followed by the
 * record's key.
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Collection } from '../contract.ts';
import { encodeKey } from '../key-encoding.ts';

/** Entries by a name of their own: scope and bytes. */
export type Entries = ReadonlyMap<string, { readonly scope: string; readonly entry: Buffer }>;

export const NO_ENTRIES: Entries = new Map();

const HEAD = 4;
const EMPTY = Buffer.alloc(0);

export const scopeOf = (collection: string, index: string): string => `${collection}/${index}`;

/** The collection of a scope. */
export const collectionOf = (scope: string): string => scope.slice(0, Math.max(scope.lastIndexOf('/'), 0));

const nameOf = (scope: string, entry: Buffer): string => `${scope}/${entry.toString('latin1')}`;

/**
 * What the collection's index functions give for a record. `before` is what stands before a regional record's own key: its
 * region stands before its tuples too.
 */
export function entriesOf<T extends object>(of: Collection<T>, record: T, key: Uint8Array, before: Uint8Array = EMPTY): Entries {
  const entries = new Map<string, { scope: string; entry: Buffer }>();
  for (const [index, derive] of Object.entries(of.indexes)) {
    const scope = scopeOf(of.name, index);
    for (const tuple of derive(record)) {
      const entry = Buffer.concat([before, encodeKey(tuple), key]);
      entries.set(nameOf(scope, entry), { scope, entry });
    }
  }
  return entries;
}

/** {@link entriesOf} for a record as it lies in the file; undefined where it does not belong under its key. */
export function entriesOfStored<T extends object>(of: Collection<T>, record: T, key: Uint8Array): Entries | undefined {
  const own = encodeKey(of.key(record));
  const before = key.subarray(0, key.length - own.length);
  if (key.length < own.length || Buffer.compare(key.subarray(before.length), own) !== 0) return undefined;
  return entriesOf(of, record, key, before);
}

/**
 * Entries as bytes: a CRC-32 of the key and of what follows, then for each entry the length of its index's name (1 byte),
 * the name, the length of the tuple (4 bytes) and the tuple. No entries are no bytes.
 */
export function packEntries(collection: string, key: Uint8Array, entries: Entries): Buffer {
  if (entries.size === 0) return EMPTY;
  const parts: Buffer[] = [Buffer.alloc(HEAD)];
  for (const { scope, entry } of entries.values()) {
    const index = Buffer.from(scope.slice(collection.length + 1));
    const tuple = entry.subarray(0, entry.length - key.length);
    const head = Buffer.alloc(1 + index.length + 4);
    head[0] = index.length;
    index.copy(head, 1);
    head.writeUInt32BE(tuple.length, 1 + index.length);
    parts.push(head, tuple);
  }
  const bytes = Buffer.concat(parts);
  bytes.writeUInt32BE(crc32(bytes.subarray(HEAD), crc32(key)), 0);
  return bytes;
}

/** Shows each index and tuple of packed entries; false where they are damaged. */
export function eachPacked(key: Uint8Array, packed: unknown, visit: (index: string, tuple: Buffer) => void): boolean {
  if (!(packed instanceof Uint8Array)) return false;
  if (packed.length === 0) return true;
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
  if (bytes.length < HEAD || bytes.readUInt32BE(0) !== crc32(bytes.subarray(HEAD), crc32(key))) return false;
  for (let at = HEAD; at < bytes.length; ) {
    const nameEnd = at + 1 + (bytes[at] ?? 0);
    const end = nameEnd + 4 + bytes.readUInt32BE(nameEnd);
    visit(bytes.toString('latin1', at + 1, nameEnd), bytes.subarray(nameEnd + 4, end));
    at = end;
  }
  return true;
}

/** Entries of the bytes; undefined where they are damaged. */
export function unpackEntries(collection: string, key: Uint8Array, packed: unknown): Entries | undefined {
  const entries = new Map<string, { scope: string; entry: Buffer }>();
  const isGood = eachPacked(key, packed, (index, tuple) => {
    const scope = scopeOf(collection, index);
    const entry = Buffer.concat([tuple, key]);
    entries.set(nameOf(scope, entry), { scope, entry });
  });
  return isGood ? entries : undefined;
}

/** The form of a collection's indexes: another one when an index comes, goes, or has another function. */
export const indexForm = (of: Collection<never>): string =>
  createHash('sha256')
    .update(JSON.stringify(Object.entries(of.indexes).map(([name, derive]) => [name, derive.toString()])))
    .digest('base64');
