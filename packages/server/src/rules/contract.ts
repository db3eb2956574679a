/** What the rules engine asks of other domains. */
import type { Place } from '@thingkeep/wire/arn.ts';

/** What a role of the account lets the rules engine do. */
export interface RolePermissions {
  /** Why the role can't be assumed at all, and so allows nothing. */
  readonly fault?: string;
  /** `keys` are condition keys of this question alone. */
  may(action: string, resource: string, keys?: readonly (readonly [key: string, value: string])[]): boolean;
}

export interface Roles {
  /** A rule in force names the role: {@link permissionsOf} knows it once this resolves. */
  learn(accountId: string, roleArn: string): Promise<void>;
  /** Rules in force name these roles of the account, and no other. */
  retain(accountId: string, inUse: ReadonlySet<string>): void;
  /** Permissions of the role that an action names; undefined when the account keeps none of that ARN. */
  permissionsOf(place: Place, roleArn: string): RolePermissions | undefined;
}
