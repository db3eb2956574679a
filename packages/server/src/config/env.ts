/** The only reader of the process's environment. */
import { ConfigError, SETTINGS, variableOf } from './settings.ts';

export interface Environment {
  /** By variable name: those of the settings, and THINGKEEP_CONFIG. */
  readonly settings: ReadonlyMap<string, string>;
}

export function readEnvironment(): Environment {
  const known = new Set(['THINGKEEP_CONFIG', ...Object.values(SETTINGS).map(({ flag }) => variableOf(flag))]);
  const settings = new Map<string, string>();
  for (const [name, value] of Object.entries(process.env)) {
    if (!name.startsWith('THINGKEEP_') || value === undefined) continue;
    if (!known.has(name)) throw new ConfigError(`unknown environment variable ${name}`);
    settings.set(name, value);
  }
  return { settings };
}
