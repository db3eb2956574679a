/** The way of devices: host names, authentication, and the gateway behind its listeners. */
import type { KeyUse } from '@thingkeep/wire/api/authorization.ts';
import { accessKeyFinder } from '../api/access-keys.ts';
import { auditHandlers } from '../api/audited-calls.ts';
import { signedHead } from '../api/signed-request.ts';
import { createSigv4 } from '../api/sigv4.ts';
import { credentialProvider } from '../credentials/provider.ts';
import { temporaryKeys } from '../credentials/temporary-keys.ts';
import { DomainServing } from '../domains/serving.ts';
import { createAuthentication } from '../gateway/authentication/create-authentication.ts';
import { deviceSessionPermissions, isCertificateUsable } from '../gateway/authorization/device-session-permissions.ts';
import { createGateway } from '../gateway/gateway.ts';
import { followIdentities, markIdentities } from '../gateway/live-identities.ts';
import { principalFacts } from '../registry/policy-principals.ts';
import { CallFigures } from '../runtime/call-figures.ts';
import type { ServedOperations } from '../services.ts';
import { perRegion } from '../store/regional.ts';
import type { Access } from './access.ts';
import type { CoreBase } from './base.ts';
import type { FunctionParts } from './functions.ts';
import type { MessagingParts } from './messaging.ts';
import type { Storage } from './storage.ts';

export function openDevices(
  { clock, log, parts }: CoreBase,
  storage: Storage,
  { iam, tokens, refuse, wrongPort }: Access,
  { functions }: FunctionParts,
  { broker, certificates, tracked }: MessagingParts,
  served: ServedOperations,
) {
  const { common, places, changes, accessKeys, authority, audited, directory, operatorNames, isOwnName, isRegion } = storage;
  const serving = new DomainServing({ ...common, directory, operatorNames, issuer: authority });
  parts.defer(serving.follow(changes));
  const findTemporaryKey = temporaryKeys(
    tokens,
    (session) => (use: KeyUse) => deviceSessionPermissions({ certificates, clock }, session, use),
    (token) => iam.keys.temporary(token, (device) => isCertificateUsable(certificates, device)),
  );
  const findAccessKey = accessKeyFinder({ roots: accessKeys, long: (id) => iam.keys.long(id), temporary: findTemporaryKey });
  const iamChanges = { onChange: iam.changes.on.bind(iam.changes), countOf: iam.changes.count.bind(iam.changes) };
  const identities = markIdentities(iamChanges.countOf);
  parts.defer(followIdentities({ broker, clock, ...iamChanges, authorizedAt: identities.authorizedAt }));
  const domainOf = (name: string) => directory.find(name)?.rules;
  const authentication = createAuthentication({
    ...common,
    certificates,
    functions,
    prover: createSigv4({ clock, findAccessKey, isOwnName, isRegion }),
    findKey: findAccessKey,
    domainOf,
    markIdentity: identities.mark,
    tracked,
  });
  const facts = { facts: principalFacts, assume: iam.roleCredentials };
  const calls = new CallFigures(clock);
  const gateway = createGateway({
    broker,
    authentication,
    credentials: authority.serverCredentials(),
    readHead: signedHead,
    dataPlane: perRegion((region) => ({
      'iot-data': auditHandlers(served.of(region)['iot-data'], audited),
      'iot-jobs-data': auditHandlers(served.of(region)['iot-jobs-data'], audited),
    })),
    domainOf,
    tlsDomains: directory,
    issueCredentials: credentialProvider({ inRegion: places.inRegion, clock, tokens, ...facts }),
    refuse,
    wrongPort,
    calls,
    log,
  });
  parts.defer(changes.onExternal('server-credentials', () => gateway.setCredentials(authority.serverCredentials())));
  return { serving, findAccessKey, authentication, gateway, calls };
}

export type DeviceParts = ReturnType<typeof openDevices>;
