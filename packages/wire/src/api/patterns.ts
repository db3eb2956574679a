/**
 * The model's patterns are Java regular expressions; this compiles them for ECMAScript with Java's meaning: POSIX classes,
 * `\s` and `.` as java.util.regex.Pattern defines them, and the whole value has to match (`Pattern.matches`).
 */

/** java.util.regex.Pattern, "POSIX character classes (US-ASCII only)" and "Predefined character classes". */
const CLASSES: ReadonlyMap<string, string> = new Map([
  ['\\p{Graph}', '!-~'],
  ['\\p{Print}', ' -~'],
  ['\\p{Upper}', 'A-Z'],
  ['\\p{Lower}', 'a-z'],
  ['\\p{Alpha}', 'A-Za-z'],
  ['\\p{Digit}', '0-9'],
  ['\\p{Alnum}', 'A-Za-z0-9'],
  ['\\p{Punct}', '!-\\/:-@\\[-`{-~'],
  ['\\p{Cntrl}', '\\x00-\\x1f\\x7f'],
  ['\\p{Space}', '\\t-\\r '],
  ['\\p{ASCII}', '\\x00-\\x7f'],
]);
const SPACE = '\\t-\\r ';
const NOT_LINE_END = '[^\\n\\r\\u0085\\u2028\\u2029]';

const TOKEN = /\\[pP]\{\w+\}|\\[\s\S]|[\s\S]/gu;

/** The pattern in ECMAScript's syntax, not anchored. */
export function translate(pattern: string): string {
  let inClass = false;
  let out = '';
  for (const [token] of pattern.matchAll(TOKEN)) {
    const posix = CLASSES.get(token);
    if (posix !== undefined) out += inClass ? posix : `[${posix}]`;
    else if (token === '.' && !inClass) out += NOT_LINE_END;
    else if (token === '\\s' && !inClass) out += `[${SPACE}]`;
    else if (token === '\\S' && !inClass) out += `[^${SPACE}]`;
    else if (token === '\\-' && !inClass) out += '-';
    else {
      // Inside a class `\s` and `\S` only stand together in the model (`[\s\S]`: any character), which means the same here.
      if (token === '[') inClass = true;
      else if (token === ']') inClass = false;
      out += token;
    }
  }
  return out;
}

/** One class repeated is matched in one pass; anything else may backtrack, so it is only tried on values of sane length. */
const ONE_PASS = /^\^?\(?\[(?:\\[\s\S]|[^\]\\])+\][*+]?\)?\$?$/u;
const MAX_TRIED = 2_048;

const compiled = new Map<string, (value: string) => boolean>();

/** Whether the whole value matches the model's pattern. */
export function matchesPattern(pattern: string, value: string): boolean {
  let test = compiled.get(pattern);
  if (test === undefined) {
    const regex = new RegExp(`^(?:${translate(pattern)})$`, 'u');
    const onePass = ONE_PASS.test(pattern);
    test = (text) => (onePass || text.length <= MAX_TRIED) && regex.test(text);
    compiled.set(pattern, test);
  }
  return test(value);
}
