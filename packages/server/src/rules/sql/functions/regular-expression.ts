/**
 * Regular expressions, by RE2: linear in the text, whatever the pattern (docs/decisions/re2js.md). What Java's have
 * and RE2's lack (back references, looking ahead and behind, possessive quantifiers) is no valid expression here: Undefined.
 */
import { RE2JS } from 're2js';
import type { Evaluation } from '../evaluation.ts';
import { SQL_LIMITS } from '../limits.ts';
import type { SqlValue } from '../values.ts';
import { type Argument, define, type Functions, type SqlFunction } from './definition.ts';
import { type Replacement, readReplacement } from './replacement.ts';

type Pattern = ReturnType<typeof RE2JS.compile>;
type Matcher = ReturnType<Pattern['matcher']>;

/** Undefined for what is no expression, and for one of too many states. */
function compilePattern(text: string, longest: number): Pattern | undefined {
  if (text.length > longest) return undefined;
  try {
    const pattern = RE2JS.compile(text);
    return pattern.matcher('').programSize() > SQL_LIMITS.patternStates ? undefined : pattern;
  } catch {
    return undefined;
  }
}

const KEPT = 64;
/** Steps for compiling a pattern: a few characters can ask for thousands of states. */
const COMPILING = 10_000;
const COMPILING_CHARACTER = 200;

/** Patterns that come with messages, the last used at the end. */
class PatternCache {
  readonly #known = new Map<string, Pattern | undefined>();

  get(text: string, evaluation: Evaluation): Pattern | undefined {
    if (!this.#known.has(text)) return this.#add(text, evaluation);
    const pattern = this.#known.get(text);
    this.#known.delete(text);
    this.#known.set(text, pattern);
    return pattern;
  }

  #add(text: string, evaluation: Evaluation): Pattern | undefined {
    evaluation.spend(COMPILING + COMPILING_CHARACTER * text.length);
    const pattern = compilePattern(text, SQL_LIMITS.messagePattern);
    const oldest = this.#known.keys().next().value;
    if (this.#known.size >= KEPT && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(text, pattern);
    return pattern;
  }
}

/** Characters times states of the pattern for one step. */
const WORK = 8;

/** The next match. A search costs what is left of the text times the pattern's states, at worst. */
function findNext(matcher: Matcher, from: number, evaluation: Evaluation): boolean {
  evaluation.spend(1 + ((matcher.inputLength() - from) * matcher.programSize()) / WORK);
  return matcher.find();
}

function replaceAll(pattern: Pattern, text: string, by: string, evaluation: Evaluation): SqlValue {
  const matcher = pattern.matcher(text);
  let result = '';
  let from = 0;
  let replacement: Replacement | undefined;
  while (findNext(matcher, from, evaluation)) {
    replacement ??= readReplacement(by, matcher.groupCount(), matcher.namedGroups);
    if (replacement === undefined) return undefined;
    result += text.slice(from, matcher.start());
    for (const part of replacement) result += typeof part === 'number' ? (matcher.group(part) ?? '') : part;
    from = matcher.end();
    evaluation.spend(1 + replacement.length);
    evaluation.bound(result.length);
  }
  return from === 0 && result === '' ? text : result + text.slice(from);
}

type Apply = (pattern: Pattern, text: string, rest: string, evaluation: Evaluation) => SqlValue;

const ofPattern = (count: number, apply: Apply): SqlFunction =>
  define({ least: count }, (args) => {
    const find = patternOf(args[1] as Argument);
    return (evaluation) => {
      const text = evaluation.text(args[0]?.evaluate(evaluation));
      const rest = count === 3 ? evaluation.text(args[2]?.evaluate(evaluation)) : '';
      const pattern = find(evaluation);
      return text === undefined || pattern === undefined || rest === undefined
        ? undefined
        : apply(pattern, text, rest, evaluation);
    };
  });

/** A literal pattern is compiled with the query. */
function patternOf({ expression, evaluate }: Argument): (evaluation: Evaluation) => Pattern | undefined {
  if (expression.kind === 'literal' && typeof expression.value === 'string') {
    const pattern = compilePattern(expression.value, SQL_LIMITS.pattern);
    return () => pattern;
  }
  const cache = new PatternCache();
  return (evaluation) => {
    const text = evaluation.text(evaluate(evaluation));
    return text === undefined ? undefined : cache.get(text, evaluation);
  };
}

export const REGULAR_EXPRESSIONS: Functions = {
  regexp_matches: ofPattern(2, (pattern, text, _, evaluation) => findNext(pattern.matcher(text), 0, evaluation)),
  regexp_replace: ofPattern(3, replaceAll),
  regexp_substr: ofPattern(2, (pattern, text, _, evaluation) => {
    const matcher = pattern.matcher(text);
    return findNext(matcher, 0, evaluation) ? (matcher.group() ?? undefined) : undefined;
  }),
};
