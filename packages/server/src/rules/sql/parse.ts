/** Statements: SET, SELECT, FROM, WHERE, and queries within queries (developer guide, page iot-sql-reference). */
import { filterFault, type TopicFault } from '@thingkeep/wire/topics.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { Expression, Item, Selection, Statement, Variable } from './ast.ts';
import type { RuleBudget } from './budget.ts';
import type { Dialect } from './dialect.ts';
import { SQL_LIMITS } from './limits.ts';
import { type CallCheck, ExpressionParser } from './parse-expression.ts';

/** AWS's words for a filter that is none (probe pf-iot-sql-from-topic-filter of cdk-preflight). */
const INVALID_FILTER = 'The MQTT topic you provided is invalid.';
/** What else is wrong with a filter, in words behind AWS's. */
const FAULTS: Readonly<Partial<Record<TopicFault, string>>> = {
  empty: 'it is empty',
  'too long': 'it is too long',
  'null character': 'it has a null character',
  'control character': 'it has a control character',
  'malformed share': 'it is a shared subscription',
};

/** Fails with InvalidRequestException for a text that is no topic filter. AWS does not count its levels. */
function checkFilter(filter: string): void {
  const fault = filter.startsWith('$share/') ? 'malformed share' : filterFault(filter, Number.POSITIVE_INFINITY);
  if (fault === undefined) return;
  const detail = FAULTS[fault];
  fail('InvalidRequestException', detail === undefined ? INVALID_FILTER : `${INVALID_FILTER} ${detail}`);
}

class StatementParser extends ExpressionParser {
  statement(): Statement {
    if (this.takeWord('set')) this.#set();
    if (!this.isWord('select'))
      this.lexer.unexpected(this.token, this.variables.length > 0 ? 'a comma or SELECT' : 'SET or SELECT');
    const select = this.#selection();
    const filter = this.isWord('from') ? this.#filter() : undefined;
    const where = this.takeWord('where') ? this.expression() : undefined;
    if (this.token.kind !== 'end') this.lexer.unexpected(this.token, this.#behind(filter, where));
    return {
      variables: this.variables,
      select,
      filter,
      where,
    };
  }

  #behind(filter: string | undefined, where: Expression | undefined): string {
    if (where !== undefined) return 'an operator or the end';
    return filter === undefined ? 'a comma, AS, FROM, WHERE or the end' : 'WHERE or the end';
  }

  #set(): void {
    do {
      const { token } = this;
      if (token.kind !== 'variable') this.lexer.unexpected(token, 'a variable: @name');
      if (token.text.length > SQL_LIMITS.variableName)
        this.lexer.unexpected(token, `a name of at most ${SQL_LIMITS.variableName} characters`);
      if (this.variables.some(({ name }) => name === token.text))
        this.lexer.unexpected(token, 'a variable that is not yet defined');
      if (this.variables.length >= SQL_LIMITS.variables)
        this.lexer.unexpected(token, `at most ${SQL_LIMITS.variables} variables`);
      this.advance();
      this.expectSymbol('=');
      const expression = this.expression();
      this.variables.push({ name: token.text, expression });
    } while (this.takeSymbol(','));
  }

  /** SELECT and what is selected. */
  #selection(): Selection {
    this.advance();
    if (this.#atValue()) return this.#value();
    const items: Item[] = [];
    do items.push(this.#item(items.length));
    while (this.takeSymbol(','));
    return { kind: 'items', items };
  }

  #value(): Selection {
    this.advance();
    if (this.takeSymbol('*')) return { kind: 'value' };
    const expression = this.expression();
    if (this.isSymbol(',')) this.lexer.unexpected(this.token, 'one item behind VALUE');
    return { kind: 'value', expression };
  }

  /** VALUE is a name too: `SELECT value FROM`, `value.x`, `value * 2`. What begins an expression behind it tells. */
  #atValue(): boolean {
    if (!this.isWord('value')) return false;
    const next = this.lexer.next(this.token.behind);
    if (next.kind === 'word') return !['from', 'where', 'as', 'and', 'or', 'in'].includes(next.text.toLowerCase());
    if (next.kind !== 'symbol') return next.kind !== 'end';
    if (next.text !== '*') return ['(', '[', '{'].includes(next.text);
    const then = this.lexer.next(next.behind);
    return then.kind === 'end' || this.isSymbol(')', then) || this.isWord('from', then) || this.isWord('where', then);
  }

  #item(index: number): Item {
    this.count();
    if (this.takeSymbol('*')) return { path: this.takeWord('as') ? this.#alias() : [] };
    const expression = this.expression();
    return { expression, path: this.takeWord('as') ? this.#alias() : [ownName(expression, index)] };
  }

  #alias(): string[] {
    const path: string[] = [];
    do {
      if (this.token.kind !== 'word') this.lexer.unexpected(this.token, 'a name');
      this.count();
      path.push(this.advance().text);
      if (path.length > SQL_LIMITS.nesting) this.lexer.unexpected(this.token, `at most ${SQL_LIMITS.nesting} levels`);
    } while (this.takeSymbol('.'));
    return path;
  }

  #filter(): string {
    const { token: from } = this;
    const at = this.lexer.skipSpace(from.behind);
    const quoted = this.lexer.source[at] === "'" || this.lexer.source[at] === '"';
    const token = quoted ? this.lexer.next(at) : this.lexer.bareFilter(at);
    if (token === undefined) return this.lexer.fault(at, 'no topic filter', 'a topic filter in single quotes');
    this.token = this.lexer.next(token.behind);
    checkFilter(token.text);
    return token.text;
  }

  protected override nestedQuery(): Expression {
    if (!this.dialect.nests) this.lexer.unexpected(this.token, 'an expression: a nested query needs SQL version 2016-03-23');
    const select = this.#selection();
    this.expectWord('from');
    const from = this.expression();
    const where = this.takeWord('where') ? this.expression() : undefined;
    return { kind: 'query', select, from, where };
  }
}

/** The key of an item without AS: the last name of a path, a function's or variable's name, or `_` and the item's place. */
function ownName(expression: Expression, index: number): string {
  switch (expression.kind) {
    case 'field':
    case 'member':
    case 'variable':
    case 'call':
      return expression.name;
    case 'cast':
      return 'cast';
    default:
      return `_${index}`;
  }
}

/** Fails with SqlParseException, and with InvalidRequestException for the filter of FROM and for `encode` in 2015-10-08. */
export function parseStatement(sql: string, dialect: Dialect, check: CallCheck, budget: RuleBudget): Statement {
  boundText(sql);
  return new StatementParser(sql, dialect, check, [], budget).statement();
}

export type TemplatePart = string | Expression;

/** Text and the expressions of its `${...}`. Fails with SqlParseException. */
export function parseTemplate(
  text: string,
  dialect: Dialect,
  check: CallCheck,
  variables: readonly Variable[],
  budget: RuleBudget,
): TemplatePart[] {
  boundText(text);
  const parts: TemplatePart[] = [];
  let from = 0;
  for (let at = text.indexOf('${'); at >= 0; at = text.indexOf('${', from)) {
    if (at > from) parts.push(text.slice(from, at));
    const parser = new StatementParser(text, dialect, check, [...variables], budget, at + 2);
    parts.push(parser.expression());
    from = parser.behindBrace();
  }
  if (from < text.length) parts.push(text.slice(from));
  return parts;
}

function boundText(text: string): void {
  if (text.length > SQL_LIMITS.text)
    fail('SqlParseException', `The SQL has ${text.length} characters, ${SQL_LIMITS.text} at most are allowed`);
}
