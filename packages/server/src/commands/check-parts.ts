/** What is damaged in the parts of a data folder beside its data file. */
import { existsSync } from 'node:fs';
import { readAuditState } from '../audit/store.ts';
import { verifyAudit } from '../audit/verify.ts';
import { authorityFaults } from '../authority/check.ts';
import type { Config } from '../config/config.ts';
import type { DataFolder } from '../config/data-folder.ts';
import { installationOfRootKeys } from '../config/root-keys.ts';
import { archiveFaults } from '../functions/code/check.ts';
import { partFaults } from '../installation/installation.ts';
import { openDataFile } from './stored.ts';

/** The lines that `work` gives, or the message of what it fails with. */
async function linesOf(work: () => Promise<readonly string[]> | readonly string[]): Promise<readonly string[]> {
  try {
    return await work();
  } catch (error) {
    return [(error as Error).message];
  }
}

/** None; fails where the file is damaged. */
function rootKeyFaults(path: string): string[] {
  if (existsSync(path)) installationOfRootKeys(path);
  return [];
}

/** A line for each fault. `withData`: whether the data file can be asked what belongs to it. */
export async function checkParts(folder: DataFolder, config: Config, withData: boolean): Promise<string[]> {
  const faults = [
    ...(await linesOf(() => rootKeyFaults(folder.rootKeys))),
    ...(await linesOf(() => (existsSync(folder.authority) ? authorityFaults(folder.authority) : []))),
    ...(await linesOf(() => (existsSync(folder.functions) ? archiveFaults(folder.functions) : []))),
  ];
  if (!withData) return faults;
  await using store = await openDataFile(folder, config);
  return [
    ...faults,
    ...(await linesOf(() => partFaults(folder, store))),
    ...(await linesOf(async () => verifyAudit(folder.audit, await store.read(readAuditState))?.faults ?? [])),
  ];
}
