/**
 * The form of the tables of probes: what a public collection, cdk-preflight, has measured of AWS's own answers, by the name of
 * its rule. The test beside this folder makes each call.
 */
export type ProbedService = 'iot' | 'iam' | 'lambda' | 'acm' | 'logs';

/** A call, and AWS's answer: its code and the beginning of its message; absent where it accepts. */
export interface Answer {
  readonly operation: string;
  readonly input: object;
  readonly refused?: readonly [code: string, message: string];
}

export interface Probe {
  readonly name: string;
  readonly answers: readonly Answer[];
}

export const accepts = (operation: string, input: object): Answer => ({ operation, input });
export const refuses = (operation: string, input: object, code: string, message: string): Answer => ({
  operation,
  input,
  refused: [code, message],
});

export const ACCOUNT = '000000000000';
/** A name that no service takes. */
export const JAPANESE = 'テスト用';
