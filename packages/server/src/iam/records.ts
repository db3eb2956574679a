/** Records of users, groups and roles for the operations, and the checks that all three share. */
import type { Caller } from '@thingkeep/wire/api/handlers.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { ReadTransaction } from '../store/contract.ts';
import { findById } from './identities.ts';
import { type EntityKind, entityArn, parseEntityArn } from './names.ts';
import { QUOTAS } from './quotas.ts';
import { type EntityRecord, entities, entityKey, type GroupRecord, type RoleRecord, type Tag, type UserRecord } from './store.ts';

interface RecordOf {
  readonly user: UserRecord;
  readonly group: GroupRecord;
  readonly role: RoleRecord;
}

export const arnOf = ({ accountId, kind, path, name }: EntityRecord): string => entityArn(accountId, kind, path, name);

/** The user, group or role of a name; fails with NoSuchEntity. Names are found by case, though they are unique without it. */
export async function entityOf<K extends EntityKind>(
  tx: ReadTransaction,
  accountId: string,
  kind: K,
  name: string,
): Promise<RecordOf[K]> {
  const record = await tx.get(entities, entityKey(accountId, kind, name));
  if (record?.name !== name) return fail('NoSuchEntity', `The ${kind} with name ${name} cannot be found.`);
  return record as RecordOf[K];
}

const RESERVED_PATH = '/aws-service-role';

/**
 * Fails for a path that is AWS's own (probe pf-iam-path-service-role-reserved of cdk-preflight); `code` is one that the
 * operation declares.
 */
export function checkPath(path: string, code: 'InvalidInput' | 'ValidationError' = 'InvalidInput'): string {
  if (path.startsWith(RESERVED_PATH))
    fail(code, `Paths beginning with '${RESERVED_PATH}' are reserved for AWS Service Linked Roles`);
  return path;
}

/**
 * Fails with ValidationError for the ARN of a policy of another partition (probe pf-iam-policy-arn-partition of cdk-preflight).
 */
export function checkPartition(arn: string): void {
  if (/^arn:(?!aws:)[^:]*:/.test(arn)) fail('ValidationError', 'Invalid ARN partition');
}

/** Fails with EntityAlreadyExists, or with LimitExceeded when the account is full. */
export async function mustBeNew(tx: ReadTransaction, accountId: string, kind: EntityKind, name: string): Promise<void> {
  const word = `${kind.slice(0, 1).toUpperCase()}${kind.slice(1)}`;
  if ((await tx.get(entities, entityKey(accountId, kind, name))) !== undefined)
    fail('EntityAlreadyExists', `${word} with name ${name} already exists.`);
  const most = QUOTAS[`${kind}s`];
  const { items } = await tx.scan(entities, { skipDamaged: true, prefix: [accountId, kind], limit: most });
  if (items.length >= most) fail('LimitExceeded', `Cannot exceed quota for ${word}sPerAccount: ${most}`);
}

/** The user name in the request, or that of the calling user. */
export function userNameOf(given: string | undefined, caller: Caller): string {
  const own = given === undefined ? parseEntityArn(caller.arn) : undefined;
  return (
    given ??
    (own?.kind === 'user' ? own.name : fail('ValidationError', 'Must specify userName when calling with non-User credentials'))
  );
}

/** The user of a name, or the calling user, who is found by id: its name may have changed since. */
export async function givenUser(tx: ReadTransaction, caller: Caller, given: string | undefined): Promise<UserRecord> {
  if (given !== undefined) return entityOf(tx, caller.accountId, 'user', given);
  userNameOf(given, caller);
  const own = await findById(tx, caller.accountId, caller.userId);
  return own?.kind === 'user' ? own : fail('NoSuchEntity', 'The user who asks cannot be found.');
}

interface IamTagInput {
  readonly Key: string | undefined;
  readonly Value: string | undefined;
}

/** Tags with `given` added; keys are compared without case, as IAM does. */
export function withTags(before: readonly Tag[], given: readonly IamTagInput[] = []): readonly Tag[] {
  const tags = new Map(before.map((tag) => [tag.Key.toLowerCase(), tag]));
  const seen = new Set<string>();
  for (const { Key = '', Value = '' } of given) {
    const key = Key.toLowerCase();
    if (seen.has(key)) fail('InvalidInput', 'Duplicate tag keys found. Please note that Tag keys are case insensitive.');
    if (key.startsWith('aws:')) fail('InvalidInput', 'Tag keys that begin with aws: are reserved.');
    seen.add(key);
    tags.set(key, { Key, Value });
  }
  if (tags.size > QUOTAS.tags) fail('LimitExceeded', `The number of tags has reached the maximum limit: ${QUOTAS.tags}`);
  return [...tags.values()];
}

export function withoutTags(before: readonly Tag[], keys: readonly string[] = []): readonly Tag[] {
  const gone = new Set(keys.map((key) => key.toLowerCase()));
  return before.filter(({ Key }) => !gone.has(Key.toLowerCase()));
}
