/** AssociateSbomWithPackageVersion, DisassociateSbomFromPackageVersion, ListSbomValidationResults. */
import type { CallerPermissions } from '@thingkeep/wire/api/authorization.ts';
import { answeringValidation, type Caller, type Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { pageOffset } from '@thingkeep/wire/api/page-offset.ts';
import { placeOf } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { ObjectFault, type OpenedObject, type RoleObjects } from '../objects/contract.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store } from '../store/contract.ts';
import { describedSbom, getVersion, locationOf, refuseInput } from './packages.ts';
import { MAX_ARCHIVE } from './sbom.ts';
import type { SbomCheck } from './sbom-check.ts';
import { type ObjectLocation, packageVersions, type PackageVersionRecord } from './store.ts';

export interface SbomOperationDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly roleObjects: RoleObjects;
  /** Validations under way. */
  readonly underWay: SbomsUnderWay;
  readonly sboms: SbomCheck;
}

type Operations = Handlers<
  Pick<IotOperations, 'AssociateSbomWithPackageVersion' | 'DisassociateSbomFromPackageVersion' | 'ListSbomValidationResults'>
>;

/** Validations of an account at a time: ours. */
const MAX_UNDER_WAY = 2;
const PAGE = 100;

/** How many validations each account has under way. */
export class SbomsUnderWay {
  readonly #counts = new Map<string, number>();

  async run<T>(accountId: string, work: () => Promise<T>): Promise<T> {
    const count = this.#counts.get(accountId) ?? 0;
    if (count >= MAX_UNDER_WAY)
      fail('ServiceQuotaExceededException', 'Too many ongoing SBOM validation workflows. Please wait and retry');
    this.#counts.set(accountId, count + 1);
    try {
      return await work();
    } finally {
      const left = (this.#counts.get(accountId) ?? 1) - 1;
      if (left === 0) this.#counts.delete(accountId);
      else this.#counts.set(accountId, left);
    }
  }
}

const EVERYTHING: CallerPermissions = { decide: () => ({ effect: 'ALLOWED' }) };
const NOTHING: CallerPermissions = { decide: () => ({ effect: 'IMPLICIT_DENY' }) };

const NOT_ACCESSIBLE =
  'SBOM not accessible by the service. Please make sure the bucket/key/version exists and S3 permission is granted.';

async function bytesOf({ size, content }: OpenedObject): Promise<Buffer> {
  if (size > MAX_ARCHIVE) refuseInput('S3 object file size exceeds limit');
  const pieces: Uint8Array[] = [];
  for await (const piece of content) pieces.push(piece);
  return Buffer.concat(pieces);
}

export const sbomOperations = ({ store, clock, roleObjects, underWay, sboms }: SbomOperationDeps): Operations => {
  /** The archive, by the rights of the caller: the operation names no role. */
  async function archiveOf(caller: Caller, location: ObjectLocation): Promise<Buffer> {
    const permissions = caller.permissions === undefined ? EVERYTHING : ((await caller.permissions()) ?? NOTHING);
    try {
      const asking = { place: placeOf(caller), roleArn: caller.arn, permissions };
      using opened = await roleObjects.open(asking, location, 0);
      return await bytesOf(opened);
    } catch (error) {
      if (error instanceof ObjectFault) return refuseInput(NOT_ACCESSIBLE);
      throw error;
    }
  }

  const update = async (
    caller: Caller,
    name: readonly [string, string],
    change: (of: PackageVersionRecord) => PackageVersionRecord,
  ) => {
    await store.write(async (tx) => {
      const record = await getVersion(tx, caller.accountId, ...name);
      await tx.put(packageVersions, { ...change(record), lastModifiedAt: clock.now() });
    });
  };

  return answeringValidation<Operations>({
    async AssociateSbomWithPackageVersion({ packageName = '', versionName = '', sbom }, caller) {
      const location = locationOf(sbom?.s3Location) ?? refuseInput('Associate request needs to include SBOM reference');
      await store.read((tx) => getVersion(tx, caller.accountId, packageName, versionName));
      const results = await underWay.run(caller.accountId, async () => sboms.check(await archiveOf(caller, location)));
      await update(caller, [packageName, versionName], (record) => ({ ...record, sbom: { ...location, results } }));
      // As AWS answers; the results are there already.
      return { packageName, versionName, sbom: describedSbom(location), sbomValidationStatus: 'IN_PROGRESS' as const };
    },

    async DisassociateSbomFromPackageVersion({ packageName = '', versionName = '' }, caller) {
      await update(caller, [packageName, versionName], ({ sbom: _, ...record }) => record);
      return {};
    },

    async ListSbomValidationResults(
      { packageName = '', versionName = '', validationResult, maxResults = PAGE, nextToken },
      caller,
    ) {
      const { sbom } = await store.read((tx) => getVersion(tx, caller.accountId, packageName, versionName));
      const all = (sbom?.results ?? [])
        .map(({ fileName, errorCode, errorMessage }) => {
          const result = errorCode === undefined ? ('SUCCEEDED' as const) : ('FAILED' as const);
          return { fileName, validationResult: result, errorCode, errorMessage };
        })
        .filter((each) => validationResult === undefined || each.validationResult === validationResult);
      const from = pageOffset(nextToken, all.length) ?? refuseInput('The pagination token is invalid');
      const end = from + maxResults;
      return { validationResultSummaries: all.slice(from, end), nextToken: end < all.length ? String(end) : undefined };
    },
  });
};
