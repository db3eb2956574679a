/**
 * Sums over the values of a field in the documents that match (developer guide, page index-aggregate). Values of another
 * type than the field's are left out.
 */
import type { Query } from '../query/query.ts';
import type { IndexFile, IndexKey } from './index-file.ts';
import { inTime, join, matchingIds, type Sql, storedBoolean } from './sql-query.ts';

export type FieldType = 'Number' | 'String' | 'Boolean';

export interface AggregatedField {
  readonly name: string;
  readonly type: FieldType;
}

/** Members without a value are absent: of texts there is only the count, and of nothing. */
export interface Statistics {
  readonly count: number;
  readonly average?: number;
  readonly sum?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly sumOfSquares?: number;
  readonly variance?: number;
  readonly stdDeviation?: number;
}

export interface ValueBucket {
  readonly keyValue: string;
  readonly count: number;
}

/** Ids that an estimate counts at most: all documents that match are looked at, so the rarest term is worth a longer count. */
const ESTIMATED = 100_000;

/** Numbers are below all texts, texts below all truth values. */
const OF_TYPE: Readonly<Record<FieldType, Sql>> = {
  Number: { text: 'd.value < ?', values: [''] },
  String: { text: 'd.value >= ? AND d.value < ?', values: ['', new Uint8Array(0)] },
  Boolean: { text: 'd.value >= ?', values: [new Uint8Array(0)] },
};

const EMPTY: Sql = { text: 'FROM terms AS d WHERE 0', values: [] };

/**
 * A statement's body that gives, as `d.value`, the field's values in the documents that match: document by document in the order
 * of their ids, as rows of one order are read several times faster than rows here and there. Only all documents are read by the
 * field's values.
 */
function valuesOf(file: IndexFile, key: IndexKey, query: Query, { name, type }: AggregatedField): Sql {
  const index = file.fieldsOf(key, ESTIMATED);
  const field = index.field(name);
  if (field === undefined) return EMPTY;
  const ofField = join([{ text: 'd.field = ?', values: [field] }, OF_TYPE[type]], ' AND ');
  if (query.kind === 'all')
    return join([{ text: 'FROM terms AS d WHERE', values: [] }, join([ofField, inTime('d.id')], ' AND ')]);
  const ids = join([{ text: 'SELECT d.id', values: [] }, matchingIds(query, index), { text: 'GROUP BY d.id', values: [] }]);
  const from = { text: `FROM (${ids.text}) AS m CROSS JOIN terms AS d ON d.id = m.id`, values: ids.values };
  return join([from, { text: 'WHERE', values: [] }, ofField]);
}

const one = (file: IndexFile, statement: Sql): Readonly<Record<string, unknown>> => file.rows(statement)[0] ?? {};

/** Members whose value is a finite number: a sum beyond doubles is left out. */
const finite = <T extends object>(members: T): T =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => Number.isFinite(value))) as T;

function summed(file: IndexFile, values: Sql, value: string): Omit<Statistics, 'variance' | 'stdDeviation'> {
  const columns = `count(*) AS count, total(${value}) AS sum, min(${value}) AS minimum, max(${value}) AS maximum, total(${value} * ${value}) AS squares`;
  const row = one(file, join([{ text: `SELECT ${columns}`, values: [] }, values]));
  const count = Number(row.count ?? 0);
  if (count === 0) return { count };
  const sum = Number(row.sum);
  return {
    ...{ count, sum, average: sum / count },
    ...{ minimum: Number(row.minimum), maximum: Number(row.maximum), sumOfSquares: Number(row.squares) },
  };
}

/** The population's variance: AWS's published sample fits it. Two passes, so that large numbers lose no digits. */
function varianceOf(file: IndexFile, values: Sql, mean: number, count: number): number {
  const row = one(file, {
    text: `SELECT total((d.value - ?) * (d.value - ?)) AS squares ${values.text}`,
    values: [mean, mean, ...values.values],
  });
  return Number(row.squares) / count;
}

export function statistics(file: IndexFile, key: IndexKey, query: Query, field: AggregatedField): Statistics {
  const values = valuesOf(file, key, query, field);
  if (field.type === 'String')
    return { count: Number(one(file, join([{ text: 'SELECT count(*) AS count', values: [] }, values])).count ?? 0) };
  if (field.type === 'Boolean') {
    const { sumOfSquares: _, ...sums } = summed(file, values, "(d.value = x'01')");
    return sums;
  }
  const sums = summed(file, values, 'd.value');
  if (sums.average === undefined) return sums;
  const variance = varianceOf(file, values, sums.average, sums.count);
  return finite({ ...sums, variance, stdDeviation: Math.sqrt(variance) });
}

/** Number of distinct values. */
export function cardinality(file: IndexFile, key: IndexKey, query: Query, field: AggregatedField): number {
  const values = valuesOf(file, key, query, field);
  return Number(one(file, join([{ text: 'SELECT count(DISTINCT d.value) AS count', values: [] }, values])).count ?? 0);
}

/**
 * Values below which so many percent of the values are; none where there is no value. Between two values it is
 * interpolated, as AWS's published sample is.
 */
export function percentiles(
  file: IndexFile,
  key: IndexKey,
  query: Query,
  field: AggregatedField,
  percents: readonly number[],
): readonly { readonly percent: number; readonly value: number }[] {
  const values = valuesOf(file, key, query, { ...field, type: 'Number' });
  const count = Number(one(file, join([{ text: 'SELECT count(*) AS count', values: [] }, values])).count ?? 0);
  if (count === 0) return [];
  const places = percents.map((percent) => Math.min(Math.max((percent / 100) * count - 0.5, 0), count - 1));
  const ranks = [...new Set(places.flatMap((place) => [Math.floor(place), Math.ceil(place)]))];
  const ranked = `SELECT rank, value FROM (SELECT d.value AS value, row_number() OVER (ORDER BY d.value) - 1 AS rank ${values.text})`;
  const found = file.rows({
    text: `${ranked} WHERE rank IN (${ranks.map(() => '?').join(', ')})`,
    values: [...values.values, ...ranks],
  });
  const valueAt = new Map(found.map(({ rank, value }) => [Number(rank), Number(value)]));
  return percents.map((percent, i) => {
    const place = places[i] ?? 0;
    const [low, high] = [valueAt.get(Math.floor(place)) ?? 0, valueAt.get(Math.ceil(place)) ?? 0];
    return { percent, value: low + (high - low) * (place - Math.floor(place)) };
  });
}

function keyOf(value: unknown, shown: unknown): string {
  if (value instanceof Uint8Array) return String(Buffer.compare(value, storedBoolean(true)) === 0);
  return String(shown ?? value);
}

/** The most frequent values, and how many documents match in all. */
export function buckets(
  file: IndexFile,
  key: IndexKey,
  query: Query,
  field: AggregatedField,
  limit: number,
): { readonly totalCount: number; readonly buckets: readonly ValueBucket[] } {
  const values = valuesOf(file, key, query, field);
  const rows = file.rows({
    text: `SELECT d.value AS value, min(d.shown) AS shown, count(*) AS count ${values.text} GROUP BY d.value ORDER BY count(*) DESC, d.value LIMIT ?`,
    values: [...values.values, limit],
  });
  return {
    totalCount: file.count(key, query),
    buckets: rows.map(({ value, shown, count }) => ({ keyValue: keyOf(value, shown), count: Number(count) })),
  };
}
