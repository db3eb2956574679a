/** CreateRoleAlias, DescribeRoleAlias, ListRoleAliases, UpdateRoleAlias, DeleteRoleAlias. */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { PolicyTags } from '../policies/principals.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ReadTransaction, Store } from '../store/contract.ts';
import { checkRoleArn } from './role-arn.ts';
import { type RoleAliasRecord, roleAliasArn, roleAliases } from './store.ts';

type Operations = Pick<
  IotOperations,
  'CreateRoleAlias' | 'DescribeRoleAlias' | 'ListRoleAliases' | 'UpdateRoleAlias' | 'DeleteRoleAlias'
>;

/** API reference CreateRoleAlias. */
const DEFAULT_DURATION = 3600;
/** General Reference, "AWS IoT Core endpoints and quotas": role aliases of an account and region. */
const MOST_ALIASES = 100;
/** API reference, member PageSize: at most 250. */
const LARGEST_PAGE = 250;

async function existing(tx: ReadTransaction, accountId: string, roleAlias: string): Promise<RoleAliasRecord> {
  const record = await tx.get(roleAliases, [accountId, roleAlias]);
  return record ?? fail('ResourceNotFoundException', `Role alias not found: ${roleAlias}`);
}

export const roleAliasOperations = ({
  store,
  clock,
  tags,
}: {
  store: Store;
  clock: Clock;
  tags: PolicyTags;
}): Handlers<Operations> => ({
  async CreateRoleAlias(input, caller) {
    const { accountId } = caller;
    const { roleAlias = '', credentialDurationSeconds = DEFAULT_DURATION } = input;
    const roleArn = checkRoleArn(input.roleArn ?? '', accountId);
    const arn = roleAliasArn(caller, roleAlias);
    await store.write(async (tx) => {
      if ((await tx.get(roleAliases, [accountId, roleAlias])) !== undefined)
        fail('ResourceAlreadyExistsException', `Role alias already exists: ${roleAlias}`, {
          resourceId: roleAlias,
          resourceArn: arn,
        });
      const { items } = await tx.scan(roleAliases, { prefix: [accountId], limit: MOST_ALIASES });
      if (items.length >= MOST_ALIASES)
        fail('LimitExceededException', `An account can have at most ${MOST_ALIASES} role aliases`);
      const now = clock.now();
      await tx.put(roleAliases, {
        accountId,
        roleAlias,
        roleArn,
        credentialDurationSeconds,
        createdAt: now,
        lastModifiedAt: now,
      });
      if (input.tags !== undefined && input.tags.length > 0) await tags.put(tx, accountId, arn, input.tags);
    });
    return { roleAlias, roleAliasArn: arn };
  },

  async DescribeRoleAlias({ roleAlias = '' }, caller) {
    const record = await store.read((tx) => existing(tx, caller.accountId, roleAlias));
    return {
      roleAliasDescription: {
        roleAlias,
        roleAliasArn: roleAliasArn(caller, roleAlias),
        roleArn: record.roleArn,
        owner: caller.accountId,
        credentialDurationSeconds: record.credentialDurationSeconds,
        creationDate: new Date(record.createdAt),
        lastModifiedDate: new Date(record.lastModifiedAt),
      },
    };
  },

  async ListRoleAliases({ marker, pageSize = LARGEST_PAGE, ascendingOrder }, caller) {
    const page = await store.read((tx) =>
      tx.scan(roleAliases, {
        index: 'byCreation',
        prefix: [caller.accountId],
        after: marker,
        limit: pageSize,
        reverse: ascendingOrder !== true,
      }),
    );
    return { roleAliases: page.items.map(({ roleAlias }) => roleAlias), nextMarker: page.next };
  },

  async UpdateRoleAlias(input, caller) {
    const { roleAlias = '', roleArn, credentialDurationSeconds } = input;
    await store.write(async (tx) => {
      const before = await existing(tx, caller.accountId, roleAlias);
      await tx.put(roleAliases, {
        ...before,
        ...(roleArn === undefined ? {} : { roleArn: checkRoleArn(roleArn, caller.accountId) }),
        ...(credentialDurationSeconds === undefined ? {} : { credentialDurationSeconds }),
        lastModifiedAt: clock.now(),
      });
    });
    return { roleAlias, roleAliasArn: roleAliasArn(caller, roleAlias) };
  },

  async DeleteRoleAlias({ roleAlias = '' }, caller) {
    const { accountId } = caller;
    await store.write(async (tx) => {
      await existing(tx, accountId, roleAlias);
      await tx.delete(roleAliases, [accountId, roleAlias]);
      await tags.remove(tx, accountId, roleAliasArn(caller, roleAlias));
    });
    return {};
  },
});
