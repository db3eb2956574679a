/** Queries of the fleet index as data: what a query string means, with its fields by their full names. Pure. */

/** What one value of a field is compared with. Texts are folded: the index knows no case. */
export type ValueMatcher =
  /** Equal to the text; or to the number or truth value that the text is. */
  | { readonly kind: 'equals'; readonly text: string }
  /** A text of this form. */
  | { readonly kind: 'pattern'; readonly parts: TextPattern }
  /** Any value at all. */
  | { readonly kind: 'present' }
  | { readonly kind: 'range'; readonly low?: Bound; readonly high?: Bound }
  /** A point at most `meters` away. */
  | { readonly kind: 'near'; readonly latitude: number; readonly longitude: number; readonly meters: number };

/** Both bounds of a range are of one type; values of another type are outside. */
export interface Bound {
  readonly value: number | string;
  readonly inclusive: boolean;
}

/** A folded text, any text, or exactly one character. */
export type TextPatternPart = { readonly literal: string } | 'any-text' | 'one-character';
export type TextPattern = readonly TextPatternPart[];

export interface Term {
  readonly kind: 'term';
  /** Undefined: any field of the registry, of shadows and of violations. */
  readonly field: string | undefined;
  readonly matcher: ValueMatcher;
}

export type Query =
  | { readonly kind: 'all' }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Query[] }
  | { readonly kind: 'not'; readonly of: Query }
  | Term;

/** The form in which texts are indexed and compared. */
export const fold = (text: string): string => text.toLowerCase();

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** The number that a text is, by JSON's grammar; undefined for any other text, and for one beyond doubles. */
export function numberIn(text: string): number | undefined {
  if (!NUMBER.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}
