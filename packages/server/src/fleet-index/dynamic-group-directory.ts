/** The dynamic groups of accounts in memory, with their queries. */
import { type Place, placeKey } from '@thingkeep/wire/arn.ts';
import type { GroupReference, ThingGroupRecord } from '../registry/groups/store.ts';
import { DYNAMIC_GROUP_LIMITS, parseIndexQuery } from './query/parse.ts';
import type { Query } from './query/query.ts';

export interface DynamicGroup extends GroupReference {
  readonly createdAt: number;
  readonly queryString: string | undefined;
  readonly query: Query;
}

/** The oldest first: at the limit of a thing's groups they stay. */
const byAge = (a: DynamicGroup, b: DynamicGroup): number => a.createdAt - b.createdAt || (a.groupName < b.groupName ? -1 : 1);

export class DynamicGroupDirectory {
  readonly #log: { warn(members: object, text: string): void };
  /** By account, the oldest first. */
  readonly #groups = new Map<string, readonly DynamicGroup[]>();

  constructor(log: { warn(members: object, text: string): void }) {
    this.#log = log;
  }

  /** The groups of an account, the oldest first. */
  of(place: Place): readonly DynamicGroup[] {
    return this.#groups.get(placeKey(place)) ?? [];
  }

  /** Takes a group up; one whose query can't be read has no things. */
  add(place: Place, { groupName, groupId, createdAt, query }: ThingGroupRecord): void {
    const parsed = this.parse(place, groupName, query?.queryString);
    if (parsed === undefined) return;
    const group: DynamicGroup = { groupName, groupId, createdAt, queryString: query?.queryString, query: parsed };
    this.#groups.set(placeKey(place), [...this.of(place), group].toSorted(byAge));
  }

  /** A stored query; undefined, and told, where it can't be read. */
  parse(place: Place, groupName: string, queryString = ''): Query | undefined {
    try {
      return parseIndexQuery('AWS_Things', queryString, DYNAMIC_GROUP_LIMITS);
    } catch (error) {
      const members = { err: error, event: 'dynamic-group-not-read', ...place, groupName };
      this.#log.warn(members, 'the query of a dynamic group can not be read');
      return undefined;
    }
  }

  remove(place: Place, name: string): void {
    const left = this.of(place).filter(({ groupName }) => groupName !== name);
    if (left.length === 0) this.#groups.delete(placeKey(place));
    else this.#groups.set(placeKey(place), left);
  }
}
