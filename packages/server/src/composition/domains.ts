/** The domains: made, loaded, and served by the API and on reserved topics. */
import type { Domain } from '../domain.ts';
import { listDomains, loadDomains } from '../domain-list.ts';
import type { ServedOperations } from '../services.ts';
import type { Access } from './access.ts';
import type { CoreBase } from './base.ts';
import type { DeviceParts } from './devices.ts';
import type { FunctionParts } from './functions.ts';
import type { MessagingParts, RuleParts } from './messaging.ts';
import type { Storage } from './storage.ts';

export async function openDomains(
  { config, folder, clock, log, parts, domains: more = [] }: CoreBase,
  { authority: issuer, changes, places: { inRegion, regions }, directory, operatorNames, disk, objects }: Storage,
  { iam: { knowsRole, uses, rolePermissions: findRole }, refuse }: Access,
  { functions, hosting, logs }: FunctionParts,
  { broker, messaging }: MessagingParts,
  rules: RuleParts,
  { serving }: DeviceParts,
  served: ServedOperations,
): Promise<readonly Domain[]> {
  const { endpoint } = config;
  const core = { clock, log, endpoint, issuer, directory, operatorNames, serving, rules, broker, messaging };
  const access = { functions, hosting, logs, knowsRole, uses, findRole, refuse };
  const stored = { disk, changes, inRegion, regions, objects, indexFile: folder.fleetIndex };
  const domains = listDomains({ ...core, ...access, ...stored }, more);
  await loadDomains(domains, parts);
  // What they take of changes is published by the broker: they end before it does.
  parts.defer(() => changes.end());
  changes.begin(domains.flatMap(({ subscribers = [] }) => subscribers));
  served.serve(domains);
  messaging.serve(domains.flatMap(({ topics = [] }) => topics));
  return domains;
}
