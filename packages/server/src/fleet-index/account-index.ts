/** One index of an account: built when it is switched on or its sources change, and kept as the store is from then on. */
import type { IndexKey } from './engine/index-file.ts';
import type { IndexThread } from './engine/index-thread.ts';
import type { Query } from './query/query.ts';
import { DocumentPump, type DocumentPumpOptions } from './document-pump.ts';

/** As DescribeIndex says it: BUILDING can't be searched, REBUILDING can. */
export type IndexStatus = 'ACTIVE' | 'BUILDING' | 'REBUILDING';

/** Names that may be marked before a build waits. */
const MAX_AHEAD = 1000;
/** Names of the index that are looked at at once. */
const PAGE = 1000;

/** Milliseconds until a build that has failed is tried again. */
const RETRY = 1000;

export interface AccountIndexOptions {
  readonly key: IndexKey;
  /** Before it is built. */
  readonly status: 'BUILDING' | 'REBUILDING';
  readonly thread: IndexThread;
  readonly read: DocumentPumpOptions['read'];
  /** Pages of the names of all that there is in the store. */
  readonly allNames: () => AsyncIterable<readonly string[]>;
  readonly failed: (error: unknown) => void;
}

export class AccountIndex {
  readonly #options: AccountIndexOptions;
  readonly #pump: DocumentPump;
  #status: IndexStatus;
  /** The build that counts: one that was begun later ends those before. */
  #build: Promise<void> = Promise.resolve();
  #buildNumber = 0;
  /** Ends the pause before another attempt. */
  #resume: (() => void) | undefined;
  #closed = false;

  constructor(options: AccountIndexOptions) {
    this.#options = options;
    this.#status = options.status;
    const { key, thread, read, failed } = options;
    this.#pump = new DocumentPump({
      read,
      update: (documents, removed) => thread.callForServer('update', key, documents, removed),
      overflowed: () => this.build('REBUILDING'),
      failed,
    });
  }

  get status(): IndexStatus {
    return this.#status;
  }

  get key(): IndexKey {
    return this.#options.key;
  }

  /** What a name stands for has changed. */
  mark(name: string): void {
    this.#pump.mark(name);
  }

  /** As {@link mark} for many; resolves once there is room for more. */
  async markAll(names: readonly string[]): Promise<void> {
    for (const name of names) this.#pump.mark(name);
    if (this.#pump.waiting > MAX_AHEAD) await this.#pump.caughtUp();
  }

  /** Resolves once the build that was begun last is done. */
  built(): Promise<void> {
    return this.#build;
  }

  async markEverything(): Promise<void> {
    for await (const names of this.#options.allNames()) if (!this.#closed) await this.markAll(names);
  }

  /** Marks the names of documents that match a query. */
  async markMatching(query: Query): Promise<void> {
    const { key, thread } = this.#options;
    for (let after = 0; !this.#closed; ) {
      const found = await thread.callForServer('search', key, query, after, PAGE);
      await this.markAll(found.map(({ name }) => name));
      const last = found.at(-1);
      if (last === undefined || found.length < PAGE) return;
      after = last.id;
    }
  }

  /** Resolves once what was marked before the call is done, or the index is closed. */
  caughtUp(): Promise<void> {
    return this.#pump.caughtUp();
  }

  /** Makes every document anew, and takes out those of names that are gone. */
  build(status: 'BUILDING' | 'REBUILDING'): void {
    if (this.#closed) return;
    // An index that is not whole yet can't be searched before it is.
    if (this.#status !== 'BUILDING' || status === 'BUILDING') this.#status = status;
    this.#buildNumber += 1;
    this.#resume?.();
    const number = this.#buildNumber;
    this.#build = this.#build.then(() => this.#buildUntilDone(number));
  }

  /** Resolves once what was marked or begun before is done. */
  async settled(): Promise<void> {
    await this.built();
    await this.#pump.settled();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#resume?.();
    await this.#pump.close();
    await this.#build;
  }

  /** Whether a build has been replaced by a later one. */
  #isOver(number: number): boolean {
    return this.#closed || number !== this.#buildNumber;
  }

  /** A build that fails is tried again: an index would be BUILDING until the server starts anew. */
  async #buildUntilDone(number: number): Promise<void> {
    while (!this.#isOver(number))
      try {
        return await this.#buildAll(number);
      } catch (error) {
        if (this.#isOver(number)) return;
        this.#options.failed(error);
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#resume = resolve;
        const timer = setTimeout(resolve, RETRY).unref();
        await promise;
        clearTimeout(timer);
      }
  }

  async #buildAll(number: number): Promise<void> {
    for await (const names of this.#options.allNames()) if (!this.#isOver(number)) await this.markAll(names);
    for await (const names of this.#indexedNames()) if (!this.#isOver(number)) await this.markAll(names);
    await this.#pump.caughtUp();
    if (!this.#isOver(number)) this.#status = 'ACTIVE';
  }

  async *#indexedNames(): AsyncGenerator<readonly string[], void, undefined> {
    const { key, thread } = this.#options;
    for (let after = ''; !this.#closed; ) {
      const names = await thread.callForServer('names', key, after, PAGE);
      if (names.length === 0) return;
      yield names;
      after = names.at(-1) ?? '';
    }
  }
}
