/** Software packages and their versions, as core takes them. */
import type { DomainEntry, TaggableResources } from '../domain.ts';
import type { RoleObjects } from '../objects/contract.ts';
import type { PolicyTags } from '../policies/principals.ts';
import type { Clock } from '../runtime/clock.ts';
import { versionNameParts } from './contract.ts';
import { packageVersionOperations } from './package-versions.operations.ts';
import { type PackageReportDeps, packageReports } from './package-reports.ts';
import { packageOperations } from './packages.operations.ts';
import { SbomCheck } from './sbom-check.ts';
import { sbomOperations, SbomsUnderWay } from './sboms.operations.ts';
import { packageConfigurations, packageVersions, softwarePackages } from './store.ts';

export interface PackageDeps extends PackageReportDeps {
  readonly clock: Clock;
  readonly tags: PolicyTags;
  readonly roleObjects: RoleObjects;
}

const taggable: TaggableResources = {
  package: async (tx, accountId, name) => {
    const parts = versionNameParts(name);
    if (parts === undefined) return (await tx.get(softwarePackages, [accountId, name])) !== undefined;
    return (await tx.get(packageVersions, [accountId, parts.packageName, parts.versionName])) !== undefined;
  },
};

export const packageDomain: DomainEntry<PackageDeps> = {
  collections: [softwarePackages, packageVersions, packageConfigurations],
  open: (deps) => {
    const underWay = new SbomsUnderWay();
    const sboms = new SbomCheck();
    return {
      name: 'software-packages',
      taggable,
      dueWork: [packageReports(deps)],
      operations: ({ store }) => ({
        iot: {
          ...packageOperations({ ...deps, store }),
          ...packageVersionOperations({ ...deps, store }),
          ...sbomOperations({ ...deps, store, underWay, sboms }),
        },
      }),
    };
  },
};
