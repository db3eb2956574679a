/**
 * Reports of what things have: written into their shadows `$package` as due work, which is stored with what it follows from. A
 * thing has one item at most, with all that is to be written: what comes later stands.
 */
import type { FindRole } from '@thingkeep/wire/api/authorization.ts';
import { iotArn, type Place } from '@thingkeep/wire/arn.ts';
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import { IOT_SERVICE } from '@thingkeep/wire/service-principals.ts';
import type { Refusal } from '../refusals/refusals.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store, WriteTransaction } from '../store/contract.ts';
import { dueRecords, schedule } from '../store/due-records.ts';
import type { DueHandler, DueItem, Outcome } from '../store/due-work.ts';
import { type Reported, versionUpdatesByJobs } from './contract.ts';

const KIND = 'package-report';
const CONCURRENCY = 64;
/** Attempts at a shadow that takes no update for now: an hour or so. */
const MAX_FAILURES = 20;
/** The shadow in which the versions of packages are. */
export const PACKAGE_SHADOW = '$package';
/** The right that a report needs. */
export const REPORT_ACTION = 'iot:UpdateThingShadow';

/** Who has caused a report: a job, for which a role is asked, or a provisioning, whose rights were asked already. */
export type ReportCause = 'job' | 'provisioning';

interface PackageReport extends Place {
  readonly thingName: string;
  readonly job: Reported;
  readonly provisioning: Reported;
}

const without = (reported: Reported, names: Reported): Reported =>
  Object.fromEntries(Object.entries(reported).filter(([name]) => !Object.hasOwn(names, name)));

/** Has the packages written into the thing's shadow, beside those that still wait to be. */
export async function scheduleReport(
  tx: WriteTransaction,
  { region, accountId }: Place,
  thingName: string,
  cause: ReportCause,
  { reported, now }: { readonly reported: Reported; readonly now: number },
): Promise<void> {
  const id = `${region}/${accountId}/${thingName}`;
  const waiting = await tx.get(dueRecords, [KIND, id]);
  const { job = {}, provisioning = {} } = (waiting?.data ?? {}) as Partial<PackageReport>;
  const left = { job: without(job, reported), provisioning: without(provisioning, reported) };
  const data: PackageReport = { region, accountId, thingName, ...left, [cause]: { ...left[cause], ...reported } };
  // What is being written stays held, so that two writes of one thing never run at once: it goes on with this after it.
  if (waiting?.lease === undefined) await schedule(tx, { kind: KIND, id, accountId, at: now, data });
  else await tx.put(dueRecords, { ...waiting, data });
}

/** Writes the shadow `$package` of a thing. */
export interface PackageShadows {
  /** Gives the reason where it is refused for good; fails where it is to be tried again. */
  report(place: Place, thingName: string, reported: Reported): Promise<string | undefined>;
}

export interface PackageReportDeps {
  readonly clock: Clock;
  readonly findRole: FindRole;
  readonly inRegion: (region: string) => Store;
  readonly packageShadows: PackageShadows;
  readonly refuse: (refusal: Refusal) => void;
}

/** The resource of that right. */
export const packageShadowArn = (place: Place, thingName: string): string =>
  iotArn(place, 'thing', `${thingName}/${PACKAGE_SHADOW}`);

/** Whether the role of the account's configuration may write the shadow now; why not is recorded. */
async function roleAllows({ findRole, refuse }: PackageReportDeps, place: Place, thingName: string, roleArn: string) {
  const resource = packageShadowArn(place, thingName);
  const denied = (reason: string): false => {
    refuse({ check: 'policy', protocol: 'api', ...place, principal: roleArn, action: REPORT_ACTION, resource, reason });
    return false;
  };
  try {
    const permissions = await findRole(place.accountId, roleArn, IOT_SERVICE);
    if (permissions === 'unknown-role') return denied(`The role ${roleArn} does not exist`);
    if (permissions.decide(REPORT_ACTION, resource).effect === 'ALLOWED') return true;
    return denied(`The role ${roleArn} is not authorized to perform: ${REPORT_ACTION} on resource: ${resource}`);
  } catch (error) {
    if (error instanceof ThingkeepError && error.code === 'AccessDeniedException')
      return denied(`The role ${roleArn} can not be assumed by AWS IoT`);
    throw error;
  }
}

/** What is to be written now: of jobs only what the configuration and its role allow. */
async function allowedReport(deps: PackageReportDeps, item: DueItem, place: Place): Promise<Reported> {
  const { thingName, job, provisioning } = item.data as PackageReport;
  const { isHeld, configuration } = await deps.inRegion(place.region).read(async (tx) => ({
    isHeld: await item.isHeld(tx),
    configuration: await versionUpdatesByJobs(tx, place.accountId),
  }));
  // Another server has it now.
  if (!isHeld) return {};
  const { enabled, roleArn } = configuration;
  const isAsked = Object.keys(job).length > 0 && enabled && roleArn !== undefined;
  return isAsked && (await roleAllows(deps, place, thingName, roleArn)) ? { ...provisioning, ...job } : provisioning;
}

/** Writes it; gives why it can't be, at the last of many attempts too. */
async function reportOnce({ packageShadows }: PackageReportDeps, item: DueItem, reported: Reported): Promise<string | undefined> {
  const { region, accountId, thingName } = item.data as PackageReport;
  try {
    return await packageShadows.report({ region, accountId }, thingName, reported);
  } catch (error) {
    if (item.failures < MAX_FAILURES) throw error;
    return error instanceof Error ? error.message : String(error);
  }
}

/** Ends an item, or has it done again where more was put into it meanwhile. */
const settle = ({ inRegion, clock }: PackageReportDeps, item: DueItem): Promise<void> =>
  inRegion((item.data as PackageReport).region).write(async (tx) => {
    const after = await tx.get(dueRecords, [KIND, item.id]);
    const isSame = JSON.stringify(after?.data) === JSON.stringify(item.data);
    await item.settle(tx, isSame ? 'done' : { again: clock.now() });
  });

export const packageReports = (deps: PackageReportDeps): DueHandler => ({
  kind: KIND,
  concurrency: CONCURRENCY,
  async take(item): Promise<Outcome> {
    const { region, accountId, thingName } = item.data as PackageReport;
    const place: Place = { region, accountId };
    const reported = await allowedReport(deps, item, place);
    const isEmpty = Object.keys(reported).length === 0;
    const refused = isEmpty ? undefined : await reportOnce(deps, item, reported);
    if (refused !== undefined) {
      const reason = `The packages of a thing were not written into its shadow: ${refused}`;
      deps.refuse({
        check: 'limit',
        protocol: 'api',
        ...place,
        action: REPORT_ACTION,
        resource: packageShadowArn(place, thingName),
        reason,
      });
    }
    await settle(deps, item);
    return 'done';
  },
});
