/** A request that policies did not allow, and what a statement has that differs from it. */
import type { Lookup } from '../context.ts';

export interface DeniedRequest {
  readonly action: string;
  readonly resource: string;
  /** Condition keys of the connection and the request. */
  readonly lookup: Lookup;
}

/** One part in which a statement differs from a request. */
export interface Difference {
  readonly text: string;
  /** How far it is from a match: the statement with the smallest sum is the nearest. */
  readonly distance: number;
}

/** The distance of an Action that is about something else altogether. */
export const OTHER_ACTION = 10;
