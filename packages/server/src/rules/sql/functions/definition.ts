/** What a function of the SQL is made of. */
import type { Expression } from '../ast.ts';
import type { RuleBudget } from '../budget.ts';
import type { Dialect } from '../dialect.ts';
import type { Evaluation } from '../evaluation.ts';
import type { SqlValue } from '../values.ts';

export type Evaluate = (evaluation: Evaluation) => SqlValue;

export interface Argument {
  readonly evaluate: Evaluate;
  readonly expression: Expression;
}

/** What a call is told of the query that it is in. */
export interface CallSite {
  readonly dialect: Dialect;
  /** A number of its own, for what is remembered. */
  readonly id: number;
  /** That of the rule: fails for what is too much. */
  readonly budget: Pick<RuleBudget, 'addPattern'>;
}

export interface SqlFunction {
  /** Another number of arguments gives Undefined (page iot-sql-data-types). */
  readonly least: number;
  readonly most: number;
  /** Asks a service. */
  readonly asks: boolean;
  compile(args: readonly Argument[], site: CallSite): Evaluate;
}

interface ArgumentCount {
  readonly least: number;
  readonly most?: number;
  readonly asks?: boolean;
}

export const define = ({ least, most = least, asks = false }: ArgumentCount, compile: SqlFunction['compile']): SqlFunction => ({
  least,
  most,
  asks,
  compile,
});

export type Apply = (args: readonly SqlValue[], evaluation: Evaluation) => SqlValue;

/** A function of its arguments' values. */
export const ofValues = (shape: ArgumentCount, apply: Apply): SqlFunction =>
  define(
    shape,
    (args) => (evaluation) =>
      apply(
        args.map((arg) => arg.evaluate(evaluation)),
        evaluation,
      ),
  );

/** A function of texts: arguments are converted, and one that can't be makes the result Undefined. */
export const ofTexts = (
  shape: ArgumentCount,
  apply: (texts: readonly string[], evaluation: Evaluation) => SqlValue,
): SqlFunction =>
  ofValues(shape, (values, evaluation) => {
    const texts: string[] = [];
    let length = 0;
    for (const value of values) {
      const text = evaluation.text(value);
      if (text === undefined) return undefined;
      length += text.length;
      texts.push(text);
    }
    evaluation.spend(1 + (length >>> 5));
    return apply(texts, evaluation);
  });

export type SqlFunctions = Readonly<Record<string, SqlFunction>>;
