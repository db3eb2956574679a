/**
 * CreateProvisioningTemplate, DescribeProvisioningTemplate, ListProvisioningTemplates, UpdateProvisioningTemplate,
 * DeleteProvisioningTemplate.
 */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { defined } from '@thingkeep/wire/defined.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { isRoot } from '../outgoing/author.ts';
import type { PolicyTags } from '../policies/principals.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store } from '../store/contract.ts';
import { roleRights } from './rights.ts';
import type { FindRole } from '@thingkeep/wire/api/authorization.ts';
import { provisioningTemplates, type TemplateRecord } from './store.ts';
import { checkBody, checkHook, describeTemplate, getTemplate, templateArn, templateSummary } from './templates.ts';

export interface TemplateOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly tags: PolicyTags;
  readonly isFunctionName: (name: string) => boolean;
  readonly findRole: FindRole;
}

/** General Reference, AWS IoT Core quotas: fleet provisioning templates of an account. */
const MAX_TEMPLATES = 256;
/** API reference, member maxResults: 1 to 250, which is also what a request without it gets. */
export const TEMPLATES_PAGE = 250;

type Operations = Handlers<
  Pick<
    IotOperations,
    | 'CreateProvisioningTemplate'
    | 'DescribeProvisioningTemplate'
    | 'ListProvisioningTemplates'
    | 'UpdateProvisioningTemplate'
    | 'DeleteProvisioningTemplate'
  >
>;

export const templateOperations = ({ store, clock, tags, isFunctionName, findRole }: TemplateOptions): Operations => ({
  async CreateProvisioningTemplate(input, caller) {
    const { accountId } = caller;
    const { templateName = '', templateBody = '', provisioningRoleArn = '', description, type = 'FLEET_PROVISIONING' } = input;
    checkBody(templateBody, type);
    const hook =
      input.preProvisioningHook === undefined
        ? undefined
        : checkHook(input.preProvisioningHook, { place: caller, type, byRoot: isRoot(caller), isFunctionName });
    const arn = templateArn(caller, templateName);
    await roleRights(findRole, caller, provisioningRoleArn, arn);
    const now = clock.now();
    const record: TemplateRecord = {
      accountId,
      templateName,
      type,
      enabled: input.enabled ?? false,
      provisioningRoleArn,
      ...defined({ description, hook }),
      defaultVersionId: 1,
      nextVersion: 2,
      versions: [{ versionId: 1, body: templateBody, createdAt: now }],
      createdAt: now,
      lastModifiedAt: now,
    };
    await store.write(async (tx) => {
      if ((await tx.get(provisioningTemplates, [accountId, templateName])) !== undefined)
        fail('ResourceAlreadyExistsException', `Provisioning template already exists: ${templateName}`, {
          resourceId: templateName,
          resourceArn: arn,
        });
      const { items } = await tx.scan(provisioningTemplates, { prefix: [accountId], limit: MAX_TEMPLATES, skipDamaged: true });
      if (items.length >= MAX_TEMPLATES)
        fail('LimitExceededException', `There can be at most ${MAX_TEMPLATES} provisioning templates`);
      await tx.put(provisioningTemplates, record);
      if (input.tags !== undefined) await tags.put(tx, accountId, arn, input.tags);
    });
    return { templateArn: arn, templateName, defaultVersionId: 1 };
  },

  async DescribeProvisioningTemplate({ templateName = '' }, caller) {
    return describeTemplate(caller, await store.read((tx) => getTemplate(tx, caller.accountId, templateName)));
  },

  async ListProvisioningTemplates({ maxResults = TEMPLATES_PAGE, nextToken }, caller) {
    const scan = { prefix: [caller.accountId], after: nextToken, limit: maxResults, skipDamaged: true };
    const { items, next } = await store.read((tx) => tx.scan(provisioningTemplates, scan));
    return { templates: items.map((each) => templateSummary(caller, each)), nextToken: next };
  },

  async UpdateProvisioningTemplate(input, caller) {
    const { templateName = '', description, enabled, defaultVersionId, provisioningRoleArn, preProvisioningHook } = input;
    const { accountId } = caller;
    const remove = input.removePreProvisioningHook === true;
    if (remove && preProvisioningHook !== undefined)
      fail('InvalidRequestException', 'preProvisioningHook and removePreProvisioningHook can not be given together.');
    if (provisioningRoleArn !== undefined)
      await roleRights(findRole, caller, provisioningRoleArn, templateArn(caller, templateName));
    await store.write(async (tx) => {
      const { hook: before, ...record } = await getTemplate(tx, accountId, templateName);
      const checks = { place: caller, type: record.type, byRoot: isRoot(caller), isFunctionName };
      const given = preProvisioningHook === undefined ? before : checkHook(preProvisioningHook, checks);
      if (defaultVersionId !== undefined && !record.versions.some(({ versionId }) => versionId === defaultVersionId))
        fail('ResourceNotFoundException', `Provisioning template ${templateName} has no version ${defaultVersionId}`);
      await tx.put(provisioningTemplates, {
        ...record,
        ...defined({ description, enabled, defaultVersionId, provisioningRoleArn, hook: remove ? undefined : given }),
        lastModifiedAt: clock.now(),
      });
    });
    return {};
  },

  async DeleteProvisioningTemplate({ templateName = '' }, caller) {
    const { accountId } = caller;
    await store.write(async (tx) => {
      await getTemplate(tx, accountId, templateName);
      await tx.delete(provisioningTemplates, [accountId, templateName]);
      await tags.remove(tx, accountId, templateArn(caller, templateName));
    });
    return {};
  },
});
