/**
 * Queries as SQL. A query has a source, which gives ids of documents that may match (the rarest of the terms that must
 * hold), and a condition, which each of them is checked by. What a query holds is bound, never written into the SQL.
 */
import type { SQLInputValue } from 'node:sqlite';
import { metersBetween } from '../query/matches.ts';
import { type Bound, type ValueMatcher, numberIn, type TextPattern, type Query, type Term } from '../query/query.ts';

/** Part of a statement with the values that it binds. */
export interface Sql {
  readonly text: string;
  readonly values: readonly SQLInputValue[];
}

const sql = (text: string, values: readonly SQLInputValue[] = []): Sql => ({ text, values });

/** Joins parts; their values come in the same order. */
export function join(parts: readonly Sql[], between = ' '): Sql {
  return { text: parts.map(({ text }) => text).join(between), values: parts.flatMap(({ values }) => values) };
}

const NEVER = sql('0');

/**
 * Always true, and fails once the query's time is over: SQLite can't be interrupted from another thread. A row in a thousand
 * asks, as a call from SQL costs more than a look at a row.
 */
export const inTime = (id: string): Sql => sql(`(${id} & 1023 OR in_time())`);

/** Truth values are blobs: so a text `true` is another value. */
export const storedBoolean = (value: boolean): Uint8Array => new Uint8Array([value ? 1 : 0]);

/** Above all texts, below all blobs. */
const BEHIND_TEXTS = new Uint8Array(0);
/** No text that goes on behind a prefix is above it with this character. */
const HIGHEST = '\u{10FFFF}';

/** What SQLite's GLOB takes for a pattern. */
const globOf = (parts: TextPattern): string =>
  parts
    .map((part) => {
      if (part === 'any-text') return '*';
      return part === 'one-character' ? '?' : part.literal.replace(/[[*?]/g, '[$&]');
    })
    .join('');

function patternCondition(parts: TextPattern): Sql {
  const [first] = parts;
  const prefix = typeof first === 'object' ? first.literal : '';
  const range = sql('value >= ? AND value < ?', [prefix, prefix === '' ? BEHIND_TEXTS : `${prefix}${HIGHEST}`]);
  const isPrefix = parts.length === 2 && prefix !== '' && parts[1] === 'any-text';
  return isPrefix ? range : join([range, sql('value GLOB ?', [globOf(parts)])], ' AND ');
}

function rangeCondition(low: Bound | undefined, high: Bound | undefined): Sql {
  const isNumeric = typeof (low ?? high)?.value === 'number';
  const bounds: Sql[] = [];
  if (low !== undefined) bounds.push(sql(low.inclusive ? 'value >= ?' : 'value > ?', [low.value]));
  else if (!isNumeric) bounds.push(sql('value >= ?', ['']));
  if (high !== undefined) bounds.push(sql(high.inclusive ? 'value <= ?' : 'value < ?', [high.value]));
  // Numbers are below all texts, texts below all blobs.
  else bounds.push(sql('value < ?', [isNumeric ? '' : BEHIND_TEXTS]));
  return join(bounds, ' AND ');
}

/** The values that a text may be of: itself, a number, a truth value. */
function valuesEqualTo(text: string): readonly SQLInputValue[] {
  const number = numberIn(text);
  const isTruth = text === 'true' || text === 'false';
  return [text, ...(number === undefined ? [] : [number]), ...(isTruth ? [storedBoolean(text === 'true')] : [])];
}

/** One value is looked up in order of ids: several have to be sorted. */
const isOneOf = (values: readonly SQLInputValue[]): Sql =>
  values.length === 1 ? sql('value = ?', values) : sql(`value IN (${values.map(() => '?').join(', ')})`, values);

/** A condition on the column `value`. */
function valueCondition(matcher: Exclude<ValueMatcher, { kind: 'near' }>): Sql {
  switch (matcher.kind) {
    case 'present':
      return sql('1');
    case 'equals':
      return isOneOf(valuesEqualTo(matcher.text));
    case 'pattern':
      return patternCondition(matcher.parts);
    case 'range':
      return rangeCondition(matcher.low, matcher.high);
  }
}

/** What a statement needs to know of the index that it is for. */
export interface IndexFields {
  readonly indexId: number;
  /** Number of a field; undefined where no document has it. */
  field(name: string): number | undefined;
  /** About how many ids a source gives, up to a bound. */
  estimate(source: Sql): number;
  /** Whether a source gives any. */
  holds(source: Sql): boolean;
}

/** Degrees of latitude that a distance can span, somewhat rounded up. */
const DEGREES_OF_METER = 1 / 111_000;

/** Rows of `points` that are near: first by latitude, then by distance. */
function nearCondition(matcher: Extract<ValueMatcher, { kind: 'near' }>): Sql {
  const span = matcher.meters * DEGREES_OF_METER;
  return sql('latitude BETWEEN ? AND ? AND meters_between(latitude, longitude, ?, ?) <= ?', [
    ...[matcher.latitude - span, matcher.latitude + span],
    ...[matcher.latitude, matcher.longitude, matcher.meters],
  ]);
}

/** The function `meters_between` of {@link nearCondition}, as SQLite calls it. */
export const metersBetweenPlaces = (latitude: number, longitude: number, toLatitude: number, toLongitude: number): number =>
  metersBetween({ latitude, longitude }, { latitude: toLatitude, longitude: toLongitude });

/** The fields that a term without a field looks at. */
const unnamedFields = ({ indexId }: IndexFields): Sql =>
  sql('field IN (SELECT id FROM fields WHERE index_id = ? AND unnamed = 1)', [indexId]);

/** Ids of documents with a term, from the table's own order. */
function termSource({ field: name, matcher }: Term, index: IndexFields): Sql {
  const field = name === undefined ? undefined : index.field(name);
  if (name !== undefined && field === undefined) return sql('SELECT id FROM terms WHERE 0');
  if (matcher.kind === 'near')
    return join([sql('SELECT id FROM points WHERE field = ?', [field ?? 0]), inTime('id'), nearCondition(matcher)], ' AND ');
  const fields = field === undefined ? unnamedFields(index) : sql('field = ?', [field]);
  const ids = (value: Sql): Sql => join([sql('SELECT id FROM terms WHERE'), join([fields, inTime('id'), value], ' AND ')]);
  if (matcher.kind !== 'equals' || field === undefined) return ids(valueCondition(matcher));
  // Of `true` as a text and as a truth value mostly one is there.
  const present = valuesEqualTo(matcher.text).filter((value) => index.holds(ids(sql('value = ?', [value]))));
  return present.length === 0 ? sql('SELECT id FROM terms WHERE 0') : ids(isOneOf(present));
}

/** Whether the document `d.id` has a term. */
function termCondition({ field: name, matcher }: Term, index: IndexFields): Sql {
  const field = name === undefined ? undefined : index.field(name);
  if (name !== undefined && field === undefined) return NEVER;
  const exists = (table: string, conditions: readonly Sql[]): Sql =>
    join([sql(`EXISTS (SELECT 1 FROM ${table} AS t WHERE t.id = d.id AND`), join(conditions, ' AND '), sql(')')]);
  if (matcher.kind === 'near') return exists('points', [sql('field = ?', [field ?? 0]), nearCondition(matcher)]);
  const fields = field === undefined ? unnamedFields(index) : sql('field = ?', [field]);
  return exists('terms', [fields, valueCondition(matcher)]);
}

/** A condition on the document `d.id`. */
export function condition(query: Query, index: IndexFields): Sql {
  switch (query.kind) {
    case 'all':
      return sql('1');
    case 'not':
      return join([sql('NOT'), condition(query.of, index)]);
    case 'and':
    case 'or': {
      const parts = query.of.map((each) => condition(each, index));
      return join([sql('('), join(parts, query.kind === 'and' ? ' AND ' : ' OR '), sql(')')]);
    }
    case 'term':
      return termCondition(query, index);
  }
}

/** Where the ids of documents that may match come from. */
export interface IdSource {
  /** A statement that gives each id at least once. */
  readonly ids: Sql;
  /** What is left to check of them; undefined when all that it gives match. */
  readonly rest: Query | undefined;
  /** About how many ids it gives, up to a bound. */
  readonly size: number;
}

const conjunction = (of: readonly Query[]): Query | undefined => (of.length > 1 ? { kind: 'and', of } : of[0]);

/** The source of a query; undefined when nothing narrows it but the index as a whole. */
export function sourceOf(query: Query, index: IndexFields): IdSource | undefined {
  switch (query.kind) {
    case 'all':
    case 'not':
      return undefined;
    case 'term': {
      const ids = termSource(query, index);
      return { ids, rest: undefined, size: index.estimate(ids) };
    }
    case 'and': {
      const sources = query.of.flatMap((each) => {
        const source = sourceOf(each, index);
        return source === undefined ? [] : [{ each, source }];
      });
      const rarest = sources.reduce((a, b) => (b.source.size < a.source.size ? b : a), sources[0] as (typeof sources)[number]);
      if (rarest === undefined) return undefined;
      const others = query.of.filter((each) => each !== rarest.each);
      const rest = conjunction([...(rarest.source.rest === undefined ? [] : [rarest.source.rest]), ...others]);
      return { ids: rarest.source.ids, rest, size: rarest.source.size };
    }
    case 'or': {
      const sources = query.of.map((each) => sourceOf(each, index));
      const known = sources.filter((source) => source !== undefined);
      if (known.length < sources.length) return undefined;
      const rest = known.every((source) => source.rest === undefined) ? undefined : query;
      const ids = join(
        known.map(({ ids: each }) => each),
        ' UNION ALL ',
      );
      return { ids, rest, size: known.reduce((sum, { size }) => sum + size, 0) };
    }
  }
}

/** A statement's body that gives each id, from `d`, of the documents that match: `SELECT <columns> <body>`. */
export function matchingIds(query: Query, index: IndexFields): Sql {
  const source = sourceOf(query, index);
  if (source === undefined)
    return join(
      [sql('FROM documents AS d WHERE d.index_id = ?', [index.indexId]), inTime('d.id'), condition(query, index)],
      ' AND ',
    );
  const rest = source.rest === undefined ? sql('1') : join([inTime('d.id'), condition(source.rest, index)], ' AND ');
  return join([sql('FROM ('), source.ids, sql(') AS d WHERE'), rest]);
}
