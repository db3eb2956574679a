/** The token at hand, what may come next, and how deep the statement nests. */
import type { RuleBudget } from './budget.ts';
import { Lexer, type Token } from './lex.ts';
import { SQL_LIMITS } from './limits.ts';

export class TokenReader {
  protected readonly lexer: Lexer;
  protected token: Token;
  protected readonly budget: RuleBudget;
  #depth = 0;

  constructor(source: string, budget: RuleBudget, from: number) {
    this.budget = budget;
    this.lexer = new Lexer(source);
    this.token = this.lexer.next(from);
  }

  /** The place behind the brace that ends a template's expression: what is there may be no SQL. */
  behindBrace(): number {
    if (!this.isSymbol('}')) this.lexer.unexpected(this.token, 'an operator or }');
    return this.token.behind;
  }

  protected advance(): Token {
    const { token } = this;
    this.token = this.lexer.next(token.behind);
    return token;
  }

  protected isWord(word: string, token = this.token): boolean {
    return token.kind === 'word' && token.text.toLowerCase() === word;
  }

  protected isSymbol(symbol: string, token = this.token): boolean {
    return token.kind === 'symbol' && token.text === symbol;
  }

  protected takeWord(word: string): boolean {
    if (!this.isWord(word)) return false;
    this.advance();
    return true;
  }

  protected takeSymbol(symbol: string): boolean {
    if (!this.isSymbol(symbol)) return false;
    this.advance();
    return true;
  }

  protected expectSymbol(symbol: string): void {
    if (!this.takeSymbol(symbol)) this.lexer.unexpected(this.token, symbol);
  }

  protected expectWord(word: string): void {
    if (!this.takeWord(word)) this.lexer.unexpected(this.token, word.toUpperCase());
  }

  /** One level deeper: statements of thousands of parentheses must not exhaust the stack. */
  protected nested<T>(read: () => T): T {
    this.#depth += 1;
    if (this.#depth > SQL_LIMITS.nesting) this.lexer.unexpected(this.token, `at most ${SQL_LIMITS.nesting} levels`);
    const result = read();
    this.#depth -= 1;
    return result;
  }

  /** One more name, value, operator, column or element. */
  protected count(): void {
    if (!this.budget.takeNode())
      this.lexer.unexpected(this.token, `the end: a rule has at most ${SQL_LIMITS.nodes} names, values and operators`);
  }

  /** A chain of one operator is evaluated from its deepest left: it counts as levels. */
  protected bound(chain: number): void {
    if (chain >= SQL_LIMITS.nesting) this.lexer.unexpected(this.token, `at most ${SQL_LIMITS.nesting} operators in a row`);
  }
}
