/** CreatePackageVersion, GetPackageVersion, UpdatePackageVersion, DeletePackageVersion, ListPackageVersions. */
import { answeringValidation, type Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { defined } from '@thingkeep/wire/defined.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { countRecords } from '../store/record-counts.ts';
import {
  checkAttributes,
  describedVersion,
  getPackage,
  getVersion,
  locationOf,
  refuseInput,
  statusAfter,
  versionSummary,
} from './packages.ts';
import { type PackageOperationDeps, tagList } from './packages.operations.ts';
import { packageVersionArn, packageVersions, softwarePackages, type PackageVersionRecord } from './store.ts';

type Operations = Handlers<
  Pick<
    IotOperations,
    'CreatePackageVersion' | 'GetPackageVersion' | 'UpdatePackageVersion' | 'DeletePackageVersion' | 'ListPackageVersions'
  >
>;

/** Versions of a package (General Reference, quotas of the software package catalog). */
const MAX_VERSIONS = 10_000;
const PAGE = 100;

const counted = (packageName: string): string => `${packageVersions.name}/${packageName}`;

/** Whether a version was made by the same request, whose sender got no answer. */
const isSame = (
  there: PackageVersionRecord | undefined,
  { clientToken, description, attributes, artifact, recipe }: PackageVersionRecord,
): boolean =>
  clientToken !== undefined &&
  there?.clientToken === clientToken &&
  JSON.stringify([there.description, there.attributes, there.artifact, there.recipe]) ===
    JSON.stringify([description, attributes, artifact, recipe]);

export const packageVersionOperations = ({ store, clock, tags }: PackageOperationDeps): Operations =>
  answeringValidation<Operations>({
    async CreatePackageVersion(input, caller) {
      const { packageName = '', versionName = '', description, attributes = {}, recipe, clientToken } = input;
      const { accountId } = caller;
      checkAttributes(attributes);
      const artifact = locationOf(input.artifact?.s3Location);
      const arn = packageVersionArn(caller, packageName, versionName);
      await store.write(async (tx) => {
        // The operation declares no ResourceNotFoundException.
        if ((await tx.get(softwarePackages, [accountId, packageName])) === undefined)
          refuseInput(`The package ${packageName} does not exist`);
        const now = clock.now();
        const record: PackageVersionRecord = {
          ...{ accountId, packageName, versionName, description, attributes, artifact, recipe, clientToken },
          ...{ status: 'DRAFT', createdAt: now, lastModifiedAt: now },
        };
        const there = await tx.get(packageVersions, [accountId, packageName, versionName]);
        if (isSame(there, record)) return;
        if (there !== undefined)
          fail('ConflictException', `The version ${versionName} of the package ${packageName} already exists`, {
            resourceId: versionName,
          });
        if ((await countRecords(tx, accountId, counted(packageName), 1)) > MAX_VERSIONS)
          fail('ServiceQuotaExceededException', `A package has at most ${MAX_VERSIONS} versions`);
        await tx.put(packageVersions, record);
        if (input.tags !== undefined) await tags.put(tx, accountId, arn, tagList(input.tags));
      });
      return { packageVersionArn: arn, packageName, versionName, description, attributes, status: 'DRAFT' as const };
    },

    async GetPackageVersion({ packageName = '', versionName = '' }, caller) {
      return describedVersion(caller, await store.read((tx) => getVersion(tx, caller.accountId, packageName, versionName)));
    },

    async UpdatePackageVersion(input, caller) {
      const { packageName = '', versionName = '', description, attributes, action, recipe } = input;
      if (attributes !== undefined) checkAttributes(attributes);
      const artifact = locationOf(input.artifact?.s3Location);
      await store.write(async (tx) => {
        const record = await getVersion(tx, caller.accountId, packageName, versionName);
        if (record.status !== 'DRAFT' && (attributes !== undefined || artifact !== undefined))
          refuseInput(`The version ${versionName} is ${record.status}: its attributes and artifact can not be changed`);
        const status = statusAfter(record.status, action);
        const changed = { ...record, ...defined({ description, attributes, artifact, recipe }), status };
        await tx.put(packageVersions, { ...changed, lastModifiedAt: clock.now() });
      });
      return {};
    },

    async DeletePackageVersion({ packageName = '', versionName = '' }, caller) {
      const { accountId } = caller;
      await store.write(async (tx) => {
        const key = [accountId, packageName, versionName];
        // No error is declared for a version that is not there: it is gone.
        if ((await tx.get(packageVersions, key)) === undefined) return;
        if ((await getPackage(tx, accountId, packageName)).defaultVersionName === versionName)
          refuseInput(`The version ${versionName} is the default of the package ${packageName}`);
        await tx.delete(packageVersions, key);
        await countRecords(tx, accountId, counted(packageName), -1);
        await tags.remove(tx, accountId, packageVersionArn(caller, packageName, versionName));
      });
      return {};
    },

    async ListPackageVersions({ packageName = '', status, maxResults = PAGE, nextToken }, { accountId }) {
      const page = { after: nextToken, limit: maxResults, skipDamaged: true };
      const scan =
        status === undefined
          ? { ...page, prefix: [accountId, packageName] }
          : { ...page, index: 'byStatus', prefix: [accountId, packageName, status] };
      const { items, next } = await store.read((tx) => tx.scan(packageVersions, scan));
      return { packageVersionSummaries: items.map(versionSummary), nextToken: next };
    },
  });
