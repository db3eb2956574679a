/** What the thread of the index is asked to do: functions of the index file, by their names. */
import type { Query } from '../query/query.ts';
import type { IndexedDocument } from '../documents/values.ts';
import { type AggregatedField, buckets, cardinality, percentiles, statistics } from './aggregates.ts';
import type { IndexFile, IndexKey } from './index-file.ts';

export const indexCalls = (file: IndexFile) => ({
  update: (key: IndexKey, documents: readonly IndexedDocument[], removed: readonly string[]) =>
    file.update(key, documents, removed),
  drop: (key: IndexKey) => file.drop(key),
  names: (key: IndexKey, after: string, limit: number) => file.names(key, after, limit),
  search: (key: IndexKey, query: Query, after: number, limit: number) => file.search(key, query, after, limit),
  statistics: (key: IndexKey, query: Query, field: AggregatedField) => statistics(file, key, query, field),
  cardinality: (key: IndexKey, query: Query, field: AggregatedField) => cardinality(file, key, query, field),
  percentiles: (key: IndexKey, query: Query, field: AggregatedField, percents: readonly number[]) =>
    percentiles(file, key, query, field, percents),
  buckets: (key: IndexKey, query: Query, field: AggregatedField, limit: number) => buckets(file, key, query, field, limit),
});

export type IndexCalls = ReturnType<typeof indexCalls>;
export type IndexCallName = keyof IndexCalls;

/** One call, as it is sent to the thread. */
export interface IndexCall {
  readonly id: number;
  readonly name: IndexCallName;
  readonly args: readonly unknown[];
}

/** The answer: a result, or the text of a fault. The first message of a thread has no id: it says whether its file is new. */
export type IndexAnswer =
  | { readonly isNew: boolean }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly fault: string };
