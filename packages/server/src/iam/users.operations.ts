/** CreateUser, GetUser, ListUsers, UpdateUser, DeleteUser, and tags of users. */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IamOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ReadTransaction, Store } from '../store/contract.ts';
import { describeUser, userSummary } from './descriptions.ts';
import { findPolicy } from './managed-policies.ts';
import { newId, parseEntityArn, rootArn } from './names.ts';
import { listPage, scanPage } from './pages.ts';
import { checkPartition, checkPath, entityOf, givenUser, mustBeNew, withoutTags, withTags } from './records.ts';
import { accessKeys, entities, entityKey, nameKey, type UserRecord } from './store.ts';

type Operations = Pick<
  IamOperations,
  'CreateUser' | 'GetUser' | 'ListUsers' | 'UpdateUser' | 'DeleteUser' | 'TagUser' | 'UntagUser' | 'ListUserTags'
>;

export interface IamParts {
  readonly store: Store;
  readonly clock: Clock;
}

/** The boundary of a new entity, once it is a policy that the account may use. */
export async function boundaryOf(
  tx: ReadTransaction,
  accountId: string,
  arn: string | undefined,
): Promise<{ boundary?: string }> {
  if (arn === undefined) return {};
  checkPartition(arn);
  if (parseEntityArn(arn)?.kind !== 'policy') fail('InvalidInput', `ARN ${arn} is not valid.`);
  if ((await findPolicy(tx, accountId, arn)) === undefined)
    fail('NoSuchEntity', `Scope ARN: ${arn} does not exist or is not attachable.`);
  return { boundary: arn };
}

async function mustBeBare(tx: ReadTransaction, { accountId, id, attached, inline, groups, login }: UserRecord): Promise<void> {
  const conflict = (what: string): never => fail('DeleteConflict', `Cannot delete entity, must ${what} first.`);
  if (attached.length > 0) conflict('detach all policies');
  if (inline.length > 0) conflict('delete policies');
  if (groups.length > 0) conflict('remove users from group');
  if (login !== undefined) conflict('delete login profile');
  const keys = await tx.scan(accessKeys, { index: 'byUser', prefix: [accountId, id], limit: 1 });
  if (keys.items.length > 0) conflict('delete access keys');
}

export const userOperations = (parts: IamParts): Handlers<Operations> => ({
  async CreateUser({ UserName = '', Path = '/', PermissionsBoundary, Tags }, { accountId }) {
    const user = await parts.store.write(async (tx) => {
      await mustBeNew(tx, accountId, 'user', UserName);
      const made: UserRecord = {
        kind: 'user',
        accountId,
        name: UserName,
        path: checkPath(Path),
        id: newId('AIDA'),
        createdAt: parts.clock.now(),
        tags: withTags([], Tags),
        attached: [],
        inline: [],
        groups: [],
        ...(await boundaryOf(tx, accountId, PermissionsBoundary)),
      };
      await tx.put(entities, made);
      return made;
    });
    return { User: describeUser(user) };
  },

  async GetUser({ UserName }, caller) {
    const { accountId, arn, userId } = caller;
    // The root has neither name nor path, and of its making nothing is known.
    if (UserName === undefined && arn === rootArn(accountId))
      return { User: { UserId: userId, Arn: arn } as NonNullable<IamOperations['GetUser']['output']['User']> };
    return { User: describeUser(await parts.store.read((tx) => givenUser(tx, caller, UserName))) };
  },

  async ListUsers({ PathPrefix = '/', ...page }, { accountId }) {
    const { items, end } = await parts.store.read((tx) =>
      scanPage(tx, entities, { prefix: [accountId, 'user'] }, page, ({ path }) => path.startsWith(PathPrefix)),
    );
    return { Users: items.map((user) => userSummary(user as UserRecord)), ...end };
  },

  async UpdateUser({ UserName = '', NewUserName, NewPath }, { accountId }) {
    await parts.store.write(async (tx) => {
      const user = await entityOf(tx, accountId, 'user', UserName);
      const name = NewUserName ?? user.name;
      if (nameKey(name) !== nameKey(user.name)) {
        await mustBeNew(tx, accountId, 'user', name);
        await tx.delete(entities, entityKey(accountId, 'user', user.name));
      }
      await tx.put(entities, { ...user, name, path: NewPath === undefined ? user.path : checkPath(NewPath, 'ValidationError') });
    });
    return {};
  },

  async DeleteUser({ UserName = '' }, { accountId }) {
    await parts.store.write(async (tx) => {
      await mustBeBare(tx, await entityOf(tx, accountId, 'user', UserName));
      await tx.delete(entities, entityKey(accountId, 'user', UserName));
    });
    return {};
  },

  async TagUser({ UserName = '', Tags }, { accountId }) {
    await parts.store.write(async (tx) => {
      const user = await entityOf(tx, accountId, 'user', UserName);
      await tx.put(entities, { ...user, tags: withTags(user.tags, Tags) });
    });
    return {};
  },

  async UntagUser({ UserName = '', TagKeys }, { accountId }) {
    await parts.store.write(async (tx) => {
      const user = await entityOf(tx, accountId, 'user', UserName);
      await tx.put(entities, { ...user, tags: withoutTags(user.tags, TagKeys) });
    });
    return {};
  },

  async ListUserTags({ UserName = '', ...page }, { accountId }) {
    const { tags } = await parts.store.read((tx) => entityOf(tx, accountId, 'user', UserName));
    const { items, end } = listPage(tags, ({ Key }) => Key, page);
    return { Tags: [...items], ...end };
  },
});
