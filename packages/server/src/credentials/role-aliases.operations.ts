/** CreateRoleAlias, DescribeRoleAlias, ListRoleAliases, UpdateRoleAlias, DeleteRoleAlias. */
import { defined } from '@thingkeep/wire/defined.ts';
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
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
const MAX_ALIASES = 100;
/** API reference, member PageSize: at most 250. */
const LARGEST_PAGE = 250;

async function existing(tx: ReadTransaction, accountId: string, roleAlias: string): Promise<RoleAliasRecord> {
  const record = await tx.get(roleAliases, [accountId, roleAlias]);
  return record ?? fail('ResourceNotFoundException', `Role alias not found: ${roleAlias}`);
}

/**
 * The role of a role alias, which may not exist yet, as on AWS. Where the account's root names a role that IAM does not keep,
 * credentials have the permissions of the device's certificate; where another caller does, there are none until IAM keeps it.
 */
async function roleNamed(
  text: string,
  { arn }: Caller,
  knowsRole: RoleAliasOptions['knowsRole'],
): Promise<Pick<RoleAliasRecord, 'roleArn' | 'foreignRole'>> {
  const roleArn = checkRoleArn(text);
  const foreign = arn.endsWith(':root') && !(await knowsRole(roleArn));
  return foreign ? { roleArn, foreignRole: true } : { roleArn };
}

export interface RoleAliasOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly tags: PolicyTags;
  /** Whether IAM keeps a role of this ARN. */
  readonly knowsRole: (roleArn: string) => Promise<boolean>;
}

export const roleAliasOperations = ({ store, clock, tags, knowsRole }: RoleAliasOptions): Handlers<Operations> => ({
  async CreateRoleAlias(input, caller) {
    const { accountId } = caller;
    const { roleAlias = '', credentialDurationSeconds = DEFAULT_DURATION } = input;
    const role = await roleNamed(input.roleArn ?? '', caller, knowsRole);
    const arn = roleAliasArn(caller, roleAlias);
    await store.write(async (tx) => {
      if ((await tx.get(roleAliases, [accountId, roleAlias])) !== undefined)
        fail('ResourceAlreadyExistsException', `Role alias already exists: ${roleAlias}`, {
          resourceId: roleAlias,
          resourceArn: arn,
        });
      const { items } = await tx.scan(roleAliases, { skipDamaged: true, prefix: [accountId], limit: MAX_ALIASES });
      if (items.length >= MAX_ALIASES) fail('LimitExceededException', `An account can have at most ${MAX_ALIASES} role aliases`);
      const now = clock.now();
      await tx.put(roleAliases, {
        accountId,
        roleAlias,
        ...role,
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
        skipDamaged: true,
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
    const role = roleArn === undefined ? undefined : await roleNamed(roleArn, caller, knowsRole);
    await store.write(async (tx) => {
      const { foreignRole, ...before } = await existing(tx, caller.accountId, roleAlias);
      await tx.put(roleAliases, {
        ...before,
        ...(role ?? (foreignRole === undefined ? {} : { foreignRole })),
        ...defined({ credentialDurationSeconds }),
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
