/** CreateAccessKey, ListAccessKeys, UpdateAccessKey, DeleteAccessKey, GetAccessKeyLastUsed: keys of users. */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IamOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { ReadTransaction } from '../store/contract.ts';
import { findById } from './identities.ts';
import type { KeyUses } from './key-uses.ts';
import { newAccessKey } from './names.ts';
import type { IamParts } from './users.operations.ts';
import { scanPage } from './pages.ts';
import { QUOTAS } from './quotas.ts';
import { givenUser } from './records.ts';
import { type AccessKeyRecord, accessKeys, type UserRecord } from './store.ts';

type Operations = Pick<
  IamOperations,
  'CreateAccessKey' | 'ListAccessKeys' | 'UpdateAccessKey' | 'DeleteAccessKey' | 'GetAccessKeyLastUsed'
>;

async function keyOf(tx: ReadTransaction, user: UserRecord, accessKeyId: string): Promise<AccessKeyRecord> {
  const key = await tx.get(accessKeys, [accessKeyId]);
  const theirs = key !== undefined && key.accountId === user.accountId && key.userId === user.id;
  return theirs ? key : fail('NoSuchEntity', `The Access Key with id ${accessKeyId} cannot be found.`);
}

export const accessKeyOperations = (parts: IamParts & { readonly uses: KeyUses }): Handlers<Operations> => ({
  /** The one answer that shows the secret. */
  async CreateAccessKey({ UserName }, caller) {
    const { accountId } = caller;
    const [user, key] = await parts.store.write(async (tx) => {
      const owner = await givenUser(tx, caller, UserName);
      const most = QUOTAS.accessKeysPerUser;
      const { items } = await tx.scan(accessKeys, { index: 'byUser', prefix: [accountId, owner.id], limit: most });
      if (items.length >= most) fail('LimitExceeded', `Cannot exceed quota for AccessKeysPerUser: ${most}`);
      const made: AccessKeyRecord = {
        accountId,
        ...newAccessKey(),
        userId: owner.id,
        status: 'Active',
        createdAt: parts.clock.now(),
      };
      await tx.put(accessKeys, made);
      return [owner, made] as const;
    });
    return {
      AccessKey: {
        UserName: user.name,
        AccessKeyId: key.accessKeyId,
        Status: key.status,
        SecretAccessKey: key.secretAccessKey,
        CreateDate: new Date(key.createdAt),
      },
    };
  },

  async ListAccessKeys({ UserName, ...page }, caller) {
    return parts.store.read(async (tx) => {
      const { accountId, id, name } = await givenUser(tx, caller, UserName);
      const { items, end } = await scanPage(tx, accessKeys, { index: 'byUser', prefix: [accountId, id] }, page);
      const AccessKeyMetadata = items.map(({ accessKeyId, status, createdAt }) => ({
        UserName: name,
        AccessKeyId: accessKeyId,
        Status: status,
        CreateDate: new Date(createdAt),
      }));
      return { AccessKeyMetadata, ...end };
    });
  },

  async UpdateAccessKey({ UserName, AccessKeyId = '', Status }, caller) {
    await parts.store.write(async (tx) => {
      const key = await keyOf(tx, await givenUser(tx, caller, UserName), AccessKeyId);
      if (Status !== 'Active' && Status !== 'Inactive') fail('ValidationError', 'A status is Active or Inactive');
      await tx.put(accessKeys, { ...key, status: Status });
    });
    return {};
  },

  async DeleteAccessKey({ UserName, AccessKeyId = '' }, caller) {
    await parts.store.write(async (tx) => {
      const key = await keyOf(tx, await givenUser(tx, caller, UserName), AccessKeyId);
      await tx.delete(accessKeys, [key.accessKeyId]);
    });
    return {};
  },

  async GetAccessKeyLastUsed({ AccessKeyId = '' }, { accountId }) {
    const found = await parts.store.read(async (tx) => {
      const key = await tx.get(accessKeys, [AccessKeyId]);
      return key?.accountId === accountId ? { key, user: await findById(tx, accountId, key.userId) } : undefined;
    });
    // AWS's answer does not show whether a key exists (API reference, GetAccessKeyLastUsed).
    if (found?.user === undefined) return fail('AccessDeniedException', `The access key ${AccessKeyId} is none of this account`);
    const used = parts.uses.of(AccessKeyId) ?? found.key.lastUsed;
    const AccessKeyLastUsed =
      used === undefined
        ? { ServiceName: 'N/A', Region: 'N/A', LastUsedDate: undefined }
        : { ServiceName: used.service, Region: used.region, LastUsedDate: new Date(used.at) };
    return { UserName: found.user.name, AccessKeyLastUsed };
  },
});
