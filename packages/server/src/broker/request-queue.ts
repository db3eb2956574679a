/**
 * Requests of one account in one region that are being served, and those that wait for that. A client with too many is not
 * read from until the ones that wait have begun; those of one client begin in their order.
 */
import type { Publisher } from './messaging.ts';

/** Requests of one client, or of all without a connection together, that are served at a time (as many as AWS has in flight). */
const MAX_OF_CLIENT = 10;
const MAX_OF_ACCOUNT = 500;
/** Bytes of requests that wait, beyond which no more are taken. */
const MAX_WAITING = 16 * 1024 * 1024;

export interface QueuedRequest {
  readonly publisher: Publisher | undefined;
  /** Bytes of memory that it takes. */
  readonly size: number;
  readonly work: () => Promise<void>;
  /** Called where it has to wait. */
  readonly keep: () => void;
}

interface Waiting {
  readonly size: number;
  begin(): void;
}

interface Source {
  readonly publisher: Publisher | undefined;
  readonly waiting: Waiting[];
  underWay: number;
}

export class RequestQueue {
  /** Monotonic ms when it was last recorded that too much waits. */
  refusedAt: number | undefined;
  readonly #sources = new Map<Publisher | undefined, Source>();
  /** Sources with requests that wait; who has had a turn goes to the end. */
  readonly #blocked = new Set<Source>();
  #underWay = 0;
  #waitingBytes = 0;

  /** Does the work now or later; resolves or rejects with it. Undefined where too much waits: nothing is done. */
  run({ publisher, size, work, keep }: QueuedRequest): Promise<void> | undefined {
    const source = this.#sourceOf(publisher);
    if (source.waiting.length === 0 && this.#mayBegin(source)) return this.#begin(source, work);
    if (this.#waitingBytes + size > MAX_WAITING) {
      this.#forgetIdle(source);
      return undefined;
    }
    keep();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waitingBytes += size;
    source.waiting.push({ size, begin: () => resolve(this.#begin(source, work)) });
    if (source.waiting.length === 1) {
      this.#blocked.add(source);
      publisher?.pauseReading();
    }
    return promise;
  }

  /** Clients with requests under way or waiting. */
  get sources(): number {
    return this.#sources.size;
  }

  #sourceOf(publisher: Publisher | undefined): Source {
    let source = this.#sources.get(publisher);
    if (source === undefined) {
      source = { publisher, waiting: [], underWay: 0 };
      this.#sources.set(publisher, source);
    }
    return source;
  }

  #mayBegin({ underWay }: Source): boolean {
    return underWay < MAX_OF_CLIENT && this.#underWay < MAX_OF_ACCOUNT;
  }

  #begin(source: Source, work: () => Promise<void>): Promise<void> {
    source.underWay += 1;
    this.#underWay += 1;
    return work().finally(() => {
      source.underWay -= 1;
      this.#underWay -= 1;
      this.#goOn();
      this.#forgetIdle(source);
    });
  }

  #forgetIdle(source: Source): void {
    if (source.underWay === 0 && source.waiting.length === 0) this.#sources.delete(source.publisher);
  }

  /** One request has ended: the next of each source that may go on begins. */
  #goOn(): void {
    for (const source of this.#blocked) {
      if (this.#underWay >= MAX_OF_ACCOUNT) return;
      if (!this.#mayBegin(source)) continue;
      const next = source.waiting.shift();
      if (next === undefined) continue;
      this.#waitingBytes -= next.size;
      this.#blocked.delete(source);
      next.begin();
      // Its next request may be read within the call, and is behind the one that has begun.
      if (source.waiting.length > 0) this.#blocked.add(source);
      else source.publisher?.resumeReading();
    }
  }
}
