/**
 * The form of the tables of SQL cases. `section` names the page of the developer guide, and the part of it, that says so;
 * "chosen" marks what it leaves open (docs/rules-sql.md).
 */
import type { RuleMessage } from '../contract.ts';
import type { SqlVersion } from '../dialect.ts';

/** What an expression gives as JSON text; absent for Undefined. */
export type ExpressionCase = readonly [expression: string, expected?: string];
/** A statement, its payload, and the payload that actions get; null when WHERE says no. */
export type StatementCase = readonly [sql: string, payload: string | Buffer, expected: string | null];
/** A statement that is refused, and the end of the refusal's text. */
export type ErrorCase = readonly [sql: string, refusal: string];
export type TemplateCase = readonly [template: string, expected: string];

interface Group {
  readonly section: string;
  /** 2016-03-23 where absent. */
  readonly version?: SqlVersion;
}

export interface ExpressionGroup extends Group {
  readonly payload?: string;
  readonly message?: Partial<RuleMessage>;
  readonly cases: readonly ExpressionCase[];
}
export interface StatementGroup extends Group {
  readonly cases: readonly StatementCase[];
}
export interface ErrorGroup extends Group {
  readonly cases: readonly ErrorCase[];
}
export interface TemplateGroup extends Group {
  readonly payload: string;
  /** SET, for templates with variables. */
  readonly set?: string;
  readonly cases: readonly TemplateCase[];
}
