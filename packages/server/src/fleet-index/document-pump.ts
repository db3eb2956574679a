/**
 * Keeps one index of an account as the store is: a name is marked when something of it has changed, and soon its document
 * is made of what the store says then. A name is never under way twice, so an older document can't replace a newer one.
 */
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
  #marked = new Set<string>();
  #running: Promise<void> | undefined;
  /** Ends the pause before another attempt. */
  #resume: (() => void) | undefined;
  #closed = false;

  constructor(options: DocumentPumpOptions) {
    this.#options = options;
  }

  mark(name: string): void {
    if (this.#closed) return;
    this.#marked.add(name);
    if (this.#marked.size > MAX_MARKED) {
      this.#marked = new Set();
      this.#options.overflowed();
    } else this.#run();
  }

  /** Names that are marked. */
  get waiting(): number {
    return this.#marked.size;
  }

  /** Resolves once nothing is marked any more, or the pump is closed. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#marked.clear();
    this.#resume?.();
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
      } catch (error) {
        if (this.#closed) return;
        for (const name of names) this.#marked.add(name);
        this.#options.failed(error);
        await this.#pause();
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

  async #pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, RETRY).unref();
    this.#resume = resolve;
    await promise;
    clearTimeout(timer);
    this.#resume = undefined;
  }
}
