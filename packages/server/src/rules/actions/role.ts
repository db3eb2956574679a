/** The role that an action or a function of the SQL acts with: what it may do, and its temporary credentials. */
import type { Place } from '@thingkeep/wire/arn.ts';

export interface ActionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** When they end; absent for those that do not. */
  readonly expiration?: Date;
}

/** A permission that a role must have. */
export interface RolePermission {
  /** Such as `sqs:SendMessage`. */
  readonly action: string;
  /** A whole ARN, or `*`. */
  readonly resource: string;
  /** Condition keys that are asked with this permission alone. */
  readonly keys?: readonly (readonly [key: string, value: string])[];
}

export interface ActionRole {
  /** Empty where the action names none. */
  readonly arn: string;
  /** Role and rule: what its credentials are a session of. */
  readonly session: string;
  /** Fails with ActionError unless the role allows it. */
  must(permission: RolePermission): Promise<void>;
  /** Undefined when IAM keeps no such role. Fails with ActionError when the role does not trust AWS IoT. */
  credentials(): Promise<ActionCredentials | undefined>;
}

/** ARN of a resource of the rule's place by its name; `prefix` is what stands before the name. */
export const serviceArn = (service: string, { region, accountId }: Place, prefix: string, name = ''): string =>
  `arn:aws:${service}:${region}:${accountId}:${prefix}${name}`;
