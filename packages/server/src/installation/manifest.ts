/** The manifest of a backup: what is in it, of which installation, and the digest of each file. */
import { createHash } from 'node:crypto';
import { createReadStream, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { checkTrustedFile } from '../config/private-file.ts';
import { BACKUP_BEGUN, MANIFEST } from '../config/unfinished.ts';
import { ConfigError } from '../config/config-error.ts';
import { unsealJson } from '../runtime/sealed-json.ts';
import { isInstallationId } from './parts.ts';

export interface BackedUpFile {
  readonly path: string;
  readonly bytes: number;
  /** SHA-256, in hexadecimal digits. */
  readonly sha256: string;
}

export interface Manifest {
  /** Of the manifest. */
  readonly version: 1;
  readonly installation: string;
  /** Version of the program that made it. */
  readonly madeBy: string;
  /** Form of the data file. */
  readonly form: number;
  /** ISO 8601. */
  readonly time: string;
  readonly files: readonly BackedUpFile[];
}

/** Folders of a backup: those that carry the installation's id, and that of the objects, which a server need not have. */
const PART_FOLDERS = ['ca', 'audit', 'functions'] as const;
export const FOLDERS = [...PART_FOLDERS, 'objects'] as const;
/** Paths that a backup may have, and no others. */
const PATH = /^(thingkeep\.db|root-keys\.json|credentials|(ca|audit|functions|objects)\/[A-Za-z0-9][A-Za-z0-9._-]{0,199})$/;
const NEEDED = [
  ...['thingkeep.db', 'root-keys.json', 'ca/complete', 'audit/key'],
  ...PART_FOLDERS.map((name) => `${name}/installation.json`),
];

export const mayBackUp = (path: string): boolean => PATH.test(path);

export async function digestOfFile(path: string): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
    hash.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

function isFile(value: unknown): value is BackedUpFile {
  const { path, bytes, sha256 } = (value ?? {}) as Record<string, unknown>;
  return typeof path === 'string' && mayBackUp(path) && Number.isSafeInteger(bytes) && /^[0-9a-f]{64}$/.test(String(sha256));
}

/**
 * Reads the manifest of a backup. Fails where the backup is none, or not whole. `owner`: user of the data folder that is made
 * of it.
 */
export function readManifest(backup: string, owner: number | undefined): Manifest {
  const path = join(backup, MANIFEST);
  const refuse = (why: string): never => {
    throw new ConfigError(`backup ${backup} ${why}`);
  };
  let text: string;
  try {
    checkTrustedFile('backup', backup, owner);
    checkTrustedFile('file', path, owner);
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return refuse(`can't be read: ${String(error)}`);
    const begun = lstatSync(join(backup, BACKUP_BEGUN), { throwIfNoEntry: false }) !== undefined;
    return refuse(begun ? 'was not finished: take another one' : `is none: it has no ${MANIFEST}`);
  }
  const manifest = unsealJson(text) ?? refuse(`is damaged: ${MANIFEST} is not as it was written`);
  const { version, files, installation } = manifest;
  if (version !== 1) return refuse(`was made by a newer Thingkeep (${String(manifest.madeBy)})`);
  if (!isInstallationId(installation) || !Array.isArray(files) || !files.every(isFile))
    return refuse(`has a strange ${MANIFEST}`);
  const paths = new Set(files.map((file: BackedUpFile) => file.path));
  const missing = NEEDED.filter((needed) => !paths.has(needed));
  if (missing.length > 0 || paths.size !== files.length) return refuse(`does not name ${missing.join(', ') || 'each file once'}`);
  return manifest as unknown as Manifest;
}

/** Files of a folder, and of its folders, relative to it. */
function filesBelow(folder: string, at = folder): string[] {
  return readdirSync(at, { withFileTypes: true }).flatMap((entry) => {
    const path = join(at, entry.name);
    if (entry.isDirectory() && at === folder) return filesBelow(folder, path);
    if (!entry.isFile()) throw new ConfigError(`backup ${folder}: ${path} is neither a file nor a folder of a backup`);
    return [relative(folder, path)];
  });
}

/** Compares every file of a backup with its manifest. Fails with the first one that is not as it was written. */
export async function verifyBackup(backup: string, manifest: Manifest, owner: number | undefined): Promise<void> {
  const known = new Map(manifest.files.map((file) => [file.path, file]));
  const there = new Set(filesBelow(backup));
  for (const path of there)
    if (!known.has(path) && path !== MANIFEST && path !== BACKUP_BEGUN)
      throw new ConfigError(`backup ${backup} has a file that is not of it: ${path}`);
  for (const { path, bytes, sha256 } of manifest.files) {
    if (!there.has(path)) throw new ConfigError(`backup ${backup} is damaged: ${path} is missing`);
    checkTrustedFile('file', join(backup, path), owner);
    const found = await digestOfFile(join(backup, path));
    if (found.bytes !== bytes || found.sha256 !== sha256)
      throw new ConfigError(`backup ${backup} is damaged: ${path} is not as it was written`);
  }
}
