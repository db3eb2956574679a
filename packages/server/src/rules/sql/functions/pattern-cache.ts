/**
 * Compiled regular expressions of all rules: compiled when they are first used, each text once, the last used kept within a
 * budget of memory.
 */
import { RE2JS } from 're2js';
import { SQL_LIMITS } from '../limits.ts';
import { patternSize } from './pattern-size.ts';

export type RegularExpression = ReturnType<typeof RE2JS.compile>;

/** Bytes of a state, and of the states of texts that RE2 keeps of a pattern: 8 MiB unless it is told otherwise. */
const STATE_BYTES = 300;
const AUTOMATON_BYTES = 64 * 1024;
const AUTOMATON_STATE_BYTES = 256;

interface CachedPattern {
  /** Undefined for what is no regular expression. */
  readonly pattern: RegularExpression | undefined;
  readonly bytes: number;
}

function compile(text: string, size: number): CachedPattern {
  const ofText = 200 + 2 * text.length;
  try {
    const pattern = RE2JS.compile(text);
    const { dfa } = pattern.re2();
    const automaton = AUTOMATON_BYTES + AUTOMATON_STATE_BYTES * size;
    dfa.stateBudget = automaton;
    dfa.memBudget = automaton;
    return { pattern, bytes: ofText + STATE_BYTES * size + automaton };
  } catch {
    return { pattern: undefined, bytes: ofText };
  }
}

export class PatternCache {
  readonly #most: number;
  readonly #kept = new Map<string, CachedPattern>();
  /** Of memory that what is kept may take. */
  bytes = 0;
  compiled = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Undefined for what is no expression, and for one of too many states. `pay` is told of the size before it is compiled. */
  get(text: string, pay?: (size: number) => void): RegularExpression | undefined {
    const known = this.#kept.get(text);
    if (known !== undefined) {
      this.#kept.delete(text);
      this.#kept.set(text, known);
      return known.pattern;
    }
    const size = patternSize(text);
    pay?.(Math.min(size, SQL_LIMITS.patternStates));
    if (size > SQL_LIMITS.patternStates) return undefined;
    const made = compile(text, size);
    this.compiled += 1;
    this.bytes += made.bytes;
    this.#kept.set(text, made);
    for (const [oldest, { bytes }] of this.#kept) {
      if (this.bytes <= this.#most || oldest === text) break;
      this.#kept.delete(oldest);
      this.bytes -= bytes;
    }
    return made.pattern;
  }
}

export const PATTERNS = new PatternCache(SQL_LIMITS.keptPatternBytes);
