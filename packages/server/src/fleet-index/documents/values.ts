/** What is indexed of a document: for each field its values. */

/** Texts are folded; a text that is a number counts as both. */
export type IndexedValue = string | number | boolean;

/** A point of a field that is configured as a geographical location, in degrees. */
export interface IndexedPoint {
  readonly latitude: number;
  readonly longitude: number;
}

/** One value of a field. `shown` is what buckets show of it where that is not the value itself: a text before it was folded. */
export interface IndexedTerm {
  readonly field: string;
  readonly value: IndexedValue;
  readonly shown?: string;
}

export interface LocatedTerm extends IndexedPoint {
  readonly field: string;
}

/** A document of an index as it is stored: what a search gives, and what it is found by. */
export interface IndexedDocument {
  /** Name of the thing or the thing group. */
  readonly name: string;
  /** What SearchIndex gives of it. */
  readonly shown: Readonly<Record<string, unknown>>;
  readonly terms: readonly IndexedTerm[];
  readonly points: readonly LocatedTerm[];
}
