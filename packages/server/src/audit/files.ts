/** The files of the audit log: `NUMBER.log`, named by the number of their first line, and the key of the chain. */
import { createHash, randomBytes } from 'node:crypto';
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

/** The files of a folder, in the order of their lines. */
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

/** A key file that can't be used; the message tells an operator what and why. */
export class AuditKeyError extends Error {
  override readonly name = 'AuditKeyError';
}

/** The content of the key file: the key and its SHA-256. */
const sealKey = (key: Buffer): Buffer => Buffer.concat([key, createHash('sha256').update(key).digest()]);

/** Reads the key of the chain; undefined when there is none. Fails when it is damaged. */
export function readKey(folder: string): Buffer | undefined {
  const path = keyPath(folder);
  if (!existsSync(path)) return undefined;
  const kept = readFileSync(path);
  const key = kept.subarray(0, KEY_BYTES);
  // Earlier releases stored no digest.
  if (kept.length !== KEY_BYTES && !kept.equals(sealKey(key)))
    throw new AuditKeyError(`the key of the audit log ${path} is damaged: restore it from a backup, or remove it`);
  return key;
}

/** Adds the digest to a key file without one. */
export function sealOldKey(folder: string, key: Buffer): void {
  if (statSync(keyPath(folder)).size === KEY_BYTES) writeKey(folder, key);
}

function writeKey(folder: string, key: Buffer): void {
  const fresh = `${keyPath(folder)}.new`;
  writeFileSync(fresh, sealKey(key), { mode: 0o600, flush: true });
  renameSync(fresh, keyPath(folder));
}

/** Makes the folder and a key, for the owner alone. */
export function makeKey(folder: string): Buffer {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const key = randomBytes(KEY_BYTES);
  writeKey(folder, key);
  return key;
}
