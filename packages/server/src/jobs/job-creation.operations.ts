/** CreateJob, UpdateJob, AssociateTargetsWithJob: what makes and changes jobs. */
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { RoleObjects } from '../objects/contract.ts';
import type { PolicyTags } from '../policies/principals.ts';
import type { Clock } from '../runtime/clock.ts';
import { resolveDestinations } from '../software-packages/contract.ts';
import type { Store } from '../store/contract.ts';
import { readDocumentSource } from './document-source.ts';
import type { DocumentUrls } from './document-urls.ts';
import { checkDocument, checkPlaceholders, checkTerminated, withParameters } from './documents.ts';
import { getJob } from './find-job.ts';
import type { JobUnit } from './job-unit.ts';
import type { JobWriter } from './job-writer.ts';
import { checkParameters, managedTemplateOf } from './managed-templates.ts';
import { createJob } from './new-job.ts';
import { withPackages } from './package-placeholders.ts';
import { dueAtRate, type RolloutRate } from './rollout.ts';
import { readSchedule } from './schedules.ts';
import { checkTogether, overridden, readSettings } from './settings.ts';
import { isActiveJob } from './states.ts';
import { jobArn, type JobDocumentRecord, jobDocuments, type JobRecord, jobs, type JobSettings, jobTemplates } from './store.ts';
import { MAX_TARGETS, resolveTargets } from './targets.ts';
import { templateIdOf } from './templates.ts';
import type { MaintenanceWindow } from './windows.ts';

export interface JobCreationOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly tags: PolicyTags;
  readonly writer: JobWriter;
  readonly urls: DocumentUrls;
  readonly roleObjects: RoleObjects;
}

type CreateInput = IotOperations['CreateJob']['input'];

const invalid = (message: string): never => fail('InvalidRequestException', message);

/** What a job is made of, from the request and the template that it may name. */
interface Draft {
  readonly settings: JobSettings;
  readonly document: string;
  /** As it was before parameters were put in. */
  readonly given?: string | undefined;
  readonly windows?: readonly MaintenanceWindow[] | undefined;
}

interface GivenDocument {
  readonly document?: string | undefined;
  readonly documentSource?: string | undefined;
}

/** The document of a request, read from its source; the text of the refusal is AWS's (probe pf-iot-jobtemplate-document-exactly-one). */
export async function givenDocument(
  objects: RoleObjects,
  caller: Caller,
  { document, documentSource }: GivenDocument,
): Promise<string | undefined> {
  if (document !== undefined && documentSource !== undefined)
    invalid('Job document and job document source cannot be specified at the same time.');
  return documentSource === undefined ? document : readDocumentSource(objects, caller, documentSource);
}

function managedDraft(arn: string, input: CreateInput, region: string): Draft | undefined {
  const managed = managedTemplateOf(arn, region);
  if (managed === undefined) return undefined;
  const parameters = input.documentParameters ?? {};
  checkParameters(managed, parameters);
  return { settings: readSettings(input), document: withParameters(managed.document, parameters), given: managed.document };
}

async function draftOf({ store, roleObjects }: JobCreationOptions, input: CreateInput, caller: Caller): Promise<Draft> {
  const own = await givenDocument(roleObjects, caller, input);
  const { jobTemplateArn } = input;
  if (jobTemplateArn === undefined) {
    if (own === undefined) return invalid('Neither job document nor job document source is specified.');
    if (input.documentParameters !== undefined) invalid('Document parameters are for managed job templates.');
    return { settings: readSettings(input), document: own };
  }
  if (own !== undefined) invalid('A job document and a job template cannot be specified at the same time.');
  const managed = managedDraft(jobTemplateArn, input, caller.region);
  if (managed !== undefined) return managed;
  if (input.documentParameters !== undefined) invalid('Document parameters are for managed job templates.');
  const templateId = templateIdOf(jobTemplateArn, caller);
  const template = await store.read((tx) => tx.get(jobTemplates, [caller.accountId, templateId]));
  if (template === undefined) return fail('ResourceNotFoundException', `Job template ${templateId} does not exist`);
  return { settings: overridden(template, readSettings(input)), document: template.document, windows: template.windows };
}

type NewDocument = Pick<JobDocumentRecord, 'document' | 'beforeSubstitution'>;

/** What a job brings, and its document with that put in. */
interface Substituted extends NewDocument {
  readonly packageVersions: readonly string[] | undefined;
  readonly givenPackageVersions: readonly string[] | undefined;
}

async function substituted({ store }: JobCreationOptions, place: Place, draft: Draft): Promise<Substituted> {
  const { document: given, settings } = draft;
  checkDocument(given);
  checkTerminated(given);
  const { packageVersions: arns } = settings;
  const versions = arns === undefined ? [] : await store.read((tx) => resolveDestinations(tx, place, arns));
  const scope = { region: place.region, roleArn: settings.presignedUrls?.roleArn, versions };
  const document = withPackages(given, scope);
  checkDocument(document);
  checkPlaceholders(document);
  const before = draft.given ?? given;
  const isDefault = versions.some(({ namedAs }) => namedAs === '$default');
  return {
    document,
    beforeSubstitution: before === document ? undefined : before,
    packageVersions: arns && versions.map(({ arn }) => arn),
    givenPackageVersions: isDefault ? arns : undefined,
  };
}

/** Fails where the URLs of a job's document can't be signed with the job's settings after an update. */
async function checkUrls({ store, urls }: JobCreationOptions, place: Place, jobId: string, more: JobSettings): Promise<void> {
  const key = [place.accountId, jobId];
  const [job, found] = await store.read((tx) => Promise.all([tx.get(jobs, key), tx.get(jobDocuments, key)]));
  if (job === undefined || found === undefined) return;
  await urls.check(place, jobArn(place, jobId), found.document, overridden(job, more).presignedUrls);
}

/** The rollout of a job that goes on at a rate from now on. */
async function rolloutAtRate(unit: JobUnit, { jobId, rate: before = {}, rollout }: JobRecord, after: RolloutRate) {
  const { notified, nextAt } = rollout;
  const { SUCCEEDED: succeeded } = await unit.counts(jobId);
  return { ...rollout, nextAt: dueAtRate(nextAt, { before, after, now: unit.now }, { notified, succeeded }) };
}

type Operations = Handlers<Pick<IotOperations, 'CreateJob' | 'UpdateJob' | 'AssociateTargetsWithJob'>>;

export const jobCreationOperations = (options: JobCreationOptions): Operations => ({
  async CreateJob(input, caller) {
    const { clock, tags, writer } = options;
    const { accountId, region } = caller;
    const { jobId = '', targets: arns = [], targetSelection = 'SNAPSHOT', namespaceId } = input;
    if (arns.length > MAX_TARGETS) invalid(`A job can have at most ${MAX_TARGETS} targets`);
    const draft = await draftOf(options, input, caller);
    const { settings, windows } = draft;
    checkTogether(settings);
    const { document, beforeSubstitution, givenPackageVersions, ...versions } = await substituted(options, caller, draft);
    const arn = jobArn(caller, jobId);
    await options.urls.check(caller, arn, document, settings.presignedUrls);
    const now = clock.now();
    const isContinuous = targetSelection === 'CONTINUOUS';
    const given = readSchedule(input.schedulingConfig, { now, isContinuous });
    const schedule = windows === undefined || !isContinuous ? given : { ...given, windows: given?.windows ?? windows };
    await writer.write({ accountId, region }, async (unit) => {
      await createJob(unit, {
        ...{ jobId, settings: { ...settings, ...versions }, document, beforeSubstitution, givenPackageVersions },
        ...{ targets: arns, targetSelection, namespaceId, schedule },
        templateArn: input.jobTemplateArn,
        documentParameters: input.documentParameters,
      });
      if (input.tags !== undefined) await tags.put(unit.tx, accountId, arn, input.tags);
    });
    return { jobArn: arn, jobId, description: settings.description };
  },

  async UpdateJob(input, caller) {
    const { accountId, region } = caller;
    const { jobId = '' } = input;
    const { retryCriteria, ...settings } = readSettings(input);
    // API reference, UpdateJob: the number of retries can be updated to 0 alone.
    if (retryCriteria?.some(({ numberOfRetries }) => numberOfRetries > 0) === true)
      invalid('The number of retries can only be updated to 0');
    if (settings.presignedUrls !== undefined) await checkUrls(options, caller, jobId, settings);
    await options.writer.write({ accountId, region }, async (unit) => {
      const job = await getJob(unit, jobId);
      if (!isActiveJob(job.status)) invalid(`Job ${jobId} is in the state ${job.status} and can not be updated`);
      const after: JobRecord = { ...job, ...overridden(job, { ...settings, retryCriteria }), lastUpdatedAt: unit.now };
      const rollout = settings.rate === undefined ? job.rollout : await rolloutAtRate(unit, job, settings.rate);
      await unit.putJob({ ...after, rollout });
      await unit.scheduleJob(jobId);
    });
    return {};
  },

  async AssociateTargetsWithJob({ jobId = '', targets: arns = [], comment }, caller) {
    const { accountId, region } = caller;
    const description = await options.writer.write({ accountId, region }, async (unit) => {
      const job = await getJob(unit, jobId);
      if (job.targetSelection !== 'CONTINUOUS') invalid('Targets can be associated with continuous jobs alone');
      if (job.status !== 'IN_PROGRESS') invalid(`Job ${jobId} is in the state ${job.status}: it can have no more targets`);
      if (job.isOver === true || (job.schedule?.endAt ?? Number.POSITIVE_INFINITY) <= unit.now)
        invalid(`The end time of job ${jobId} has passed: it can have no more targets`);
      const known = new Set(job.targets.map(({ arn }) => arn));
      const more = await resolveTargets(
        unit.tx,
        caller,
        arns.filter((arn) => !known.has(arn)),
      );
      if (job.targets.length + more.length > MAX_TARGETS)
        fail('LimitExceededException', `A job can have at most ${MAX_TARGETS} targets`);
      const targets = [...job.targets, ...more];
      await unit.putJob({ ...job, targets, comment: comment ?? job.comment, lastUpdatedAt: unit.now });
      await unit.scheduleJob(jobId);
      return job.description;
    });
    return { jobArn: jobArn(caller, jobId), jobId, description };
  },
});
