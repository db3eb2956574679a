/** Pages of IAM's lists: Marker, IsTruncated, MaxItems (API reference of IAM, for instance ListUsers). */
import { fail } from '@thingkeep/wire/errors.ts';
import type { Collection, ReadTransaction, Scan } from '../store/contract.ts';

/** "If you do not include this parameter, the number of items defaults to 100." */
const DEFAULT_ITEMS = 100;

export interface PageInput {
  readonly Marker?: string | undefined;
  readonly MaxItems?: number | undefined;
}

interface PageEnd {
  readonly IsTruncated: boolean;
  readonly Marker?: string;
}

const end = (next: string | undefined): PageEnd =>
  next === undefined ? { IsTruncated: false } : { IsTruncated: true, Marker: next };

/** A page of the records that `keep` lets through. Read in full: an account's quotas bound it. */
export async function scanPage<T extends object>(
  tx: ReadTransaction,
  of: Collection<T>,
  scan: Pick<Scan, 'index' | 'prefix'>,
  { Marker, MaxItems = DEFAULT_ITEMS }: PageInput,
  keep: (record: T) => boolean = () => true,
): Promise<{ items: T[]; end: PageEnd }> {
  const items: T[] = [];
  let after = Marker;
  do {
    const page = await tx
      .scan(of, { skipDamaged: true, ...scan, after, limit: MaxItems - items.length })
      .catch(() => badMarker());
    items.push(...page.items.filter(keep));
    after = page.next;
  } while (after !== undefined && items.length < MaxItems);
  return { items, end: end(after) };
}

const badMarker = (): never => fail('ValidationError', 'The marker is not one of this listing');

/** A page of a short list of items with unique names. */
export function listPage<T>(
  list: readonly T[],
  nameOf: (item: T) => string,
  { Marker, MaxItems = DEFAULT_ITEMS }: PageInput,
): { items: readonly T[]; end: PageEnd } {
  const after = Marker === undefined ? undefined : Buffer.from(Marker, 'base64url').toString();
  const from = after === undefined ? 0 : list.findIndex((item) => nameOf(item) === after) + 1;
  if (after !== undefined && from === 0) badMarker();
  const items = list.slice(from, from + MaxItems);
  const last = items.at(-1);
  const more = last !== undefined && from + items.length < list.length;
  return { items, end: end(more ? Buffer.from(nameOf(last)).toString('base64url') : undefined) };
}
