/** CreateGroup, GetGroup, ListGroups, UpdateGroup, DeleteGroup, and the members of groups. */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IamOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { describeGroup, userSummary } from './descriptions.ts';
import { groupsOfUser } from './identities.ts';
import { newId } from './names.ts';
import type { IamParts } from './users.operations.ts';
import { listPage, scanPage } from './pages.ts';
import { QUOTAS } from './quotas.ts';
import { checkPath, entityOf, mustBeNew } from './records.ts';
import { entities, entityKey, type GroupRecord, nameKey, type UserRecord } from './store.ts';

type Operations = Pick<
  IamOperations,
  | 'CreateGroup'
  | 'GetGroup'
  | 'ListGroups'
  | 'UpdateGroup'
  | 'DeleteGroup'
  | 'AddUserToGroup'
  | 'RemoveUserFromGroup'
  | 'ListGroupsForUser'
>;

export const groupOperations = (parts: IamParts): Handlers<Operations> => ({
  async CreateGroup({ GroupName = '', Path = '/' }, { accountId }) {
    const group = await parts.store.write(async (tx) => {
      await mustBeNew(tx, accountId, 'group', GroupName);
      const made: GroupRecord = {
        kind: 'group',
        accountId,
        name: GroupName,
        path: checkPath(Path, 'ValidationError'),
        id: newId('AGPA'),
        createdAt: parts.clock.now(),
        tags: [],
        attached: [],
        inline: [],
      };
      await tx.put(entities, made);
      return made;
    });
    return { Group: describeGroup(group) };
  },

  async GetGroup({ GroupName = '', ...page }, { accountId }) {
    return parts.store.read(async (tx) => {
      const group = await entityOf(tx, accountId, 'group', GroupName);
      const { items, end } = await scanPage(tx, entities, { index: 'byGroup', prefix: [accountId, group.id] }, page);
      return { Group: describeGroup(group), Users: items.map((user) => userSummary(user as UserRecord)), ...end };
    });
  },

  async ListGroups({ PathPrefix = '/', ...page }, { accountId }) {
    const { items, end } = await parts.store.read((tx) =>
      scanPage(tx, entities, { prefix: [accountId, 'group'] }, page, ({ path }) => path.startsWith(PathPrefix)),
    );
    return { Groups: items.map((group) => describeGroup(group as GroupRecord)), ...end };
  },

  async UpdateGroup({ GroupName = '', NewGroupName, NewPath }, { accountId }) {
    await parts.store.write(async (tx) => {
      const group = await entityOf(tx, accountId, 'group', GroupName);
      const name = NewGroupName ?? group.name;
      if (nameKey(name) !== nameKey(group.name)) {
        await mustBeNew(tx, accountId, 'group', name);
        await tx.delete(entities, entityKey(accountId, 'group', group.name));
      }
      await tx.put(entities, {
        ...group,
        name,
        path: NewPath === undefined ? group.path : checkPath(NewPath, 'ValidationError'),
      });
    });
    return {};
  },

  async DeleteGroup({ GroupName = '' }, { accountId }) {
    await parts.store.write(async (tx) => {
      const { id, attached, inline } = await entityOf(tx, accountId, 'group', GroupName);
      const conflict = (what: string): never => fail('DeleteConflict', `Cannot delete entity, must ${what} first.`);
      if (attached.length > 0) conflict('detach all policies');
      if (inline.length > 0) conflict('delete policies');
      const members = await tx.scan(entities, { index: 'byGroup', prefix: [accountId, id], limit: 1 });
      if (members.items.length > 0) conflict('remove users from group');
      await tx.delete(entities, entityKey(accountId, 'group', GroupName));
    });
    return {};
  },

  async AddUserToGroup({ GroupName = '', UserName = '' }, { accountId }) {
    await parts.store.write(async (tx) => {
      const { id } = await entityOf(tx, accountId, 'group', GroupName);
      const user = await entityOf(tx, accountId, 'user', UserName);
      if (user.groups.includes(id)) return;
      const most = QUOTAS.groupsPerUser;
      if (user.groups.length >= most) fail('LimitExceeded', `Cannot exceed quota for GroupsPerUser: ${most}`);
      await tx.put(entities, { ...user, groups: [...user.groups, id] });
    });
    return {};
  },

  async RemoveUserFromGroup({ GroupName = '', UserName = '' }, { accountId }) {
    await parts.store.write(async (tx) => {
      const { id } = await entityOf(tx, accountId, 'group', GroupName);
      const user = await entityOf(tx, accountId, 'user', UserName);
      if (!user.groups.includes(id)) fail('NoSuchEntity', `User ${UserName} is not in group ${GroupName}.`);
      await tx.put(entities, { ...user, groups: user.groups.filter((each) => each !== id) });
    });
    return {};
  },

  async ListGroupsForUser({ UserName = '', ...page }, { accountId }) {
    const groups = await parts.store.read(async (tx) => {
      const user = await entityOf(tx, accountId, 'user', UserName);
      return groupsOfUser(tx, user);
    });
    const { items, end } = listPage(groups, ({ name }) => name, page);
    return { Groups: items.map(describeGroup), ...end };
  },
});
