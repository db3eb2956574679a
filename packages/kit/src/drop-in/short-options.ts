/** Options of one letter, as getopt(3) reads them. */

export interface ShortOptions {
  readonly values: ReadonlyMap<string, string>;
  /** What is wrong, as the tools say it; undefined where nothing is. */
  readonly fault: string | undefined;
}

/** `spec` has the letters, and a colon behind each that takes a value. Arguments that are no options are passed over. */
export function readShortOptions(args: readonly string[], spec: string): ShortOptions {
  const values = new Map<string, string>();
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? '';
    if (arg === '--') break;
    if (!/^-./.test(arg)) continue;
    const letter = arg.slice(1, 2);
    const place = letter === ':' ? -1 : spec.indexOf(letter);
    if (place < 0) return { values, fault: `Unknown option -${letter}.` };
    if (spec[place + 1] !== ':') {
      values.set(letter, '');
      continue;
    }
    const inside = arg.slice(2);
    const value = inside === '' ? args[at + 1] : inside;
    if (value === undefined) return { values, fault: `Option -${letter} requires an argument.` };
    values.set(letter, value);
    if (inside === '') at += 1;
  }
  return { values, fault: undefined };
}
