/** Records of software packages and their versions. Times are milliseconds since the epoch. */
import { iotArn, type Place } from '@thingkeep/wire/arn.ts';
import { collection } from '../store/contract.ts';

export interface PackageRecord {
  readonly accountId: string;
  readonly packageName: string;
  readonly description?: string | undefined;
  readonly defaultVersionName?: string | undefined;
  readonly createdAt: number;
  readonly lastModifiedAt: number;
  readonly clientToken?: string | undefined;
}

export const softwarePackages = collection<PackageRecord>('software-packages', (p) => [p.accountId, p.packageName]);

export type VersionStatus = 'DRAFT' | 'PUBLISHED' | 'DEPRECATED';

export interface ObjectLocation {
  readonly bucket: string;
  readonly key: string;
  readonly version?: string | undefined;
}

/** What was found in one file of an SBOM. */
export interface SbomResult {
  readonly fileName: string;
  readonly errorCode?: 'INCOMPATIBLE_FORMAT' | 'FILE_SIZE_LIMIT_EXCEEDED' | undefined;
  readonly errorMessage?: string | undefined;
}

export interface SbomRecord extends ObjectLocation {
  readonly results: readonly SbomResult[];
}

export interface PackageVersionRecord {
  readonly accountId: string;
  readonly packageName: string;
  readonly versionName: string;
  readonly description?: string | undefined;
  readonly attributes: Readonly<Record<string, string>>;
  readonly artifact?: ObjectLocation | undefined;
  readonly recipe?: string | undefined;
  readonly status: VersionStatus;
  readonly sbom?: SbomRecord | undefined;
  readonly createdAt: number;
  readonly lastModifiedAt: number;
  readonly clientToken?: string | undefined;
}

export const packageVersions = collection<PackageVersionRecord>(
  'software-package-versions',
  (v) => [v.accountId, v.packageName, v.versionName],
  { byStatus: (v) => [[v.accountId, v.packageName, v.status, v.versionName]] },
);

/** Whether the end of a job is written into `$package` of its things; one of an account in a region. */
export interface PackageConfigurationRecord {
  readonly accountId: string;
  readonly enabled: boolean;
  readonly roleArn?: string | undefined;
}

export const packageConfigurations = collection<PackageConfigurationRecord>('software-package-configurations', (c) => [
  c.accountId,
]);

export const packageArn = (place: Place, packageName: string): string => iotArn(place, 'package', packageName);
export const packageVersionArn = (place: Place, packageName: string, versionName: string): string =>
  iotArn(place, 'package', `${packageName}/version/${versionName}`);
