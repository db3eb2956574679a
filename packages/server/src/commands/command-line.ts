/** The `thingkeep` command: command line -> command -> exit code. */
import { readFileSync } from 'node:fs';
import { accounts } from './accounts.ts';
import { audit } from './audit.ts';
import { expiringCertificates } from './certificates.ts';
import { check } from './check.ts';
import { backup } from './backup.ts';
import { env } from './env.ts';
import { helpOf } from './help.ts';
import { operatorLine } from './operator-error.ts';
import { refusals } from './refusals.ts';
import { restore } from './restore.ts';
import { start } from './start.ts';
import { ConfigError } from '../config/settings.ts';
import { escapeText } from '../runtime/escape-text.ts';

/** The whole help, or the part of the command that is named. */
const help = async ([name]: readonly string[]): Promise<number> => {
  if (name !== undefined && !Object.hasOwn(COMMANDS, name))
    throw new ConfigError(`unknown command ${name}; thingkeep help lists them`);
  process.stdout.write(helpOf(name));
  return 0;
};

/** The manifest of the package: beside the folder of sources, or in the folder that was built. */
function version(): string {
  for (const place of ['../package.json', '../../package.json']) {
    try {
      const { name, version: found } = JSON.parse(readFileSync(new URL(place, import.meta.url), 'utf8')) as Record<
        string,
        string
      >;
      if (name === '@thingkeep/server' && found !== undefined) return found;
    } catch {
      // The other place has it.
    }
  }
  return 'unknown';
}

const showVersion = async (): Promise<number> => {
  process.stdout.write(`thingkeep ${version()} (Node.js ${process.version})\n`);
  return 0;
};

const COMMANDS: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  start,
  env,
  refusals,
  certificates: expiringCertificates,
  accounts,
  audit,
  check,
  backup,
  restore,
  help,
  version: showVersion,
};

/** Commands that may be written as flags. */
const ALIASES: Readonly<Record<string, string>> = { '--help': 'help', '-h': 'help', '--version': 'version', '-v': 'version' };

/** Milliseconds that a command which failed has to come to its end. */
const PATIENCE = 10_000;

/** Runs a command to its end; the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const [given = 'help', ...rest] = args;
  const name = Object.hasOwn(ALIASES, given) ? (ALIASES[given] ?? given) : given;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  try {
    if (command === undefined) throw new ConfigError(`unknown command ${name}; thingkeep help lists them`);
    return await (rest.some((arg) => arg === '--help' || arg === '-h') ? help(name === 'help' ? [] : [name]) : command(rest));
  } catch (error) {
    const line = operatorLine(error);
    if (line === undefined) throw error;
    process.stderr.write(`thingkeep: ${escapeText(line.text)}\n`);
    // What is still open must not keep the process.
    setTimeout(() => process.exit(line.code), PATIENCE).unref();
    return line.code;
  }
}
