/** The one error of evaluating a query: it asked for more than a message may cost. */

/**
 * - `steps`: more work than {@link SQL_LIMITS.steps}
 * - `size`: a value, a variable or the result is too long
 * - `calls`: more calls of other services than are allowed
 */
export type EvaluationBound = 'steps' | 'size' | 'calls';

/** The rule fails for this message; no action runs. */
export class SqlEvaluationError extends Error {
  readonly bound: EvaluationBound;

  constructor(bound: EvaluationBound, message: string) {
    super(message);
    this.name = 'SqlEvaluationError';
    this.bound = bound;
  }
}
