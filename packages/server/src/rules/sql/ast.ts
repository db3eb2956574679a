/** What a statement says, before it is compiled. */
import type { ArithmeticOperator } from './arithmetic.ts';
import type { SqlValue } from './values.ts';

export type CompareOperator = '=' | '<>' | '<' | '<=' | '>' | '>=';
export type CastType = 'string' | 'int' | 'double' | 'decimal' | 'boolean';

export type Expression =
  | { readonly kind: 'literal'; readonly value: SqlValue }
  /** The whole payload, as an argument. */
  | { readonly kind: 'payload' }
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'variable'; readonly index: number; readonly name: string }
  | { readonly kind: 'member'; readonly of: Expression; readonly name: string }
  | { readonly kind: 'not'; readonly of: Expression }
  | { readonly kind: 'negative'; readonly of: Expression }
  | { readonly kind: 'logic'; readonly operator: 'and' | 'or'; readonly of: readonly Expression[] }
  | { readonly kind: 'compare'; readonly operator: CompareOperator; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'in'; readonly negated: boolean; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'arithmetic'; readonly operator: ArithmeticOperator; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'case'; readonly of: Expression; readonly when: readonly When[]; readonly otherwise?: Expression }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[]; readonly at: number }
  | { readonly kind: 'cast'; readonly of: Expression; readonly type: CastType }
  | { readonly kind: 'object'; readonly entries: readonly (readonly [key: string, value: Expression])[] }
  | { readonly kind: 'array'; readonly items: readonly Expression[] }
  | { readonly kind: 'query'; readonly select: Selection; readonly from: Expression; readonly where?: Expression };

export interface When {
  readonly is: Expression;
  readonly result: Expression;
}

export interface Item {
  /** Absent for `*`. */
  readonly expression?: Expression;
  /** Keys from the outside in; empty for a `*` without alias. */
  readonly path: readonly string[];
}

export type Selection =
  | { readonly kind: 'items'; readonly items: readonly Item[] }
  /** Without expression: `VALUE *`. */
  | { readonly kind: 'value'; readonly expression?: Expression };

export interface Variable {
  readonly name: string;
  readonly expression: Expression;
}

export interface Statement {
  readonly variables: readonly Variable[];
  readonly select: Selection;
  readonly filter?: string;
  readonly where?: Expression;
}
