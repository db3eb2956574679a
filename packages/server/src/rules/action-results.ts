/** One message that a rule acts on: how its actions end, and what is told when some failed. */
import type { BatchFailure } from './action-queue.ts';
import type { OriginalMessage } from './actions/contract.ts';

export interface Failure {
  /** As in `SqsAction`. */
  readonly failedAction: string;
  readonly failedResource: string;
  readonly errorMessage: string;
}

/**
 * Gathers the failures of a rule's actions for one message: they are told together, when the last one has ended. It keeps
 * no message, which may wait on disk for long: whatever ends brings it along.
 */
export class ActionResults {
  readonly #ended: (results: ActionResults, message: OriginalMessage | undefined) => void;
  #failures: Failure[] | undefined;
  #rows: number[] | undefined;
  /** The batch with which it failed. */
  batchFailure: BatchFailure | undefined;
  #open = 1;

  /** `ended`: with failures. Its message is undefined if it is lost. */
  constructor(ended: (results: ActionResults, message: OriginalMessage | undefined) => void) {
    this.#ended = ended;
  }

  get failures(): readonly Failure[] {
    return this.#failures ?? [];
  }

  /** Rows of orders that failed: they stay on disk until the error action has been ordered. */
  get rows(): readonly number[] {
    return this.#rows ?? [];
  }

  begin(): void {
    this.#open += 1;
  }

  fail(failure: Failure, row = 0, batchFailure?: BatchFailure): void {
    this.#failures ??= [];
    this.#failures.push(failure);
    this.batchFailure ??= batchFailure;
    if (row === 0) return;
    this.#rows ??= [];
    this.#rows.push(row);
  }

  end(message: OriginalMessage | undefined): void {
    this.#open -= 1;
    if (this.#open === 0 && this.#failures !== undefined) this.#ended(this, message);
  }
}
