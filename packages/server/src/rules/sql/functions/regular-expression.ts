/**
 * Regular expressions, by RE2: linear in the text, whatever the pattern (docs/decisions/re2js.md). What Java's have
 * and RE2's lack (back references, looking ahead and behind, possessive quantifiers) is no valid expression here: Undefined.
 */
import type { Evaluation } from '../evaluation.ts';
import { SQL_LIMITS } from '../limits.ts';
import type { SqlValue } from '../values.ts';
import { type Argument, type CallSite, define, type SqlFunctions, type SqlFunction } from './definition.ts';
import { type RegularExpression, PATTERNS } from './pattern-cache.ts';
import { type Replacement, readReplacement } from './replacement.ts';

type Matcher = ReturnType<RegularExpression['matcher']>;

/** Steps for compiling a pattern that comes with a message, and for each of its states. */
const COMPILING = 10_000;
const COMPILING_STATE = 10;

/** Characters times states of the pattern for one step. */
const WORK = 8;

/** The next match. A search costs what is left of the text times the pattern's states, at worst. */
function findNext(matcher: Matcher, from: number, evaluation: Evaluation): boolean {
  evaluation.spend(1 + ((matcher.inputLength() - from) * matcher.programSize()) / WORK);
  return matcher.find();
}

function replaceAll(pattern: RegularExpression, text: string, by: string, evaluation: Evaluation): SqlValue {
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

type ApplyPattern = (pattern: RegularExpression, text: string, rest: string, evaluation: Evaluation) => SqlValue;

const ofPattern = (count: number, apply: ApplyPattern): SqlFunction =>
  define({ least: count }, (args, site) => {
    const find = patternOf(args[1] as Argument, site);
    return (evaluation) => {
      const text = evaluation.text(args[0]?.evaluate(evaluation));
      const rest = count === 3 ? evaluation.text(args[2]?.evaluate(evaluation)) : '';
      const pattern = find(evaluation);
      return text === undefined || pattern === undefined || rest === undefined
        ? undefined
        : apply(pattern, text, rest, evaluation);
    };
  });

/** A pattern that stands in the rule is counted with the rule, and compiled when it is first used. */
function patternOf(
  { expression, evaluate }: Argument,
  { budget }: CallSite,
): (evaluation: Evaluation) => RegularExpression | undefined {
  if (expression.kind === 'literal' && typeof expression.value === 'string') {
    const text = expression.value;
    if (text.length > SQL_LIMITS.pattern) return () => undefined;
    budget.addPattern(text);
    return () => PATTERNS.get(text);
  }
  return (evaluation) => {
    const text = evaluation.text(evaluate(evaluation));
    if (text === undefined || text.length > SQL_LIMITS.messagePattern) return undefined;
    return PATTERNS.get(text, (size) => evaluation.spend(COMPILING + COMPILING_STATE * size));
  };
}

export const REGULAR_EXPRESSIONS: SqlFunctions = {
  regexp_matches: ofPattern(2, (pattern, text, _, evaluation) => findNext(pattern.matcher(text), 0, evaluation)),
  regexp_replace: ofPattern(3, replaceAll),
  regexp_substr: ofPattern(2, (pattern, text, _, evaluation) => {
    const matcher = pattern.matcher(text);
    return findNext(matcher, 0, evaluation) ? (matcher.group() ?? undefined) : undefined;
  }),
};
