/** The fleet index for tests: its operations beside those of the registry, over a store of their own and an index file. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import type { ConnectionInfo } from '../broker/messaging.ts';
import { registryDomain } from '../registry/domain.ts';
import { things } from '../registry/store.ts';
import { ChangeFeed } from '../store/change-feed.ts';
import type { Store } from '../store/contract.ts';
import { DamagedRecordError } from '../store/damage.ts';
import { byRegion } from '../store/regional.ts';
import { openMemoryStore } from '../store/rerunning-store.fixture.ts';
import { sharedAuthority } from '../testing/authority-fixture.ts';
import { caller, clockAt, OperationsFixture, type TestClock } from '../testing/operations-fixture.ts';
import { ConnectivityFollower } from './connectivity-follower.ts';
import type { ShadowSource } from './documents/sources.ts';
import { dynamicThingGroupOperations } from './dynamic-thing-groups.operations.ts';
import { fleetMetricOperations } from './fleet-metrics.operations.ts';
import { FleetIndex } from './fleet-index.ts';
import { indexOperations } from './indexes.operations.ts';
import { searchOperations } from './searches.operations.ts';

interface Content {
  readonly feed: ChangeFeed;
  readonly store: Store;
}

/** A store whose records of some things are damaged when they are read one by one. */
const damagedStore = (store: Store, damaged: ReadonlySet<string>): Store => ({
  read: (work) =>
    store.read((tx) =>
      work({
        get: async (of, key) => {
          const [, name] = key;
          if (of.name === things.name && damaged.has(String(name))) throw new DamagedRecordError({ collection: of.name, key });
          return tx.get(of, key);
        },
        getMany: tx.getMany.bind(tx),
        eachRow: tx.eachRow.bind(tx),
        scanRows: tx.scanRows.bind(tx),
        scan: tx.scan.bind(tx),
      }),
    ),
  write: store.write.bind(store),
  [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
});

export class IndexFixture extends OperationsFixture {
  readonly clock: TestClock;
  readonly folder: string;
  readonly warnings: string[] = [];
  /** Members of the log lines of the warnings. */
  readonly warned: object[] = [];
  /** Names of things whose records the index finds damaged. */
  readonly damaged = new Set<string>();
  readonly fleetIndex: FleetIndex;
  readonly follower: ConnectivityFollower;
  protected readonly handlers: Handlers<IotOperations>;
  readonly #content: Content;

  private constructor(content: Content, registry: Handlers<IotOperations>, clock: TestClock, shadows?: ShadowSource) {
    super(content.store as OperationsFixture['store']);
    this.#content = content;
    this.clock = clock;
    this.folder = mkdtempSync(join(tmpdir(), 'fleet-index-'));
    const inRegion = () => this.store;
    this.fleetIndex = new FleetIndex({
      ...{ path: join(this.folder, 'fleet-index.db'), changes: content.feed, clock, shadows },
      inRegion: () => damagedStore(this.store, this.damaged),
      regions: async () => [caller.region],
      log: { warn: (members, text) => this.warned.push(members) && this.warnings.push(text) },
    });
    this.follower = new ConnectivityFollower({
      ...{ clock, inRegion, log: console },
      wantsConnectivity: (place) => this.fleetIndex.wantsConnectivity(place),
    });
    this.handlers = {
      ...registry,
      ...indexOperations({ store: this.store, fleetIndex: this.fleetIndex }),
      ...searchOperations({ fleetIndex: this.fleetIndex }),
      ...fleetMetricOperations({ store: this.store, clock, fleetIndex: this.fleetIndex }),
      ...dynamicThingGroupOperations({ store: this.store, clock, fleetIndex: this.fleetIndex }),
    };
  }

  static async open(shadows?: ShadowSource): Promise<IndexFixture> {
    const feed = new ChangeFeed({ store: await openMemoryStore(), log: console });
    const store = byRegion(feed.store)(caller.region);
    const clock = clockAt(Date.UTC(2026, 10, 20, 12));
    const issuer = await sharedAuthority();
    const domain = registryDomain.open({ clock, issuer, endpoint: 'iot.example.com', inRegion: () => store });
    const { iot = {} } = domain.operations?.({ region: caller.region, store, taggable: {} }) ?? {};
    const fixture = new IndexFixture({ feed, store }, iot, clock, shadows);
    await fixture.fleetIndex.load();
    return fixture;
  }

  /** Names of the things that a query finds, once what has changed before is indexed. */
  async found(queryString: string): Promise<string[]> {
    await this.settled();
    const { things = [] } = await this.call('SearchIndex', { queryString, maxResults: 500 });
    return things.map(({ thingName = '' }) => thingName);
  }

  async settled(): Promise<void> {
    await this.follower.settled();
    await this.fleetIndex.settled();
  }

  /** A connection of a client id, as the broker tells of it. */
  connection(clientId: string, more: Partial<ConnectionInfo> = {}): ConnectionInfo {
    const { region, accountId } = this.caller;
    const known = { sessionIdentifier: 's', principalId: 'p', thingName: undefined, sourceIp: '127.0.0.1', version: 1 };
    return { place: { region, accountId }, clientId, ...known, ...more };
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.follower.close();
    await this.settled();
    await this.fleetIndex[Symbol.asyncDispose]();
    await this.#content.feed[Symbol.asyncDispose]();
    await this.#content.feed.store[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true });
  }
}
