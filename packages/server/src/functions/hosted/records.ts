/** Finding functions, their versions and what an alias stands for. */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { ReadTransaction } from '../../store/contract.ts';
import { type FunctionName, notFound } from './names.ts';
import {
  type AliasRecord,
  aliases,
  type FunctionRecord,
  functionArn,
  functions,
  LATEST,
  type VersionSettings,
  versions,
} from './store.ts';

export async function getFunction(tx: ReadTransaction, place: Place, name: string): Promise<FunctionRecord> {
  return (await tx.get(functions, [place.accountId, name])) ?? notFound(functionArn(place, name));
}

/** One version of a function, as it was asked for. */
export interface FoundVersion {
  readonly record: FunctionRecord;
  readonly settings: VersionSettings;
  /** `$LATEST` or a number. */
  readonly version: string;
  readonly alias?: AliasRecord;
  /** The ARN with the qualifier as it was asked for. */
  readonly arn: string;
}

/** Settings of a version by its number; undefined when it is not there. */
async function settingsOf(
  tx: ReadTransaction,
  { accountId, name, latest }: FunctionRecord,
  version: string,
): Promise<VersionSettings | undefined> {
  if (version === LATEST) return latest;
  return /^\d{1,9}$/.test(version) ? (await tx.get(versions, [accountId, name, Number(version)]))?.settings : undefined;
}

/** Picks one of two versions by their weights; `chance` is from 0 to 1. */
const routed = ({ version, routing }: AliasRecord, chance: number): string =>
  routing !== undefined && chance < routing.weight ? routing.version : version;

/**
 * The version that a name and qualifier lead to; `chance` decides where an alias shares its events out. Fails with
 * ResourceNotFoundException.
 */
export async function findVersion(
  tx: ReadTransaction,
  place: Place,
  { name, qualifier }: FunctionName,
  chance = 1,
): Promise<FoundVersion> {
  const arn = functionArn(place, name, qualifier);
  const record = (await tx.get(functions, [place.accountId, name])) ?? notFound(arn);
  const direct = await settingsOf(tx, record, qualifier ?? LATEST);
  if (direct !== undefined) return { record, settings: direct, version: qualifier ?? LATEST, arn };
  const alias = (await tx.get(aliases, [place.accountId, name, qualifier ?? ''])) ?? notFound(arn);
  const version = routed(alias, chance);
  const settings = (await settingsOf(tx, record, version)) ?? notFound(arn);
  return { record, settings, version, alias, arn };
}
