/** Tags of resources, kept under the ARN; written by operations that create a resource, and by the tag operations. */
import { type ErrorCode, fail } from '@thingkeep/wire/errors.ts';
import type { ReadTransaction, WriteTransaction } from '../store/contract.ts';
import { type TagRecord, tags as tagRecords } from './store.ts';

/** As the SDK types a tag; the API's model requires the key. */
export interface GivenTag {
  readonly Key: string | undefined;
  readonly Value?: string | undefined;
}

/** General Reference, "Tagging AWS resources": 50 tags per resource; the prefix `aws:` is reserved. */
const MAX_TAGS = 50;
const RESERVED = /^aws:/i;

export async function tagsOf(tx: ReadTransaction, accountId: string, arn: string): Promise<TagRecord['tags']> {
  return (await tx.get(tagRecords, [accountId, arn]))?.tags ?? [];
}

/** Adds tags to a resource, replacing those of the same key. `tooMany` is what the operation declares for the 51st. */
export async function putTags(
  tx: WriteTransaction,
  accountId: string,
  arn: string,
  given: readonly GivenTag[] | undefined,
  tooMany: ErrorCode = 'InvalidRequestException',
): Promise<void> {
  if (given === undefined || given.length === 0) return;
  const merged = new Map((await tagsOf(tx, accountId, arn)).map((tag) => [tag.Key, tag.Value]));
  const seen = new Set<string>();
  for (const { Key = '', Value = '' } of given) {
    if (Key === '') fail('InvalidRequestException', 'A tag needs a key.');
    if (RESERVED.test(Key)) fail('InvalidRequestException', 'Tag keys that begin with aws: are reserved.');
    if (seen.has(Key)) fail('InvalidRequestException', `Duplicate tag key: ${Key}`);
    seen.add(Key);
    merged.set(Key, Value);
  }
  if (merged.size > MAX_TAGS) fail(tooMany, `A resource can have at most ${MAX_TAGS} tags.`);
  await tx.put(tagRecords, { accountId, resourceArn: arn, tags: [...merged].map(([Key, Value]) => ({ Key, Value })) });
}

export async function removeTagKeys(
  tx: WriteTransaction,
  accountId: string,
  arn: string,
  keys: readonly string[],
): Promise<void> {
  const left = (await tagsOf(tx, accountId, arn)).filter((tag) => !keys.includes(tag.Key));
  if (left.length === 0) await dropTags(tx, accountId, arn);
  else await tx.put(tagRecords, { accountId, resourceArn: arn, tags: left });
}

/** Tags go with their resource. */
export async function dropTags(tx: WriteTransaction, accountId: string, arn: string): Promise<void> {
  await tx.delete(tagRecords, [accountId, arn]);
}
