/** The embedded store of objects: objects of accounts, as records and files. */
import { defined } from '@thingkeep/wire/defined.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store } from '../store/contract.ts';
import { pages } from '../store/pages.ts';
import { ObjectBuckets, ownBucket } from './object-buckets.ts';
import { type ObjectName, objectFault } from './contract.ts';
import { checked, type ObjectFiles, type WrittenFile } from './object-files.ts';
import { ObjectUsage } from './object-usage.ts';
import { type ObjectRecord, objects } from './store.ts';

export interface EmbeddedObjectsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly files: ObjectFiles;
  /** Bytes that an account may have, those for the records of its objects among them. */
  readonly limitOf: (accountId: string) => number;
  /** Whether the disk has no room left for what users bring. */
  readonly isDiskLow: () => boolean;
}

/** S3 user guide: bytes of an object that comes in one request; bytes of a key. */
const MAX_OBJECT = 5 * 1024 ** 3;
const MAX_KEY = 1024;
/** Records that are read at once where a list may skip those behind the first. */
const FEW = 16;

/** What comes with an object's bytes. `size` is what is announced of it: other bytes are refused. */
export interface GivenObject extends Pick<ObjectRecord, 'headers' | 'size'> {
  readonly contentType?: string | undefined;
  /** Looked at once all bytes are there; throws where they are not what was announced. */
  readonly check?: (written: { readonly md5: string }) => ObjectRecord['checksum'];
  /** Refuses an object that is there already. */
  readonly mustBeNew?: boolean;
}

export interface ListOptions {
  readonly bucket: string;
  readonly prefix: string;
  readonly delimiter: string;
  /** Names behind this one. */
  readonly after: string;
  readonly limit: number;
}

export interface ListedObjects {
  readonly objects: readonly ObjectRecord[];
  /** Beginnings of keys up to the delimiter. */
  readonly prefixes: readonly string[];
  /** The last name looked at, where there are more. */
  readonly next?: string;
}

/** Above every key that goes on behind it: as many of the highest character as a key can have. */
const HIGHEST = '\u{10FFFF}'.repeat(MAX_KEY / 4);

export class EmbeddedObjects {
  readonly buckets: ObjectBuckets;
  readonly #options: EmbeddedObjectsOptions;
  readonly #usage: ObjectUsage;

  constructor(options: EmbeddedObjectsOptions) {
    this.#options = options;
    this.buckets = new ObjectBuckets(options);
    this.#usage = new ObjectUsage(options.limitOf);
  }

  /** Keeps files for a backup until the function that it gives is called. */
  hold(): () => void {
    return this.#options.files.hold();
  }

  /** Counts what is there, and removes files that no object has. */
  async load(): Promise<void> {
    const { store, files } = this.#options;
    for await (const { items } of pages(store, objects, { skipDamaged: true, prefix: [] }))
      for (const { accountId, size } of items) this.#usage.count(accountId, size);
    await files.sweep(async (file) => {
      const { items } = await store.read((tx) => tx.scan(objects, { index: 'byFile', prefix: [file], limit: 1 }));
      return items.length > 0;
    });
  }

  /** Writes an object, in place of one that is there. */
  async put(
    accountId: string,
    { bucket, key }: ObjectName,
    content: AsyncIterable<Uint8Array>,
    given: GivenObject,
  ): Promise<ObjectRecord> {
    const { store, clock, files, isDiskLow } = this.#options;
    if (Buffer.byteLength(key) > MAX_KEY) objectFault('KeyTooLongError', 'Your key is too long');
    await this.buckets.get(accountId, bucket);
    if (given.size > MAX_OBJECT) objectFault('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size');
    this.#usage.refuseOver(accountId, given.size);
    // Counted before the first byte is written, or a file is opened: uploads at the same time share the limits.
    const ended = this.#usage.beginTransfer(accountId);
    this.#usage.count(accountId, given.size);
    let written: WrittenFile | undefined;
    let before: ObjectRecord | undefined;
    try {
      written = await files.write(whileThereIsRoom(content, isDiskLow), given.size);
      const checksum = given.check?.(written);
      const { contentType, headers, mustBeNew = false } = given;
      const record: ObjectRecord = {
        ...{ bucket, key, accountId, ...written, headers, lastModified: clock.now() },
        ...defined({ contentType, checksum }),
      };
      before = await store.write(async (tx) => {
        await ownBucket(tx, accountId, bucket);
        const there = await tx.get(objects, [bucket, key]);
        if (mustBeNew && there !== undefined)
          objectFault('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
        await tx.put(objects, record);
        return there;
      });
      if (before !== undefined) await this.#forget(before);
      return record;
    } catch (error) {
      if (before === undefined) {
        this.#usage.uncount(accountId, given.size);
        if (written !== undefined) await files.remove(written.file);
      }
      throw error;
    } finally {
      ended();
    }
  }

  /** What is known of an object; fails with NoSuchBucket or NoSuchKey. */
  async describe(accountId: string, { bucket, key }: ObjectName): Promise<ObjectRecord> {
    return this.#options.store.read(async (tx) => {
      await ownBucket(tx, accountId, bucket);
      return (await tx.get(objects, [bucket, key])) ?? objectFault('NoSuchKey', 'The specified key does not exist.');
    });
  }

  /** The bytes of an object that has been described; fails at once with SlowDown where too many are on their way. */
  content({ accountId, file, size, md5 }: ObjectRecord, from: number, to: number): AsyncIterable<Uint8Array> {
    this.#usage.refuseTransferOver(accountId);
    const bytes = this.#options.files.read(file, from, to);
    return this.#transfer(accountId, from === 0 && to === size ? checked(bytes, md5) : bytes);
  }

  /** Deletes an object; one that is not there is no error. */
  async delete(accountId: string, { bucket, key }: ObjectName): Promise<void> {
    const there = await this.#options.store.write(async (tx) => {
      await ownBucket(tx, accountId, bucket);
      const found = await tx.get(objects, [bucket, key]);
      if (found !== undefined) await tx.delete(objects, [bucket, key]);
      return found;
    });
    if (there !== undefined) await this.#forget(there);
  }

  /** Objects by their keys, and beginnings of keys up to the delimiter, each counted as one. */
  async list(accountId: string, { bucket, prefix, delimiter, after, limit }: ListOptions): Promise<ListedObjects> {
    await this.buckets.get(accountId, bucket);
    const found: ObjectRecord[] = [];
    const prefixes: string[] = [];
    let last = after;
    // Behind a record with the delimiter all others of its prefix are skipped: of a page that is read only the first may count.
    let atOnce = delimiter === '' ? limit + 1 : FEW;
    for (;;) {
      const beyond = last === '' ? {} : { beyond: [last] };
      const { items } = await this.#options.store.read((tx) =>
        tx.scan(objects, { skipDamaged: true, prefix: [bucket], startsWith: prefix, ...beyond, limit: atOnce }),
      );
      if (items.length === 0) return { objects: found, prefixes };
      atOnce = Math.min(atOnce * 2, limit + 1);
      for (const record of items) {
        if (found.length + prefixes.length >= limit) return { objects: found, prefixes, next: last };
        const cut = delimiter === '' ? -1 : record.key.indexOf(delimiter, prefix.length);
        last = cut < 0 ? record.key : `${record.key.slice(0, cut + delimiter.length)}${HIGHEST}`;
        if (cut < 0) found.push(record);
        else {
          prefixes.push(record.key.slice(0, cut + delimiter.length));
          atOnce = FEW;
          break;
        }
      }
    }
  }

  async #forget({ accountId, size, file }: ObjectRecord): Promise<void> {
    this.#usage.uncount(accountId, size);
    await this.#options.files.remove(file);
  }

  async *#transfer(accountId: string, content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    const ended = this.#usage.beginTransfer(accountId);
    try {
      yield* content;
    } finally {
      ended();
    }
  }
}

/** The bytes of an upload, which ends where the disk has no room left for it. */
async function* whileThereIsRoom(
  content: AsyncIterable<Uint8Array>,
  isDiskLow: () => boolean,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (isDiskLow()) refuseForDisk();
  for await (const bytes of content) {
    if (isDiskLow()) refuseForDisk();
    yield bytes;
  }
}

const refuseForDisk = (): never => objectFault('ServiceUnavailable', 'The disk of the server is nearly full.');
