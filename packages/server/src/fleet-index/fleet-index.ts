/**
 * The indexes of all accounts: which are on by their configurations, and what of the records' changes concerns them.
 * Nothing is indexed of an account that has not asked for it, and a change in one costs a look-up in a map.
 */
import { type Place, placeKey } from '@thingkeep/wire/arn.ts';
import { memberships, thingGroups } from '../registry/groups/store.ts';
import { things } from '../registry/store.ts';
import type { Change, Changes } from '../store/changes.ts';
import type { Collection, Store } from '../store/contract.ts';
import { pages } from '../store/pages.ts';
import type { Clock } from '../runtime/clock.ts';
import { AccountIndex } from './account-index.ts';
import { DynamicGroups } from './dynamic-groups.ts';
import type { ShadowSource } from './documents/sources.ts';
import { thingDocument } from './documents/thing-document.ts';
import { thingGroupDocument } from './documents/thing-group-document.ts';
import type { IndexedDocument } from './documents/values.ts';
import type { IndexKey } from './engine/index-file.ts';
import { IndexThread } from './engine/index-thread.ts';
import { indexedThing, indexedThingGroup, unlessDamaged, withShadows } from './indexed-things.ts';
import { isIndexed, thingSources, unconfigured } from './indexing-configuration.ts';
import { INDEX_NAMES, type IndexName } from './query/fields.ts';
import { connectivity, type IndexingConfigurationRecord, indexingConfigurations } from './store.ts';

export interface FleetIndexOptions {
  /** The index file. */
  readonly path: string;
  readonly changes: Changes;
  readonly inRegion: (region: string) => Store;
  readonly regions: () => Promise<readonly string[]>;
  readonly shadows?: ShadowSource | undefined;
  readonly clock: Clock;
  readonly log: { warn(members: object, text: string): void };
}

/** An account in a region, what it has configured, and its indexes that are on. */
interface IndexedAccount {
  configuration: IndexingConfigurationRecord;
  readonly indexes: Map<IndexName, AccountIndex>;
}

export class FleetIndex implements AsyncDisposable {
  readonly #options: FleetIndexOptions;
  readonly #accounts = new Map<string, IndexedAccount>();
  readonly #ends: (() => void)[] = [];
  readonly thread: IndexThread;
  readonly #dynamicGroups: DynamicGroups;

  constructor(options: FleetIndexOptions) {
    this.#options = options;
    const { path, clock, log } = options;
    this.thread = new IndexThread({ path, clock, log, onNew: () => this.#buildAll() });
    this.#dynamicGroups = new DynamicGroups({ ...options, indexOf: (place) => this.find(place, 'AWS_Things') });
  }

  /** Opens the file and takes up the indexes that are on: searched as they were left, and compared with the store meanwhile. */
  async load(): Promise<void> {
    this.#follow();
    const found: [place: Place, record: IndexingConfigurationRecord][] = [];
    for (const region of await this.#options.regions())
      for await (const { items } of pages(this.#options.inRegion(region), indexingConfigurations, {
        skipDamaged: true,
        prefix: [],
      }))
        for (const record of items) found.push([{ region, accountId: record.accountId }, record]);
    // Without an index there is no thread.
    if (!found.some(([, record]) => INDEX_NAMES.some((name) => isIndexed(name, record)))) return;
    const status = (await this.thread.open()) ? 'BUILDING' : 'REBUILDING';
    for (const [place, record] of found) {
      this.#configure(place, record, status);
      await this.#dynamicGroups.load(place);
    }
  }

  /** An index that is on; undefined for one that is not. */
  find(place: Place, name: IndexName): AccountIndex | undefined {
    return this.#accounts.get(placeKey(place))?.indexes.get(name);
  }

  configurationOf(place: Place): IndexingConfigurationRecord {
    return this.#accounts.get(placeKey(place))?.configuration ?? unconfigured(place.accountId);
  }

  /** Whether the connections of an account's things are indexed. */
  wantsConnectivity(place: Place): boolean {
    return this.#accounts.get(placeKey(place))?.configuration.things.thingConnectivityIndexingMode === 'STATUS';
  }

  /** Something outside of the registry that is indexed of a thing has changed: a shadow. */
  markThing(place: Place, thingName: string): void {
    this.find(place, 'AWS_Things')?.mark(thingName);
  }

  /** Resolves once what has changed before is in the indexes. */
  async settled(): Promise<void> {
    const settle = async (): Promise<void> => {
      for (const { indexes } of this.#accounts.values()) for (const index of indexes.values()) await index.settled();
    };
    await settle();
    await this.#dynamicGroups.settled();
    await settle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends) end();
    const indexes = [...this.#accounts.values()].flatMap((account) => [...account.indexes.values()]);
    await Promise.all(indexes.map((index) => index.close()));
    await this.thread[Symbol.asyncDispose]();
  }

  #follow(): void {
    const { changes } = this.#options;
    const each = <T extends object>(of: Collection<T>, name: IndexName, nameOf: (record: T) => string): void => {
      const heard = ({ place, before, after }: Change<T>): void => {
        const record = after ?? before;
        if (record !== undefined) this.find(place, name)?.mark(nameOf(record));
      };
      this.#ends.push(changes.on(of, heard));
    };
    this.#ends.push(this.#dynamicGroups.follow(changes));
    each(things, 'AWS_Things', ({ thingName }) => thingName);
    each(memberships, 'AWS_Things', ({ thingName }) => thingName);
    each(connectivity, 'AWS_Things', ({ thingName }) => thingName);
    each(thingGroups, 'AWS_ThingGroups', ({ groupName }) => groupName);
    this.#ends.push(
      changes.on(indexingConfigurations, ({ place, after }) => {
        if (after !== undefined) this.#configure(place, after, 'BUILDING');
      }),
    );
  }

  /** Takes up a configuration: switches indexes on and off, and builds those whose sources have changed. */
  #configure(place: Place, configuration: IndexingConfigurationRecord, first: 'BUILDING' | 'REBUILDING'): void {
    const indexed = this.#accounts.get(placeKey(place)) ?? { configuration, indexes: new Map<IndexName, AccountIndex>() };
    const { configuration: before, indexes } = indexed;
    indexed.configuration = configuration;
    this.#accounts.set(placeKey(place), indexed);
    for (const name of INDEX_NAMES) {
      const index = indexes.get(name);
      if (!isIndexed(name, configuration)) {
        if (index !== undefined) this.#drop(indexes, name, index);
      } else if (index === undefined) this.#open(indexed, place, name, first);
      else if (name === 'AWS_Things' && !haveSameSources(before, configuration)) index.build('REBUILDING');
    }
  }

  #open(account: IndexedAccount, place: Place, name: IndexName, status: 'BUILDING' | 'REBUILDING'): void {
    const key: IndexKey = { region: place.region, accountId: place.accountId, name };
    const isOfThings = name === 'AWS_Things';
    const index = new AccountIndex({
      key,
      status,
      thread: this.thread,
      read: (names) => (isOfThings ? this.#readThings(account, place, names) : this.#readGroups(place, names)),
      allNames: () =>
        isOfThings ? this.#namesOf(things, place, (t) => t.thingName) : this.#namesOf(thingGroups, place, (g) => g.groupName),
      failed: (error) =>
        this.#options.log.warn({ err: error, event: 'indexing-failed', ...place, index: name }, 'documents could not be indexed'),
    });
    account.indexes.set(name, index);
    index.build(status);
  }

  #drop(indexes: Map<IndexName, AccountIndex>, name: IndexName, index: AccountIndex): void {
    indexes.delete(name);
    void index.close().then(() => this.thread.callForServer('drop', index.key).catch(() => undefined));
  }

  #buildAll(): void {
    for (const { indexes } of this.#accounts.values()) for (const index of indexes.values()) index.build('BUILDING');
  }

  async *#namesOf<T extends object>(
    of: Collection<T>,
    place: Place,
    nameOf: (record: T) => string,
  ): AsyncGenerator<string[], void, undefined> {
    const store = this.#options.inRegion(place.region);
    for await (const { items } of pages(store, of, { skipDamaged: true, prefix: [place.accountId] })) yield items.map(nameOf);
  }

  async #readThings(
    account: IndexedAccount,
    place: Place,
    names: readonly string[],
  ): Promise<readonly (IndexedDocument | undefined)[]> {
    const { things: indexing } = account.configuration;
    const store = this.#options.inRegion(place.region);
    const things = await store.read((tx) =>
      Promise.all(names.map((name) => unlessDamaged(indexedThing(tx, place.accountId, name, indexing)))),
    );
    const sources = thingSources(indexing);
    const all = await Promise.all(things.map((each) => each && withShadows(each, place, this.#options.shadows, indexing)));
    await this.#dynamicGroups.regroup(
      place,
      all.filter((each) => each !== undefined),
      sources,
    );
    return all.map((each) => each && thingDocument(each, sources));
  }

  async #readGroups(place: Place, names: readonly string[]): Promise<readonly (IndexedDocument | undefined)[]> {
    const store = this.#options.inRegion(place.region);
    const groups = await store.read((tx) =>
      Promise.all(names.map((name) => unlessDamaged(indexedThingGroup(tx, place.accountId, name)))),
    );
    return groups.map((each) => each && thingGroupDocument(each));
  }
}

/** Whether documents of things are the same by both; custom fields are read at an aggregation. */
const haveSameSources = (a: IndexingConfigurationRecord, b: IndexingConfigurationRecord): boolean =>
  JSON.stringify({ ...a.things, customFields: [] }) === JSON.stringify({ ...b.things, customFields: [] });
