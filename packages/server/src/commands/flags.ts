/** The command line of a command that has flags of its own beside the settings. */
import { type Config, readConfig, readFlags } from '../config/config.ts';
import { readEnvironment } from '../config/env.ts';

export interface OwnFlags {
  /** Flags without a value. */
  readonly switches: readonly string[];
  /** Flags with a value. */
  readonly values?: readonly string[];
}

export interface CommandLine {
  /** All flags that were given, those of settings too. */
  readonly flags: ReadonlyMap<string, string>;
  readonly config: Config;
}

export function readCommandLine(args: readonly string[], { switches, values = [] }: OwnFlags): CommandLine {
  const own = new Set([...switches, ...values]);
  const isSwitch = (arg: string): boolean => arg.startsWith('--') && switches.includes(arg.slice(2));
  const flags = readFlags(
    args.map((arg) => (isSwitch(arg) ? `${arg}=true` : arg)),
    own,
  );
  return { flags, config: readConfig(new Map([...flags].filter(([name]) => !own.has(name))), readEnvironment()) };
}
