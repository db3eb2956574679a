/** Replacements of `regexp_replace`, as Java reads them: `$1`, `${name}`, and `\\x` for x itself. */

/** Texts, and numbers of groups. */
export type Replacement = readonly (string | number)[];

interface Reference {
  readonly group: number;
  /** Characters behind the `$`. */
  readonly length: number;
}

/** A number takes as many digits as there is a group for. */
function numbered(text: string, groups: number): Reference | undefined {
  let digits = /^\d{1,4}/.exec(text)?.[0] ?? '';
  while (digits.length > 1 && Number(digits) > groups) digits = digits.slice(0, -1);
  return digits === '' || Number(digits) > groups ? undefined : { group: Number(digits), length: digits.length };
}

function named(text: string, names: Readonly<Record<string, number>>): Reference | undefined {
  const found = /^\{([A-Za-z][A-Za-z0-9]*)\}/.exec(text);
  const name = found?.[1] ?? '';
  const group = Object.hasOwn(names, name) ? names[name] : undefined;
  return found === null || group === undefined ? undefined : { group, length: found[0].length };
}

/** Longer names of groups are none. */
const LONGEST_NAME = 100;

/** Undefined for a text that is no replacement: a group that the pattern has not, a `\\` or `$` at the end. */
export function readReplacement(text: string, groups: number, names: Readonly<Record<string, number>>): Replacement | undefined {
  const parts: (string | number)[] = [];
  let plain = '';
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] as string;
    if (character === '\\') {
      at += 1;
      if (at >= text.length) return undefined;
      plain += text[at];
    } else if (character === '$') {
      const rest = text.slice(at + 1, at + 1 + LONGEST_NAME);
      const reference = rest.startsWith('{') ? named(rest, names) : numbered(rest, groups);
      if (reference === undefined) return undefined;
      parts.push(plain, reference.group);
      plain = '';
      at += reference.length;
    } else plain += character;
  }
  return plain === '' ? parts : [...parts, plain];
}
