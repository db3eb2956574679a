/**
 * The register of connections on disk: a connection is in it before its CONNACK, and out of it in the commit that holds
 * what its end has sent. So the next start knows which ends a dead process still owes ({@link publishLostConnections}).
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Collection, Store } from '../../store/contract.ts';
import { pages } from '../../store/pages.ts';
import type { Client } from './client.ts';
import {
  connectionFacts,
  type ConnectionRecord,
  connectionRecords,
  type LostConnection,
  type WillRecord,
  willRecords,
  willSize,
} from './connection-record.ts';
import type { Journal } from '../../store/journal.ts';
import { type PresenceVersions, presenceName, VERSION_LIFETIME } from './presence-versions.ts';

export interface ConnectionRegisterOptions {
  readonly store: Store;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly versions: PresenceVersions;
}

/** Records removed at once. */
const PAGE = 1000;
/** Clients that are forgotten in one second at most. */
const MAX_FORGOTTEN = 1000;

const isLost = (record: ConnectionRecord): record is LostConnection => record.connection !== undefined;

export class ConnectionRegister {
  readonly #store: Store;
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #versions: PresenceVersions;
  #willBytes = 0;
  #lost: LostConnection[] = [];
  #wills: WillRecord[] = [];

  constructor({ store, journal, clock, versions }: ConnectionRegisterOptions) {
    this.#store = store;
    this.#journal = journal;
    this.#clock = clock;
    this.#versions = versions;
  }

  /** Finds versions, lost connections and waiting wills again; to be awaited before the first connection. */
  async load(): Promise<void> {
    const over: ConnectionRecord[] = [];
    const left: [record: ConnectionRecord, ago: number][] = [];
    const now = this.#clock.now();
    await this.#each(connectionRecords, (record) => {
      const ago = Math.max(0, now - (record.leftAt ?? now));
      if (isLost(record)) this.#lost.push(record);
      else if (ago > VERSION_LIFETIME) over.push(record);
      else left.push([record, ago]);
    });
    left.sort(([, a], [, b]) => b - a);
    for (const [record, ago] of left) this.#versions.restore(presenceName(record, record.clientId), record.version, ago);
    await this.#each(willRecords, (record) => this.#wills.push(record));
    for (let i = 0; i < over.length; i += PAGE)
      await this.#store.write(async (tx) => {
        for (const record of over.slice(i, i + PAGE)) await tx.delete(connectionRecords, connectionRecords.key(record));
      });
  }

  /** Bytes of the wills of connections, and of those that wait. */
  get willBytes(): number {
    return this.#willBytes;
  }

  /** Counts the bytes of a will that waits, and takes them off again when it waits no longer. */
  addWillBytes(bytes: number): void {
    this.#willBytes += bytes;
  }

  /** Lost connections and waiting wills that {@link load} has found; asked for once. */
  takeRecovered(): { readonly lost: readonly LostConnection[]; readonly wills: readonly WillRecord[] } {
    const found = { lost: this.#lost, wills: this.#wills };
    this.#lost = [];
    this.#wills = [];
    return found;
  }

  /** A client has its client id: its record is in the next commit, which those of other connections may share. */
  enter(client: Client, { accountId, region }: Place): void {
    const { clientId } = client;
    const { claim, connect } = client.identity;
    if (claim === undefined) return;
    this.#willBytes += willSize(connect?.will);
    const record = { region, accountId, clientId, version: claim.version, connection: connectionFacts(client) };
    this.#journal.recordPaced(recordName(record), (tx) => tx.put(connectionRecords, record));
  }

  /**
   * Records the end of a connection that was entered. Messages of the end for queues on disk are in the same commit. An end
   * without any waits for the next commit: a crash before it repeats the end to rules alone, for no other receiver is left.
   */
  leave({ clientId, identity }: Client, { accountId, region }: Place): void {
    const { claim, connect } = identity;
    if (claim === undefined) return;
    this.#willBytes -= willSize(connect?.will);
    const record = { region, accountId, clientId, version: claim.version, leftAt: this.#clock.now() };
    this.#journal.recordSoon(recordName(record), (tx) => tx.put(connectionRecords, record));
  }

  /** Marks a lost connection as ended, in the commit that holds its queued `disconnected` event and will. */
  leaveLost({ region, accountId, clientId, version }: LostConnection): void {
    this.#versions.restore(presenceName({ region, accountId }, clientId), version, 0);
    this.#put({ region, accountId, clientId, version, leftAt: this.#clock.now() });
  }

  /** What was told of a lost connection could not be stored: the next start tells it again. */
  restore(record: LostConnection): void {
    this.#put(record);
  }

  putWill(record: WillRecord): void {
    this.#journal.record(willName(record), (tx) => tx.put(willRecords, record));
  }

  deleteWill(record: WillRecord): void {
    this.#journal.record(willName(record), async (tx) => {
      await tx.delete(willRecords, willRecords.key(record));
    });
  }

  /** Forgets versions of clients that have been away for an hour; called about once a second. */
  sweep(): void {
    for (const name of this.#versions.forget(MAX_FORGOTTEN)) {
      const [region = '', accountId = '', ...rest] = name.split('/');
      this.#journal.record(`connection/${name}`, async (tx) => {
        await tx.delete(connectionRecords, [region, accountId, rest.join('/')]);
      });
    }
  }

  #put(record: ConnectionRecord): void {
    this.#journal.record(recordName(record), (tx) => tx.put(connectionRecords, record));
  }

  async #each<T extends object>(of: Collection<T>, visit: (record: T) => void): Promise<void> {
    for await (const { items } of pages(this.#store, of, { skipDamaged: true, prefix: [] }))
      for (const record of items) visit(record);
  }
}

const recordName = (record: ConnectionRecord): string => `connection/${presenceName(record, record.clientId)}`;

const willName = ({ region, accountId, clientId, connection }: WillRecord): string =>
  `will/${presenceName({ region, accountId }, clientId)}/${connection.sessionIdentifier}`;
