/**
 * The installation of a data folder: an id in each part, so that a folder with a part missing, or of another server, is
 * refused, and nothing is made anew beside what is left.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readAuditState } from '../audit/store.ts';
import { ConfigError } from '../config/config-error.ts';
import type { DataFolder } from '../config/data-folder.ts';
import { syncFolder } from '../config/private-file.ts';
import { isSecretMade } from '../credentials/session-tokens.ts';
import type { Logger } from '../runtime/log.ts';
import type { Store } from '../store/contract.ts';
import { isMarked, mark } from '../store/marks.ts';
import { regionsOf } from '../store/regional.ts';
import { type DataFileState, assessParts, type Loss, UNNAMED, type Assessment } from './assessment.ts';
import { FOLDER_PARTS, findParts, namePart, type PartName, shownPath } from './parts.ts';
import { type InstallationRecord, putInstallation, readInstallation } from './store.ts';

const LOST: Readonly<Record<PartName, string>> = {
  'data-file': 'all things, certificates, policies, rules, users, sessions and messages',
  ca: "the server's authorities, which devices trust",
  'root-keys': "the access keys of the accounts' roots",
  audit: 'the history of changes',
  functions: 'the code of hosted functions',
};

export interface OpenInstallation {
  readonly folder: DataFolder;
  readonly store: Store;
  /** `PART:ID` of what the operator gives up (`--accept-loss`). */
  readonly acceptLoss: readonly string[];
  readonly log: Logger;
}

export interface Installation {
  readonly id: string;
  /** Whether root keys were made before: a missing file is an error then. */
  readonly hasRootKeys: boolean;
  /** To be called once all parts are made: gives them the id, and says in the data file that they have it. */
  settle(): Promise<void>;
}

const tokenOf = ({ installation }: Assessment, { part }: Loss): string => `${part}:${installation}`;

function refusalOf(folder: DataFolder, verdict: Assessment, losses: readonly Loss[]): ConfigError {
  const found = losses.map((loss) => `${shownPath(folder, loss.part)} ${loss.why}`).join(', ');
  const whose =
    verdict.installation === UNNAMED ? 'has no installation id in its data file' : `is of installation ${verdict.installation}`;
  const flags = losses.map((loss) => `--accept-loss ${tokenOf(verdict, loss)}`).join(' ');
  const lost = losses.map(({ part }) => LOST[part]).join('; ');
  // A part of another installation is kept; what is lost is what should be in its place.
  const isThere = losses.some((loss) => loss.isThere);
  const how = isThere ? `take over what is there as it is, whatever is lost by it (${lost}),` : `give up what is lost (${lost})`;
  return new ConfigError(
    `data folder ${folder.path} ${whose}, but ${found}: restore the folder from a backup, or ${how} by ${flags}`,
  );
}

async function readDataFile(store: Store): Promise<DataFileState & { readonly lines: boolean }> {
  const record = await readInstallation(store);
  const lines = (await store.read(readAuditState)).head.number > 0;
  const served = (await isSecretMade(store)) || (await regionsOf(store)).length > 0;
  const isEmpty = record === undefined && !lines && !served && !(await isMarked(store, 'root-keys'));
  return { record, isEmpty, wasServed: served, lines };
}

/** A line for each part that is missing or of another installation. */
export async function partFaults(folder: DataFolder, store: Store): Promise<string[]> {
  const dataFile = await readDataFile(store);
  const { losses } = assessParts(findParts(folder, dataFile.lines), dataFile);
  const hasKeys = existsSync(folder.rootKeys) || losses.some(({ part }) => part === 'root-keys');
  const keys = hasKeys || !(await isMarked(store, 'root-keys')) ? [] : [`${folder.rootKeys} is missing`];
  return [...losses.map(({ part, why }) => `${shownPath(folder, part)} ${why}`), ...keys];
}

/** Assesses the parts of the folder. Fails with ConfigError where they do not belong together. */
export async function openInstallation({ folder, store, acceptLoss, log }: OpenInstallation): Promise<Installation> {
  const dataFile = await readDataFile(store);
  const found = findParts(folder, dataFile.lines);
  const verdict = assessParts(found, dataFile);
  const refused = verdict.losses.filter((loss) => !acceptLoss.includes(tokenOf(verdict, loss)));
  if (refused.length > 0) throw refusalOf(folder, verdict, refused);
  for (const loss of verdict.losses) {
    const members = { event: 'loss-accepted', part: loss.part, installation: verdict.installation };
    const then = loss.isThere ? 'it is taken over as it is' : 'it is made anew';
    log.error(members, `${shownPath(folder, loss.part)} ${loss.why}: ${then}; lost: ${LOST[loss.part]}`);
  }
  const needless = acceptLoss.filter((token) => !verdict.losses.some((loss) => tokenOf(verdict, loss) === token));
  for (const token of needless) log.warn({ event: 'accept-loss-unused', token }, '--accept-loss names no loss: take it away');

  let record = dataFile.record;
  if (record === undefined || verdict.losses.length > 0) {
    const accepted = verdict.losses.map(({ part }) => part);
    const ids = found.flatMap((each) => (each.is === 'named' ? [each.id] : []));
    record = {
      name: 'installation',
      // A loss that was accepted makes another installation of what is left: the same flag accepts no second one.
      id: randomUUID(),
      state: 'making',
      had: found.filter(({ is, name }) => is !== 'missing' && !accepted.includes(name)).map(({ name }) => name),
      replaces: [...new Set(ids)],
      accepted: [...new Set([...accepted, ...(record?.accepted ?? [])])],
    } satisfies InstallationRecord;
    await putInstallation(store, record);
  }
  const { id, state } = record;
  const givesUpKeys = record.accepted.includes('root-keys');
  const making = record;
  return {
    id,
    hasRootKeys: !givesUpKeys && (await isMarked(store, 'root-keys')),
    async settle() {
      await mark(store, 'root-keys');
      if (state === 'whole') return;
      for (const part of FOLDER_PARTS) namePart(folder, part, id);
      // The names of the parts are on disk before the data file says that they are there.
      syncFolder(folder.path);
      await putInstallation(store, { ...making, state: 'whole', had: [], replaces: [], accepted: [] });
    },
  };
}
