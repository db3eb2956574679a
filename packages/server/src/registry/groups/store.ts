/** Records of groups of things: thing groups, static and dynamic, which things are in them, and billing groups. */
import { collection } from '../../store/contract.ts';

declare module '../../store/change-kinds.ts' {
  interface ChangeKinds {
    'billing-group': true;
    'thing-group': true;
    'thing-group-membership': true;
  }
}

/** A group by name and id: a group that is made anew has another id under its name. */
export interface GroupReference {
  readonly groupName: string;
  readonly groupId: string;
}

/** What makes a thing group dynamic. */
export interface ThingGroupQuery {
  readonly indexName: string;
  readonly queryString: string;
  readonly queryVersion: string;
  readonly status: 'ACTIVE' | 'BUILDING' | 'REBUILDING';
}

/** Times are milliseconds since the epoch. */
export interface ThingGroupRecord extends GroupReference {
  readonly accountId: string;
  readonly description?: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly version: number;
  readonly createdAt: number;
  /** From the root to the parent. None of them changes or is deleted while the group is there. */
  readonly ancestors: readonly GroupReference[];
  /** Present in a dynamic group. */
  readonly query?: ThingGroupQuery;
}

/** A thing is in a thing group. The membership of a group that is gone counts for nothing, and is removed soon. */
export interface MembershipRecord extends GroupReference {
  readonly accountId: string;
  readonly thingName: string;
  readonly thingId: string;
  /** Made when the thing came in. */
  readonly membershipId: string;
  /** Ids from the root of the group's hierarchy to the group itself. */
  readonly hierarchy: readonly string[];
  /** Whether a dynamic group's query has brought the thing in. */
  readonly isByQuery: boolean;
  readonly joinedAt: number;
}

export interface BillingGroupRecord extends GroupReference {
  readonly accountId: string;
  readonly description?: string;
  readonly version: number;
  readonly createdAt: number;
}

export const thingGroups = collection<ThingGroupRecord>(
  'thing-groups',
  (g) => [g.accountId, g.groupName],
  {
    /** Children of a group; the roots under an empty name. */
    byParent: (g) => [[g.accountId, g.ancestors.at(-1)?.groupName ?? '', g.groupName]],
    byAncestor: (g) => g.ancestors.map((ancestor) => [g.accountId, ancestor.groupName, g.groupName]),
    dynamic: (g) => (g.query === undefined ? [] : [[g.accountId, g.groupName]]),
  },
  { changes: 'thing-group' },
);

export const memberships = collection<MembershipRecord>(
  'thing-group-memberships',
  (m) => [m.accountId, m.thingName, m.groupName],
  {
    byGroup: (m) => [[m.accountId, m.groupId, m.thingName]],
    /** Of a group and all groups below it. */
    byHierarchy: (m) => m.hierarchy.map((groupId) => [m.accountId, groupId, m.thingName]),
  },
  { changes: 'thing-group-membership' },
);

export const billingGroups = collection<BillingGroupRecord>(
  'billing-groups',
  (g) => [g.accountId, g.groupName],
  {},
  { changes: 'billing-group' },
);
