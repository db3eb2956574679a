/** The help of `thingkit`, and that of each command, from their rows. */
import type { Command, Flag } from './command.ts';
import { EXIT } from './command.ts';
import { flagsOf } from './read-flags.ts';

const formOf = ({ name, value, short }: Flag): string =>
  `${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`;

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows.map(([left, right]) => `  ${left.padEnd(width)}${right}`).join('\n');
}

/** Help of one command. */
export function helpOfCommand(command: Command): string {
  const words = (command.positionals ?? []).join(' ');
  const rows = flagsOf(command).map((flag): [string, string] => [
    formOf(flag),
    `${flag.what}${flag.oneOf === undefined ? '' : ` (${flag.oneOf.join(', ')})`}${flag.isRequired ? '; required' : ''}`,
  ]);
  return `thingkit ${command.name} [FLAGS]${words === '' ? '' : ` ${words}`}

${command.summary}

Flags:
${table(rows)}

Examples:
${command.examples.map((line) => `  ${line}`).join('\n')}
`;
}

const MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  done: 'done',
  failed: 'something else failed',
  usage: 'the command line is wrong',
  element: 'the secure element refused, or can not be reached',
  service: 'AWS IoT (or Thingkeep) refused',
  verification: 'what was read back, or a signature, is not what it has to be',
  partial: 'a part of many is done; the rest is reported, and the command can be run again',
  unreachable: 'an endpoint can not be reached',
};

export const exitCodeLines = (): string =>
  table((Object.keys(EXIT) as (keyof typeof EXIT)[]).map((name): [string, string] => [String(EXIT[name]), MEANINGS[name]]));

/** Help of a group, or of all. */
export function helpOfAll(commands: readonly Command[]): string {
  return `thingkit: from a chip to a connected thing

${table(commands.map(({ name, summary }): [string, string] => [`thingkit ${name}`, summary.split('\n')[0] ?? '']))}

thingkit COMMAND --help shows flags and examples. Elements are named by a URI:
${table([
  ['file:PATH', 'a PEM file of mode 0600, and the folder around it'],
  ['pkcs11:...', 'a token behind any PKCS#11 module (RFC 7512)'],
  ['atecc508a:PLACE, atecc608:PLACE', "Microchip's chips; PLACE is /dev/i2c-N, virtual:FILE or socket:PATH"],
  ['optiga-trust-m:PLACE, optiga-trust-x:PLACE', "Infineon's chips, likewise"],
])}

Exit codes:
${exitCodeLines()}
`;
}
