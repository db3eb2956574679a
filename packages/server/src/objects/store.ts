/** Records of the embedded objects: buckets, and what is known of each object. Their bytes are files. */
import { collection } from '../store/contract.ts';

/** Bucket names are one space for all accounts and regions, as on AWS. */
export interface BucketRecord {
  readonly bucket: string;
  readonly accountId: string;
  readonly region: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

export interface ObjectRecord {
  readonly bucket: string;
  readonly key: string;
  /** Owner of the bucket. */
  readonly accountId: string;
  /** Names the file that has the bytes: another one for each version of the object. */
  readonly file: string;
  readonly size: number;
  /** MD5, 32 hexadecimal digits. */
  readonly md5: string;
  readonly lastModified: number;
  readonly contentType?: string;
  /** Other headers that are given back as they came: `cache-control`, and those of `x-amz-meta-`. */
  readonly headers: Readonly<Record<string, string>>;
  /** Algorithm and value in base64. */
  readonly checksum?: { readonly algorithm: string; readonly value: string };
}

export const objectBuckets = collection<BucketRecord>(
  'buckets',
  (b) => [b.bucket],
  { byAccount: (b) => [[b.accountId, b.bucket]] },
  { scope: 'server' },
);

export const objects = collection<ObjectRecord>(
  'objects',
  (o) => [o.bucket, o.key],
  { byFile: (o) => [[o.file]] },
  { scope: 'server' },
);
