/**
 * When things were last connected: a record of each thing of an account that has connectivity indexed, written soon after its
 * connection or its end. A connection is a thing's when its client id is the thing's name, or when it is attached
 * exclusively (developer guide, page managing-fleet-index).
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import { defined } from '@thingkeep/wire/defined.ts';
import type { ConnectionInfo, ConnectionListener } from '../broker/messaging.ts';
import { things } from '../registry/store.ts';
import type { Clock } from '../runtime/clock.ts';
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

/** Records written in one transaction. */
const BATCH = 500;
/** Ends of connections that a dead process could not write. */
const LOST = 'CONNECTION_LOST';

export class ConnectivityFollower implements ConnectionListener {
  readonly #options: ConnectivityFollowerOptions;
  /** Latest states that are not written, by region and then by account and thing. */
  readonly #pending = new Map<string, Map<string, ConnectivityRecord>>();
  #running: Promise<void> | undefined;

  constructor(options: ConnectivityFollowerOptions) {
    this.#options = options;
  }

  connected(connection: ConnectionInfo): void {
    this.#note(connection, { connected: true });
  }

  disconnected(connection: ConnectionInfo, why: string): void {
    this.#note(connection, { connected: false, disconnectReason: why });
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
      void this.#options
        .inRegion(place.region)
        .write((tx) => tx.delete(connectivity, [before.accountId, before.thingName]))
        .catch((error: unknown) => this.#failed(error));
    });
  }

  /** Resolves once what was noted before is written. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  #note(connection: ConnectionInfo, state: Pick<ConnectivityRecord, 'connected' | 'disconnectReason'>): void {
    const { place, clientId, version } = connection;
    if (!this.#options.wantsConnectivity(place)) return;
    const { region, accountId } = place;
    const thingName = connection.thingName ?? clientId;
    const record = { accountId, thingName, ...state, timestamp: this.#options.clock.now(), ...defined({ version }) };
    const inRegion = this.#pending.get(region) ?? new Map<string, ConnectivityRecord>();
    this.#pending.set(region, inRegion.set(`${accountId}/${thingName}`, record));
    this.#running ??= this.#writeAll().finally(() => {
      this.#running = undefined;
    });
  }

  async #writeAll(): Promise<void> {
    // What comes in one turn is written together.
    await new Promise((resolve) => setImmediate(resolve));
    for (let [region] = this.#pending.keys(); region !== undefined; [region] = this.#pending.keys())
      try {
        await this.#write(region);
      } catch (error) {
        this.#failed(error);
      }
  }

  #failed(error: unknown): void {
    this.#options.log.error({ err: error, event: 'connectivity-not-stored' }, 'connections of things could not be stored');
  }

  async #write(region: string): Promise<void> {
    const pending = this.#pending.get(region) ?? new Map<string, ConnectivityRecord>();
    const records = [...pending.entries().take(BATCH)];
    for (const [name] of records) pending.delete(name);
    if (pending.size === 0) this.#pending.delete(region);
    await this.#options.inRegion(region).write(async (tx) => {
      const known = await tx.getMany(
        things,
        records.map(([, { accountId, thingName }]) => [accountId, thingName]),
      );
      for (const [i, [, record]] of records.entries()) if (known[i] !== undefined) await tx.put(connectivity, record);
    });
  }
}
