/** What documents of the fleet index are made of. A part that has one of the sources hands it over by this contract. */

/** A shadow as the index sees it. */
export interface IndexedShadow {
  readonly desired?: Readonly<Record<string, unknown>> | undefined;
  readonly reported?: Readonly<Record<string, unknown>> | undefined;
  readonly delta?: Readonly<Record<string, unknown>> | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  readonly version: number;
}

/** Where shadows come from: the shadow service. */
export interface ShadowSource {
  /** The classic shadow (name undefined) and those of the names that a thing has. */
  shadows(
    place: { readonly region: string; readonly accountId: string },
    thingName: string,
    names: readonly string[],
  ): Promise<{
    readonly classic?: IndexedShadow | undefined;
    readonly named: Readonly<Record<string, IndexedShadow>>;
  }>;
}

/** A thing's last connection or end of one. */
export interface Connectivity {
  readonly connected: boolean;
  /** Milliseconds since the epoch; absent of a thing that never connected. */
  readonly timestamp?: number | undefined;
  readonly disconnectReason?: string | undefined;
  readonly version?: number | undefined;
}

/** All that is known of a thing. */
export interface IndexedThing {
  readonly thingName: string;
  readonly thingId: string;
  readonly thingTypeName?: string | undefined;
  readonly attributes: Readonly<Record<string, string>>;
  readonly version: number;
  /** Thing groups that it is in itself, and its billing group. */
  readonly groupNames: readonly string[];
  /** Those of them that a query has brought it into. */
  readonly dynamicGroups: readonly { readonly groupName: string; readonly groupId: string }[];
  /** How many static groups it is in. */
  readonly staticGroups: number;
  readonly connectivity?: Connectivity | undefined;
  readonly classicShadow?: IndexedShadow | undefined;
  readonly namedShadows?: Readonly<Record<string, IndexedShadow>> | undefined;
}

/** All that is known of a thing group. */
export interface IndexedThingGroup {
  readonly thingGroupName: string;
  readonly thingGroupId: string;
  readonly description?: string | undefined;
  readonly attributes: Readonly<Record<string, string>>;
  /** From the direct parent's to the root's. */
  readonly parentGroupNames: readonly string[];
  readonly version: number;
}
