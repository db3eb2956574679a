/** Buckets of the embedded objects, as records: their names are one space for all accounts. */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ReadTransaction, Store } from '../store/contract.ts';
import { objectFault } from './contract.ts';
import { type BucketRecord, objectBuckets, objects } from './store.ts';

/** S3 user guide: buckets of an account. */
const MAX_BUCKETS = 100;

export interface ObjectBucketsOptions {
  readonly store: Store;
  readonly clock: Clock;
}

export class ObjectBuckets {
  readonly #options: ObjectBucketsOptions;

  constructor(options: ObjectBucketsOptions) {
    this.#options = options;
  }

  async create(place: Place, bucket: string): Promise<void> {
    refuseBucketName(bucket);
    const { store, clock } = this.#options;
    await store.write(async (tx) => {
      const there = await tx.get(objectBuckets, [bucket]);
      if (there?.accountId === place.accountId)
        objectFault(
          'BucketAlreadyOwnedByYou',
          'Your previous request to create the named bucket succeeded and you already own it.',
        );
      if (there !== undefined)
        objectFault('BucketAlreadyExists', 'The requested bucket name is not available: another account has it.');
      const own = await tx.scan(objectBuckets, { index: 'byAccount', prefix: [place.accountId], limit: MAX_BUCKETS });
      if (own.items.length >= MAX_BUCKETS)
        objectFault('TooManyBuckets', 'You have attempted to create more buckets than allowed');
      const { accountId, region } = place;
      await tx.put(objectBuckets, { bucket, accountId, region, createdAt: clock.now() });
    });
  }

  async delete(accountId: string, bucket: string): Promise<void> {
    await this.#options.store.write(async (tx) => {
      await ownBucket(tx, accountId, bucket);
      const { items } = await tx.scan(objects, { prefix: [bucket], limit: 1 });
      if (items.length > 0) objectFault('BucketNotEmpty', 'The bucket you tried to delete is not empty');
      await tx.delete(objectBuckets, [bucket]);
    });
  }

  /** Fails with NoSuchBucket or AccessDenied. */
  get(accountId: string, bucket: string): Promise<BucketRecord> {
    return this.#options.store.read((tx) => ownBucket(tx, accountId, bucket));
  }

  async ofAccount(accountId: string): Promise<readonly BucketRecord[]> {
    const scan = { skipDamaged: true, index: 'byAccount', prefix: [accountId] };
    return (await this.#options.store.read((tx) => tx.scan(objectBuckets, scan))).items;
  }
}

/** A bucket of the account; that of another one is not to be told from one that is forbidden. */
export async function ownBucket(tx: ReadTransaction, accountId: string, bucket: string): Promise<BucketRecord> {
  const found = await tx.get(objectBuckets, [bucket]);
  if (found === undefined) return objectFault('NoSuchBucket', 'The specified bucket does not exist');
  return found.accountId === accountId ? found : objectFault('AccessDenied', 'Access Denied');
}

/** S3 user guide, page bucketnamingrules. */
function refuseBucketName(bucket: string): void {
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket) || bucket.includes('..') || /^\d+\.\d+\.\d+\.\d+$/.test(bucket))
    objectFault('InvalidBucketName', 'The specified bucket is not valid.');
}
