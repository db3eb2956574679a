/** Provisioning templates: found, checked, and as the API shows them. */
import { iotArn, otherRegionIn, type Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { ReadTransaction } from '../store/contract.ts';
import { type HookRecord, provisioningTemplates, type TemplateRecord, type TemplateVersion } from './store.ts';
import { readTemplate, type TemplateUse } from './template.ts';

export const templateArn = (place: Place, templateName: string): string => iotArn(place, 'provisioningtemplate', templateName);

export async function getTemplate(tx: ReadTransaction, accountId: string, templateName: string): Promise<TemplateRecord> {
  const found = await tx.get(provisioningTemplates, [accountId, templateName]);
  return found ?? fail('ResourceNotFoundException', `Provisioning template not found: ${templateName}`);
}

export const templateUse = (type: TemplateRecord['type']): TemplateUse => (type === 'JITP' ? 'jitp' : 'fleet');

/** The default version; there always is one. */
export const defaultVersion = ({ versions, defaultVersionId }: TemplateRecord): TemplateVersion =>
  versions.find(({ versionId }) => versionId === defaultVersionId) ??
  fail('InternalFailureException', 'The default version of the template is missing.');

/** Fails with InvalidRequestException for a body that can't work. */
export const checkBody = (body: string, type: TemplateRecord['type']): void => void readTemplate(body, templateUse(type));

/** The one version of a hook's payload. */
const PAYLOAD_VERSION = '2020-04-01';

interface GivenHook {
  readonly targetArn: string | undefined;
  readonly payloadVersion?: string | undefined;
}

interface HookChecks {
  readonly place: Place;
  readonly type: TemplateRecord['type'];
  readonly byRoot: boolean;
  readonly isFunctionName: (name: string) => boolean;
}

/** AWS's words (probe pf-iot-provisioningtemplate-hook-region of cdk-preflight). */
const INVALID_HOOK = 'Invalid arguments in the call';

export function checkHook(given: GivenHook, { place, type, byRoot, isFunctionName }: HookChecks): HookRecord {
  const { targetArn = '', payloadVersion = PAYLOAD_VERSION } = given;
  if (otherRegionIn(targetArn, 'lambda', place) !== undefined) fail('InvalidRequestException', INVALID_HOOK);
  if (!isFunctionName(targetArn))
    fail('InvalidRequestException', 'targetArn is neither the ARN of a Lambda function nor an http or https URL');
  if (payloadVersion !== PAYLOAD_VERSION)
    fail('InvalidRequestException', `payloadVersion must be ${PAYLOAD_VERSION}: ${payloadVersion.slice(0, 32)}`);
  if (type === 'JITP') fail('InvalidRequestException', 'A template of the type JITP can not have a pre-provisioning hook.');
  return { targetArn, payloadVersion, byRoot };
}

export const templateSummary = (place: Place, record: TemplateRecord) => ({
  templateArn: templateArn(place, record.templateName),
  templateName: record.templateName,
  description: record.description,
  creationDate: new Date(record.createdAt),
  lastModifiedDate: new Date(record.lastModifiedAt),
  enabled: record.enabled,
  type: record.type,
});

export const describeTemplate = (place: Place, record: TemplateRecord) => ({
  ...templateSummary(place, record),
  defaultVersionId: record.defaultVersionId,
  templateBody: defaultVersion(record).body,
  provisioningRoleArn: record.provisioningRoleArn,
  preProvisioningHook:
    record.hook === undefined ? undefined : { targetArn: record.hook.targetArn, payloadVersion: record.hook.payloadVersion },
});
