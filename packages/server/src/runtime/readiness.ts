/**
 * The readiness of the server: the store takes writes, the disk has free space, the key files exist. It is checked every
 * few seconds, however often it is asked for.
 */
import { open } from 'node:fs/promises';
import { messageOf } from '@thingkeep/wire/errors.ts';
import type { Clock } from './clock.ts';
import { diskFailure } from './disk-failure.ts';
import type { Logger } from './log.ts';

/** The reasons, each with the sentence that unsigned requests get. */
export const REASONS = {
  store: 'changes can not be stored',
  disk: 'the disk is nearly full',
  keys: 'a key file is missing or can not be read',
} as const;

export type Reason = keyof typeof REASONS;

export interface ReadinessOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Commits a small record. */
  readonly write: () => Promise<unknown>;
  readonly disk: { readonly low: boolean; look(): Promise<void>; refuses(isRefusing: boolean): void };
  /** Key files, which are read at a start and must exist. */
  readonly keyFiles: readonly string[];
}

/** Milliseconds between two checks, and that a write may take. */
const BETWEEN = 3_000;
const PATIENCE = 10_000;

export interface Ready {
  readonly ready: boolean;
  readonly reasons: readonly Reason[];
}

export class Readiness {
  readonly #options: ReadinessOptions;
  #reasons: readonly Reason[] = [];
  #lookedAt = Number.NEGATIVE_INFINITY;
  /** Start of the write that is under way. */
  #writingSince: number | undefined;
  #looking = false;

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  get state(): Ready {
    return { ready: this.#reasons.length === 0, reasons: this.#reasons };
  }

  /** Checks when it is time; to be called about once a second. */
  async look(): Promise<void> {
    const now = this.#options.clock.monotonic();
    if (this.#writingSince !== undefined && now - this.#writingSince > PATIENCE) this.#set('store', 'a write does not end');
    if (this.#looking || now - this.#lookedAt < BETWEEN) return;
    this.#lookedAt = now;
    this.#looking = true;
    try {
      await this.#lookNow();
    } finally {
      this.#looking = false;
    }
  }

  async #lookNow(): Promise<void> {
    const { disk, keyFiles, write, clock } = this.#options;
    this.#writingSince = clock.monotonic();
    try {
      await write();
      disk.refuses(false);
      this.#set('store', undefined);
    } catch (error) {
      if (diskFailure(error) !== undefined) disk.refuses(true);
      this.#set('store', error);
    }
    this.#writingSince = undefined;
    // Read after the write: its success does not mean that the disk is above the floor.
    await disk.look();
    this.#set('disk', disk.low && !this.#reasons.includes('store') ? 'fewer bytes are free than --disk-floor' : undefined);
    this.#set('keys', await unreadable(keyFiles));
  }

  /** Sets or clears a reason; logs when the server is no longer ready, and when it is again. */
  #set(reason: Reason, why: unknown): void {
    const had = this.#reasons.includes(reason);
    if (had === (why !== undefined)) return;
    this.#reasons = had ? this.#reasons.filter((each) => each !== reason) : [...this.#reasons, reason];
    const { log } = this.#options;
    if (this.state.ready) log.info({ event: 'ready' }, 'the server is able again');
    else if (!had)
      log.error(
        { event: 'not-ready', reason, why: why instanceof Error ? causesOf(why) : why },
        `the server is not able: ${REASONS[reason]}`,
      );
  }
}

/** Messages of an error and of its causes, without stacks. */
function causesOf(error: Error): string {
  const { cause } = error;
  return cause instanceof Error ? `${error.message}: ${causesOf(cause)}` : error.message;
}

/** The first file that can't be read; undefined when all can. */
async function unreadable(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    try {
      await using file = await open(path, 'r');
      const { bytesRead } = await file.read(Buffer.alloc(1), 0, 1, 0);
      if (bytesRead === 0) return `${path} is empty`;
    } catch (error) {
      return messageOf(error);
    }
  }
  return undefined;
}
