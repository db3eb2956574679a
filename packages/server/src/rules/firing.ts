/** One message that a rule acts on: how its actions end, and what is told when some failed. */
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
export class Firing {
  readonly #ended: (firing: Firing, message: OriginalMessage) => void;
  #failures: Failure[] | undefined;
  #rows: number[] | undefined;
  #open = 1;

  constructor(ended: (firing: Firing, message: OriginalMessage) => void) {
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

  fail(failure: Failure, row = 0): void {
    this.#failures ??= [];
    this.#failures.push(failure);
    if (row === 0) return;
    this.#rows ??= [];
    this.#rows.push(row);
  }

  /** Undefined for an order whose message is lost. */
  end(message: OriginalMessage | undefined): void {
    this.#open -= 1;
    if (this.#open === 0 && this.#failures !== undefined && message !== undefined) this.#ended(this, message);
  }
}

/** What an error action gets (developer guide, page rule-error-handling). */
export const errorDocument = (ruleName: string, failures: readonly Failure[], message: OriginalMessage): object => ({
  ruleName,
  topic: message.topic,
  cloudwatchTraceId: message.traceId,
  clientId: message.clientId ?? 'N/A',
  ...(message.sourceIp === undefined ? {} : { sourceIp: message.sourceIp }),
  base64OriginalPayload: message.payload.toString('base64'),
  failures,
});
