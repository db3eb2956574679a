/** The broker, those who listen to its connections, and the rules. */
import { LIMITS } from '@thingkeep/wire/limits.ts';
import { signRequest } from '../api/sign-request.ts';
import { Broker } from '../broker/broker.ts';
import { Retained } from '../broker/routing/retained.ts';
import { limitsAndRates } from '../config/accounts.ts';
import type { ActionService } from '../config/action-endpoints.ts';
import { Lifecycle } from '../events/lifecycle.ts';
import { localUrl } from '../functions/hosted/local-url.ts';
import { claimStored } from '../gateway/authentication/claim-stored.ts';
import { RegisteredCertificates } from '../gateway/authentication/x509/registered-certificates.ts';
import { mayKeepSessions } from '../gateway/authorization/kept-sessions.ts';
import { followLivePermissions, trackAuthorizations } from '../gateway/live-permissions.ts';
import { Arrivals } from '../provisioning/arrivals.ts';
import { temporaryClaims } from '../provisioning/claims.ts';
import { TemplateProvisioning } from '../provisioning/jitp.ts';
import { JustInTimeRegistration } from '../provisioning/jitr.ts';
import { PendingCounts } from '../provisioning/pending-counts.ts';
import { announceRefusals } from '../refusals/topics.ts';
import { askRegistry } from '../registry/registry-queries.ts';
import { openRules } from '../rules/open.ts';
import type { ServedOperations } from '../services.ts';
import type { Access } from './access.ts';
import type { CoreBase } from './base.ts';
import type { FunctionParts } from './functions.ts';
import type { Storage } from './storage.ts';

export async function openMessaging({ config, clock, log, parts }: CoreBase, storage: Storage, access: Access) {
  const { common, places, store, disk } = storage;
  const { permissionChanges, refusals, refuse, wrongPort } = access;
  const { inRegion } = places;
  await claimStored(places);
  const { tracked, authorizedAt } = trackAuthorizations(permissionChanges);
  const limits = limitsAndRates(config.accounts, config.rateLimits);
  const retained = new Retained(inRegion, limits.limitsOf);
  const firstPacketHint = wrongPort.wrongPortReason.bind(wrongPort, 'mqtt');
  const broker = new Broker({ region: config.region, clock, log, refuse, firstPacketHint, retained, store, disk, ...limits });
  await broker.load();
  const { messaging } = broker;
  const pending = new PendingCounts({ ...places, limitsOf: limits.registryLimitsOf });
  await pending.load();
  parts.defer(pending.follow(storage.changes));
  const provisioning = new TemplateProvisioning({ clock, inRegion, findRole: access.iam.rolePermissions });
  const arrivals = new Arrivals({ clock, messaging, provisioning });
  const automatic = new JustInTimeRegistration({ ...places, clock, disk, pending, arrivals });
  const certificates = new RegisteredCertificates({
    ...common,
    changes: permissionChanges,
    automatic,
    temporary: temporaryClaims(inRegion),
  });
  messaging.onConnections(new Lifecycle({ clock, messaging }));
  const sessionsKept = mayKeepSessions({ inRegion, log });
  parts.defer(followLivePermissions({ broker, mayKeepSessions: sessionsKept, authorizedAt, changes: permissionChanges }));
  parts.defer(announceRefusals(refusals, messaging.publish.bind(messaging)));
  return { broker, messaging, certificates, tracked };
}

export type MessagingParts = Awaited<ReturnType<typeof openMessaging>>;

/** Services that this server has itself. */
const isKeptHere = (service: string): boolean => service === 'logs' || service === 's3';

/** Rules act on what `messaging` carries, as roles of `iam`, and ask the registry through the operations that are served. */
export const openRuleParts = (
  { config, clock, listening }: CoreBase,
  { common, store, changes, egress, shadows }: Storage,
  { iam, refuse }: Access,
  { functions, operatorKeys }: FunctionParts,
  { messaging }: MessagingParts,
  served: ServedOperations,
) =>
  openRules({
    ...common,
    messaging,
    store,
    changes,
    functions,
    trusted: config.httpDestinations,
    evaluationsPerSecond: config.rateLimits === 'aws' ? LIMITS.ruleEvaluations : 0,
    apiUrl: () => `${config.apiTls ? 'https' : 'http'}://${config.endpoint}:${listening.api}`,
    roles: { find: iam.rolePermissions, onChange: iam.changes.on.bind(iam.changes) },
    shadow: async (place, thingName, shadowName) => JSON.parse(await shadows.get({ place, thingName, shadowName })) as unknown,
    registry: (place, operation, thingName) => askRegistry(served.of(place.region).iot, place, operation, thingName),
    // Log groups and objects are kept here: an action finds them without being told where.
    endpointsOf: (service) =>
      config.actionEndpoints.get(service as ActionService) ?? (isKeptHere(service) ? [localUrl(config, listening.api)] : []),
    isOwn: (service) => isKeptHere(service) && !config.actionEndpoints.has(service as ActionService),
    operatorKeys,
    egress,
    recordFailure: ({ place, ruleName, topic, reason }) =>
      refuse({ check: 'rule', protocol: 'rule', ...place, reason: `rule ${ruleName} on a message of ${topic}: ${reason}` }),
    roleCredentials: iam.roleCredentials,
    sign: ({ key, ...request }) => signRequest({ ...request, now: clock.now(), key }),
  });

export type RuleParts = Awaited<ReturnType<typeof openRuleParts>>;
