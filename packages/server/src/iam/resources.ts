/**
 * Resources of IAM's own operations, as policies name them (Service Authorization Reference, AWS Identity and Access
 * Management).
 */
import type { CallInput } from '@thingkeep/wire/api/authorization.ts';
import type { NeededPermission } from '@thingkeep/wire/api/data-permissions.ts';
import type { Caller } from '@thingkeep/wire/api/handlers.ts';
import type { Store } from '../store/contract.ts';
import { findById } from './identities.ts';
import { type EntityKind, entityArn } from './names.ts';
import { arnOf } from './records.ts';
import { accessKeys, type EntityRecord, entities, entityKey } from './store.ts';

const text = (input: CallInput, name: string): string | undefined => (typeof input[name] === 'string' ? input[name] : undefined);

/** Members that name an entity; the first that is given is the resource of the call. */
const NAMES: readonly (readonly [member: string, kind: EntityKind])[] = [
  ['GroupName', 'group'],
  ['RoleName', 'role'],
  ['UserName', 'user'],
];

/** Operations on the calling user, where they name no other. */
const OF_ONESELF =
  /^(?:GetUser|CreateAccessKey|ListAccessKeys|UpdateAccessKey|DeleteAccessKey|ChangePassword|(?:Create|Get|Delete)LoginProfile|List(?:MFADevices|SSHPublicKeys|SigningCertificates|ServiceSpecificCredentials))$/;

/** Condition keys, and the members that have their values (Service Authorization Reference, condition keys of IAM). */
const KEYS: readonly (readonly [member: string, key: string])[] = [
  ['PermissionsBoundary', 'iam:PermissionsBoundary'],
  ['PolicyArn', 'iam:PolicyARN'],
];

interface CallSubject {
  readonly resources: readonly string[];
  /** The boundary of the entity at present. */
  readonly boundary?: string | undefined;
}

export class IamResources {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Permissions that a call of IAM needs. */
  async needed(operation: string, input: object, caller: Caller): Promise<readonly NeededPermission[]> {
    const given = input as CallInput;
    const keys = KEYS.flatMap(([member, key]) => {
      const value = text(given, member);
      return value === undefined ? [] : [[key, value] as const];
    });
    const about = await this.#about(operation, given, caller);
    // Where a call names no boundary, the key has the present boundary of the entity.
    const bounded = about.boundary === undefined ? [] : [['iam:PermissionsBoundary', about.boundary] as const];
    return about.resources.map((resource) => ({ action: `iam:${operation}`, resource, keys: [...bounded, ...keys] }));
  }

  async #about(operation: string, input: CallInput, caller: Caller): Promise<CallSubject> {
    const { accountId } = caller;
    const path = text(input, 'Path') ?? '/';
    if (operation === 'CreatePolicy')
      return { resources: [entityArn(accountId, 'policy', path, text(input, 'PolicyName') ?? '')] };
    for (const [member, kind] of NAMES) {
      const name = text(input, member);
      if (name === undefined) continue;
      if (operation.toLowerCase() === `create${kind}`) return { resources: [entityArn(accountId, kind, path, name)] };
      const found = await this.#found(accountId, kind, name);
      // A name that no entity has gets the ARN of an entity without a path.
      const arn = found === undefined ? entityArn(accountId, kind, '/', name) : arnOf(found);
      if (operation !== 'UpdateUser' && operation !== 'UpdateGroup') return { resources: [arn], boundary: found?.boundary };
      // Both the present and the new name (IAM user guide, page id_users_manage).
      const newPath = text(input, 'NewPath') ?? found?.path ?? '/';
      return { resources: [arn, entityArn(accountId, kind, newPath, text(input, `New${member}`) ?? name)] };
    }
    const arn = text(input, 'PolicyArn') ?? text(input, 'PolicySourceArn');
    return { resources: [arn ?? (await this.#ofKeyOrOneself(operation, input, caller))] };
  }

  async #found(accountId: string, kind: EntityKind, name: string): Promise<EntityRecord | undefined> {
    const found = await this.#store.read((tx) => tx.get(entities, entityKey(accountId, kind, name)));
    return found?.name === name ? found : undefined;
  }

  async #ofKeyOrOneself(operation: string, input: CallInput, { accountId, arn }: Caller): Promise<string> {
    if (OF_ONESELF.test(operation)) return arn;
    const accessKeyId = operation === 'GetAccessKeyLastUsed' ? text(input, 'AccessKeyId') : undefined;
    if (accessKeyId === undefined) return '*';
    const user = await this.#store.read(async (tx) => {
      const key = await tx.get(accessKeys, [accessKeyId]);
      return key?.accountId === accountId ? findById(tx, accountId, key.userId) : undefined;
    });
    return user === undefined ? '*' : arnOf(user);
  }
}
