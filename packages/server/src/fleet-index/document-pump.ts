/**
 * Keeps one index of an account as the store is: a name is marked when something of it has changed, and soon its document
 * is made of what the store says then. A name is never under way twice, so an older document can't replace a newer one.
 */
import { Pause } from '../runtime/pause.ts';
import type { IndexedDocument } from './documents/values.ts';

/** Names whose documents are made at once. */
const BATCH = 100;
/** Marked names above which the marks are given up: everything is to be marked anew. */
const MAX_MARKED = 100_000;
/** Milliseconds until documents that could not be put are tried again. */
const RETRY = 1000;

export interface DocumentPumpOptions {
  /** The documents of names; undefined for a name that nothing has. */
  readonly read: (names: readonly string[]) => Promise<readonly (IndexedDocument | undefined)[]>;
  readonly update: (documents: readonly IndexedDocument[], removed: readonly string[]) => Promise<void>;
  /** Hears that marks were given up. */
  readonly overflowed: () => void;
  readonly failed: (error: unknown) => void;
}

export class DocumentPump {
  readonly #options: DocumentPumpOptions;
  /** In the order in which they were marked first. */
  #marked = new Set<string>();
  /** Names that were ever marked, and those of them that are done: the first come first. */
  #added = 0;
  #done = 0;
  readonly #waiters = new Set<{ readonly goal: number; readonly resolve: () => void }>();
  #running: Promise<void> | undefined;
  /** Ends the pause before another attempt. */
  readonly #pause = new Pause();
  #closed = false;

  constructor(options: DocumentPumpOptions) {
    this.#options = options;
  }

  mark(name: string): void {
    if (this.#closed) return;
    if (!this.#marked.has(name)) this.#added += 1;
    this.#marked.add(name);
    if (this.#marked.size > MAX_MARKED) {
      this.#count(this.#marked.size);
      this.#marked = new Set();
      this.#options.overflowed();
    } else this.#run();
  }

  /** Names that are marked. */
  get waiting(): number {
    return this.#marked.size;
  }

  /** Resolves once what was marked before the call is done, whatever is marked meanwhile; and when the pump is closed. */
  async caughtUp(): Promise<void> {
    const goal = this.#added;
    if (this.#closed || this.#done >= goal) return;
    await new Promise<void>((resolve) => this.#waiters.add({ goal, resolve }));
  }

  /** Resolves once nothing is marked any more, or the pump is closed. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#marked.clear();
    this.#pause.end();
    this.#count(this.#added);
    await this.settled();
  }

  #run(): void {
    this.#running ??= this.#drain().finally(() => {
      this.#running = undefined;
      if (this.#marked.size > 0 && !this.#closed) this.#run();
    });
  }

  async #drain(): Promise<void> {
    // What is marked in one turn goes together.
    await Promise.resolve();
    while (this.#marked.size > 0) {
      const names = [...this.#marked.values().take(BATCH)];
      for (const name of names) this.#marked.delete(name);
      try {
        await this.#put(names);
        this.#count(names.length);
      } catch (error) {
        if (this.#closed) return;
        this.#putBack(names);
        this.#options.failed(error);
        await this.#pause.wait(RETRY);
      }
    }
  }

  async #put(names: readonly string[]): Promise<void> {
    const documents = await this.#options.read(names);
    const removed = names.filter((_, i) => documents[i] === undefined);
    await this.#options.update(
      documents.filter((document) => document !== undefined),
      removed,
    );
  }

  /** Names that could not be put are the next again; one that was marked meanwhile is there once. */
  #putBack(names: readonly string[]): void {
    this.#count(names.filter((name) => this.#marked.has(name)).length);
    this.#marked = new Set([...names, ...this.#marked]);
  }

  #count(done: number): void {
    this.#done += done;
    for (const waiter of this.#waiters)
      if (this.#done >= waiter.goal) {
        this.#waiters.delete(waiter);
        waiter.resolve();
      }
  }
}
