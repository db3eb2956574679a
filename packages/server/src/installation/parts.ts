/** The parts of a data folder, and how each of them is found: missing, without an id, or with one. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { auditFiles } from '../audit/files.ts';
import type { DataFolder } from '../config/data-folder.ts';
import { makePrivateFolder, writePrivateFile } from '../config/private-file.ts';
import { installationOfRootKeys } from '../config/root-keys.ts';
import { sealJson, unsealJson } from '../runtime/sealed-json.ts';

export const PART_NAMES = ['data-file', 'ca', 'root-keys', 'audit', 'functions'] as const;
export type PartName = (typeof PART_NAMES)[number];

/** Parts that are folders: a file in each says whose it is. */
export const FOLDER_PARTS = ['ca', 'audit', 'functions'] as const;
type FolderPart = (typeof FOLDER_PARTS)[number];

const ID_FILE = 'installation.json';
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export type FoundPart =
  | { readonly name: PartName; readonly is: 'missing' | 'unnamed' | 'damaged' }
  | { readonly name: PartName; readonly is: 'named'; readonly id: string };

export const isInstallationId = (text: unknown): text is string => typeof text === 'string' && ID.test(text);

const pathOf = (folder: DataFolder, part: FolderPart): string =>
  ({ ca: folder.authority, audit: folder.audit, functions: folder.functions })[part];

/** Where an operator finds the part. */
export const shownPath = (folder: DataFolder, part: PartName): string => {
  if (part === 'data-file') return folder.dataFile;
  return part === 'root-keys' ? folder.rootKeys : join(pathOf(folder, part), '/');
};

/** Whether the folder holds what makes it this part, besides its id. */
function hasContent(folder: DataFolder, part: FolderPart, auditLines: boolean): boolean {
  const path = pathOf(folder, part);
  if (!existsSync(path)) return false;
  if (part === 'ca') return existsSync(join(path, 'complete'));
  if (part === 'audit') return existsSync(join(path, 'key')) && (!auditLines || auditFiles(path).length > 0);
  // A server without functions has no archive.
  return existsSync(join(path, ID_FILE)) || readdirSync(path).some((name) => name.endsWith('.zip'));
}

function findFolderPart(folder: DataFolder, name: FolderPart, auditLines: boolean): FoundPart {
  if (!hasContent(folder, name, auditLines)) return { name, is: 'missing' };
  const file = join(pathOf(folder, name), ID_FILE);
  if (!existsSync(file)) return { name, is: 'unnamed' };
  const { installation, part } = unsealJson(readFileSync(file, 'utf8')) ?? {};
  return isInstallationId(installation) && part === name ? { name, is: 'named', id: installation } : { name, is: 'damaged' };
}

function findRootKeys(folder: DataFolder): FoundPart {
  const name = 'root-keys';
  if (!existsSync(folder.rootKeys)) return { name, is: 'missing' };
  const id = installationOfRootKeys(folder.rootKeys);
  return isInstallationId(id) ? { name, is: 'named', id } : { name, is: 'unnamed' };
}

/** All parts but the data file. `auditLines`: whether the data file knows lines of the audit log. */
export const findParts = (folder: DataFolder, auditLines: boolean): FoundPart[] => [
  findFolderPart(folder, 'ca', auditLines),
  findRootKeys(folder),
  findFolderPart(folder, 'audit', auditLines),
  findFolderPart(folder, 'functions', auditLines),
];

/** Writes the id into a part that is a folder, and makes the folder where there is none. */
export function namePart(folder: DataFolder, part: FolderPart, installation: string): void {
  const path = pathOf(folder, part);
  makePrivateFolder(path);
  writePrivateFile(join(path, ID_FILE), sealJson({ part, installation }));
}
