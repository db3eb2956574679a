/**
 * The SQL of one rule, parsed and compiled once: `RuleQuery.parse(sql, version)`, then `run(begin(message, services))` for each
 * message.
 */
import type { Variable } from './ast.ts';
import { RuleBudget } from './budget.ts';
import { Compiler } from './compile.ts';
import type { ExternalServices, RuleMessage, Scope, SqlResult, Template } from './contract.ts';
import { type Dialect, DIALECTS, type SqlVersion } from './dialect.ts';
import { Evaluation, evaluate, type QueryFacts } from './evaluation.ts';
import { SqlEvaluationError } from './evaluation-error.ts';
import type { Evaluate } from './functions/definition.ts';
import { callCheck } from './functions/table.ts';
import { SQL_LIMITS } from './limits.ts';
import { parseStatement, parseTemplate } from './parse.ts';
import { type Part, RuleTemplate } from './template.ts';
import { jsonSize, type SqlValue } from './values.ts';

/** What was selected; written as JSON when somebody asks. */
class Selected implements SqlResult {
  readonly value: SqlValue;
  #payload: Buffer | undefined;

  constructor(value: SqlValue) {
    this.value = value;
  }

  get payload(): Buffer {
    this.#payload ??= this.value === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(this.value), 'utf8');
    return this.#payload;
  }

  json(): unknown {
    return this.value === undefined ? undefined : JSON.parse(JSON.stringify(this.value));
  }
}

/** A payload that is not JSON, as it came: the message's own, which may be copied out of a read buffer meanwhile. */
class RawResult implements SqlResult {
  readonly value = undefined;
  readonly #message: RuleMessage;

  constructor(message: RuleMessage) {
    this.#message = message;
  }

  get payload(): Buffer {
    return this.#message.payload;
  }

  json(): undefined {
    return undefined;
  }
}

/** The parts of a query that its own file makes; see {@link RuleQuery.parse}. */
interface QueryParts {
  readonly filter: string | undefined;
  readonly variables: readonly Variable[];
  readonly compiler: Compiler;
  readonly select: Evaluate;
  /** `*` alone: what is not JSON goes through as it is. */
  readonly whole: boolean;
  readonly where: Evaluate | undefined;
  /** Roles that the statement and the templates made of it name. */
  readonly roles: Set<string>;
  readonly budget: RuleBudget;
  readonly facts: { -readonly [K in keyof QueryFacts]: QueryFacts[K] };
}

export class RuleQuery {
  /** The topic filter of FROM; undefined for a rule that only Basic Ingest reaches. */
  readonly filter: string | undefined;
  readonly version: SqlVersion;
  readonly #dialect: Dialect;
  readonly #parts: QueryParts;

  private constructor(version: SqlVersion, parts: QueryParts) {
    this.filter = parts.filter;
    this.version = version;
    this.#dialect = DIALECTS[version];
    this.#parts = parts;
  }

  /** Whether the statement or a template of it may have to wait for another service; the message must then outlive its turn. */
  get waits(): boolean {
    return this.#parts.facts.asks;
  }

  /** ARNs of roles that functions of the statement, and of its templates so far, ask services with. */
  get roles(): ReadonlySet<string> {
    return this.#parts.roles;
  }

  /** What the statement and its templates so far have of their budget. */
  get budget(): Pick<RuleBudget, 'nodes' | 'patternStates'> {
    return this.#parts.budget;
  }

  /** Fails with SqlParseException: line and column, what was found and what was expected. */
  static parse(sql: string, version: SqlVersion): RuleQuery {
    const dialect = DIALECTS[version];
    const roles = new Set<string>();
    const budget = new RuleBudget();
    const statement = parseStatement(sql, dialect, callCheck(dialect, false, roles), budget);
    const compiler = new Compiler(dialect, budget);
    const variables = statement.variables.map(({ expression }) => compiler.expression(expression));
    const where = statement.where === undefined ? undefined : compiler.expression(statement.where);
    const select = compiler.selection(statement.select);
    const whole =
      statement.select.kind === 'value'
        ? statement.select.expression === undefined
        : statement.select.items.length === 1 && statement.select.items[0]?.expression === undefined;
    return new RuleQuery(version, {
      filter: statement.filter,
      variables: statement.variables,
      compiler,
      select,
      whole: whole && (statement.select.kind === 'value' || statement.select.items[0]?.path.length === 0),
      where,
      facts: { dialect, variables, asks: compiler.asks },
      roles,
      budget,
    });
  }

  /** An action's field. Fails with SqlParseException. */
  template(text: string): Template {
    const { compiler, facts, variables, roles, budget } = this.#parts;
    const parsed = parseTemplate(text, this.#dialect, callCheck(this.#dialect, true, roles), variables, budget);
    const parts: Part[] = parsed.map((part) => (typeof part === 'string' ? part : compiler.expression(part)));
    facts.asks = compiler.asks;
    return new RuleTemplate(text, parts);
  }

  /** One evaluation: of the query, and of the templates of its rule's actions. */
  begin(message: RuleMessage, services: ExternalServices): Scope {
    return new Evaluation(message, services, this.#parts.facts);
  }

  /**
   * Undefined when WHERE does not give true. A promise only when the rule asks other services.
   * @throws SqlEvaluationError when a bound is exceeded: the rule fails for this message. The promise rejects with it.
   */
  run(scope: Scope): SqlResult | undefined | Promise<SqlResult | undefined> {
    return evaluate(scope as Evaluation, this.#select);
  }

  readonly #select = (evaluation: Evaluation): SqlResult | undefined => {
    const { where, select, whole, compiler } = this.#parts;
    if (compiler.dynamoDbCalls > SQL_LIMITS.dynamoDbCalls)
      throw new SqlEvaluationError('calls', `get_dynamodb is called more than ${SQL_LIMITS.dynamoDbCalls} time in one statement`);
    if (where !== undefined && where(evaluation) !== true) return undefined;
    if (whole && evaluation.payload === undefined) return new RawResult(evaluation.message);
    const value = select(evaluation);
    if (compiler.grows && jsonSize(value, SQL_LIMITS.result) > SQL_LIMITS.result)
      throw new SqlEvaluationError('size', `the result has more than ${SQL_LIMITS.result} bytes`);
    return new Selected(value);
  };
}
