/** What the roles of actions may do, remembered so that a message need not wait for the answer. */
import type { FindRole } from '@thingkeep/wire/api/authorization.ts';
import type { Place } from '@thingkeep/wire/arn.ts';
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import { IOT_SERVICE } from '@thingkeep/wire/service-principals.ts';
import type { Logger } from '../runtime/log.ts';
import type { RolePermissions, Roles } from './contract.ts';

export interface KnownRolesOptions {
  readonly find: FindRole;
  /** Calls when roles or policies of an account have changed. */
  readonly onChange: (changed: (accountId: string) => void) => () => void;
  readonly log: Logger;
}

const NOTHING: RolePermissions = { may: () => false };

export class KnownRoles implements Roles {
  readonly #options: KnownRolesOptions;
  /** By account and ARN; undefined for a role that the account does not keep. */
  readonly #known = new Map<string, Map<string, RolePermissions | undefined>>();
  #asked = 0;
  /** By account and ARN: the question that was asked last. Only its answer counts. */
  readonly #newest = new Map<string, number>();
  readonly close: () => void;

  constructor(options: KnownRolesOptions) {
    this.#options = options;
    this.close = options.onChange((accountId) => {
      for (const roleArn of this.#known.get(accountId)?.keys() ?? []) void this.learn(accountId, roleArn);
    });
  }

  /** A role of a rule: until this resolves, it may do nothing. */
  async learn(accountId: string, roleArn: string): Promise<void> {
    let roles = this.#known.get(accountId);
    if (roles === undefined) {
      roles = new Map();
      this.#known.set(accountId, roles);
    }
    if (!roles.has(roleArn)) roles.set(roleArn, NOTHING);
    const key = `${accountId}/${roleArn}`;
    this.#asked += 1;
    const question = this.#asked;
    this.#newest.set(key, question);
    const found = await this.#find(accountId, roleArn);
    if (this.#newest.get(key) !== question) return;
    this.#newest.delete(key);
    if (roles.has(roleArn)) roles.set(roleArn, found);
  }

  /** As it is now; undefined for a role that the account does not keep. */
  ask(accountId: string, roleArn: string, sourceArn?: string): Promise<RolePermissions | undefined> {
    return this.#find(accountId, roleArn, sourceArn);
  }

  /** Forgets all roles of the account but these. */
  retain(accountId: string, inUse: ReadonlySet<string>): void {
    const roles = this.#known.get(accountId);
    for (const roleArn of roles?.keys() ?? []) if (!inUse.has(roleArn)) roles?.delete(roleArn);
  }

  permissionsOf({ accountId }: Place, roleArn: string): RolePermissions | undefined {
    const roles = this.#known.get(accountId);
    return roles?.has(roleArn) === true ? roles.get(roleArn) : NOTHING;
  }

  async #find(accountId: string, roleArn: string, sourceArn?: string): Promise<RolePermissions | undefined> {
    try {
      const found = await this.#options.find(accountId, roleArn, IOT_SERVICE, sourceArn);
      if (found === 'unknown-role') return undefined;
      return { may: (action, resource, keys) => found.decide(action, resource, keys).effect === 'ALLOWED' };
    } catch (error) {
      if (error instanceof ThingkeepError) return { may: () => false, fault: error.message };
      this.#options.log.error({ err: error, roleArn }, 'a role could not be read');
      return NOTHING;
    }
  }
}
