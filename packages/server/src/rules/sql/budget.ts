/** What one rule has in its statement and its templates together, counted while they are read. Nothing is compiled for it. */
import { fail } from '@thingkeep/wire/errors.ts';
import { patternSize } from './functions/pattern-size.ts';
import { SQL_LIMITS } from './limits.ts';

export class RuleBudget {
  /** Names, values, operators, columns and elements. */
  nodes = 0;
  /** States of the regular expressions that stand in the rule, each counted once. */
  patternStates = 0;
  readonly #patterns = new Set<string>();

  /** False for a node too many. */
  takeNode(): boolean {
    this.nodes += 1;
    return this.nodes <= SQL_LIMITS.nodes;
  }

  /** Fails with SqlParseException. */
  addPattern(text: string): void {
    if (this.#patterns.has(text)) return;
    this.#patterns.add(text);
    this.patternStates += patternSize(text);
    if (this.patternStates > SQL_LIMITS.patternStates)
      fail(
        'SqlParseException',
        `The regular expressions of a rule have at most ${SQL_LIMITS.patternStates} states together; with '${text.slice(0, 40)}' they have ${this.patternStates}`,
      );
  }
}
