/** The domains: made, loaded, and served by the API and on reserved topics. */
import { limitsAndRates } from '../config/accounts.ts';
import type { Domain } from '../domain.ts';
import { listDomains, loadDomains } from '../domain-list.ts';
import { openJobs } from '../jobs/open.ts';
import type { ServedOperations } from '../services.ts';
import { openPackageShadows } from '../shadows/package-shadows.ts';
import type { Access } from './access.ts';
import type { CoreBase } from './base.ts';
import type { DeviceParts } from './devices.ts';
import type { FunctionParts } from './functions.ts';
import { openObjectUrls, openRoleObjects } from './objects.ts';
import type { MessagingParts, RuleParts } from './messaging.ts';
import type { Storage } from './storage.ts';

export async function openDomains(
  base: CoreBase,
  storage: Storage,
  access: Access,
  functionParts: FunctionParts,
  { broker, messaging }: MessagingParts,
  rules: RuleParts,
  { serving }: DeviceParts,
  served: ServedOperations,
): Promise<readonly Domain[]> {
  const { config, folder, clock, log, parts, domains: more = [] } = base;
  const { authority: issuer, changes, places, directory, operatorNames, disk, objects, reports, shadows } = storage;
  const { inRegion, regions } = places;
  const { knowsRole, uses, rolePermissions: findRole } = access.iam;
  const { functions, hosting, logs } = functionParts;
  const { endpoint } = config;
  const { ratesOf } = limitsAndRates(config.accounts, config.rateLimits);
  const packageShadows = openPackageShadows({ shadows, messaging });
  const core = { clock, log, endpoint, issuer, directory, operatorNames, serving, rules, broker, messaging, packageShadows };
  const objectAccess = {
    roleObjects: openRoleObjects(base, storage, access, functionParts),
    objectUrls: openObjectUrls(base, access, functionParts),
  };
  const roles = { knowsRole, uses, findRole, ...objectAccess };
  const called = { functions, hosting, logs, refuse: access.refuse, ratesOf };
  const stored = { disk, reports, changes, inRegion, regions, shadows, objects, indexFile: folder.fleetIndex };
  const jobs = openJobs({ clock, log, messaging, changes, inRegion, regions, findRole, objectUrls: objectAccess.objectUrls });
  const domains = listDomains({ ...core, ...called, ...roles, ...stored, jobs }, more);
  await loadDomains(domains, parts);
  // What they take of changes is published by the broker: they end before it does.
  parts.defer(() => changes.end());
  changes.begin(domains.flatMap(({ subscribers = [] }) => subscribers));
  served.serve(domains);
  messaging.serve(domains.flatMap(({ topics = [] }) => topics));
  return domains;
}
