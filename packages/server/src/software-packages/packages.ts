/** Software packages and versions as the API shows them, and what a version may become. */
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { ReadTransaction } from '../store/contract.ts';
import {
  type ObjectLocation,
  packageArn,
  type PackageRecord,
  packageVersionArn,
  packageVersions,
  type SbomRecord,
  softwarePackages,
  type PackageVersionRecord,
  type VersionStatus,
} from './store.ts';

/** Bytes of a version's attributes, names and values (General Reference, quotas of the software package catalog). */
const MAX_ATTRIBUTES = 3 * 1024;

export const refuseInput = (message: string): never => fail('ValidationException', message);

export async function getPackage(tx: ReadTransaction, accountId: string, packageName: string): Promise<PackageRecord> {
  const found = await tx.get(softwarePackages, [accountId, packageName]);
  return found ?? fail('ResourceNotFoundException', `The package ${packageName} does not exist`);
}

export async function getVersion(
  tx: ReadTransaction,
  accountId: string,
  packageName: string,
  versionName: string,
): Promise<PackageVersionRecord> {
  const found = await tx.get(packageVersions, [accountId, packageName, versionName]);
  return found ?? fail('ResourceNotFoundException', `The version ${versionName} of the package ${packageName} does not exist`);
}

export function checkAttributes(attributes: Readonly<Record<string, string>>): void {
  const bytes = Object.entries(attributes).reduce((sum, [name, value]) => sum + Buffer.byteLength(name + value), 0);
  if (bytes > MAX_ATTRIBUTES) refuseInput(`The attributes are larger than ${MAX_ATTRIBUTES} bytes`);
}

/** An object's location as it is stored; undefined where there is none. */
export function locationOf(
  given:
    | { readonly bucket?: string | undefined; readonly key?: string | undefined; readonly version?: string | undefined }
    | undefined,
): ObjectLocation | undefined {
  if (given === undefined) return undefined;
  const { bucket, key, version } = given;
  if (bucket === undefined || key === undefined) return refuseInput('s3Location needs bucket and key');
  return { bucket, key, version };
}

/** What an action makes of a status: DRAFT is published once, and published versions are deprecated and published again. */
export function statusAfter(status: VersionStatus, action: 'PUBLISH' | 'DEPRECATE' | undefined): VersionStatus {
  if (action === undefined) return status;
  if (action === 'PUBLISH') return 'PUBLISHED';
  return status === 'DRAFT' ? refuseInput('A version that is a DRAFT can not be deprecated') : 'DEPRECATED';
}

export const packageSummary = (record: PackageRecord) => ({
  packageName: record.packageName,
  defaultVersionName: record.defaultVersionName,
  creationDate: new Date(record.createdAt),
  lastModifiedDate: new Date(record.lastModifiedAt),
});

export const describedPackage = (place: Place, record: PackageRecord) => ({
  ...packageSummary(record),
  packageArn: packageArn(place, record.packageName),
  description: record.description,
});

export const versionSummary = ({ packageName, versionName, status, createdAt, lastModifiedAt }: PackageVersionRecord) => ({
  packageName,
  versionName,
  status,
  creationDate: new Date(createdAt),
  lastModifiedDate: new Date(lastModifiedAt),
});

export const sbomStatus = ({ results }: SbomRecord): 'FAILED' | 'SUCCEEDED' =>
  results.some(({ errorCode }) => errorCode !== undefined) ? 'FAILED' : 'SUCCEEDED';

export const describedSbom = ({ bucket, key, version }: ObjectLocation) => ({ s3Location: { bucket, key, version } });

export const describedVersion = (place: Place, record: PackageVersionRecord) => ({
  ...versionSummary(record),
  packageVersionArn: packageVersionArn(place, record.packageName, record.versionName),
  description: record.description,
  attributes: { ...record.attributes },
  artifact: record.artifact && { s3Location: { ...record.artifact } },
  recipe: record.recipe,
  sbom: record.sbom && describedSbom(record.sbom),
  sbomValidationStatus: record.sbom && sbomStatus(record.sbom),
});
