/**
 * The commands that jobs may run: a file of the device's owner that names each, with its arguments fixed. A job says a name, and
 * nothing of it becomes part of a command line.
 */
import { readFileSync, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { AgentError } from './agent-error.ts';

export interface AllowedCommand {
  /** Absolute path of the program, and its arguments. */
  readonly argv: readonly string[];
  readonly timeoutSeconds: number;
}

const MAX_FILE = 262_144;
const TIMEOUT = 60;
const MAX_TIMEOUT = 86_400;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

function commandOf(name: string, value: unknown): AllowedCommand {
  const { argv, timeoutSeconds = TIMEOUT } = (value ?? {}) as { argv?: unknown; timeoutSeconds?: unknown };
  const isArgv = Array.isArray(argv) && argv.length > 0 && argv.every((each) => typeof each === 'string' && !each.includes('\0'));
  if (!NAME.test(name) || !isArgv || !isAbsolute(String(argv[0])))
    throw new AgentError('content', `the command ${name} has no argv with an absolute path in front`, {
      hint: '{"commands":{"restart":{"argv":["/usr/bin/systemctl","restart","lamp"],"timeoutSeconds":30}}}',
    });
  if (typeof timeoutSeconds !== 'number' || !(timeoutSeconds > 0 && timeoutSeconds <= MAX_TIMEOUT))
    throw new AgentError('content', `timeoutSeconds of the command ${name} is not between 0 and ${MAX_TIMEOUT}`);
  return { argv, timeoutSeconds };
}

/** Reads `{"commands": {NAME: {"argv": [...], "timeoutSeconds": 60}}}`. Throws AgentError where others may change the file. */
export function readAllowedCommands(path: string): ReadonlyMap<string, AllowedCommand> {
  let value: unknown;
  try {
    const { mode, size } = statSync(path);
    if ((mode & 0o022) !== 0)
      throw new AgentError('content', `${path} can be changed by others (mode 0${(mode & 0o777).toString(8)})`, {
        hint: `chmod go-w ${path}`,
      });
    if (size > MAX_FILE) throw new AgentError('content', `${path} has over ${MAX_FILE} bytes`);
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    if (cause instanceof AgentError) throw cause;
    throw new AgentError('content', `the list of commands ${path}: ${(cause as Error).message}`, { cause });
  }
  const { commands } = (value ?? {}) as { commands?: unknown };
  if (typeof commands !== 'object' || commands === null) throw new AgentError('content', `${path} has no "commands"`);
  return new Map(Object.entries(commands).map(([name, each]) => [name, commandOf(name, each)]));
}
