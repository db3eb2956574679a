/** The `thingkit` command: command line, command, result, exit code. */
import { readFileSync } from 'node:fs';
import { type Command, type CommandResult, EXIT, KitError } from './command.ts';
import { completionCommand } from './completion.ts';
import { COMMANDS } from './commands.ts';
import { faultOf } from './fault.ts';
import { helpOfAll, helpOfCommand } from './help.ts';
import { readFlags } from './read-flags.ts';
import { openTerminal } from './terminal.ts';

const ALL: readonly Command[] = [...COMMANDS, completionCommand(() => ALL)];

/** The manifest stands beside the folder of sources, and in the folder that was built. */
function version(): string {
  for (const place of ['../package.json', '../../package.json']) {
    try {
      const manifest = JSON.parse(readFileSync(new URL(place, import.meta.url), 'utf8')) as Record<string, string>;
      if (manifest.name === '@thingkeep/kit') return manifest.version ?? 'unknown';
    } catch {
      // The other place has it.
    }
  }
  return 'unknown';
}

/** The command of the first words, the longest name first, and what follows them. */
function find(args: readonly string[]): { command: Command; rest: readonly string[] } | undefined {
  for (const words of [2, 1]) {
    const name = args.slice(0, words).join(' ');
    const command = ALL.find((each) => each.name === name);
    if (command !== undefined) return { command, rest: args.slice(words) };
  }
  return undefined;
}

const print = (text: string): void => {
  if (text !== '') process.stdout.write(`${text}\n`);
};

/** Help, version, or an unknown command. */
function withoutCommand(args: readonly string[]): number {
  const [first = 'help', second] = args;
  if (first === '--version' || first === 'version') print(`thingkit ${version()} (Node.js ${process.version})`);
  else if (['help', '--help', '-h'].includes(first)) {
    const found = find(args.slice(1));
    print((found === undefined ? helpOfAll(ALL) : helpOfCommand(found.command)).trimEnd());
  } else {
    const group = ALL.filter(({ name }) => name.startsWith(`${first} `));
    if (group.length > 0 && (second === undefined || second === '--help' || second === '-h')) print(helpOfAll(group).trimEnd());
    else throw new KitError('usage', `unknown command ${args.slice(0, 2).join(' ')}`, { hint: 'thingkit help lists them' });
  }
  return EXIT.done;
}

async function run(command: Command, args: readonly string[], isJson: boolean): Promise<number> {
  const given = readFlags(command, args);
  if (given.has('help')) {
    print(helpOfCommand(command).trimEnd());
    return EXIT.done;
  }
  using terminal = openTerminal(isJson);
  const { data, text, exitCode = EXIT.done }: CommandResult = await command.run(given, terminal);
  terminal.endProgress();
  print(isJson ? JSON.stringify(data) : text);
  return exitCode;
}

/** Runs a command to its end; the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const isJson = args.includes('--json');
  try {
    const found = find(args);
    return found === undefined ? withoutCommand(args) : await run(found.command, found.rest, isJson);
  } catch (error) {
    const fault = faultOf(error);
    if (fault === undefined) throw error;
    const { exitCode, code, message, hint } = fault;
    if (isJson) print(JSON.stringify({ error: { code, message, hint } }));
    else process.stderr.write(`thingkit: ${message}${hint === undefined ? '' : `\n  ${hint}`}\n`);
    return exitCode;
  }
}
