/** Every part of the server, put together. This file knows all of them and decides nothing. */
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { defined } from '@thingkeep/wire/defined.ts';
import { LIMITS } from '@thingkeep/wire/limits.ts';
import type { Rendered } from '@thingkeep/wire/api/render-response.ts';
import { AWS_REGIONS } from '@thingkeep/wire/regions.ts';
import { metricsText } from './admin/metrics.ts';
import { serveMetrics } from './admin/metrics-server.ts';
import { adminOperations } from './admin/admin.operations.ts';
import { accessKeyFinder } from './api/access-keys.ts';
import type { KeyUse } from '@thingkeep/wire/api/authorization.ts';
import { aboveFloor, auditHandlers } from './api/audited-calls.ts';
import { ownNames } from './api/host-check.ts';
import { createApi, type PlainHandler } from './api/http.ts';
import { archiveAnswer, confirmationAnswer, readyAnswer, text } from './api/plain-answers.ts';
import { serveApi, serverOptions } from './api/serve.ts';
import { signRequest } from './api/sign-request.ts';
import { signedHead } from './api/signed-request.ts';
import { createSigv4 } from './api/sigv4.ts';
import { AuditLog } from './audit/audit-log.ts';
import { openAuthority } from './authority/authority.ts';
import { Broker } from './broker/broker.ts';
import { tellLostConnections } from './broker/lost-connections.ts';
import { Retained } from './broker/routing/retained.ts';
import { COLLECTIONS } from './collections.ts';
import { machineTimers, rotation } from './core-timers.ts';
import { limitsAndRates } from './config/accounts.ts';
import type { ActionService } from './config/action-endpoints.ts';
import { openActionKeys } from './config/action-keys.ts';
import type { Config } from './config/config.ts';
import type { Domain } from './domain.ts';
import { type DataFolder, keyFiles } from './config/data-folder.ts';
import { writePrivateFile } from './config/private-file.ts';
import { openRootKeys, rootKeyChanges } from './config/root-keys.ts';
import { readServerCertificate } from './config/server-certificate.ts';
import { credentialProvider } from './credentials/provider.ts';
import { SessionTokens } from './credentials/session-tokens.ts';
import { temporaryKeys } from './credentials/temporary-keys.ts';
import { DomainDirectory } from './domains/directory.ts';
import { OperatorNames } from './domains/operator-names.ts';
import { DomainServing } from './domains/serving.ts';
import { Lifecycle } from './events/lifecycle.ts';
import { FunctionHosting, type HostingOptions } from './functions/hosted/hosting.ts';
import { localAddress, localUrl } from './functions/hosted/local-url.ts';
import { ApiShare, connectionBound } from './runtime/api-share.ts';
import { Functions } from './functions/invoke.ts';
import { claimStored } from './gateway/authentication/claim-stored.ts';
import { RegisteredCertificates } from './gateway/authentication/x509/registered-certificates.ts';
import { deviceSessionPermissions, isCertificateUsable } from './gateway/authorization/device-session-permissions.ts';
import { createAuthentication } from './gateway/authentication/create-authentication.ts';
import { mayKeepSessions } from './gateway/authorization/kept-sessions.ts';
import { createGateway } from './gateway/gateway.ts';
import { limitHandshakes, secureOptions } from './gateway/listeners/tls.ts';
import { followIdentities, markIdentities } from './gateway/live-identities.ts';
import { followLivePermissions, trackAuthorizations } from './gateway/live-permissions.ts';
import { asksForWebSocket } from './gateway/upgrade.ts';
import { openIam } from './iam/iam.ts';
import { Backups } from './installation/backups.ts';
import { openInstallation } from './installation/installation.ts';
import { LogWriter } from './logs/writer.ts';
import { Egress } from './outgoing/egress.ts';
import { PermissionChanges } from './policies/permission-changes.ts';
import { followPermissions } from './registry/follow-permissions.ts';
import { ChangeFeed } from './store/change-feed.ts';
import { Refusals } from './refusals/refusals.ts';
import { announceRefusals } from './refusals/topics.ts';
import { askRegistry } from './registry/registry-queries.ts';
import { principalFacts } from './registry/policy-principals.ts';
import { resourceTags } from './resource-tags.ts';
import { UNKNOWN_KEY } from './rules/actions/aws-clients.ts';
import { openRules } from './rules/open.ts';
import { rolesInText } from './rules/roles-named.ts';
import { Background } from './runtime/background.ts';
import type { Clock } from './runtime/clock.ts';
import { limitConnections, operatorShare } from './runtime/connection-limit.ts';
import { DiskRoom } from './runtime/disk-room.ts';
import { close, listen } from './runtime/listen.ts';
import { Readiness } from './runtime/readiness.ts';
import type { Logger } from './runtime/log.ts';
import { collectGarbage, IdleGarbageCollector } from './runtime/idle-garbage-collector.ts';
import { tellStandstills } from './runtime/standstill.ts';
import { runTimers, startTimers } from './runtime/timers.ts';
import { listDomains } from './domain-list.ts';
import { mergeServices } from './services.ts';
import { byRegion, perRegion, regionsOf } from './store/regional.ts';
import { DueWork } from './store/due-work.ts';
import { tryWrite } from './store/marks.ts';
import { panicOf } from './runtime/panic.ts';
import { tellRecovery } from './store/sqlite/recovery-lines.ts';
import { openSqliteStore } from './store/sqlite/sqlite-store.ts';

export interface CoreOptions {
  readonly config: Config;
  readonly folder: DataFolder;
  readonly clock: Clock;
  readonly log: Logger;
  /** Groups for functions; absent where the kernel gives none. */
  readonly cgroups?: HostingOptions['cgroups'];
  /** Domains beside those of the list: of tests. */
  readonly domains?: readonly Domain[];
}

export interface Core extends AsyncDisposable {
  readonly ports: { readonly api: number; readonly mqtt: number; readonly https: number; readonly metrics?: number };
  /** For tests that move the clock: does what the timers do. */
  tick(): Promise<void>;
}

/** Milliseconds that requests under way have to come to their end at a shutdown. */
const DRAIN = 5_000;

export async function openCore({ config, folder, clock, log, cgroups, domains: more = [] }: CoreOptions): Promise<Core> {
  await using parts = new AsyncDisposableStack();
  const { region, endpoint, damagedLog } = config;
  const ownServerCertificate = readServerCertificate(config);
  // The data file first: where it can't be used, no keys are made beside it.
  const panic = panicOf(log, folder.path);
  const file = { path: folder.dataFile, collections: COLLECTIONS, region, damagedLog };
  const changes = new ChangeFeed({ store: await openSqliteStore({ ...file, log, tell: tellRecovery(log), panic }), log });
  const store = parts.use(changes.store);
  parts.use(changes);
  // Nobody keeps anything of changes on disk yet: what is held in memory is read again at a start.
  await changes.load([]);
  const installation = await openInstallation({ folder, store, acceptLoss: config.acceptLoss, log });
  const accessKeys = openRootKeys({
    folder,
    accountId: config.accountId,
    installation: installation.id,
    wereMade: installation.hasRootKeys,
    tell: (what) => log.warn({ event: 'root-keys-moved' }, what),
  });
  const disk = new DiskRoom({ path: folder.path, floor: config.diskFloor, log });
  await disk.look();
  const audit = parts.use(await AuditLog.open({ folder: folder.audit, store, clock, log, panic, keptBytes: config.auditKeep }));
  const hostNames = [...config.endpoints, 'localhost'];
  const directory = new DomainDirectory();
  const certificatePem = ownServerCertificate?.certPem;
  const operatorNames = new OperatorNames({ hostNames, homeAccountId: config.accountId, certificatePem });
  const isOwnName = ownNames(config.endpoints, (name) => directory.find(name) !== undefined);
  const listening: number[] = [];
  const egress = new Egress({
    homeAccountId: config.accountId,
    allowed: config.outgoingAllow,
    ports: () => listening,
    isOwnName: ownNames(hostNames, () => false),
  });
  const audited = aboveFloor(disk, audit);
  const tell = (file: string): void => log.warn({ event: 'key-file-damaged', file }, 'a server certificate is made anew');
  const authority = await openAuthority({ folder: folder.authority, clock, hostNames, ownServerCertificate, tell });
  writePrivateFile(folder.rootCa, authority.rootCaPem, 0o644);
  await installation.settle();
  const readiness = new Readiness({ clock, log, write: () => tryWrite(store), disk, keyFiles: keyFiles(folder) });
  const ready = (): Rendered => readyAnswer(readiness.state.reasons);

  const inRegion = byRegion(store);
  // Those that hold data are served on, whatever they are called.
  const regions = new Set([...AWS_REGIONS, region, ...(await regionsOf(store))]);
  const isRegion = (name: string): boolean => regions.has(name);
  const refusals = new Refusals(clock, log);
  const refuse = refusals.record.bind(refusals);
  const tokens = await SessionTokens.open(store, clock);
  const iam = openIam({ store, changes, clock, tokens, rootAccountOf: (id) => accessKeys.get(id)?.accountId });
  parts.defer(() => iam.uses.flush());
  let apiPort = config.apiPort;
  const places = { regions: () => regionsOf(store), inRegion, home: { accountId: config.accountId, region } };
  const common = { ...places, clock, log };
  const background = new Background(clock, log);
  parts.defer(() => background.close());
  const permissionChanges = new PermissionChanges();
  parts.defer(followPermissions({ changes, inRegion, background, permissionChanges }));
  const resourceKeys = resourceTags({ inRegion, iamKeys: iam.resourceKeys });
  const logs = new LogWriter(common);
  parts.defer(() => logs.flush());
  const mostConnections = connectionBound(config.maxConnections, log);
  const apiShare = new ApiShare(mostConnections);
  const hosting = parts.use(
    await FunctionHosting.open({
      ...common,
      cgroups,
      codeFolder: folder.functions,
      network: config.functionNetwork,
      roleCredentials: iam.roleCredentials,
      rolePermissions: iam.rolePermissions,
      resourceKeys,
      endpointUrl: () => localUrl(config, apiPort),
      apiAddress: () => localAddress(config, apiPort),
      apiShare,
      authorityPem: config.apiTls ? authority.rootCaPem : undefined,
      tell: (place, lines) => logs.write(place, place.group, place.stream, lines),
      allowUnconfined: config.allowUnconfinedFunctions,
      python: config.functionPython,
      concurrency: config.functionConcurrency,
    }),
  );
  const backups = parts.use(new Backups({ folder, store, holds: [audit, hosting], clock, log }));
  const operatorKeys = openActionKeys(config.actionCredentials, accessKeys.values(), config.accountId);
  const functions = new Functions({
    hosted: hosting.host,
    lambdaEndpoint: config.lambdaEndpoint,
    egress,
    sign: ({ accountId, ...request }) => {
      const key = operatorKeys === undefined ? UNKNOWN_KEY : operatorKeys.of(accountId, 'lambda');
      if (key === undefined) return undefined;
      return signRequest({ method: 'POST', service: 'lambda', ...request, now: clock.now(), key });
    },
  });
  parts.defer(() => functions.close());
  await claimStored(places);
  const certificates = new RegisteredCertificates({ ...common, changes: permissionChanges });
  const { tracked, authorizedAt } = trackAuthorizations(permissionChanges);
  const limits = limitsAndRates(config.accounts, config.rateLimits);
  const retained = new Retained(inRegion, limits.limitsOf);
  const broker = new Broker({ region, clock, log, refuse, retained, store, disk, ...limits });
  await broker.load();
  const { messaging } = broker;
  messaging.onConnections(new Lifecycle({ clock, messaging }));
  const sessionsKept = mayKeepSessions({ inRegion, log });
  parts.defer(followLivePermissions({ broker, mayKeepSessions: sessionsKept, authorizedAt, changes: permissionChanges }));
  parts.defer(announceRefusals(refusals, messaging.publish.bind(messaging)));
  const rules = await openRules({
    ...common,
    messaging,
    store,
    changes,
    functions,
    trusted: config.httpDestinations,
    evaluationsPerSecond: config.rateLimits === 'aws' ? LIMITS.ruleEvaluations : 0,
    apiUrl: () => `${config.apiTls ? 'https' : 'http'}://${endpoint}:${apiPort}`,
    roles: { find: iam.rolePermissions, onChange: iam.changes.on.bind(iam.changes) },
    registry: (place, operation, thingName) => askRegistry(services(place.region).iot, place, operation, thingName),
    // Log groups are kept here: an action finds them without being told where.
    endpointsOf: (service) =>
      config.actionEndpoints.get(service as ActionService) ?? (service === 'logs' ? [localUrl(config, apiPort)] : []),
    isOwn: (service) => service === 'logs' && !config.actionEndpoints.has('logs'),
    operatorKeys,
    egress,
    roleCredentials: iam.roleCredentials,
    sign: ({ key, ...request }) => signRequest({ ...request, now: clock.now(), key }),
  });
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
  const gateway = createGateway({
    broker,
    authentication,
    credentials: authority.serverCredentials(),
    readHead: signedHead,
    dataPlane: perRegion((regionName) => auditHandlers(services(regionName)['iot-data'], audited)),
    domainOf,
    tlsDomains: directory,
    issueCredentials: credentialProvider({ inRegion, clock, tokens, facts: principalFacts, assume: iam.roleCredentials }),
    refuse,
    log,
  });
  parts.defer(changes.onTold('server-credentials', () => gateway.setCredentials(authority.serverCredentials())));
  const served = {
    clock,
    log,
    endpoint,
    authority,
    functions,
    directory,
    operatorNames,
    serving,
    rules,
    broker,
    hosting,
    logs,
    iam,
  };
  const domains = [...listDomains(served), ...more];
  for (const domain of domains) {
    parts.defer(() => domain.close?.());
    await domain.load?.();
  }
  messaging.serve(domains.flatMap(({ topics = [] }) => topics));
  const { services, jsonServices } = mergeServices(domains, inRegion);
  const api = createApi({
    clock,
    log,
    findAccessKey,
    resourceKeys,
    isOwnName,
    isRegion,
    rolesInText,
    services,
    queryServices: iam.services,
    jsonServices,
    plain: new Map<string, PlainHandler>([
      ['/functions/code', async (query, done) => archiveAnswer(await hosting.archive(query, done))],
      ['/metrics', () => ({ ...text('Metrics are served where --metrics-bind says.\n'), status: 404 })],
      ['/ready', ready],
      ['/health', () => text('{"status":"ok"}\n', 'application/json')],
      ['/root-ca.pem', () => text(authority.rootCaPem, 'application/x-pem-file')],
    ]),
    plainBelow: new Map([
      ['/confirmdestination/', async (token, begin) => confirmationAnswer(await rules.confirm(token, begin))],
    ]),
    admin: adminOperations({
      refusals,
      rootKeys: rootKeyChanges(accessKeys, (accountId) => changes.tell('root-keys', { accountId, region: '' })),
      auditState: () => audit.state,
      backup: backups.write,
      isOperator: ({ arn }) => arn === `arn:aws:iam::${config.accountId}:root`,
    }),
    audit: audited,
    refused: ({ sourceIp, reason, code, method, path, caller, decided }) =>
      refuse({
        check: caller === undefined ? 'signature' : 'policy',
        ...defined({ accountId: caller?.accountId, region: caller?.region, principal: caller?.arn }),
        reason: `${code}: ${reason}`,
        protocol: 'api',
        sourceIp,
        action: method,
        resource: path,
        ...decided,
      }),
  });
  const httpOptions = { ...serverOptions, shouldUpgradeCallback: asksForWebSocket };
  const tlsOptions = (): object => ({ ...httpOptions, ...secureOptions(authority.serverCredentials()), handshakeTimeout: 0 });
  const apiServer = config.apiTls ? limitHandshakes(createHttpsServer(tlsOptions())) : createHttpServer(httpOptions);
  if ('setSecureContext' in apiServer)
    parts.defer(
      changes.onTold('server-credentials', () => apiServer.setSecureContext(secureOptions(authority.serverCredentials()))),
    );
  await tellLostConnections(broker, authentication.storedAuthorizer);

  const servers = [gateway.mqtt, gateway.https, apiServer];
  const connections = limitConnections(servers, {
    most: mostConnections,
    apart: { server: apiServer, has: apiShare.has.bind(apiShare), share: operatorShare(mostConnections) },
    clock,
    log,
  });
  tellStandstills(broker.standstill, log);
  serveApi(apiServer, api, { upgrade: gateway.upgrade, admits: connections.becomesDevice }, broker.standstill);
  // Taken down in reverse: first the timers, then no new work and goodbye to the devices, last the store.
  parts.defer(async () => {
    const closed = servers.map(close);
    gateway.closeIdle();
    apiServer.closeIdleConnections();
    const goodbyes = broker.close();
    const impatient = setTimeout(() => {
      gateway.closeAll();
      apiServer.closeAllConnections();
      connections.destroyAll();
    }, DRAIN);
    await Promise.all([...closed, goodbyes]);
    clearTimeout(impatient);
  });
  const ports: Core['ports'] = {
    mqtt: await listen(gateway.mqtt, config.bind, config.mqttPort, 'MQTT (--mqtt-port)'),
    https: await listen(gateway.https, config.bind, config.httpsPort, 'HTTPS (--https-port)'),
    api: await listen(apiServer, config.bind, config.apiPort, 'API (--api-port)'),
  };
  apiPort = ports.api;
  hosting.announce();
  if (config.metricsBind !== undefined) {
    const text = (): string => readiness.text + metricsText(broker, refusals) + rules.rules.metrics.text(config.metricsTenants);
    const metrics = await serveMetrics(config.metricsBind, text, ready);
    Object.assign(ports, { metrics: metrics.port });
    parts.defer(metrics.close);
  }
  listening.push(...Object.values(ports));
  const rotate = rotation(authority, log, () => changes.tell('server-credentials', places.home));
  const dueWork = parts.use(await DueWork.open(domains, { store, clock, log }));
  const garbage = new IdleGarbageCollector(broker.services, collectGarbage);
  const timers = [
    ...domains.flatMap((domain) => domain.timers ?? []),
    ...machineTimers({ disk, audit, readiness, garbage, rotate, dueWork }),
  ];
  parts.defer(startTimers(timers, log));
  panic.arm();
  const open = parts.move();
  return {
    ports,
    tick: () => runTimers(timers, log),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}
