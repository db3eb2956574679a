/**
 * Query strings of the fleet index (developer guide, pages query-syntax and example-queries): terms joined by AND, OR, NOT,
 * a hyphen or nothing (AND), parentheses, and parentheses behind a field. NOT binds closest, then AND, then OR: AWS does
 * not say.
 */
import { type Bound, fold, type ValueMatcher, numberIn, type TextPattern, type Query } from './query.ts';
import { type IndexName, searchedField } from './fields.ts';
import { type QueryMark, refuse, type QueryToken, tokenize } from './tokens.ts';

export interface QueryLimits {
  /** Terms of a query: General Reference, 12; of a dynamic group, 5. */
  readonly terms: number;
}

export const SEARCH_LIMITS: QueryLimits = { terms: 12 };
export const DYNAMIC_GROUP_LIMITS: QueryLimits = { terms: 5 };

/** General Reference, "Fleet indexing"; characters with a leading wildcard: page query-syntax. */
const MAX_LENGTH = 1000;
const MAX_LENGTH_LEADING = 100;
const MAX_ANY_TEXT = 2;
const MAX_ONE_CHARACTER = 5;
/** Parentheses in one another. */
const MAX_DEPTH = 32;

const OPERATORS = new Set(['AND', 'OR', 'NOT']);

const METERS: Readonly<Record<string, number>> = {
  m: 1,
  km: 1000,
  cm: 0.01,
  mm: 0.001,
  mi: 1609.344,
  yd: 0.9144,
  ft: 0.3048,
  in: 0.0254,
  nmi: 1852,
};

type Word = Extract<QueryToken, { kind: 'word' }>;

class Parser {
  readonly #index: IndexName;
  readonly #limits: QueryLimits;
  readonly #tokens: readonly QueryToken[];
  #at = 0;
  #terms = 0;
  #leading = 0;

  constructor(index: IndexName, text: string, limits: QueryLimits) {
    this.#index = index;
    this.#limits = limits;
    this.#tokens = tokenize(text);
  }

  parse(length: number): Query {
    const query = this.#any(undefined, 0);
    if (this.#next !== undefined) this.#refuseNext();
    if (this.#leading > 1) refuse('At most one term of a query may begin with a wildcard.');
    if (this.#leading === 1 && length > MAX_LENGTH_LEADING)
      refuse(`A query with a term that begins with a wildcard has ${MAX_LENGTH_LEADING} characters at most.`);
    return query;
  }

  get #next(): QueryToken | undefined {
    return this.#tokens[this.#at];
  }

  #refuseNext(): never {
    const token = this.#next;
    if (token === undefined) return refuse('The query string ends where a term is expected.');
    const what = token.kind === 'mark' ? token.mark : token.kind === 'word' ? token.raw : `"${token.text}"`;
    return refuse(`${what} is not expected at position ${token.at + 1} of the query string.`);
  }

  #isMark(mark: QueryMark): boolean {
    const token = this.#next;
    return token?.kind === 'mark' && token.mark === mark;
  }

  #takeMark(...marks: readonly QueryMark[]): QueryMark | undefined {
    const token = this.#next;
    if (token?.kind !== 'mark' || !marks.includes(token.mark)) return undefined;
    this.#at += 1;
    return token.mark;
  }

  #need(...marks: readonly QueryMark[]): QueryMark {
    return this.#takeMark(...marks) ?? this.#refuseNext();
  }

  #isOperator(word: string): boolean {
    const token = this.#next;
    return token?.kind === 'word' && token.raw === word;
  }

  #takeOperator(word: string): boolean {
    if (!this.#isOperator(word)) return false;
    this.#at += 1;
    return true;
  }

  /** Clauses joined by OR. `field` is that of the parentheses around them. */
  #any(field: string | undefined, depth: number): Query {
    if (depth > MAX_DEPTH) refuse(`At most ${MAX_DEPTH} parentheses may be in one another.`);
    const of = [this.#all(field, depth)];
    while (this.#takeOperator('OR')) of.push(this.#all(field, depth));
    return of.length === 1 ? (of[0] ?? this.#refuseNext()) : { kind: 'or', of };
  }

  /** Clauses joined by AND, or by nothing. */
  #all(field: string | undefined, depth: number): Query {
    const of = [this.#clause(field, depth)];
    while (this.#takeOperator('AND') || this.#beginsClause()) of.push(this.#clause(field, depth));
    return of.length === 1 ? (of[0] ?? this.#refuseNext()) : { kind: 'and', of };
  }

  #beginsClause(): boolean {
    return this.#next !== undefined && !this.#isMark(')') && !this.#isOperator('OR');
  }

  #clause(field: string | undefined, depth: number): Query {
    let negated = false;
    while (this.#takeOperator('NOT') || this.#takeMark('-') !== undefined) negated = !negated;
    const query = this.#takeMark('(') === undefined ? this.#term(field, depth) : this.#group(field, depth);
    return negated ? { kind: 'not', of: query } : query;
  }

  #group(field: string | undefined, depth: number): Query {
    const query = this.#any(field, depth + 1);
    this.#need(')');
    return query;
  }

  #term(field: string | undefined, depth: number): Query {
    const token = this.#next;
    if (token?.kind === 'word' && field === undefined) {
      const named = this.#fieldTerm(token, depth);
      if (named !== undefined) return named;
    }
    return this.#value(field);
  }

  /** A term whose field is named: behind a colon a value or a group, or a comparison with a number. */
  #fieldTerm(token: Word, depth: number): Query | undefined {
    const after = this.#tokens[this.#at + 1];
    if (after?.kind !== 'mark' || ![':', '<', '<=', '>', '>='].includes(after.mark)) return undefined;
    this.#at += 1;
    const name = searchedField(this.#index, token.raw);
    const compared = this.#takeMark('<', '<=', '>', '>=');
    if (compared !== undefined) return this.#counted(name, this.#comparison(compared));
    this.#need(':');
    return this.#takeMark('(') === undefined ? this.#value(name) : this.#group(name, depth);
  }

  #counted(field: string | undefined, matcher: ValueMatcher): Query {
    this.#terms += 1;
    if (this.#terms > this.#limits.terms) refuse(`The query has more than ${this.#limits.terms} terms.`);
    if (field === undefined && matcher.kind === 'present') return { kind: 'all' };
    return { kind: 'term', field, matcher };
  }

  /** A value without its field: a word with or without wildcards, a phrase, a range, a place. */
  #value(field: string | undefined): Query {
    const open = this.#takeMark('[', '{');
    if (open !== undefined) return this.#counted(this.#named(field), this.#range(open));
    const token = this.#next;
    if (token === undefined || token.kind === 'mark') return this.#refuseNext();
    if (token.kind === 'phrase') {
      this.#at += 1;
      return this.#counted(field, { kind: 'equals', text: token.text });
    }
    if (OPERATORS.has(token.raw)) this.#refuseNext();
    this.#at += 1;
    if (token.raw === 'geo_distance' && this.#isMark(',')) return this.#counted(this.#named(field), this.#near());
    return this.#counted(field, this.#word(token));
  }

  /** Ranges and places are of a field: without one they have no meaning. */
  #named(field: string | undefined): string {
    return field ?? refuse('A range or a distance needs a field.');
  }

  #word({ parts, text, raw }: Word): ValueMatcher {
    if (parts.every((part) => typeof part === 'object')) return { kind: 'equals', text };
    if (parts.length === 1 && parts[0] === 'any-text') return { kind: 'present' };
    this.#refuseManyWildcards(parts, raw);
    if (typeof parts[0] !== 'object') this.#leading += 1;
    return { kind: 'pattern', parts };
  }

  #refuseManyWildcards(parts: TextPattern, raw: string): void {
    if (parts.filter((part) => part === 'any-text').length > MAX_ANY_TEXT)
      refuse(`The term ${raw} has more than ${MAX_ANY_TEXT} wildcards *.`);
    if (parts.filter((part) => part === 'one-character').length > MAX_ONE_CHARACTER)
      refuse(`The term ${raw} has more than ${MAX_ONE_CHARACTER} wildcards ?.`);
  }

  #comparison(mark: QueryMark): ValueMatcher {
    const bound = this.#bound(mark.endsWith('='));
    if (bound === undefined || typeof bound.value !== 'number') return refuse('A comparison needs a number.');
    return mark.startsWith('<') ? { kind: 'range', high: bound } : { kind: 'range', low: bound };
  }

  #range(open: QueryMark): ValueMatcher {
    const low = this.#bound(open === '[');
    if (!this.#takeOperator('TO')) this.#refuseNext();
    const upper = this.#bound(true);
    const closedBy = this.#need(']', '}');
    const high = upper === undefined ? undefined : { ...upper, inclusive: closedBy === ']' };
    if (low !== undefined && high !== undefined && typeof low.value !== typeof high.value)
      refuse('Both ends of a range are numbers, or both are texts in quotation marks.');
    if (low === undefined && high === undefined) return { kind: 'present' };
    return { kind: 'range', ...(low && { low }), ...(high && { high }) };
  }

  /** An end of a range: a number, or a text in quotation marks; undefined for `*`, which is open. */
  #bound(inclusive: boolean): Bound | undefined {
    const sign = this.#takeMark('-') ?? '';
    const token = this.#next;
    if (token === undefined || token.kind === 'mark') return this.#refuseNext();
    this.#at += 1;
    if (token.kind === 'phrase') return { value: token.text, inclusive };
    if (token.raw === '*') return undefined;
    const value = numberIn(`${sign}${token.raw}`);
    return value === undefined
      ? refuse(`${token.raw} is no number: a text in a range stands in quotation marks.`)
      : { value, inclusive };
  }

  /** What follows `geo_distance`: latitude, longitude, and a distance with its unit. */
  #near(): ValueMatcher {
    const part = (): string => {
      this.#need(',');
      const sign = this.#takeMark('-') ?? '';
      const token = this.#next;
      if (token?.kind !== 'word') return this.#refuseNext();
      this.#at += 1;
      return `${sign}${token.raw}`;
    };
    const [latitude, longitude, distance] = [numberIn(part()), numberIn(part()), part()];
    if (latitude === undefined || Math.abs(latitude) > 90) return refuse('The latitude is a number from -90 to 90.');
    if (longitude === undefined || Math.abs(longitude) > 180) return refuse('The longitude is a number from -180 to 180.');
    const [, count = '', unit = ''] = /^([\d.]+)([a-z]*)$/.exec(fold(distance)) ?? [];
    const meters = (numberIn(count) ?? Number.NaN) * (METERS[unit === '' ? 'm' : unit] ?? Number.NaN);
    if (Number.isNaN(meters)) return refuse(`The distance ${distance} is no number with a unit, such as 15.5km.`);
    return { kind: 'near', latitude, longitude, meters };
  }
}

/** The meaning of a query string; a string that has none fails with InvalidQueryException. */
export function parseIndexQuery(index: IndexName, text: string, limits: QueryLimits = SEARCH_LIMITS): Query {
  if (text.length > MAX_LENGTH) refuse(`The query string has more than ${MAX_LENGTH} characters.`);
  return new Parser(index, text, limits).parse(text.length);
}
