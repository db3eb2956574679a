/** The version of this program, from its package. */
import { existsSync, readFileSync } from 'node:fs';

export function programVersion(): string {
  for (const up of ['..', '../..']) {
    const path = `${import.meta.dirname}/${up}/package.json`;
    if (existsSync(path)) return String((JSON.parse(readFileSync(path, 'utf8')) as { version?: unknown }).version);
  }
  return 'unknown';
}
