/** What is damaged in the parts of a data folder beside its data file. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readAuditState } from '../audit/store.ts';
import { verifyAudit } from '../audit/verify.ts';
import { authorityFaults } from '../authority/check.ts';
import type { Config } from '../config/config.ts';
import type { DataFolder } from '../config/data-folder.ts';
import { RootKeys } from '../config/root-keys.ts';
import { partFaults } from '../installation/installation.ts';
import { openStored } from './stored.ts';

/** The message of what `work` fails with, as a line. */
async function failureOf(work: () => Promise<readonly string[]> | readonly string[]): Promise<readonly string[]> {
  try {
    return await work();
  } catch (error) {
    return [(error as Error).message];
  }
}

/** Archives whose name is not their digest. */
const archiveFaults = (folder: string): string[] =>
  (existsSync(folder) ? readdirSync(folder).sort() : [])
    .filter((name) => name.endsWith('.zip'))
    .filter(
      (name) =>
        createHash('sha256')
          .update(readFileSync(join(folder, name)))
          .digest('hex') !== name.slice(0, -4),
    )
    .map((name) => `archive ${join(folder, name)} is damaged`);

/** A line for each fault. `withData`: whether the data file can be asked what belongs to it. */
export async function checkParts(folder: DataFolder, config: Config, withData: boolean): Promise<string[]> {
  const faults = [
    ...(await failureOf(() => (existsSync(folder.rootKeys) ? [new RootKeys(folder.rootKeys)] : []).flatMap(() => []))),
    ...(await failureOf(() => (existsSync(folder.authority) ? authorityFaults(folder.authority) : []))),
    ...(await failureOf(() => archiveFaults(folder.functions))),
  ];
  if (!withData) return faults;
  await using store = await openStored(folder, config);
  return [
    ...faults,
    ...(await failureOf(() => partFaults(folder, store))),
    ...(await failureOf(async () => verifyAudit(folder.audit, await store.read(readAuditState))?.faults ?? [])),
  ];
}
