/**
 * A provisioning: the resources of a plan made or changed, whole or not at all, in the order thing, policies, certificate,
 * attachments; the certificate gets its status last. RegisterThing, fleet provisioning, just-in-time provisioning and bulk
 * registration all come to this.
 */
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { validate } from '@thingkeep/wire/api/validate.ts';
import { iotArn, type Place } from '@thingkeep/wire/arn.ts';
import { defined } from '@thingkeep/wire/defined.ts';
import { checkNewPolicy } from '@thingkeep/wire/documents/policy.ts';
import { fail, ThingkeepError } from '@thingkeep/wire/errors.ts';
import type { DeviceIssuer, IssuedCertificate } from '../authority/authority.ts';
import { readCertificate } from '../authority/read-certificate.ts';
import { attachPolicy, createPolicy, getPolicyRecord, policyArn } from '../policies/policy-records.ts';
import { policies } from '../policies/store.ts';
import { keepIssuedCertificate, setCertificateStatus } from '../registry/certificate-records.ts';
import { registerCertificate } from '../registry/certificate-registration.ts';
import { certificateArn, getCertificate } from '../registry/certificates.ts';
import { addThingToGroup, membershipsOf, removeThingFromGroup } from '../registry/groups/memberships.ts';
import { policyTargets } from '../registry/policy-principals.ts';
import { type CertificateRecord, certificates, type ThingRecord, things } from '../registry/store.ts';
import { attachThingPrincipal } from '../registry/thing-principals.ts';
import { createThing, updateThing } from '../registry/thing-records.ts';
import { attributesAfter, sameAttributes, thingArn } from '../registry/things.ts';
import { reportedPackages, resolveDestinations } from '../software-packages/contract.ts';
import { packageShadowArn, REPORT_ACTION, scheduleReport } from '../software-packages/package-reports.ts';
import type { WriteTransaction } from '../store/contract.ts';
import { registrationFailure } from './expressions.ts';
import type { CertificatePlan, PolicyPlan, ProvisioningPlan, ThingPlan } from './plan.ts';
import type { ProvisioningRights } from './rights.ts';

export interface ProvisioningContext {
  readonly place: Place;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly rights: ProvisioningRights;
  /** The certificate of the plan's signing request, as {@link issueFor} has given it. */
  readonly issued?: IssuedCertificate | undefined;
}

export interface Provisioned {
  readonly thingName: string | undefined;
  readonly certificate: CertificateRecord | undefined;
  /** ARNs by the logical names of the template. */
  readonly resourceArns: Readonly<Record<string, string>>;
}

/** Issues the certificate of the plan's signing request: before the transaction, which must not wait for it. */
export async function issueFor(
  { certificate }: ProvisioningPlan,
  issuer: Pick<DeviceIssuer, 'prepareFromCsr' | 'issue'>,
): Promise<IssuedCertificate | undefined> {
  if (certificate?.source !== 'CertificateSigningRequest') return undefined;
  const { logicalName, value } = certificate;
  return forResource(logicalName, async () => issuer.issue(issuer.prepareFromCsr(value)));
}

/** Errors that go to the caller as they are. */
const OWN: ReadonlySet<string> = new Set([
  'ConflictingResourceUpdateException',
  'InternalFailureException',
  'ServiceUnavailableException',
  'ThrottlingException',
  'UnauthorizedException',
]);

/** Work on a resource: what fails in it names the resource. */
async function forResource<R>(logicalName: string, work: () => Promise<R>): Promise<R> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ThingkeepError) || OWN.has(error.code)) throw error;
    return fail('ResourceRegistrationFailureException', `Resource ${logicalName}: ${error.message}`, {}, error);
  }
}

/** The input of an operation, once its model allows it. */
function checkInput(operation: keyof IotOperations, input: object): void {
  const fault = validate({ service: 'iot', input: `${operation}Request` }, { ...input });
  if (fault !== undefined) registrationFailure(fault);
}

const conflict = (logicalName: string, what: string): never =>
  fail('ConflictingResourceUpdateException', `Resource ${logicalName}: ${what} already exists.`);

async function makeThing(tx: WriteTransaction, plan: ThingPlan, { place, now, rights }: ProvisioningContext): Promise<void> {
  const { thingName, thingTypeName, attributes, billingGroup: billingGroupName } = plan;
  const input = {
    thingName,
    ...defined({ thingTypeName, billingGroupName }),
    ...(attributes && { attributePayload: { attributes } }),
  };
  checkInput('CreateThing', input);
  await rights.must(tx, place, 'CreateThing', input);
  await createThing(tx, place, input, now);
}

/** Has the versions of packages that a new thing comes with written into its shadow, once all of this is stored. */
async function reportVersions(
  tx: WriteTransaction,
  { thingName, packageVersions = [] }: ThingPlan,
  { place, now, rights }: ProvisioningContext,
): Promise<void> {
  if (packageVersions.length === 0) return;
  const arns = packageVersions.map((each) => (each.startsWith('arn:') ? each : iotArn(place, 'package', each)));
  const versions = await resolveDestinations(tx, place, arns);
  rights.mustOn(REPORT_ACTION, packageShadowArn(place, thingName));
  const reported = reportedPackages(versions.map(({ arn }) => arn));
  await scheduleReport(tx, place, thingName, 'provisioning', { reported, now });
}

/** Puts a thing into the plan's groups, and with REPLACE out of its other static ones. */
async function joinGroups(
  tx: WriteTransaction,
  { thingName, thingGroups = [], overrides }: ThingPlan,
  isNew: boolean,
  { place, now, rights }: ProvisioningContext,
): Promise<void> {
  if (!isNew && overrides.thingGroups === 'DO_NOTHING') return;
  const { accountId } = place;
  const present = (await membershipsOf(tx, accountId, thingName)).filter(({ group }) => group.query === undefined);
  const names = present.map(({ group }) => group.groupName);
  const left = overrides.thingGroups === 'REPLACE' ? names.filter((name) => !thingGroups.includes(name)) : [];
  for (const groupName of left) {
    await rights.must(tx, place, 'RemoveThingFromThingGroup', { thingName, thingGroupName: groupName });
    await removeThingFromGroup(tx, accountId, { thingName, groupName });
  }
  for (const groupName of thingGroups.filter((name) => !names.includes(name))) {
    await rights.must(tx, place, 'AddThingToThingGroup', { thingName, thingGroupName: groupName });
    await addThingToGroup(tx, accountId, { thingName, groupName }, { now });
  }
}

/** What the settings change of a thing that is there; fails with ConflictingResourceUpdateException for FAIL. */
function changesOf(there: ThingRecord, { logicalName, thingName, thingTypeName, attributes, overrides, thingGroups }: ThingPlan) {
  const setsType = thingTypeName !== undefined;
  if (
    (attributes !== undefined && overrides.attributes === 'FAIL') ||
    (setsType && overrides.thingTypeName === 'FAIL') ||
    (thingGroups !== undefined && overrides.thingGroups === 'FAIL')
  )
    conflict(logicalName, `thing ${thingName}`);
  const type =
    setsType && overrides.thingTypeName === 'REPLACE' && there.thingTypeName !== thingTypeName ? { thingTypeName } : {};
  if (attributes === undefined || overrides.attributes === 'DO_NOTHING') return type;
  const attributePayload = { attributes: { ...attributes }, merge: overrides.attributes === 'MERGE' };
  const isSame = sameAttributes(there.attributes, attributesAfter(there.attributes, attributePayload));
  return isSame ? type : { ...type, attributePayload };
}

async function changeThing(
  tx: WriteTransaction,
  plan: ThingPlan,
  there: ThingRecord,
  { place, rights }: ProvisioningContext,
): Promise<void> {
  const changes = changesOf(there, plan);
  if (Object.keys(changes).length === 0) return;
  const input = { thingName: plan.thingName, ...changes };
  checkInput('UpdateThing', input);
  await rights.must(tx, place, 'UpdateThing', input);
  await updateThing(tx, place, input);
}

async function provisionThing(tx: WriteTransaction, plan: ThingPlan, context: ProvisioningContext): Promise<string> {
  const { accountId } = context.place;
  const there = await tx.get(things, [accountId, plan.thingName]);
  if (there === undefined) {
    await makeThing(tx, plan, context);
    await reportVersions(tx, plan, context);
  } else await changeThing(tx, plan, there, context);
  if (plan.thingGroups !== undefined) await joinGroups(tx, plan, there === undefined, context);
  return thingArn(context.place, plan.thingName);
}

async function provisionPolicy(
  tx: WriteTransaction,
  { policyName, document }: PolicyPlan,
  { place, now, rights }: ProvisioningContext,
): Promise<string> {
  const { accountId } = place;
  if (document === undefined) await getPolicyRecord(tx, accountId, policyName);
  else if ((await tx.get(policies, [accountId, policyName])) === undefined) {
    checkNewPolicy(document);
    await rights.must(tx, place, 'CreatePolicy', { policyName });
    await createPolicy(tx, place, { policyName, document }, now);
  }
  return policyArn(place, policyName);
}

interface FoundCertificate {
  readonly record: CertificateRecord;
  /** Whether the plan has brought it. */
  readonly isNew: boolean;
}

async function findCertificate(
  tx: WriteTransaction,
  { source, value, caCertificatePem }: CertificatePlan,
  { place, now, rights, issued }: ProvisioningContext,
): Promise<FoundCertificate> {
  const { accountId } = place;
  if (source === 'CertificateId') return { record: await getCertificate(tx, accountId, value), isNew: false };
  if (source === 'CertificateSigningRequest') {
    if (issued === undefined) return fail('InternalFailureException', 'The certificate was not issued.');
    await rights.must(tx, place, 'CreateCertificateFromCsr', {});
    return { record: await keepIssuedCertificate(tx, place, issued, 'PENDING_ACTIVATION', now), isNew: true };
  }
  const certificate = readCertificate(value);
  const known = await tx.get(certificates, [accountId, certificate.certificateId]);
  if (known !== undefined) return { record: known, isNew: false };
  await rights.must(tx, place, 'RegisterCertificate', {});
  const named = caCertificatePem === undefined ? undefined : readCertificate(caCertificatePem);
  const draft = { pem: value, certificate, status: 'INACTIVE', named } as const;
  return { record: await registerCertificate(tx, place, draft, now), isNew: true };
}

/** Sets the template's status on a certificate that is new or waits for its activation; on another as the settings say. */
async function activate(
  tx: WriteTransaction,
  { logicalName, override, status }: CertificatePlan,
  { record, isNew }: FoundCertificate,
  { place, now, rights }: ProvisioningContext,
): Promise<CertificateRecord> {
  const { certificateId } = record;
  const isWaiting = record.status === 'PENDING_ACTIVATION';
  if (!isNew && !isWaiting && override === 'FAIL') conflict(logicalName, `certificate ${certificateId}`);
  if (!isNew && !isWaiting && override === 'DO_NOTHING') return record;
  if (record.status === status) return record;
  if (!isNew) await rights.must(tx, place, 'UpdateCertificate', { certificateId, newStatus: status });
  return setCertificateStatus(tx, place, certificateId, status, now);
}

async function attach(
  tx: WriteTransaction,
  { thing, policies: plans, certificate }: ProvisioningPlan & { readonly certificate: CertificatePlan },
  target: string,
  { place, now, rights }: ProvisioningContext,
): Promise<void> {
  for (const { logicalName, policyName } of plans)
    await forResource(logicalName, async () => {
      await rights.must(tx, place, 'AttachPolicy', { policyName, target });
      await attachPolicy(tx, place, { policyName, target }, { targets: policyTargets, now });
    });
  if (thing === undefined) return;
  const { thingName, logicalName } = thing;
  await forResource(logicalName, async () => {
    await rights.must(tx, place, 'AttachThingPrincipal', { thingName, principal: target });
    await attachThingPrincipal(tx, place, { thingName, principal: target, exclusive: certificate.exclusive });
  });
}

/**
 * Makes the resources of a plan in a transaction of the caller's own, which must be given up when this fails: then nothing is
 * made. Fails with ResourceRegistrationFailureException, ConflictingResourceUpdateException or UnauthorizedException; texts of
 * the first two name the logical resource. What is there already is taken: a plan may be executed again.
 */
export async function provision(
  tx: WriteTransaction,
  plan: ProvisioningPlan,
  context: ProvisioningContext,
): Promise<Provisioned> {
  const { thing, certificate, policies: plans } = plan;
  const arns: [string, string][] = [];
  if (thing !== undefined)
    arns.push([thing.logicalName, await forResource(thing.logicalName, () => provisionThing(tx, thing, context))]);
  for (const policy of plans)
    arns.push([policy.logicalName, await forResource(policy.logicalName, () => provisionPolicy(tx, policy, context))]);
  const thingName = thing?.thingName;
  if (certificate === undefined) return { thingName, certificate: undefined, resourceArns: Object.fromEntries(arns) };
  const { logicalName } = certificate;
  const found = await forResource(logicalName, () => findCertificate(tx, certificate, context));
  const target = certificateArn(context.place, found.record.certificateId);
  arns.push([logicalName, target]);
  await attach(tx, { ...plan, certificate }, target, context);
  const record = await forResource(logicalName, () => activate(tx, certificate, found, context));
  return { thingName, certificate: record, resourceArns: Object.fromEntries(arns) };
}
