/**
 * JSON as fields and values (developer guide, page managing-fleet-index): scalars, and arrays of scalars; names of nested
 * members are joined by dots; null and arrays of objects are not indexed.
 */
import { fold, numberIn } from '../query/query.ts';
import type { IndexedTerm } from './values.ts';

/** Values of one document at most: what a document of 8 KB can't exceed, and a bound if a source has larger ones. */
const MAX_TERMS = 10_000;

/** Texts are indexed up to this many characters. */
const MAX_TEXT = 1024;

/** A text as a value; what buckets show of it is kept where folding has changed it. */
export function textTerm(field: string, text: string): IndexedTerm {
  const cut = text.slice(0, MAX_TEXT);
  const value = fold(cut);
  return value === cut ? { field, value } : { field, value, shown: cut };
}

/** An attribute's value: a text, and a number as well if it is one by JSON's grammar. */
export function attributeTerms(field: string, text: string): readonly IndexedTerm[] {
  const number = numberIn(text);
  return number === undefined ? [textTerm(field, text)] : [textTerm(field, text), { field, value: number }];
}

/** Terms of what is under a field. */
export function* flatten(field: string, json: unknown, inArray = false): Generator<IndexedTerm> {
  if (typeof json === 'string') yield textTerm(field, json);
  else if (typeof json === 'boolean' || (typeof json === 'number' && Number.isFinite(json))) yield { field, value: json };
  else if (Array.isArray(json) && !inArray) for (const each of json) yield* flatten(field, each, true);
  else if (typeof json === 'object' && json !== null && !inArray)
    for (const [name, value] of Object.entries(json)) yield* flatten(`${field}.${name}`, value);
}

/** At most as many terms as a document may have. */
export function boundedTerms(terms: Iterable<IndexedTerm>): IndexedTerm[] {
  const taken: IndexedTerm[] = [];
  for (const term of terms) {
    if (taken.length >= MAX_TERMS) break;
    taken.push(term);
  }
  return taken;
}
