/** Whether a document matches a query, by its terms alone. Pure; the index file gives the same answer by SQL. */
import type { IndexedDocument, IndexedPoint, IndexedValue } from '../documents/values.ts';
import { isSearchedUnnamed } from './fields.ts';
import { type ValueMatcher, numberIn, type Query, type Term } from './query.ts';
import { textTest } from './text-pattern.ts';

const EARTH_RADIUS = 6_371_008.8;
const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** Meters between two points on a sphere (haversine formula). */
export function metersBetween(a: IndexedPoint, b: IndexedPoint): number {
  const north = Math.sin(radians(b.latitude - a.latitude) / 2) ** 2;
  const east = Math.sin(radians(b.longitude - a.longitude) / 2) ** 2;
  const square = north + Math.cos(radians(a.latitude)) * Math.cos(radians(b.latitude)) * east;
  return 2 * EARTH_RADIUS * Math.asin(Math.min(1, Math.sqrt(square)));
}

/** Numbers by value, texts by their UTF-8 bytes as the index file has them; undefined where the types differ. */
function compare(a: IndexedValue, b: number | string): number | undefined {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return undefined;
}

const isWithin = (order: number | undefined, inclusive: boolean): boolean =>
  order !== undefined && (order > 0 || (inclusive && order === 0));

function inRange(value: IndexedValue, { low, high }: Extract<ValueMatcher, { kind: 'range' }>): boolean {
  const below = high === undefined ? undefined : compare(value, high.value);
  return (
    (low === undefined || isWithin(compare(value, low.value), low.inclusive)) &&
    (high === undefined || isWithin(below === undefined ? undefined : -below, high.inclusive))
  );
}

/** A test of one value. */
function valueTest(matcher: ValueMatcher): (value: IndexedValue) => boolean {
  switch (matcher.kind) {
    case 'present':
      return () => true;
    case 'near':
      return () => false;
    case 'range':
      return (value) => inRange(value, matcher);
    case 'pattern': {
      const test = textTest(matcher.parts);
      return (value) => typeof value === 'string' && test(value);
    }
    case 'equals': {
      const number = numberIn(matcher.text);
      const { text } = matcher;
      return (value) => (typeof value === 'number' ? value === number : String(value) === text);
    }
  }
}

function termMatches({ field, matcher }: Term, document: IndexedDocument): boolean {
  if (matcher.kind === 'near')
    return document.points.some((point) => point.field === field && metersBetween(point, matcher) <= matcher.meters);
  const test = valueTest(matcher);
  return document.terms.some(
    (term) => (field === undefined ? isSearchedUnnamed(term.field) : term.field === field) && test(term.value),
  );
}

export function matches(query: Query, document: IndexedDocument): boolean {
  switch (query.kind) {
    case 'all':
      return true;
    case 'and':
      return query.of.every((each) => matches(each, document));
    case 'or':
      return query.of.some((each) => matches(each, document));
    case 'not':
      return !matches(query.of, document);
    case 'term':
      return termMatches(query, document);
  }
}
