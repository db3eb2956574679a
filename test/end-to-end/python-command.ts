/** A Python that has the library a script needs: the one on the path, or Debian's own. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { plainEnvironment, succeed } from './run-command.ts';

function has(python: string, library: string): boolean {
  try {
    execFileSync(python, ['-c', `import ${library}`], { env: plainEnvironment(), stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

type Library = 'boto3' | 'paho.mqtt.client';

export function pythonWith(library: Library): string {
  const found = ['python3', '/usr/bin/python3'].find((candidate) => has(candidate, library));
  if (found === undefined) throw new Error(`no Python here has ${library}`);
  return found;
}

export const pythonScript = (name: string): string => fileURLToPath(new URL(`python/${name}`, import.meta.url));

/** Runs a script of `python/` with arguments; gives what it printed. */
export const python = (
  script: string,
  library: Library,
  env: Readonly<Record<string, string>>,
  ...args: string[]
): Promise<string> => succeed(pythonWith(library), [pythonScript(script), ...args], { env });
