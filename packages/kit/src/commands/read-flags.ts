/** Reads a command's flags and positionals from its arguments. */
import { parseArgs } from 'node:util';
import { type Command, type Flag, type Given, KitError } from './command.ts';

/** Flags that every command has. */
export const GENERAL: readonly Flag[] = [
  { name: 'json', what: 'print one JSON value and nothing else' },
  { name: 'help', short: 'h', what: 'show this help' },
];
export const DRY_RUN: Flag = { name: 'dry-run', what: 'say what would be written, and write nothing' };

export const flagsOf = ({ flags, isWriting = false }: Command): readonly Flag[] => [
  ...flags,
  ...(isWriting ? [DRY_RUN] : []),
  ...GENERAL,
];

const usage = (command: Command, message: string): KitError =>
  new KitError('usage', message, { hint: `thingkit ${command.name} --help shows what it takes` });

function parsed(command: Command, args: readonly string[]) {
  const options = Object.fromEntries(
    flagsOf(command).map(({ name, value, short }) => [
      name,
      { type: value === undefined ? ('boolean' as const) : ('string' as const), multiple: true, ...(short && { short }) },
    ]),
  );
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw usage(command, (error as Error).message.replace(/\. To specify a positional.*/s, ''));
  }
}

/** Throws KitError `usage` where something is missing, unknown, given twice, or none of the values that it may have. */
export function readFlags(command: Command, args: readonly string[]): Given {
  const { values, positionals } = parsed(command, args);
  const given = new Map(Object.entries(values) as [string, (string | boolean)[]][]);
  const all = (name: string): string[] => (given.get(name) ?? []).map(String);
  if (!given.has('help')) checkFlags(command, all, positionals);
  const text = (name: string): string | undefined => all(name)[0];
  return {
    positionals,
    all,
    text,
    has: (name) => given.has(name),
    needed: (name) => text(name) ?? '',
    number(name, otherwise, { least, most }) {
      const found = text(name);
      if (found === undefined) return otherwise;
      const number = /^\d{1,15}$/.test(found) ? Number(found) : Number.NaN;
      if (!(number >= least && number <= most)) throw usage(command, `--${name} takes ${least} to ${most}, not ${found}`);
      return number;
    },
  };
}

function checkFlags(command: Command, all: (name: string) => string[], positionals: readonly string[]): void {
  for (const { name, isRepeated = false, isRequired = false, oneOf, value } of flagsOf(command)) {
    const found = all(name);
    if (found.length > 1 && !isRepeated) throw usage(command, `--${name} is given twice`);
    if (isRequired && found.length === 0) throw usage(command, `--${name} ${value ?? ''} is missing`);
    for (const each of found)
      if (oneOf !== undefined && !oneOf.includes(each)) throw usage(command, `--${name} takes ${oneOf.join(', ')}, not ${each}`);
  }
  const { positionals: names = [] } = command;
  const [missing] = names.slice(positionals.length).filter((name) => !name.startsWith('['));
  if (missing !== undefined) throw usage(command, `${missing} is missing`);
  const [extra] = names.at(-1)?.endsWith('...') ? [] : positionals.slice(names.length);
  if (extra !== undefined) throw usage(command, `${extra} is one argument too many`);
}
