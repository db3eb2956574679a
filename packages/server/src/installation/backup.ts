/** Writes a backup: a consistent copy of a data folder whose data file this process holds, and at last its manifest. */
import {
  closeSync,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  type Stats,
  statfsSync,
  statSync,
} from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { auditFiles } from '../audit/files.ts';
import { ConfigError } from '../config/config-error.ts';
import type { DataFolder } from '../config/data-folder.ts';
import { syncFolder, writePrivateFile } from '../config/private-file.ts';
import { BACKUP_BEGUN, MANIFEST } from '../config/unfinished.ts';
import type { Clock } from '../runtime/clock.ts';
import { defaultFloor } from '../runtime/disk-room.ts';
import { programVersion } from '../runtime/program-version.ts';
import { sealJson } from '../runtime/sealed-json.ts';
import type { HookedStore } from '../store/contract.ts';
import { copyFile } from './copy-file.ts';
import { type BackedUpFile, digestOfFile, FOLDERS, type Manifest, mayBackUp } from './manifest.ts';
import { readInstallation } from './store.ts';

/** Has files that must not be removed during a backup: `hold` keeps them until the function that it gives is called. */
export interface Holder {
  hold(): (() => void) | Promise<() => void>;
}

export interface BackupSource {
  readonly folder: DataFolder;
  readonly store: HookedStore;
  /** What would remove files meanwhile. */
  readonly holds: readonly Holder[];
  readonly clock: Clock;
  /** Ends the backup: it fails. */
  readonly signal?: AbortSignal;
}

export interface BackupSummary {
  readonly installation: string;
  readonly files: number;
  readonly bytes: number;
}

/** Byte of a data file's head where SQLite keeps the number of its form (`user_version`). */
const FORM_AT = 60;
/** Bytes of the audit log that are read at a time, from its end. */
const PIECE = 64 * 1024;
/** Half-written files. */
const PASSING = /\.(new|writing)$/;

interface Copied {
  readonly path: string;
  /** Bytes that are copied; all when absent. */
  readonly bytes?: number;
}

const namesIn = (path: string): string[] => (existsSync(path) ? readdirSync(path) : []);

/** Files beside the data file, the lines of the audit log as far as they are whole at this moment. */
function filesOf(folder: DataFolder): Copied[] {
  const log = auditFiles(folder.audit).map(
    ({ path }): Copied => ({ path: path.slice(folder.path.length + 1), bytes: wholeLines(path) }),
  );
  const logged = new Set(log.map(({ path }) => path));
  const others = [
    ...['root-keys.json', 'credentials'].filter((name) => existsSync(join(folder.path, name))),
    ...FOLDERS.flatMap((part) => namesIn(join(folder.path, part)).map((name) => `${part}/${name}`)),
  ].filter((path) => mayBackUp(path) && !PASSING.test(path) && path !== 'functions/sandbox' && !logged.has(path));
  return [...log, ...others.filter((path) => statSync(join(folder.path, path)).isFile()).map((path): Copied => ({ path }))];
}

/** Bytes up to the end of the last whole line: the server appends whole lines, and a crash may leave half a one. */
function wholeLines(path: string): number {
  const file = openSync(path, 'r');
  try {
    const piece = Buffer.allocUnsafe(PIECE);
    for (let end = fstatSync(file).size; end > 0; ) {
      const from = Math.max(0, end - PIECE);
      const newline = piece.subarray(0, readSync(file, piece, 0, end - from, from)).lastIndexOf(0x0a);
      if (newline >= 0) return from + newline + 1;
      end = from;
    }
    return 0;
  } finally {
    closeSync(file);
  }
}

/** The form of a data file, as its head says. */
async function formOf(path: string): Promise<number> {
  await using file = await open(path, 'r');
  const head = Buffer.alloc(4);
  await file.read(head, 0, 4, FORM_AT);
  return head.readUInt32BE();
}

/** Writes the backup into a folder that holds nothing but the note that it was begun. */
export async function writeBackup(source: BackupSource, target: string): Promise<BackupSummary> {
  const { folder, store, holds, clock, signal } = source;
  const record = await readInstallation(store);
  if (record?.state !== 'whole')
    throw new ConfigError(`data folder ${folder.path} has no installation id yet: start the server on it once`);
  checkRoom(folder, target);
  const releases: (() => void)[] = [];
  try {
    for (const holder of holds) releases.push(await holder.hold());
    const time = new Date(clock.now()).toISOString();
    await store.backup(join(target, 'thingkeep.db'));
    const files = filesOf(folder);
    for (const part of FOLDERS) await mkdir(join(target, part), { mode: 0o700 });
    for (const { path, bytes } of files) await copyFile(join(folder.path, path), join(target, path), { bytes, signal });
    const listed: BackedUpFile[] = [];
    for (const path of ['thingkeep.db', ...files.map((file) => file.path)]) {
      signal?.throwIfAborted();
      listed.push({ path, ...(await digestOfFile(join(target, path))) });
    }
    for (const part of FOLDERS) syncFolder(join(target, part));
    syncFolder(target);
    const form = await formOf(join(target, 'thingkeep.db'));
    const { id: installation } = record;
    const manifest: Manifest = { version: 1, installation, madeBy: programVersion(), form, time, files: listed };
    writePrivateFile(join(target, MANIFEST), sealJson(manifest));
    await rm(join(target, BACKUP_BEGUN));
    syncFolder(target);
    return { installation, files: listed.length, bytes: listed.reduce((total, { bytes }) => total + bytes, 0) };
  } finally {
    for (const release of releases) release();
  }
}

/** Bytes that stay free beside a backup on a disk of its own; on that of the data folder the default of --disk-floor does. */
const MARGIN = 16 * 1024 * 1024;

/** Fails where the copy does not fit: a backup must not take from the server what it needs to go on. */
function checkRoom(folder: DataFolder, target: string): void {
  const sizes = ['thingkeep.db', 'thingkeep.db-wal', ...filesOf(folder).map(({ path }) => path)].map(
    (path) => statSync(join(folder.path, path), { throwIfNoEntry: false })?.size ?? 0,
  );
  const needed = BigInt(sizes.reduce((total, size) => total + size, 0));
  const { bavail, blocks, bsize } = statfsSync(target, { bigint: true });
  const isShared = statSync(target).dev === statSync(folder.path).dev;
  const stays = BigInt(isShared ? defaultFloor(Number(blocks * bsize)) : MARGIN);
  if (bavail * bsize < needed + stays)
    throw new ConfigError(
      `the disk of ${target} has ${bavail * bsize} bytes free: the backup takes ${needed}, and ${stays} have to stay free`,
    );
}

/** Fails unless `target` is a folder of this user alone that holds the note of the asker, and nothing else. */
export function checkTarget(folder: DataFolder, target: string, note: string): void {
  const stats = lstatSync(target, { throwIfNoEntry: false });
  const fault =
    stats === undefined ? 'is not there for the server, which must see it under this path' : faultOf(folder, target, stats);
  if (fault !== undefined) throw new ConfigError(`backup folder ${target} ${fault}`);
  const path = join(target, BACKUP_BEGUN);
  const [name, ...more] = readdirSync(target);
  const isAlone = name === BACKUP_BEGUN && more.length === 0 && lstatSync(path).isFile();
  if (!isAlone || lstatSync(path).size !== note.length || readFileSync(path, 'utf8') !== note)
    throw new ConfigError(`backup folder ${target} was not made by the command that asks for the backup`);
}

function faultOf(folder: DataFolder, target: string, stats: Stats): string | undefined {
  if (!stats.isDirectory()) return 'is not a folder';
  if (stats.uid !== process.getuid?.()) return 'belongs to another user than the server';
  if ((stats.mode & 0o077) !== 0) return `may be used by others: chmod 700 ${target}`;
  return `${target}/`.startsWith(`${folder.path}/`) ? 'is in the data folder' : undefined;
}
