/** Pages of the registry's lists, with filters that no index answers. */
import type { Collection, Page, ReadTransaction, Scan } from '../store/contract.ts';

/** Largest page that the API lets a caller ask for, and what one gets who does not ask. */
export const PAGE = 250;

/** Records that one request reads at most while it looks for those that a filter keeps. */
const MAX_READ = 5000;

/**
 * A page of the records that `keep` lets through. A filter that keeps few may give a short page with a token: what one
 * request reads stays bounded (the API promises at most, never exactly, the asked number).
 */
export async function filteredPage<T extends object>(
  tx: ReadTransaction,
  of: Collection<T>,
  scan: Omit<Scan, 'limit'> & { readonly limit: number },
  keep: (record: T) => boolean,
): Promise<Page<T>> {
  const items: T[] = [];
  let after = scan.after;
  for (let read = 0; ; ) {
    const page = await tx.scan(of, { skipDamaged: true, ...scan, after, limit: scan.limit - items.length });
    items.push(...page.items.filter(keep));
    read += page.items.length;
    after = page.next;
    if (after === undefined) return { items };
    if (items.length >= scan.limit || read >= MAX_READ) return { items, next: after };
  }
}
