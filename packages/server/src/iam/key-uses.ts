/**
 * The last use of each key: time, service and region. Known at once, written at intervals, so that a call costs no write:
 * after a crash, an hour may be missing.
 */
import type { Clock } from '../runtime/clock.ts';
import type { Store } from '../store/contract.ts';
import { accessKeys, accessKeysInUse, type KeyUseRecord } from './store.ts';

/** Milliseconds between two writings. */
const INTERVAL = 3_600_000;
/** Most uses that wait to be written. */
const MOST = 10_000;

export class KeyUses {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #uses = new Map<string, KeyUseRecord>();
  #writtenAt: number;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    this.#writtenAt = clock.now();
  }

  used(accessKeyId: string, service: string, region: string): void {
    if (this.#uses.size >= MOST && !this.#uses.has(accessKeyId)) return;
    this.#uses.set(accessKeyId, { at: this.#clock.now(), service, region });
  }

  /** The newest use that has not been written yet. */
  of(accessKeyId: string): KeyUseRecord | undefined {
    return this.#uses.get(accessKeyId);
  }

  /** Writes the uses that are due. Called about once a minute. */
  async tick(): Promise<void> {
    if (this.#clock.now() - this.#writtenAt >= INTERVAL) await this.flush();
  }

  async flush(): Promise<void> {
    this.#writtenAt = this.#clock.now();
    const uses = [...this.#uses];
    if (uses.length === 0) return;
    await this.#store.write(async (tx) => {
      for (const [accessKeyId, lastUsed] of uses) {
        const key = await tx.get(accessKeys, [accessKeyId]);
        if (key !== undefined) await tx.put(accessKeysInUse, { ...key, lastUsed });
      }
    });
    for (const [accessKeyId, use] of uses) if (this.#uses.get(accessKeyId) === use) this.#uses.delete(accessKeyId);
  }
}
