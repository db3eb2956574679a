/**
 * Users, roles and keys with their compiled policies, for the authorization of calls. Each is cached
 * until something of the account changes, so that a call costs no reading.
 */
import type { CompiledPolicies, NamedDocument } from '../policies/compile.ts';
import { VersionedCache } from '../runtime/versioned-cache.ts';
import type { ReadTransaction, Store } from '../store/contract.ts';
import type { IamChanges } from './changes.ts';
import type { Documents } from './documents.ts';
import { defaultDocument, findPolicy } from './managed-policies.ts';
import {
  type AccessKeyRecord,
  accessKeys,
  type EntityRecord,
  entities,
  entityKey,
  type GroupRecord,
  type RoleRecord,
  type UserRecord,
} from './store.ts';
import { parseEntityArn } from './names.ts';

/** The present state of an identity. */
export interface Identity {
  readonly entity: UserRecord | RoleRecord;
  /** Its own policies, and a user's groups'. */
  readonly policies: CompiledPolicies;
  readonly boundary?: CompiledPolicies;
}

/** Identities, and keys, at most. */
const MAX_CACHED = 4_096;

/** Records of one id: an id is given once. */
export async function findById(tx: ReadTransaction, accountId: string, id: string): Promise<EntityRecord | undefined> {
  const { items } = await tx.scan(entities, { index: 'byId', prefix: [accountId, id], limit: 1 });
  return items[0];
}

/** The user or role of an ARN; undefined too when it has another path, or its name in another case. */
export async function findByArn(tx: ReadTransaction, arn: string): Promise<UserRecord | RoleRecord | undefined> {
  const named = parseEntityArn(arn);
  if (named === undefined || named.kind === 'policy' || named.kind === 'group') return undefined;
  const found = await tx.get(entities, entityKey(named.accountId, named.kind, named.name));
  if (found === undefined || found.kind === 'group') return undefined;
  return found.name === named.name && found.path === named.path ? found : undefined;
}

async function managedDocuments(tx: ReadTransaction, accountId: string, arns: readonly string[]): Promise<NamedDocument[]> {
  const found = await Promise.all(arns.map((arn) => findPolicy(tx, accountId, arn)));
  return found.map((policy, i) => ({ policyName: arns[i] ?? '', document: defaultDocument(policy) }));
}

const documentsOf = async (tx: ReadTransaction, entity: EntityRecord): Promise<NamedDocument[]> => [
  ...entity.inline.map(({ name, document }): NamedDocument => ({ policyName: name, document })),
  ...(await managedDocuments(tx, entity.accountId, entity.attached)),
];

/** Groups that a user is in. */
export async function groupsOfUser(tx: ReadTransaction, { accountId, groups }: UserRecord): Promise<GroupRecord[]> {
  const found = await Promise.all(groups.map((id) => findById(tx, accountId, id)));
  return found.filter((entity) => entity?.kind === 'group');
}

export class Identities {
  readonly store: Store;
  readonly #changes: IamChanges;
  readonly #documents: Documents;
  readonly #identities = new VersionedCache<Identity>(MAX_CACHED);
  readonly #keys = new VersionedCache<AccessKeyRecord>(MAX_CACHED);

  /** `store` is that of the whole server, not of one region. */
  constructor(store: Store, changes: IamChanges, documents: Documents) {
    this.store = store;
    this.#changes = changes;
    this.#documents = documents;
  }

  /** The user or role of an id; undefined once it is gone. */
  async byId(accountId: string, id: string): Promise<Identity | undefined> {
    // Counted before the read: a record that is read while a change commits belongs to the state before it.
    const count = this.#changes.count(accountId);
    const name = `${accountId} ${id}`;
    const known = this.#identities.get(name, count);
    if (known !== undefined) return known;
    const identity = await this.store.read((tx) => this.#read(tx, accountId, id));
    if (identity !== undefined) this.#identities.set(name, count, identity);
    return identity;
  }

  /** The key of an id; undefined when there is none. */
  async key(accessKeyId: string): Promise<AccessKeyRecord | undefined> {
    // The account of the key is known only after the read, so a change of any account voids the entry.
    const count = this.#changes.total;
    const known = this.#keys.get(accessKeyId, count);
    if (known !== undefined) return known;
    const record = await this.store.read((tx) => tx.get(accessKeys, [accessKeyId]));
    if (record !== undefined) this.#keys.set(accessKeyId, count, record);
    return record;
  }

  /** The role of an ARN. */
  async role(arn: string): Promise<RoleRecord | undefined> {
    const found = await this.store.read((tx) => findByArn(tx, arn));
    return found?.kind === 'role' ? found : undefined;
  }

  /** Compiled documents of managed policies, for sessions that are limited by them. */
  managed(accountId: string, arns: readonly string[]): Promise<CompiledPolicies> {
    return this.store.read((tx) => this.#managed(tx, accountId, arns));
  }

  async #managed(tx: ReadTransaction, accountId: string, arns: readonly string[]): Promise<CompiledPolicies> {
    return this.#documents.identity.compile(await managedDocuments(tx, accountId, arns));
  }

  inline(policyName: string, document: string): CompiledPolicies {
    return this.#documents.identity.compile([{ policyName, document }]);
  }

  trustOf(role: RoleRecord): CompiledPolicies {
    return this.#documents.trust.compile([{ policyName: 'trust policy', document: role.trust }]);
  }

  async #read(tx: ReadTransaction, accountId: string, id: string): Promise<Identity | undefined> {
    const entity = await findById(tx, accountId, id);
    if (entity === undefined || entity.kind === 'group') return undefined;
    const documents = await documentsOf(tx, entity);
    const groups = entity.kind === 'user' ? await groupsOfUser(tx, entity) : [];
    documents.push(...(await Promise.all(groups.map((group) => documentsOf(tx, group)))).flat());
    const policies = this.#documents.identity.compile(documents);
    if (entity.boundary === undefined) return { entity, policies };
    return { entity, policies, boundary: await this.#managed(tx, accountId, [entity.boundary]) };
  }
}
