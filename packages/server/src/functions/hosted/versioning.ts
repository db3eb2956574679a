/** Publishing: $LATEST as it is now becomes a version that stays. Source: Lambda developer guide, page configuration-versions. */
import { randomUUID } from 'node:crypto';
import { fail } from '@thingkeep/wire/errors.ts';
import type { WriteTransaction } from '../../store/contract.ts';
import { type FunctionRecord, functions, type VersionSettings, versions } from './store.ts';

/** Versions of one function; ours. */
const MAX_VERSIONS = 1_000;

export interface Published {
  readonly record: FunctionRecord;
  readonly settings: VersionSettings;
  readonly version: string;
}

/** What makes two versions the same: code and settings, not when they were made. */
const contentOf = (settings: VersionSettings): string =>
  JSON.stringify({ ...settings, revisionId: '', modifiedAt: 0, description: '' });

export function checkRevision({ latest }: FunctionRecord, revisionId: string | undefined): void {
  if (revisionId !== undefined && revisionId !== latest.revisionId)
    fail(
      'PreconditionFailedException',
      'The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id',
    );
}

/** Publishes $LATEST; gives the last version when nothing has changed since. */
export async function publishVersion(
  tx: WriteTransaction,
  record: FunctionRecord,
  { description, codeSha256 }: { description?: string | undefined; codeSha256?: string | undefined },
  now: number,
): Promise<Published> {
  const { accountId, name, latest, lastVersion } = record;
  if (codeSha256 !== undefined && codeSha256 !== latest.codeSha256)
    fail(
      'InvalidParameterValueException',
      `CodeSHA256 (${codeSha256}) is different from current CodeSHA256 in $LATEST (${latest.codeSha256}). Please try again with the CodeSHA256 in $LATEST.`,
    );
  const last = await tx.get(versions, [accountId, name, lastVersion]);
  if (last !== undefined && contentOf(last.settings) === contentOf(latest))
    return { record, settings: last.settings, version: String(lastVersion) };
  if ((await tx.scan(versions, { skipDamaged: true, prefix: [accountId, name] })).items.length >= MAX_VERSIONS)
    fail('CodeStorageExceededException', `A function can have at most ${MAX_VERSIONS} versions here.`);
  const version = lastVersion + 1;
  const settings = { ...latest, description: description ?? latest.description, modifiedAt: now, revisionId: randomUUID() };
  const published = { ...record, lastVersion: version };
  await tx.put(versions, { accountId, name, version, settings });
  await tx.put(functions, published);
  return { record: published, settings, version: String(version) };
}
