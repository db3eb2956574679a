/**
 * Dynamic thing groups (developer guide, page dynamic-thing-groups): a thing is in those whose query its document matches. A
 * group's query sees the thing without its dynamic groups: membership by a query depends on no other membership by one.
 */
import { type Place, placeKey } from '@thingkeep/wire/arn.ts';
import { MAX_GROUPS_OF_THING, setDynamicMemberships } from '../registry/groups/memberships.ts';
import { memberships, type ThingGroupRecord, thingGroups } from '../registry/groups/store.ts';
import type { Clock } from '../runtime/clock.ts';
import { RepeatLimiter } from '../runtime/repeat-limiter.ts';
import { restsOf } from '../runtime/rests.ts';
import type { Change, Changes } from '../store/changes.ts';
import type { Store } from '../store/contract.ts';
import { pages } from '../store/pages.ts';
import type { AccountIndex } from './account-index.ts';
import type { IndexedThing } from './documents/sources.ts';
import { type DynamicGroup, DynamicGroupDirectory } from './dynamic-group-directory.ts';
import { thingDocument, type ThingSources } from './documents/thing-document.ts';
import { matches } from './query/matches.ts';
import { fieldsOfQuery } from './query/query-fields.ts';
import type { Query } from './query/query.ts';

/** Milliseconds until a fill that has failed is tried again. */
const RETRY = 1000;
/** Lines of the log about things of an account that are in too many groups. */
const REPORTED = { max: 10, perMs: 60_000 };

export interface DynamicGroupsOptions {
  readonly clock: Clock;
  readonly inRegion: (region: string) => Store;
  readonly log: { warn(members: object, text: string): void };
  /** The index of things of an account; undefined where it is off. */
  readonly indexOf: (place: Place) => AccountIndex | undefined;
}

/** What a thing's memberships are, and what queries make of them. */
interface Regrouped {
  readonly thingName: string;
  readonly wanted: readonly DynamicGroup[];
}

/** What all things of one batch are compared with. */
interface Regrouping {
  readonly place: Place;
  readonly groups: readonly DynamicGroup[];
  readonly sources: ThingSources;
  readonly rest: () => Promise<void> | undefined;
}

/** Matches may come or go with static memberships: candidates can't be searched for by the index alone. */
const looksAtGroups = (query: Query): boolean => {
  const fields = fieldsOfQuery(query);
  return fields.has(undefined) || fields.has('registry.thingGroupNames');
};

export class DynamicGroups {
  readonly #options: DynamicGroupsOptions;
  readonly #directory: DynamicGroupDirectory;
  /** Groups whose members are being looked for. */
  readonly #filling = new Set<Promise<void>>();
  readonly #fullReports: RepeatLimiter;

  constructor(options: DynamicGroupsOptions) {
    this.#options = options;
    this.#directory = new DynamicGroupDirectory(options.log);
    this.#fullReports = new RepeatLimiter(options.clock, REPORTED);
  }

  /** Takes up the groups of an account; those that were not whole are filled. */
  async load(place: Place): Promise<void> {
    const store = this.#options.inRegion(place.region);
    const scan = { skipDamaged: true, index: 'dynamic', prefix: [place.accountId] };
    for await (const { items } of pages(store, thingGroups, scan))
      for (const record of items) {
        this.#directory.add(place, record);
        if (record.query?.status !== 'ACTIVE') this.#fill(place, record);
      }
  }

  follow(changes: Changes): () => void {
    return changes.on(thingGroups, (change) => this.#changed(change));
  }

  /** Has things in the groups whose queries they match. */
  async regroup(place: Place, things: readonly IndexedThing[], sources: ThingSources): Promise<void> {
    const groups = this.#directory.of(place);
    if (groups.length === 0) return;
    const regrouping: Regrouping = { place, groups, sources, rest: restsOf(this.#options.clock) };
    const changed: Regrouped[] = [];
    for (const thing of things) {
      const regrouped = await this.#regrouped(thing, regrouping);
      if (regrouped !== undefined) changed.push(regrouped);
    }
    if (changed.length === 0) return;
    const now = this.#options.clock.now();
    await this.#options.inRegion(place.region).write(async (tx) => {
      for (const { thingName, wanted } of changed) await setDynamicMemberships(tx, place.accountId, thingName, wanted, now);
    });
  }

  /** Resolves once groups that are new, or whose query is, have their things. */
  async settled(): Promise<void> {
    while (this.#filling.size > 0) await Promise.all(this.#filling);
  }

  /** The groups of a thing by queries; undefined where they are as they should be. */
  async #regrouped(thing: IndexedThing, { place, groups, sources, rest }: Regrouping): Promise<Regrouped | undefined> {
    const { thingName, groupNames, dynamicGroups, staticGroups } = thing;
    const names = groupNames.filter((name) => !dynamicGroups.some(({ groupName }) => groupName === name));
    const document = thingDocument({ ...thing, groupNames: names }, sources);
    const matching: DynamicGroup[] = [];
    for (const group of groups) {
      if (matches(group.query, document)) matching.push(group);
      await rest();
    }
    const wanted = matching.slice(0, Math.max(0, MAX_GROUPS_OF_THING - staticGroups));
    if (wanted.length < matching.length) this.#tellFull(place, thingName, matching.slice(wanted.length));
    const isSame =
      wanted.length === dynamicGroups.length &&
      wanted.every((each) => dynamicGroups.some(({ groupId }) => groupId === each.groupId));
    return isSame ? undefined : { thingName, wanted };
  }

  #tellFull(place: Place, thingName: string, left: readonly DynamicGroup[]): void {
    const leftOut = this.#fullReports.admit(placeKey(place));
    if (leftOut === undefined) return;
    this.#options.log.warn(
      {
        event: 'AddThingToDynamicThingGroupsFailed',
        ...place,
        thingName,
        leftOut,
        dynamicThingGroupNames: left.map(({ groupName }) => groupName),
      },
      'a thing belongs to the maximum number of groups already',
    );
  }

  #changed({ place, before, after }: Change<ThingGroupRecord>): void {
    const name = (after ?? before)?.groupName;
    if (name === undefined || (before?.query === undefined && after?.query === undefined)) return;
    this.#directory.remove(place, name);
    if (after?.query === undefined) return;
    this.#directory.add(place, after);
    if (
      after.query.status !== 'ACTIVE' &&
      (before?.query?.queryString !== after.query.queryString || before.groupId !== after.groupId)
    )
      this.#fill(place, after);
  }

  /** Looks for the things of a group: those that may match, and those that are in it. */
  #fill(place: Place, record: ThingGroupRecord): void {
    const filling = this.#fillAll(place, record)
      .catch((error: unknown) => {
        const { groupName } = record;
        const members = { err: error, event: 'dynamic-group-not-filled', ...place, groupName };
        this.#options.log.warn(members, 'a dynamic group could not be filled');
        setTimeout(() => this.#fillAgain(place, record), RETRY).unref();
      })
      .finally(() => this.#filling.delete(filling));
    this.#filling.add(filling);
  }

  /**
   * A fill that failed is tried again while the group is there with its query: it would be BUILDING until the server starts
   * anew.
   */
  #fillAgain(place: Place, record: ThingGroupRecord): void {
    const group = this.#directory.of(place).find(({ groupId }) => groupId === record.groupId);
    if (group?.queryString === record.query?.queryString) this.#fill(place, record);
  }

  async #fillAll(place: Place, { groupName, groupId, query }: ThingGroupRecord): Promise<void> {
    const index = this.#options.indexOf(place);
    const parsed = this.#directory.parse(place, groupName, query?.queryString);
    if (index === undefined || query === undefined || parsed === undefined) return;
    await index.built();
    const store = this.#options.inRegion(place.region);
    for await (const { items } of pages(store, memberships, {
      skipDamaged: true,
      index: 'byGroup',
      prefix: [place.accountId, groupId],
    }))
      await index.markAll(items.map(({ thingName }) => thingName));
    await (looksAtGroups(parsed) ? index.markEverything() : index.markMatching(parsed));
    await index.caughtUp();
    await store.write(async (tx) => {
      const now = await tx.get(thingGroups, [place.accountId, groupName]);
      if (now?.groupId !== groupId || now.query?.queryString !== query.queryString || now.query.status === 'ACTIVE') return;
      await tx.put(thingGroups, { ...now, query: { ...now.query, status: 'ACTIVE' } });
    });
  }
}
