/** CreatePackage, GetPackage, UpdatePackage, DeletePackage, ListPackages, GetPackageConfiguration, UpdatePackageConfiguration. */
import { answeringValidation, type Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { defined } from '@thingkeep/wire/defined.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { PolicyTags } from '../policies/principals.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store, WriteTransaction } from '../store/contract.ts';
import { countRecords } from '../store/record-counts.ts';
import { describedPackage, getPackage, getVersion, packageSummary, refuseInput } from './packages.ts';
import { packageArn, packageConfigurations, type PackageRecord, packageVersions, softwarePackages } from './store.ts';

export interface PackageOperationDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly tags: PolicyTags;
}

type Operations = Handlers<
  Pick<
    IotOperations,
    | 'CreatePackage'
    | 'GetPackage'
    | 'UpdatePackage'
    | 'DeletePackage'
    | 'ListPackages'
    | 'GetPackageConfiguration'
    | 'UpdatePackageConfiguration'
  >
>;

/** Packages of an account in a region (General Reference, quotas of the software package catalog). */
const MAX_PACKAGES = 100;
const PAGE = 100;

/** Tags of packages come as a map. */
export const tagList = (tags: Readonly<Record<string, string>>) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

/** The default version that an update leaves; a version that is a draft can't be one. */
async function defaultAfter(
  tx: WriteTransaction,
  { accountId, packageName, defaultVersionName: before }: PackageRecord,
  given: string | undefined,
  isUnset: boolean,
): Promise<string | undefined> {
  if (given !== undefined && isUnset) refuseInput('Only one of defaultVersionName and unsetDefaultVersion can be given');
  if (given === undefined) return isUnset ? undefined : before;
  const { status } = await getVersion(tx, accountId, packageName, given);
  return status === 'DRAFT' ? refuseInput(`The version ${given} is a DRAFT: it can not be the default`) : given;
}

export const packageOperations = ({ store, clock, tags }: PackageOperationDeps): Operations =>
  answeringValidation<Operations>({
    async CreatePackage({ packageName = '', description, tags: given, clientToken }, caller) {
      const { accountId } = caller;
      const arn = packageArn(caller, packageName);
      await store.write(async (tx) => {
        const there = await tx.get(softwarePackages, [accountId, packageName]);
        // The same request again, which its sender got no answer to.
        if (clientToken !== undefined && there?.clientToken === clientToken && there.description === description) return;
        if (there !== undefined)
          fail('ConflictException', `The package ${packageName} already exists`, { resourceId: packageName });
        if ((await countRecords(tx, accountId, softwarePackages.name, 1)) > MAX_PACKAGES)
          fail('ServiceQuotaExceededException', `An account has at most ${MAX_PACKAGES} packages`);
        const now = clock.now();
        const record = { accountId, packageName, description, clientToken, createdAt: now, lastModifiedAt: now };
        await tx.put(softwarePackages, record);
        if (given !== undefined) await tags.put(tx, accountId, arn, tagList(given));
      });
      return { packageName, packageArn: arn, description };
    },

    async GetPackage({ packageName = '' }, caller) {
      return describedPackage(caller, await store.read((tx) => getPackage(tx, caller.accountId, packageName)));
    },

    async UpdatePackage({ packageName = '', description, defaultVersionName: given, unsetDefaultVersion = false }, caller) {
      await store.write(async (tx) => {
        const { defaultVersionName: _, ...record } = await getPackage(tx, caller.accountId, packageName);
        const defaultVersionName = await defaultAfter(tx, { ...record, defaultVersionName: _ }, given, unsetDefaultVersion);
        const changed = { ...record, ...defined({ description, defaultVersionName }), lastModifiedAt: clock.now() };
        await tx.put(softwarePackages, changed);
      });
      return {};
    },

    async DeletePackage({ packageName = '' }, caller) {
      const { accountId } = caller;
      await store.write(async (tx) => {
        // No error is declared for a package that is not there: it is gone.
        if ((await tx.get(softwarePackages, [accountId, packageName])) === undefined) return;
        const { items } = await tx.scan(packageVersions, { prefix: [accountId, packageName], limit: 1 });
        if (items.length > 0) refuseInput(`The package ${packageName} has versions: they have to be deleted first`);
        await tx.delete(softwarePackages, [accountId, packageName]);
        await countRecords(tx, accountId, softwarePackages.name, -1);
        await tags.remove(tx, accountId, packageArn(caller, packageName));
      });
      return {};
    },

    async ListPackages({ maxResults = PAGE, nextToken }, { accountId }) {
      const scan = { prefix: [accountId], after: nextToken, limit: maxResults, skipDamaged: true };
      const { items, next } = await store.read((tx) => tx.scan(softwarePackages, scan));
      return { packageSummaries: items.map(packageSummary), nextToken: next };
    },

    async GetPackageConfiguration(_input, { accountId }) {
      const found = await store.read((tx) => tx.get(packageConfigurations, [accountId]));
      return { versionUpdateByJobsConfig: { enabled: found?.enabled ?? false, roleArn: found?.roleArn } };
    },

    async UpdatePackageConfiguration({ versionUpdateByJobsConfig: { enabled, roleArn } = {} }, { accountId }) {
      await store.write(async (tx) => {
        const before = (await tx.get(packageConfigurations, [accountId])) ?? { accountId, enabled: false };
        const after = { ...before, ...defined({ enabled, roleArn }) };
        if (after.enabled && after.roleArn === undefined) refuseInput('versionUpdateByJobsConfig needs a roleArn to be enabled');
        await tx.put(packageConfigurations, after);
      });
      return {};
    },
  });
