/** The only reader of the process's environment. */
import { SETTINGS, variableOf } from './settings.ts';

export interface Environment {
  /** By variable name: those of the settings, and THINGKEEP_CONFIG. */
  readonly settings: ReadonlyMap<string, string>;
  /** Variables that begin like ours and mean nothing: a typing error, or Kubernetes announcing a service of our name. */
  readonly unknown: readonly string[];
}

export function readEnvironment(): Environment {
  const known = new Set(['THINGKEEP_CONFIG', ...Object.values(SETTINGS).map(({ flag }) => variableOf(flag))]);
  const settings = new Map<string, string>();
  const unknown: string[] = [];
  for (const [name, value] of Object.entries(process.env)) {
    if (!name.startsWith('THINGKEEP_') || value === undefined) continue;
    if (known.has(name)) settings.set(name, value);
    else unknown.push(name);
  }
  return { settings, unknown };
}
