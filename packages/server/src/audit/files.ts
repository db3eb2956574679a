/** The files of the audit log: `NUMBER.log`, named by the number of their first line, and the key of the chain. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const DIGITS = 15;
const FILE = new RegExp(`^(\\d{${DIGITS}})\\.log$`);
const KEY_BYTES = 32;

export interface AuditFile {
  readonly path: string;
  /** Number of its first line. */
  readonly first: number;
}

export const fileOf = (folder: string, first: number): AuditFile => ({
  path: join(folder, `${String(first).padStart(DIGITS, '0')}.log`),
  first,
});

/** In the order of their lines. */
export const auditFiles = (folder: string): AuditFile[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .flatMap((name) => {
          const [, digits = ''] = FILE.exec(name) ?? [];
          return digits === '' ? [] : [fileOf(folder, Number(digits))];
        })
        .sort((a, b) => a.first - b.first)
    : [];

export const sizeOf = (files: readonly AuditFile[]): number => files.reduce((total, { path }) => total + statSync(path).size, 0);

const keyPath = (folder: string): string => join(folder, 'key');

/** The key of the chain; undefined when there is none. */
export function readKey(folder: string): Buffer | undefined {
  if (!existsSync(keyPath(folder))) return undefined;
  const key = readFileSync(keyPath(folder));
  return key.length === KEY_BYTES ? key : undefined;
}

/** Makes the folder and a key, for the owner alone. */
export function makeKey(folder: string): Buffer {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const key = randomBytes(KEY_BYTES);
  const fresh = `${keyPath(folder)}.new`;
  writeFileSync(fresh, key, { mode: 0o600, flush: true });
  renameSync(fresh, keyPath(folder));
  return key;
}
