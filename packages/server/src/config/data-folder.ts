/** The data folder: made on the first start for the owner alone, and checked before anything is written into it. */
import { accessSync, chmodSync, constants, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ConfigError } from './config-error.ts';
import { checkPrivateFolder, syncFolder } from './private-file.ts';
import { refuseUnfinished } from './unfinished.ts';

export interface DataFolder {
  readonly path: string;
  readonly dataFile: string;
  readonly authority: string;
  /** A copy of the access keys for clients, which the server never reads. */
  readonly credentials: string;
  /** Access keys of the accounts' roots. */
  readonly rootKeys: string;
  /** Lines of the audit log, and the key that chains them. */
  readonly audit: string;
  readonly rootCa: string;
  /** Archives of hosted functions. */
  readonly functions: string;
  /** Bytes of the embedded objects. */
  readonly objects: string;
  /** What the fleet index is searched in; made anew from the data file when it is missing. */
  readonly fleetIndex: string;
  /** Where a running server says how it is reached. */
  readonly running: string;
}

export const dataFolder = (path: string): DataFolder => ({
  path,
  dataFile: join(path, 'thingkeep.db'),
  authority: join(path, 'ca'),
  credentials: join(path, 'credentials'),
  rootKeys: join(path, 'root-keys.json'),
  audit: join(path, 'audit'),
  rootCa: join(path, 'root-ca.pem'),
  functions: join(path, 'functions'),
  objects: join(path, 'objects'),
  fleetIndex: join(path, 'fleet-index.db'),
  running: join(path, 'server.json'),
});

/** Files of keys that are there: the authority's, and the root keys. */
export const keyFiles = (folder: DataFolder): string[] => [
  ...readdirSync(folder.authority)
    .filter((name) => name.endsWith('.pem'))
    .map((name) => join(folder.authority, name)),
  folder.rootKeys,
];

/**
 * Makes a folder and what is missing above it; says whether it had to. Node's own recursive mkdir never ends where the
 * parent exists and the kernel still answers ENOENT, as below /proc.
 */
function make(path: string): boolean {
  if (existsSync(path)) return false;
  const parent = dirname(path);
  if (parent !== path) make(parent);
  mkdirSync(path, { mode: 0o700 });
  try {
    syncFolder(parent);
  } catch {
    // A user who may write into a folder need not be allowed to read it.
  }
  return true;
}

export interface OpenDataFolder {
  /** Hears of files that others could read. */
  readonly closed?: (path: string) => void;
  /** Whether root may open the folder of another user. */
  readonly anyOwner?: boolean;
}

/** Opens the data folder. Fails where others may write into it. */
export function openDataFolder(path: string, { closed, anyOwner }: OpenDataFolder = {}): DataFolder {
  try {
    if (make(path)) chmodSync(path, 0o700);
    if (!statSync(path).isDirectory()) throw new ConfigError(`data folder ${path} is not a folder`);
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const { code = '' } = error as NodeJS.ErrnoException;
    const why = code === 'EEXIST' || code === 'ENOTDIR' ? 'is not a folder' : `can't be written to (${code})`;
    throw new ConfigError(`data folder ${path} ${why}`);
  }
  refuseUnfinished(path);
  const folder = dataFolder(path);
  for (const file of checkPrivateFolder(path, { open: new Set([folder.rootCa]), anyOwner })) closed?.(file);
  return folder;
}
