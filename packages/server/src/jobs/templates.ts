/** Job templates: how one is found, and how the API shows it. */
import { nameInPlace, type Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { ReadTransaction } from '../store/contract.ts';
import { shownSettings } from './settings.ts';
import { jobTemplateArn, type JobTemplateRecord, jobTemplates } from './store.ts';

/** The id in the ARN of a template of the caller's. */
export const templateIdOf = (arn: string, place: Place): string =>
  nameInPlace(arn, place, 'jobtemplate') ?? fail('InvalidRequestException', `Invalid job template ARN: ${arn}`);

export const getJobTemplate = async (tx: ReadTransaction, accountId: string, templateId: string): Promise<JobTemplateRecord> =>
  (await tx.get(jobTemplates, [accountId, templateId])) ??
  fail('ResourceNotFoundException', `Job template ${templateId} does not exist`);

export const listedTemplate = (place: Place, { templateId, description, createdAt }: JobTemplateRecord) => ({
  jobTemplateArn: jobTemplateArn(place, templateId),
  jobTemplateId: templateId,
  description,
  createdAt: new Date(createdAt),
});

export const describedTemplate = (place: Place, record: JobTemplateRecord) => ({
  ...shownSettings(record),
  ...listedTemplate(place, record),
  documentSource: record.documentSource,
  document: record.document,
  maintenanceWindows: record.windows?.map((each) => ({ ...each })),
});
