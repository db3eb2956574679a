#!/usr/bin/env node
/** The `thingkeep` command: command line -> configuration -> core -> signals. */
import { accounts } from './commands/accounts.ts';
import { audit } from './commands/audit.ts';
import { check } from './commands/check.ts';
import { backup } from './commands/backup.ts';
import { env } from './commands/env.ts';
import { operatorLine } from './commands/operator-error.ts';
import { refusals } from './commands/refusals.ts';
import { restore } from './commands/restore.ts';
import { start } from './commands/start.ts';
import { settingsHelp } from './config/config.ts';
import { ConfigError } from './config/settings.ts';
import { escapeText } from './runtime/escape-text.ts';

const HELP = `thingkeep: your own AWS IoT Core

  thingkeep start [FLAGS]       run the server
  thingkeep env [FLAGS]         print export lines that point AWS tools at it: eval "$(thingkeep env)"
  thingkeep refusals [FLAGS]    say which devices were refused, and why
      --client-id ID  --certificate-id ID  --check NAME  --limit N  --follow  --json
  thingkeep accounts list | create [ID] [--profile NAME] | keys ID [--new]  [--json]
                                accounts and the access keys of their roots
  thingkeep audit verify [--json]
                                find what was changed in the audit log
  thingkeep check [--repair] [--json]
                                find what is damaged in the data folder; save what can be saved
  thingkeep backup DIR          copy the data folder into a new folder, while the server runs or not
  thingkeep restore BACKUP      make the data folder of a backup; --data-dir DIR must be missing or empty

Flags; each has an environment variable (--data-dir: THINGKEEP_DATA_DIR) and a key in --config FILE (JSON)
${settingsHelp()}
`;

const help = async (): Promise<number> => {
  process.stdout.write(HELP);
  return 0;
};

const COMMANDS: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  start,
  env,
  refusals,
  accounts,
  audit,
  check,
  backup,
  restore,
  help,
};

/** Milliseconds that a command which failed has to come to its end. */
const PATIENCE = 10_000;

async function main(args: readonly string[]): Promise<number> {
  const [name = 'help', ...rest] = args;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : ['--help', '-h'].includes(name) ? COMMANDS.help : undefined;
  try {
    if (command === undefined) throw new ConfigError(`unknown command ${name}; thingkeep help lists them`);
    return await (rest.some((arg) => arg === '--help' || arg === '-h') ? help() : command(rest));
  } catch (error) {
    const line = operatorLine(error);
    if (line === undefined) throw error;
    process.stderr.write(`thingkeep: ${escapeText(line.text)}\n`);
    // What is still open must not keep the process.
    setTimeout(() => process.exit(line.code), PATIENCE).unref();
    return line.code;
  }
}

process.exitCode = await main(process.argv.slice(2));
