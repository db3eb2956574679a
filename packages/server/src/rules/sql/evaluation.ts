/**
 * One evaluation of a query: what is known of the message so far, what was spent, and what services answered. Evaluation
 * is synchronous. Where a service has not answered yet it is left by {@link Suspended} and begins again with the answer
 * at hand: calls, random numbers and UUIDs are remembered by their place in the SQL and how often they came.
 */
import type { ExternalFunction, ExternalServices, RuleMessage, Scope } from './contract.ts';
import type { Dialect } from './dialect.ts';
import { SqlEvaluationError } from './evaluation-error.ts';
import { SQL_LIMITS } from './limits.ts';
import { type JsonPayload, ParsedPayload, readJson } from './payload.ts';
import { Exact } from './numbers.ts';
import { jsonSize, type SqlValue, toText } from './values.ts';

/** Thrown through the expressions, and caught by {@link evaluate} alone. */
class Suspended {
  readonly answered: Promise<void>;

  constructor(answered: Promise<void>) {
    this.answered = answered;
  }
}

/** What evaluations need to know of their query. */
export interface QueryFacts {
  readonly dialect: Dialect;
  readonly variables: readonly ((evaluation: Evaluation) => SqlValue)[];
  /** Some expression asks a service. */
  readonly asks: boolean;
}

export class Evaluation implements Scope {
  readonly message: RuleMessage;
  readonly services: ExternalServices;
  readonly facts: QueryFacts;
  readonly dialect: Dialect;
  /** The element that a nested query looks at. */
  element: SqlValue = undefined;
  #payload: JsonPayload | undefined;
  #read = false;
  #steps = 0;
  #calls = 0;
  #variables: { readonly value: SqlValue }[] | undefined;
  #variableBytes = 0;
  #answers: Map<string, SqlValue> | undefined;
  #asked: Map<string, Promise<void>> | undefined;
  #seen: Map<number, number> | undefined;

  constructor(message: RuleMessage, services: ExternalServices, facts: QueryFacts) {
    this.message = message;
    this.services = services;
    this.facts = facts;
    this.dialect = facts.dialect;
  }

  /** The payload's object or array; undefined when it is not JSON. */
  get payload(): JsonPayload | undefined {
    if (this.#read) return this.#payload;
    this.#read = true;
    this.message.parsed ??= new ParsedPayload();
    this.#payload = this.message.parsed.read(this.message.payload, this.dialect);
    return this.#payload;
  }

  restart(): void {
    this.#steps = 0;
    this.#seen = undefined;
    this.element = undefined;
  }

  /** @throws SqlEvaluationError when the evaluation has cost too much. */
  readonly spend = (steps: number): void => {
    this.#steps += steps;
    if (this.#steps > SQL_LIMITS.steps)
      throw new SqlEvaluationError('steps', `the query takes more than ${SQL_LIMITS.steps} steps for this message`);
  };

  /** A value as text; what is made of an object or array is paid for, and bounded. */
  text(value: SqlValue): string | undefined {
    if (typeof value === 'object' && value !== null && !(value instanceof Exact)) {
      const size = jsonSize(value, SQL_LIMITS.valueText);
      this.bound(size);
      this.spend(size >>> 2);
    }
    return toText(value);
  }

  /** Fails for a text of more characters than one may have. */
  bound(length: number): void {
    if (length > SQL_LIMITS.valueText)
      throw new SqlEvaluationError('size', `a text would have more than ${SQL_LIMITS.valueText} characters`);
  }

  variable(index: number): SqlValue {
    this.#variables ??= [];
    const known = this.#variables[index];
    if (known !== undefined) return known.value;
    const { element } = this;
    this.element = undefined;
    const value = this.facts.variables[index]?.(this);
    this.element = element;
    this.#variableBytes += jsonSize(value, SQL_LIMITS.variableBytes);
    if (this.#variableBytes > SQL_LIMITS.variableBytes)
      throw new SqlEvaluationError('size', `the variables of SET have more than ${SQL_LIMITS.variableBytes} bytes`);
    this.#variables[index] = { value };
    return value;
  }

  #place(site: number): string {
    this.#seen ??= new Map();
    const occurrence = this.#seen.get(site) ?? 0;
    this.#seen.set(site, occurrence + 1);
    return `${site}:${occurrence}`;
  }

  /** A value that must be the same when the evaluation begins again. */
  once(site: number, make: () => SqlValue): SqlValue {
    if (!this.facts.asks) return make();
    const place = this.#place(site);
    this.#answers ??= new Map();
    if (this.#answers.has(place)) return this.#answers.get(place);
    const value = make();
    this.#answers.set(place, value);
    return value;
  }

  /** A service's answer; Undefined when the call failed. */
  ask(site: number, name: ExternalFunction, args: () => readonly unknown[], fixed: readonly boolean[] = []): SqlValue {
    const place = this.#place(site);
    this.#answers ??= new Map();
    const answers = this.#answers;
    if (answers.has(place)) return answers.get(place);
    // Templates are rendered at the same time: who comes second waits for the same answer.
    this.#asked ??= new Map();
    const asked = this.#asked.get(place);
    if (asked !== undefined) throw new Suspended(asked);
    this.#calls += 1;
    if (this.#calls > SQL_LIMITS.calls)
      throw new SqlEvaluationError(
        'calls',
        `the query calls other services more than ${SQL_LIMITS.calls} times for this message`,
      );
    // A call that throws at once has failed like any other.
    const answered = (async () => this.services.call(name, args(), { fixed, topic: this.message.topic }))().then(
      (answer) => void answers.set(place, answerValue(answer, this.dialect)),
      () => void answers.set(place, undefined),
    );
    this.#asked.set(place, answered);
    throw new Suspended(answered);
  }
}

/** An answer goes the way of a payload: what nests too deep, or is no JSON, is Undefined. */
function answerValue(answer: unknown, dialect: Dialect): SqlValue {
  try {
    return readJson(Buffer.from(JSON.stringify(answer) ?? '', 'utf8'), dialect);
  } catch {
    return undefined;
  }
}

/** Runs to the end, at once where no service is asked. */
export function evaluate<T>(evaluation: Evaluation, run: (evaluation: Evaluation) => T): T | Promise<T> {
  evaluation.restart();
  if (!evaluation.facts.asks) return run(evaluation);
  try {
    return run(evaluation);
  } catch (left) {
    if (left instanceof Suspended) return left.answered.then(() => evaluate(evaluation, run));
    throw left;
  }
}
