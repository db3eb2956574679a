/** Orders of a rule's actions: what they are made of, and how they end. */
import { randomUUID } from 'node:crypto';
import type { BatchFailure } from './action-queue.ts';
import type { ActionError } from './actions/action-error.ts';
import type { OriginalMessage } from './actions/contract.ts';
import type { CompiledAction, CompiledRule } from './compiled-rule.ts';
import type { Failure, ActionResults } from './action-results.ts';
import { ERROR_ACTION, type KeptOrder } from './orders.ts';
import type { OrderEnd } from './action-outbox.ts';

/** Takes note of a failure. `row`: of the order on disk, 0 for none. */
export type Failed = (
  rule: CompiledRule,
  action: CompiledAction,
  results: ActionResults,
  message: OriginalMessage,
  failure: Failure,
  row: number,
  batchFailure?: BatchFailure,
) => void;

/** The end of one order among those of its message. Very many wait at a time: so it is small. */
export class ReportToResults implements OrderEnd {
  readonly #failed: Failed;
  readonly #rule: CompiledRule;
  readonly #action: CompiledAction;
  readonly #results: ActionResults;

  constructor(failed: Failed, rule: CompiledRule, action: CompiledAction, results: ActionResults) {
    this.#failed = failed;
    this.#rule = rule;
    this.#action = action;
    this.#results = results;
  }

  done({ message }: KeptOrder): void {
    this.#action.counters.success += 1;
    this.#results.end(message);
  }

  failed({ parameters, message }: KeptOrder, error: ActionError, row: number, batchFailure?: BatchFailure): void {
    const failure = actionFailure(this.#action, parameters, error.message);
    this.#failed(this.#rule, this.#action, this.#results, message, failure, row, batchFailure);
  }

  missing(): void {
    this.#results.end(undefined);
  }
}

/** The action of an order as the rule has it now; undefined when it has another kind there, or none. */
export function actionOf(rule: CompiledRule | undefined, { index, key }: KeptOrder): CompiledAction | undefined {
  const action = index === ERROR_ACTION ? rule?.errorAction : rule?.actions[index];
  return action?.key === key ? action : undefined;
}

export const actionFailure = ({ type }: Pick<CompiledAction, 'type'>, parameters: unknown, errorMessage: string): Failure => ({
  failedAction: type.name,
  failedResource: type.resource(parameters),
  errorMessage,
});

export const orderOf = (
  { place, record }: CompiledRule,
  { key, index, hostByRoot, foreignRole }: CompiledAction,
  parameters: unknown,
  payload: Buffer,
  isJson: boolean,
  message: OriginalMessage,
): KeptOrder => ({
  id: randomUUID(),
  place,
  ruleName: record.ruleName,
  key,
  index,
  parameters,
  payload,
  isJson,
  message,
  hostByRoot,
  foreignRole,
});
