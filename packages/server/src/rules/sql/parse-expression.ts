/** Expressions of the SQL, by recursive descent: OR, AND, NOT, comparison, sum, product, sign, member. */
import type { ArithmeticOperator } from './arithmetic.ts';
import type { CastType, CompareOperator, Expression, Variable, When } from './ast.ts';
import type { RuleBudget } from './budget.ts';
import type { Dialect } from './dialect.ts';
import type { Token } from './lex.ts';
import { readNumber, settle } from './numbers.ts';
import { TokenReader } from './token-reader.ts';
import type { SqlValue } from './values.ts';

/** Words that begin or join clauses; as a member behind a point they are names like any other. */
const RESERVED = new Set(
  'SELECT FROM WHERE AS AND OR NOT IN CASE WHEN THEN ELSE END SET NULL TRUE FALSE'.toLowerCase().split(' '),
);
const CONSTANTS: ReadonlyMap<string, SqlValue> = new Map<string, SqlValue>([
  ['null', null],
  ['true', true],
  ['false', false],
]);
const COMPARISONS: ReadonlyMap<string, CompareOperator> = new Map([
  ['=', '='],
  ['<>', '<>'],
  ['!=', '<>'],
  ['<', '<'],
  ['<=', '<='],
  ['>', '>'],
  ['>=', '>='],
]);
/** Words behind AS in `cast` (page iot-sql-functions); those of the second list came with 2016-03-23. */
const CASTS: ReadonlyMap<string, CastType> = new Map([
  ...['string', 'nvarchar', 'text', 'ntext', 'varchar'].map((word) => [word, 'string'] as const),
  ...['int', 'integer'].map((word) => [word, 'int'] as const),
  ['double', 'double'],
]);
const LATER_CASTS: ReadonlyMap<string, CastType> = new Map([
  ['decimal', 'decimal'],
  ['bool', 'boolean'],
  ['boolean', 'boolean'],
]);

/** Names and arguments of a call are checked where the functions are known. */
export type CallCheck = (name: string, args: readonly Expression[], fault: (expected: string) => never) => void;

export class ExpressionParser extends TokenReader {
  protected readonly dialect: Dialect;
  protected readonly variables: Variable[];
  readonly #check: CallCheck;

  constructor(source: string, dialect: Dialect, check: CallCheck, variables: Variable[], budget: RuleBudget, from = 0) {
    super(source, budget, from);
    this.dialect = dialect;
    this.#check = check;
    this.variables = variables;
  }

  expression(): Expression {
    return this.nested(() => this.#logic('or'));
  }

  #logic(operator: 'or' | 'and'): Expression {
    const operand = (): Expression => (operator === 'or' ? this.#logic('and') : this.#not());
    const first = operand();
    if (!this.isWord(operator)) return first;
    const of = [first];
    while (this.takeWord(operator)) of.push(operand());
    return { kind: 'logic', operator, of };
  }

  #not(): Expression {
    if (!this.takeWord('not')) return this.#comparison();
    this.count();
    return { kind: 'not', of: this.nested(() => this.#not()) };
  }

  #comparison(): Expression {
    let left = this.#sum();
    for (let chain = 0; ; chain += 1) {
      const operator = this.token.kind === 'symbol' ? COMPARISONS.get(this.token.text) : undefined;
      if (operator === undefined && !this.#atIn()) return left;
      this.count();
      this.bound(chain);
      if (operator === undefined) left = this.#in(left);
      else {
        this.advance();
        left = { kind: 'compare', operator, left, right: this.#sum() };
      }
    }
  }

  #atIn(): boolean {
    return this.isWord('in') || (this.isWord('not') && this.isWord('in', this.lexer.next(this.token.behind)));
  }

  #in(left: Expression): Expression {
    if (!this.dialect.nests) this.lexer.unexpected(this.token, 'no IN before SQL version 2016-03-23');
    const negated = this.takeWord('not');
    this.advance();
    return { kind: 'in', negated, left, right: this.#sum() };
  }

  #sum(): Expression {
    return this.#chain(['+', '-'], () => this.#chain(['*', '/', '%'], () => this.#sign()));
  }

  #chain(operators: readonly ArithmeticOperator[], operand: () => Expression): Expression {
    let left = operand();
    for (let chain = 0; ; chain += 1) {
      const operator = operators.find((symbol) => this.isSymbol(symbol));
      if (operator === undefined) return left;
      this.count();
      this.bound(chain);
      this.advance();
      left = { kind: 'arithmetic', operator, left, right: operand() };
    }
  }

  #sign(): Expression {
    if (!this.takeSymbol('-')) return this.#members();
    this.count();
    if (this.token.kind === 'number') return this.#number(this.advance(), '-');
    return { kind: 'negative', of: this.nested(() => this.#sign()) };
  }

  #members(): Expression {
    let of = this.#primary();
    for (let chain = 0; this.takeSymbol('.'); chain += 1) {
      this.count();
      this.bound(chain);
      if (this.token.kind !== 'word') this.lexer.unexpected(this.token, 'the name of a member; others by get(object, "name")');
      of = { kind: 'member', of, name: this.advance().text };
    }
    if (this.isSymbol('[')) this.lexer.unexpected(this.token, 'an operator; an element is had by get(array, index)');
    return of;
  }

  #primary(): Expression {
    this.count();
    const { token } = this;
    switch (token.kind) {
      case 'number':
        return this.#number(this.advance(), '');
      case 'text':
        return { kind: 'literal', value: this.advance().text };
      case 'variable':
        return this.#variable(this.advance());
      case 'word':
        return this.#word(token);
      case 'symbol':
        if (token.text === '(') return this.#parentheses();
        if (token.text === '{') return this.#object();
        if (token.text === '[') return this.#array();
    }
    return this.lexer.unexpected(token, 'an expression');
  }

  #number(token: Token, sign: string): Expression {
    const value = settle(readNumber(sign + token.text), this.dialect);
    if (value === undefined) this.lexer.unexpected(token, 'a number between -9.99E999 and 9.99E999');
    return { kind: 'literal', value };
  }

  #variable(token: Token): Expression {
    const index = this.variables.findIndex(({ name }) => name === token.text);
    if (index < 0) this.lexer.unexpected(token, 'a variable that SET has defined before');
    return { kind: 'variable', index, name: token.text };
  }

  #word(token: Token): Expression {
    const lower = token.text.toLowerCase();
    if (CONSTANTS.has(lower)) {
      this.advance();
      return { kind: 'literal', value: CONSTANTS.get(lower) };
    }
    if (lower === 'case') return this.nested(() => this.#case());
    if (RESERVED.has(lower)) this.lexer.unexpected(token, 'an expression');
    this.advance();
    if (!this.isSymbol('(')) return { kind: 'field', name: token.text };
    this.advance();
    return lower === 'cast' ? this.#cast() : this.#call(token);
  }

  #call(token: Token): Expression {
    const name = token.text.toLowerCase();
    const args: Expression[] = [];
    while (!this.isSymbol(')')) {
      if (args.length > 0) this.expectSymbol(',');
      args.push(this.isSymbol('*') ? this.#payload() : this.expression());
    }
    this.advance();
    this.#check(name, args, (expected) => this.lexer.unexpected(token, expected));
    return { kind: 'call', name, args, at: token.at };
  }

  #payload(): Expression {
    this.count();
    this.advance();
    return { kind: 'payload' };
  }

  #cast(): Expression {
    const of = this.expression();
    this.expectWord('as');
    const word = this.token.kind === 'word' ? this.token.text.toLowerCase() : '';
    const type = CASTS.get(word) ?? (this.dialect.nests ? LATER_CASTS.get(word) : undefined);
    if (type === undefined) this.lexer.unexpected(this.token, 'a type');
    this.advance();
    this.expectSymbol(')');
    return { kind: 'cast', of, type };
  }

  #case(): Expression {
    this.advance();
    const of = this.expression();
    const when: When[] = [];
    while (this.takeWord('when')) {
      const is = this.expression();
      this.expectWord('then');
      when.push({ is, result: this.expression() });
    }
    if (when.length === 0) this.lexer.unexpected(this.token, 'WHEN');
    const otherwise = this.takeWord('else') ? this.expression() : undefined;
    this.expectWord('end');
    return { kind: 'case', of, when, otherwise };
  }

  #parentheses(): Expression {
    this.advance();
    const inside = this.isWord('select') ? this.nested(() => this.nestedQuery()) : this.expression();
    this.expectSymbol(')');
    return inside;
  }

  /** Statements know how: see {@link ../parse.ts}. */
  protected nestedQuery(): Expression {
    return this.lexer.unexpected(this.token, 'an expression');
  }

  #since2016(what: string): void {
    if (!this.dialect.nests) this.lexer.unexpected(this.token, `an expression: ${what} needs SQL version 2016-03-23`);
  }

  #object(): Expression {
    this.#since2016('an object literal');
    this.advance();
    const entries: (readonly [string, Expression])[] = [];
    while (!this.isSymbol('}')) {
      if (entries.length > 0) this.expectSymbol(',');
      if (this.token.kind !== 'text') this.lexer.unexpected(this.token, 'a key in quotes');
      const key = this.advance().text;
      this.expectSymbol(':');
      entries.push([key, this.expression()]);
    }
    this.advance();
    return { kind: 'object', entries };
  }

  #array(): Expression {
    this.#since2016('an array literal');
    this.advance();
    const items: Expression[] = [];
    while (!this.isSymbol(']')) {
      if (items.length > 0) this.expectSymbol(',');
      items.push(this.expression());
    }
    this.advance();
    return { kind: 'array', items };
  }
}
