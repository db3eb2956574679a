/**
 * When things were last connected: a record of each thing of an account that has connectivity indexed, written soon after its
 * connection or its end. A connection is a thing's when its client id is the thing's name, or when it is attached
 * exclusively (developer guide, page managing-fleet-index); that of a guest is none's.
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import { defined } from '@thingkeep/wire/defined.ts';
import type { ConnectionInfo, ConnectionListener } from '../broker/messaging.ts';
import { things } from '../registry/store.ts';
import type { Clock } from '../runtime/clock.ts';
import { Pause } from '../runtime/pause.ts';
import type { Changes } from '../store/changes.ts';
import type { Store } from '../store/contract.ts';
import { pages } from '../store/pages.ts';
import { connectivity, type ConnectivityRecord } from './store.ts';

export interface ConnectivityFollowerOptions {
  readonly clock: Clock;
  readonly inRegion: (region: string) => Store;
  readonly wantsConnectivity: (place: Place) => boolean;
  readonly log: { error(members: object, text: string): void };
}

/** A state of a thing that is to be written: its last connection or the end of it; without a record the thing is gone. */
interface Pending {
  readonly accountId: string;
  readonly thingName: string;
  readonly record: ConnectivityRecord | undefined;
}

/** Records written in one transaction. */
const BATCH = 500;
/** States that wait in a region while nothing can be written; above it the oldest are given up. */
const MAX_PENDING = 100_000;
/** Milliseconds until states that could not be written are tried again. */
const RETRY = 1000;
/** Ends of connections that a dead process could not write. */
const LOST = 'CONNECTION_LOST';

/**
 * Whether a state is older than the last one that was written. When a client id is taken over, the new connection is reported
 * first and the end of the old one after it. Versions count the connections of one client id.
 */
const isOutOfDate = (state: ConnectivityRecord, last: ConnectivityRecord | undefined): boolean => {
  if (state.connected || last?.clientId === undefined) return false;
  return last.clientId === state.clientId ? (state.version ?? 0) < (last.version ?? 0) : last.connected;
};

export class ConnectivityFollower implements ConnectionListener {
  readonly #options: ConnectivityFollowerOptions;
  /** Latest states that are not written, by region and then by account and thing; the oldest come first. */
  readonly #pending = new Map<string, Map<string, Pending>>();
  #running: Promise<void> | undefined;
  /** Ends the pause before another attempt. */
  readonly #pause = new Pause();
  #closed = false;

  constructor(options: ConnectivityFollowerOptions) {
    this.#options = options;
  }

  connected(connection: ConnectionInfo): void {
    this.#noteState(connection, { connected: true });
  }

  disconnected(connection: ConnectionInfo, why: string): void {
    this.#noteState(connection, { connected: false, disconnectReason: why });
  }

  connectFailed(): void {
    // No connection has begun or ended.
  }

  subscribed(): void {
    // Subscriptions are not indexed.
  }

  unsubscribed(): void {
    // Subscriptions are not indexed.
  }

  /** At a start nobody is connected: ends that the last process did not write are written now. */
  async load(regions: readonly string[]): Promise<void> {
    const timestamp = this.#options.clock.now();
    for (const region of regions) {
      const store = this.#options.inRegion(region);
      for await (const { items } of pages(store, connectivity, { skipDamaged: true, index: 'connected', prefix: [] }))
        await store.write(async (tx) => {
          for (const record of items)
            await tx.put(connectivity, { ...record, connected: false, timestamp, disconnectReason: LOST });
        });
    }
  }

  /** What is known of a thing's connections goes with the thing. Gives what ends it. */
  follow(changes: Changes): () => void {
    return changes.on(things, ({ place, before, after }) => {
      if (before === undefined || after !== undefined || !this.#options.wantsConnectivity(place)) return;
      this.#note(place.region, { accountId: before.accountId, thingName: before.thingName, record: undefined });
    });
  }

  /** Resolves once what was noted before is written. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Writes what is left, in one attempt. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#pause.end();
    await this.settled();
  }

  #noteState(connection: ConnectionInfo, state: Pick<ConnectivityRecord, 'connected' | 'disconnectReason'>): void {
    const { place, clientId, version, isGuest } = connection;
    if (isGuest === true || !this.#options.wantsConnectivity(place)) return;
    const { region, accountId } = place;
    const thingName = connection.thingName ?? clientId;
    const about = { accountId, thingName, clientId, ...defined({ version }) };
    this.#note(region, { accountId, thingName, record: { ...about, ...state, timestamp: this.#options.clock.now() } });
  }

  #note(region: string, pending: Pending): void {
    this.#add(region, pending);
    this.#running ??= this.#writeAll().finally(() => {
      this.#running = undefined;
    });
  }

  /** Adds a state behind the one that waits for the thing, which it replaces unless it is out of date. */
  #add(region: string, state: Pending): void {
    const inRegion = this.#pending.get(region) ?? new Map<string, Pending>();
    const name = `${state.accountId}/${state.thingName}`;
    if (state.record !== undefined && isOutOfDate(state.record, inRegion.get(name)?.record)) return;
    this.#pending.set(region, inRegion.set(name, state));
    const [oldest] = inRegion.keys();
    if (inRegion.size > MAX_PENDING && oldest !== undefined) inRegion.delete(oldest);
  }

  async #writeAll(): Promise<void> {
    // What comes in one turn is written together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#pending.size > 0) {
      let hasFailed = false;
      for (const region of [...this.#pending.keys()]) hasFailed = !(await this.#writeRegion(region)) || hasFailed;
      if (!hasFailed) continue;
      if (this.#closed) return this.#pending.clear();
      await this.#pause.wait(RETRY);
    }
  }

  /** Writes the oldest states of a region; says whether they are written, else they are put back. */
  async #writeRegion(region: string): Promise<boolean> {
    const waiting = this.#pending.get(region) ?? new Map<string, Pending>();
    const states = [...waiting.values().take(BATCH)];
    for (const { accountId, thingName } of states) waiting.delete(`${accountId}/${thingName}`);
    if (waiting.size === 0) this.#pending.delete(region);
    try {
      await this.#write(region, states);
      return true;
    } catch (error) {
      this.#options.log.error({ err: error, event: 'connectivity-not-stored' }, 'connections of things could not be stored');
      const newer = this.#pending.get(region) ?? new Map<string, Pending>();
      this.#pending.delete(region);
      for (const state of [...states, ...newer.values()]) this.#add(region, state);
      return false;
    }
  }

  async #write(region: string, states: readonly Pending[]): Promise<void> {
    const keys = states.map(({ accountId, thingName }) => [accountId, thingName]);
    await this.#options.inRegion(region).write(async (tx) => {
      const known = await tx.getMany(things, keys);
      const stored = await tx.getMany(connectivity, keys);
      for (const [i, { accountId, thingName, record }] of states.entries())
        if (record === undefined) await tx.delete(connectivity, [accountId, thingName]);
        else if (known[i] !== undefined && !isOutOfDate(record, stored[i])) await tx.put(connectivity, record);
    });
  }
}
