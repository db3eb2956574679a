/** The data folder: data file, root keys, audit log, objects, free disk, and the server's own authority. */
import { LIMITS } from '@thingkeep/wire/limits.ts';
import { aboveFloor } from '../api/audited-calls.ts';
import { ownNames } from '../api/host-check.ts';
import { readyAnswer } from '../api/plain-answers.ts';
import { AuditLog } from '../audit/audit-log.ts';
import { openAuthority } from '../authority/authority.ts';
import { COLLECTIONS } from '../collections.ts';
import { limitsAndRates } from '../config/accounts.ts';
import { keyFiles } from '../config/data-folder.ts';
import { writePrivateFile } from '../config/private-file.ts';
import { openRootKeys } from '../config/root-keys.ts';
import { readServerCertificate } from '../config/server-certificate.ts';
import { DOMAIN_SUBSCRIPTIONS } from '../domain-list.ts';
import { DomainDirectory } from '../domains/directory.ts';
import { OperatorNames } from '../domains/operator-names.ts';
import { openInstallation } from '../installation/installation.ts';
import { EmbeddedObjects } from '../objects/embedded-objects.ts';
import { ObjectFiles } from '../objects/object-files.ts';
import { Egress } from '../outgoing/egress.ts';
import { RegistrationReports } from '../provisioning/registration-reports.ts';
import { DiskRoom } from '../runtime/disk-room.ts';
import { Readiness } from '../runtime/readiness.ts';
import { ChangeFeed } from '../store/change-feed.ts';
import type { Store } from '../store/contract.ts';
import { tryWrite } from '../store/marks.ts';
import { StoreFigures } from '../store/store-figures.ts';
import { byRegion, regionsOf } from '../store/regional.ts';
import { logRecovery } from '../store/sqlite/recovery-lines.ts';
import { type ShadowLimits, Shadows } from '../shadows/shadows.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import { type CoreBase, regionCheck } from './base.ts';

/** Opens the data file first: where it can't be used, no keys are made beside it. */
async function openDataFile(
  { config: { region, damagedLog }, folder, log, panic, parts, domains = [] }: CoreBase,
  figures: StoreFigures,
): Promise<ChangeFeed> {
  const file = { path: folder.dataFile, collections: COLLECTIONS, region, damagedLog };
  const changes = new ChangeFeed({
    store: await openSqliteStore({ ...file, log, onRecovery: logRecovery(log), panic, figures }),
    log,
  });
  parts.use(changes.store);
  parts.use(changes);
  await changes.load([...DOMAIN_SUBSCRIPTIONS, ...domains.flatMap(({ subscriptions = [] }) => subscriptions)]);
  return changes;
}

/** The embedded objects: records of the store, and files beside it. */
function openObjects({ config, folder, clock }: CoreBase, store: Store, disk: DiskRoom): EmbeddedObjects {
  const { registryLimitsOf } = limitsAndRates(config.accounts, config.rateLimits);
  return new EmbeddedObjects({
    ...{ store, clock, files: new ObjectFiles(folder.objects) },
    limitOf: (accountId) => registryLimitsOf(accountId).objectBytes ?? LIMITS.objectBytes,
    isDiskLow: () => disk.low,
  });
}

function openShadows({ config, clock }: CoreBase, inRegion: (region: string) => Store, disk: DiskRoom): Shadows {
  const { registryLimitsOf, ratesOf } = limitsAndRates(config.accounts, config.rateLimits);
  const limitsOf = (accountId: string): ShadowLimits => {
    const { shadows = LIMITS.shadows, shadowsOfThing = LIMITS.shadowsOfThing } = registryLimitsOf(accountId);
    return { shadows, shadowsOfThing };
  };
  return new Shadows({ clock, inRegion, disk, ratesOf, limitsOf });
}

export async function openStorage(base: CoreBase) {
  const { config, folder, clock, log, panic, parts, listening } = base;
  const ownServerCertificate = readServerCertificate(config);
  const storeFigures = new StoreFigures(clock);
  const changes = await openDataFile(base, storeFigures);
  const { store } = changes;
  const installation = await openInstallation({ folder, store, acceptLoss: config.acceptLoss, log });
  const accessKeys = openRootKeys({
    folder,
    accountId: config.accountId,
    installation: installation.id,
    wereMade: installation.hasRootKeys,
    onMoved: (what) => log.warn({ event: 'root-keys-moved' }, what),
  });
  const disk = new DiskRoom({ path: folder.path, floor: config.diskFloor, log });
  await disk.look();
  const audit = parts.use(await AuditLog.open({ folder: folder.audit, store, clock, log, panic, keptBytes: config.auditKeep }));
  const hostNames = [...config.endpoints, 'localhost'];
  const directory = new DomainDirectory();
  const certificatePem = ownServerCertificate?.certPem;
  const onDamagedFile = (file: string): void =>
    log.warn({ event: 'key-file-damaged', file }, 'a server certificate is made anew');
  const authority = await openAuthority({ folder: folder.authority, clock, hostNames, ownServerCertificate, onDamagedFile });
  writePrivateFile(folder.rootCa, authority.rootCaPem, 0o644);
  await installation.settle();
  const readiness = new Readiness({ clock, log, write: () => tryWrite(store), disk, keyFiles: keyFiles(folder) });
  const inRegion = byRegion(store);
  const reports = new RegistrationReports({
    ...{ clock, inRegion },
    apiUrl: () => `${config.apiTls ? 'https' : 'http'}://${config.endpoint}:${listening.api}`,
  });
  const places = { regions: () => regionsOf(store), inRegion, home: { accountId: config.accountId, region: config.region } };
  return {
    changes,
    store,
    storeFigures,
    shadows: openShadows(base, inRegion, disk),
    objects: openObjects(base, store, disk),
    reports,
    accessKeys,
    disk,
    audit,
    audited: aboveFloor(disk, audit),
    authority,
    readiness,
    ready: () => readyAnswer(readiness.state.reasons),
    places,
    /** What most domains are given. */
    common: { ...places, clock, log },
    isRegion: regionCheck(config.region, await regionsOf(store)),
    directory,
    operatorNames: new OperatorNames({ hostNames, homeAccountId: config.accountId, certificatePem }),
    isOwnName: ownNames(config.endpoints, (name) => directory.find(name) !== undefined),
    egress: new Egress({
      homeAccountId: config.accountId,
      allowed: config.outgoingAllow,
      ports: () => listening.all,
      isOwnName: ownNames(hostNames, () => false),
    }),
  };
}

export type Storage = Awaited<ReturnType<typeof openStorage>>;
