/** What jobs need of software packages: the versions that they bring, and what things have then. */
import { parseArn, type Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { ReadTransaction } from '../store/contract.ts';
import { type ObjectLocation, packageConfigurations, packageVersionArn, packageVersions, softwarePackages } from './store.ts';

/** Versions that a job may bring (developer guide, page preparing-jobs-for-service-package-catalog). */
export const MAX_PACKAGE_VERSIONS = 25;

/** A version that a job brings; without a name, the package is taken from the thing (`$null`). */
export interface DestinationVersion {
  readonly packageName: string;
  readonly versionName: string | undefined;
  /** The version as the job names it: `$default` and `$null` too. */
  readonly namedAs: string;
  /** As it is shown: with the version that `$default` stood for. */
  readonly arn: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly artifact: ObjectLocation | undefined;
}

/** Parts of a name such as `lamp/version/1.0`. */
export function versionNameParts(name: string): { readonly packageName: string; readonly versionName: string } | undefined {
  const [, packageName, versionName] =
    /^([a-zA-Z0-9-_.]{1,128})\/version\/([a-zA-Z0-9-_.]{1,64}|\$default|\$null)$/.exec(name) ?? [];
  return packageName === undefined || versionName === undefined ? undefined : { packageName, versionName };
}

const refuse = (message: string): never => fail('InvalidRequestException', message);

async function destination(tx: ReadTransaction, place: Place, text: string): Promise<DestinationVersion> {
  const { accountId } = place;
  const { service, region, account, type, name = '' } = parseArn(text) ?? {};
  const isOwn = service === 'iot' && region === place.region && account === accountId && type === 'package';
  const parts = isOwn ? versionNameParts(name) : undefined;
  if (parts === undefined) return refuse(`${text} is not the ARN of a package version of this account and region`);
  const { packageName, versionName: named } = parts;
  const found = await tx.get(softwarePackages, [accountId, packageName]);
  if (found === undefined) return fail('ResourceNotFoundException', `The package ${packageName} does not exist`);
  if (named === '$null')
    return { packageName, versionName: undefined, namedAs: named, arn: text, attributes: {}, artifact: undefined };
  const versionName = named === '$default' ? found.defaultVersionName : named;
  if (versionName === undefined) return refuse(`The package ${packageName} has no default version`);
  const version = await tx.get(packageVersions, [accountId, packageName, versionName]);
  if (version === undefined)
    return fail('ResourceNotFoundException', `The version ${versionName} of the package ${packageName} does not exist`);
  if (version.status === 'DRAFT') refuse(`The version ${versionName} of the package ${packageName} is a DRAFT`);
  const { attributes, artifact } = version;
  const arn = packageVersionArn(place, packageName, versionName);
  return { packageName, versionName, namedAs: named, arn, attributes, artifact };
}

/**
 * The versions that ARNs name, such as those of a job's `destinationPackageVersions`, `$default` resolved. Fails with InvalidRequestException or
 * ResourceNotFoundException.
 */
export async function resolveDestinations(
  tx: ReadTransaction,
  place: Place,
  arns: readonly string[],
): Promise<readonly DestinationVersion[]> {
  if (arns.length > MAX_PACKAGE_VERSIONS) refuse(`There can be at most ${MAX_PACKAGE_VERSIONS} package versions`);
  const found: DestinationVersion[] = [];
  for (const arn of arns) found.push(await destination(tx, place, arn));
  if (new Set(found.map(({ packageName }) => packageName)).size < found.length) refuse('Two versions of one package are named');
  return found;
}

/** Whether the end of a job is written into the things' `$package`, and by which role. */
export async function versionUpdatesByJobs(
  tx: ReadTransaction,
  accountId: string,
): Promise<{ readonly enabled: boolean; readonly roleArn?: string | undefined }> {
  return (await tx.get(packageConfigurations, [accountId])) ?? { enabled: false };
}

/** What is written of a package into `reported` of a thing's shadow `$package`; null takes it out. */
export type ReportedPackage = { readonly version: string; readonly attributes: null } | null;

/** What `reported` of a shadow `$package` is merged with, by the names of packages. */
export type Reported = Readonly<Record<string, ReportedPackage>>;

/** What `reported` is merged with when a job with these versions has succeeded on a thing: ARNs as the job has them resolved. */
export const reportedPackages = (arns: readonly string[]): Reported =>
  Object.fromEntries(
    arns.flatMap((arn) => {
      const parts = versionNameParts(parseArn(arn)?.name ?? '');
      if (parts === undefined) return [];
      const { packageName, versionName: version } = parts;
      return [[packageName, version === '$null' ? null : { version, attributes: null }] as const];
    }),
  );
