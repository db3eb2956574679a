/**
 * CreateProvisioningTemplateVersion, DescribeProvisioningTemplateVersion, ListProvisioningTemplateVersions,
 * DeleteProvisioningTemplateVersion.
 */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store } from '../store/contract.ts';
import { provisioningTemplates, type TemplateRecord, type TemplateVersion } from './store.ts';
import { checkBody, getTemplate, templateArn } from './templates.ts';

/** General Reference, AWS IoT Core quotas: versions of a fleet provisioning template. */
const MAX_VERSIONS = 5;

type Operations = Handlers<
  Pick<
    IotOperations,
    | 'CreateProvisioningTemplateVersion'
    | 'DescribeProvisioningTemplateVersion'
    | 'ListProvisioningTemplateVersions'
    | 'DeleteProvisioningTemplateVersion'
  >
>;

function getVersion({ templateName, versions }: TemplateRecord, wanted: number | undefined): TemplateVersion {
  const found = versions.find(({ versionId }) => versionId === wanted);
  return found ?? fail('ResourceNotFoundException', `Provisioning template ${templateName} has no version ${wanted}`);
}

const shown = ({ defaultVersionId }: TemplateRecord, { versionId, createdAt }: TemplateVersion) => ({
  versionId,
  creationDate: new Date(createdAt),
  isDefaultVersion: versionId === defaultVersionId,
});

export const templateVersionOperations = ({ store, clock }: { readonly store: Store; readonly clock: Clock }): Operations => ({
  async CreateProvisioningTemplateVersion({ templateName = '', templateBody = '', setAsDefault = false }, caller) {
    const versionId = await store.write(async (tx) => {
      const record = await getTemplate(tx, caller.accountId, templateName);
      checkBody(templateBody, record.type);
      if (record.versions.length >= MAX_VERSIONS)
        fail('VersionsLimitExceededException', `Provisioning template ${templateName} already has ${MAX_VERSIONS} versions`);
      const { nextVersion: next } = record;
      const now = clock.now();
      await tx.put(provisioningTemplates, {
        ...record,
        versions: [...record.versions, { versionId: next, body: templateBody, createdAt: now }],
        nextVersion: next + 1,
        defaultVersionId: setAsDefault ? next : record.defaultVersionId,
        lastModifiedAt: now,
      });
      return next;
    });
    return { templateArn: templateArn(caller, templateName), templateName, versionId, isDefaultVersion: setAsDefault };
  },

  async DescribeProvisioningTemplateVersion({ templateName = '', versionId }, caller) {
    const record = await store.read((tx) => getTemplate(tx, caller.accountId, templateName));
    const version = getVersion(record, versionId);
    return { ...shown(record, version), templateBody: version.body };
  },

  async ListProvisioningTemplateVersions({ templateName = '', maxResults = MAX_VERSIONS, nextToken }, caller) {
    const record = await store.read((tx) => getTemplate(tx, caller.accountId, templateName));
    if (nextToken !== undefined && !/^\d{1,9}$/.test(nextToken)) fail('InvalidRequestException', 'The nextToken is not valid');
    const after = Number(nextToken ?? 0);
    const left = record.versions.filter(({ versionId }) => versionId > after);
    const page = left.slice(0, maxResults);
    return {
      versions: page.map((version) => shown(record, version)),
      nextToken: left.length > page.length ? String(page.at(-1)?.versionId) : undefined,
    };
  },

  async DeleteProvisioningTemplateVersion({ templateName = '', versionId }, caller) {
    await store.write(async (tx) => {
      const record = await getTemplate(tx, caller.accountId, templateName);
      const version = getVersion(record, versionId);
      if (version.versionId === record.defaultVersionId)
        fail('DeleteConflictException', `Version ${versionId} is the default version of provisioning template ${templateName}`);
      const versions = record.versions.filter((each) => each !== version);
      await tx.put(provisioningTemplates, { ...record, versions, lastModifiedAt: clock.now() });
    });
    return {};
  },
});
