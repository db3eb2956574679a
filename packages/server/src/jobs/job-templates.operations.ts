/** Operations of job templates, the account's own and managed ones. */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { pageOffset } from '@thingkeep/wire/api/page-offset.ts';
import { nameInPlace, type Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { RoleObjects } from '../objects/contract.ts';
import type { PolicyTags } from '../policies/principals.ts';
import { PAGE } from '../registry/paging.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ReadTransaction, Store } from '../store/contract.ts';
import type { DocumentUrls } from './document-urls.ts';
import { checkDocument, checkPlaceholders, checkTerminated } from './documents.ts';
import { readJob } from './find-job.ts';
import { givenDocument } from './job-creation.operations.ts';
import { withPackages } from './package-placeholders.ts';
import { findManagedTemplate, listedManagedTemplate, managedTemplates } from './managed-templates.ts';
import { windowsOf } from './schedules.ts';
import { checkTogether, overridden, readSettings } from './settings.ts';
import { jobDocuments, jobTemplateArn, type JobTemplateRecord, jobTemplates } from './store.ts';
import { describedTemplate, getJobTemplate, listedTemplate } from './templates.ts';

export interface JobTemplateOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly tags: PolicyTags;
  readonly urls: DocumentUrls;
  readonly roleObjects: RoleObjects;
}

/** Job templates of an account (General Reference, AWS IoT Device Management quotas). */
export const MAX_TEMPLATES = 100;

type CreateInput = IotOperations['CreateJobTemplate']['input'];
type Draft = Omit<JobTemplateRecord, 'accountId' | 'templateId' | 'createdAt'>;

const invalid = (message: string): never => fail('InvalidRequestException', message);

/** Reads what a template is made of, with the job that it is made from. */
async function draftOf(tx: ReadTransaction, place: Place, input: CreateInput, own: string | undefined): Promise<Draft> {
  const settings = readSettings(input);
  const windows = windowsOf(input.maintenanceWindows);
  if (input.jobArn === undefined)
    return { ...settings, windows, document: own ?? invalid('Neither job document nor job document source is specified.') };
  if (own !== undefined) invalid('A job and a job document cannot be specified at the same time.');
  const jobId = nameInPlace(input.jobArn, place, 'job') ?? invalid(`Invalid job ARN: ${input.jobArn}`);
  const job = await readJob(tx, place.accountId, jobId);
  const document = (await tx.get(jobDocuments, [place.accountId, jobId]))?.document ?? '{}';
  return { ...overridden(job, settings), windows: windows ?? job.schedule?.windows, document };
}

type Operations = Handlers<
  Pick<
    IotOperations,
    | 'CreateJobTemplate'
    | 'DescribeJobTemplate'
    | 'ListJobTemplates'
    | 'DeleteJobTemplate'
    | 'ListManagedJobTemplates'
    | 'DescribeManagedJobTemplate'
  >
>;

export const jobTemplateOperations = ({ store, clock, tags, urls, roleObjects }: JobTemplateOptions): Operations => ({
  async CreateJobTemplate(input, caller) {
    const { accountId } = caller;
    const { jobTemplateId: templateId = '' } = input;
    const arn = jobTemplateArn(caller, templateId);
    const own = await givenDocument(roleObjects, caller, input);
    if (own !== undefined) {
      checkTerminated(own);
      // What packages bring is known once a job is made.
      const standIn = withPackages(own);
      checkPlaceholders(standIn);
      if (standIn === own) await urls.check(caller, arn, own, readSettings(input).presignedUrls);
    }
    await store.write(async (tx) => {
      const draft = await draftOf(tx, caller, input, own);
      checkTogether(draft);
      checkDocument(draft.document);
      if ((await tx.get(jobTemplates, [accountId, templateId])) !== undefined)
        fail('ConflictException', `Job template ${templateId} already exists`, { resourceId: templateId });
      const { items } = await tx.scan(jobTemplates, { prefix: [accountId], limit: MAX_TEMPLATES, skipDamaged: true });
      if (items.length >= MAX_TEMPLATES) fail('LimitExceededException', `There can be at most ${MAX_TEMPLATES} job templates`);
      await tx.put(jobTemplates, { ...draft, accountId, templateId, createdAt: clock.now() });
      if (input.tags !== undefined) await tags.put(tx, accountId, arn, input.tags);
    });
    return { jobTemplateArn: arn, jobTemplateId: templateId };
  },

  async DescribeJobTemplate({ jobTemplateId = '' }, caller) {
    return describedTemplate(caller, await store.read((tx) => getJobTemplate(tx, caller.accountId, jobTemplateId)));
  },

  async ListJobTemplates({ maxResults: limit = PAGE, nextToken: after }, caller) {
    const scan = { index: 'byCreation', prefix: [caller.accountId], reverse: true, limit, after, skipDamaged: true };
    const { items, next } = await store.read((tx) => tx.scan(jobTemplates, scan));
    return { jobTemplates: items.map((each) => listedTemplate(caller, each)), nextToken: next };
  },

  async DeleteJobTemplate({ jobTemplateId = '' }, caller) {
    const { accountId } = caller;
    await store.write(async (tx) => {
      await getJobTemplate(tx, accountId, jobTemplateId);
      await tx.delete(jobTemplates, [accountId, jobTemplateId]);
      await tags.remove(tx, accountId, jobTemplateArn(caller, jobTemplateId));
    });
    return {};
  },

  async ListManagedJobTemplates({ templateName, maxResults = PAGE, nextToken }, { region }) {
    const found = managedTemplates(region).filter((each) => templateName === undefined || each.templateName === templateName);
    const from = pageOffset(nextToken, found.length) ?? invalid('Invalid next token');
    const page = found.slice(from, from + maxResults);
    const next = from + page.length;
    return { managedJobTemplates: page.map(listedManagedTemplate), nextToken: next < found.length ? String(next) : undefined };
  },

  async DescribeManagedJobTemplate({ templateName = '', templateVersion }, { region }) {
    const found = findManagedTemplate(templateName, templateVersion, region);
    if (found === undefined) return fail('ResourceNotFoundException', `Managed job template ${templateName} does not exist`);
    const { documentParameters, document } = found;
    return { ...listedManagedTemplate(found), documentParameters: documentParameters.map((each) => ({ ...each })), document };
  },
});
