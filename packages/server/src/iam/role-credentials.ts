/** Temporary credentials of a role for a service that acts in its name: a function that runs, a rule's action, a device. */
import { fail } from '@thingkeep/wire/errors.ts';
import type { SessionDevice, SessionTokens } from '../credentials/session-tokens.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Identities } from './identities.ts';
import { parseEntityArn } from './names.ts';
import { resourceTagKeys, serviceKeys } from './request-keys.ts';
import type { KeyValues } from '@thingkeep/wire/api/authorization.ts';
import { LAMBDA_SERVICE } from '@thingkeep/wire/service-principals.ts';
import type { RoleRecord } from './store.ts';
import { trustIn } from './trust.ts';

export interface RoleCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export interface RoleCredentialsInput {
  readonly accountId: string;
  readonly roleArn: string;
  /** Service principal, such as lambda.amazonaws.com. */
  readonly service: string;
  /** 2 to 64 characters of a session's name. */
  readonly sessionName: string;
  readonly durationSeconds: number;
  /** aws:SourceArn: the ARN that the service acts for, as trust policies may require (IAM user guide, page confused-deputy). */
  readonly sourceArn?: string;
  /** The device that the credentials are for. */
  readonly device?: SessionDevice;
}

/**
 * Undefined when the account has no such role. Fails with AccessDeniedException when the role does not trust the service, with
 * ValidationError when its sessions may not last as long.
 */
export type RoleCredentialsOf = (input: RoleCredentialsInput) => Promise<RoleCredentials | undefined>;

/** The use of a role by a service; one that acts at once needs no session name. */
type RoleForService = Pick<RoleCredentialsInput, 'accountId' | 'roleArn' | 'service' | 'sourceArn'> &
  Partial<Pick<RoleCredentialsInput, 'sessionName'>>;

/** The role of an ARN of the account, once it trusts the service. Fails with AccessDeniedException. */
export async function roleForService(
  identities: Identities,
  clock: Clock,
  { accountId, roleArn, service, sourceArn, sessionName }: RoleForService,
): Promise<RoleRecord | undefined> {
  if (parseEntityArn(roleArn)?.accountId !== accountId) return undefined;
  const role = await identities.role(roleArn);
  if (role === undefined) return undefined;
  const keys: KeyValues = [
    ...serviceKeys(service),
    ...(sourceArn === undefined ? [] : [['aws:SourceArn', sourceArn] as const]),
    ...(sessionName === undefined ? [] : [['sts:RoleSessionName', sessionName] as const]),
    ...[['aws:SourceAccount', accountId] as const, ['aws:ResourceAccount', accountId] as const],
    ...resourceTagKeys(role.tags),
  ];
  const trust = trustIn(identities.trustOf(role), role, { service }, keys, clock.now());
  if (trust !== 'direct') fail('AccessDeniedException', `The trust policy of ${roleArn} does not let ${service} assume the role`);
  return role;
}

/** IAM user guide, page reference_iam-quotas: characters of a role session's name. */
const NOT_IN_NAMES = /[^\w+=,.@-]/g;

export const roleCredentials =
  ({ identities, tokens, clock }: { identities: Identities; tokens: SessionTokens; clock: Clock }): RoleCredentialsOf =>
  async (input) => {
    const role = await roleForService(identities, clock, input);
    if (role === undefined) return undefined;
    const { accountId, durationSeconds, device } = input;
    if (durationSeconds > role.maxSessionDuration)
      fail('ValidationError', 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
    const expiresAt = Math.floor(clock.now() / 1000 + durationSeconds) * 1000;
    const sessionName = input.sessionName.replace(NOT_IN_NAMES, '-').slice(0, 64);
    const sourceFunctionArn = input.service === LAMBDA_SERVICE ? input.sourceArn : undefined;
    const session = { kind: 'role', accountId, roleId: role.id, sessionName, expiresAt, device, sourceFunctionArn } as const;
    return { ...tokens.issue(session), expiresAt };
  };
