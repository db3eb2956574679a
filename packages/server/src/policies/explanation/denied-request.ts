/** A request that policies did not allow. */
import type { Lookup } from '../context.ts';

export interface DeniedRequest {
  readonly action: string;
  readonly resource: string;
  /** Condition keys of the connection and the request. */
  readonly lookup: Lookup;
}

/** How far a part of a statement is from a match; the statement with the smallest sum is the nearest. */
export const DISTANCE = {
  misspeltAction: 2,
  otherAction: 10,
  condition: 2,
  arnPart: 2,
  resourceType: 2,
  unresolvedVariable: 2,
  /** Of names, and what is added for those that share nothing. */
  resourceName: 1,
  otherName: 3,
  excludedResource: 6,
  noArn: 8,
} as const;
