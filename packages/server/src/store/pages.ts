/** Walks over a collection that may be large: a page of it in each transaction, so that others have their turn between. */
import type { Collection, Page, Scan, Store } from './contract.ts';

const PAGE = 500;

/** Pages of a scan, each as it is when it is read. */
export async function* pages<T extends object>(
  store: Store,
  of: Collection<T>,
  scan: Omit<Scan, 'after' | 'limit'>,
): AsyncGenerator<Page<T>, void, undefined> {
  for (let after: string | undefined; ; ) {
    const from = after;
    const page = await store.read((tx) => tx.scan(of, { ...scan, after: from, limit: PAGE }));
    yield page;
    if (page.next === undefined) return;
    after = page.next;
  }
}
