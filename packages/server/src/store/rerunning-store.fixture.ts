/**
 * A store that runs every write twice and keeps the second run alone, as an engine does after a conflict: a write that
 * counts or collects outside of its transaction shows it here.
 */
import type { CommitHook, HookedStore, ReadTransaction, WriteOrder, WriteTransaction } from './contract.ts';
import { openSqliteStore } from './sqlite/sqlite-store.ts';

class TakenBack extends Error {}

class RerunningStore implements HookedStore {
  readonly #store: HookedStore;

  constructor(store: HookedStore) {
    this.#store = store;
  }

  read<R>(work: (tx: ReadTransaction) => Promise<R>): Promise<R> {
    return this.#store.read(work);
  }

  async write<R>(work: (tx: WriteTransaction) => Promise<R>, order?: WriteOrder): Promise<R> {
    const first = this.#store.write(async (tx) => {
      await work(tx);
      throw new TakenBack();
    }, order);
    // Begun at once, so that writes keep the order in which they were asked for.
    const second = this.#store.write(work, order);
    await first.catch(() => undefined);
    return second;
  }

  beforeCommit(hook: CommitHook): void {
    this.#store.beforeCommit(hook);
  }

  backup(path: string): Promise<void> {
    return this.#store.backup(path);
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#store[Symbol.asyncDispose]();
  }
}

/** A store in memory, for tests, whose writes run twice. */
export const openMemoryStore = async (): Promise<HookedStore> => new RerunningStore(await openSqliteStore({ path: ':memory:' }));
