/** Patterns of dates: letters that repeat, text in quotes, and what stands for itself. Joda's and java.time's are read alike. */

export type PatternPart =
  | { readonly kind: 'letters'; readonly letter: string; readonly count: number }
  | { readonly kind: 'text'; readonly text: string }
  /** `[` and `]` of java.time: what is inside may be missing. */
  | { readonly kind: 'open' | 'close' };

export const MONTHS: readonly string[] =
  'January February March April May June July August September October November December'.split(' ');
export const WEEKDAYS: readonly string[] = 'Monday Tuesday Wednesday Thursday Friday Saturday Sunday'.split(' ');

/** Longer patterns, or more of one letter, are no pattern. */
const LONGEST = 200;
const MAX_LETTERS = 20;

function quoted(pattern: string, from: number): { text: string; behind: number } | undefined {
  let text = '';
  for (let at = from; at < pattern.length; at += 1) {
    if (pattern[at] !== "'") text += pattern[at];
    else if (pattern[at + 1] === "'") {
      text += "'";
      at += 1;
    } else return { text, behind: at + 1 };
  }
  return undefined;
}

/** Undefined for a quote without an end and for too much of anything. */
export function readPattern(pattern: string, sections: boolean): PatternPart[] | undefined {
  if (pattern.length > LONGEST) return undefined;
  const parts: PatternPart[] = [];
  for (let at = 0; at < pattern.length; ) {
    const character = pattern[at] as string;
    if (/[A-Za-z]/.test(character)) {
      let behind = at;
      while (pattern[behind] === character) behind += 1;
      if (behind - at > MAX_LETTERS) return undefined;
      parts.push({ kind: 'letters', letter: character, count: behind - at });
      at = behind;
    } else if (character === "'") {
      const found = pattern[at + 1] === "'" ? { text: "'", behind: at + 2 } : quoted(pattern, at + 1);
      if (found === undefined) return undefined;
      parts.push({ kind: 'text', text: found.text });
      at = found.behind;
    } else {
      const section = sections ? ({ '[': 'open', ']': 'close' } as const)[character] : undefined;
      parts.push(section === undefined ? { kind: 'text', text: character } : { kind: section });
      at += 1;
    }
  }
  return parts;
}
