/** STS: GetCallerIdentity, GetAccessKeyInfo, AssumeRole, GetSessionToken (API reference of STS). */
import type { NeededPermission } from '@thingkeep/wire/api/data-permissions.ts';
import type { Caller } from '@thingkeep/wire/api/handlers.ts';
import type { StsOperations } from '@thingkeep/wire/api/operation-types.ts';
import { policySize } from '@thingkeep/wire/documents/policy.ts';
import { fail, RefusalNotes } from '@thingkeep/wire/errors.ts';
import { sessionArn } from '../credentials/role-arn.ts';
import type { IdentitySession, SessionTokens } from '../credentials/session-tokens.ts';
import type { Clock } from '../runtime/clock.ts';
import { checkIdentityPolicy } from './documents.ts';
import type { Identities } from './identities.ts';
import { findPolicy } from './managed-policies.ts';
import { parseEntityArn, rootArn } from './names.ts';
import { QUOTAS } from './quotas.ts';
import { arnOf } from './records.ts';
import { resourceTagKeys, rootKeys, type Use, useKeys } from './request-keys.ts';
import type { IamDecision } from './permissions.ts';
import type { Decision, KeyValues } from '@thingkeep/wire/api/authorization.ts';
import { accessKeys, type RoleRecord } from './store.ts';
import { type Asker, trustFault, trustIn } from './trust.ts';

/** The members of the signing key that STS uses. */
export interface SigningKey {
  readonly accessKeyId: string;
  readonly session?: 'role' | 'user' | 'root';
  readonly entityArn?: string;
  readonly entityId?: string;
  readonly permissions?: (use: Use & { readonly protocol: 'http' }) => Promise<
    | {
        readonly keys?: KeyValues;
        decide(action: string, resource: string, keys?: KeyValues): Decision & Pick<IamDecision, 'limited'>;
      }
    | undefined
  >;
}

export interface StsCaller extends Caller {
  readonly key: SigningKey;
}

type StsHandlers = {
  readonly [K in keyof StsOperations]: (
    input: StsOperations[K]['input'],
    caller: StsCaller,
  ) => Promise<StsOperations[K]['output']>;
};

type AssumeInput = StsOperations['AssumeRole']['input'];

interface StsDeps {
  readonly identities: Identities;
  readonly tokens: SessionTokens;
  readonly clock: Clock;
  /** Account of a root's key; undefined when there is none of this id. */
  readonly rootAccountOf: (accessKeyId: string) => string | undefined;
}

const DEFAULT_ROLE_SESSION = 3600;
const DEFAULT_USER_SESSION = 43_200;
/** API reference: role chaining, and credentials of the root, last an hour at most. */
const MAX_CHAINED_SESSION = 3600;
const MAX_ROOT_SESSION = 3600;

/** Operations that need no permission; AssumeRole asks the role first, and authorizes by itself (API reference of STS). */
const OPEN: ReadonlySet<string> = new Set(['GetCallerIdentity', 'GetSessionToken', 'AssumeRole']);

/** Permissions that a call of STS needs. */
export const stsNeeds = async (operation: string): Promise<readonly NeededPermission[]> =>
  OPEN.has(operation) ? [] : [{ action: `sts:${operation}`, resource: '*' }];

const notHere = (what: string): never => fail('ValidationError', `${what} are not supported here`);

/** Refuses members that would change the session's permissions, rather than ignore them. */
function checkSupported({
  Tags,
  TransitiveTagKeys,
  SerialNumber,
  TokenCode,
  SourceIdentity,
  ProvidedContexts,
}: AssumeInput): void {
  if ((Tags?.length ?? 0) + (TransitiveTagKeys?.length ?? 0) > 0) notHere('Session tags');
  if (SerialNumber !== undefined || TokenCode !== undefined) notHere('MFA devices');
  if (SourceIdentity !== undefined) notHere('Source identities');
  if ((ProvidedContexts?.length ?? 0) > 0) notHere('Provided contexts');
}

/** The owner of another account's role alone may learn whether it exists, and what its trust policy says. */
const noRole = (arn: string, accountId: string): string =>
  parseEntityArn(arn)?.accountId === accountId
    ? 'There is no such role.'
    : 'There is no such role, or its trust policy does not let the caller assume it: its account can say which.';

const refuseAssume = (
  caller: StsCaller,
  resource: string,
  { decision, advice }: { readonly decision: Decision; readonly advice: string },
): never =>
  fail(
    'AccessDeniedException',
    `User: ${caller.arn} is not authorized to perform: sts:AssumeRole on resource: ${resource}`,
    {},
    new RefusalNotes({ permission: { action: 'sts:AssumeRole', resource }, decision, advice }),
  );

export function stsOperations({ identities, tokens, clock, rootAccountOf }: StsDeps): StsHandlers {
  const issue = (session: IdentitySession) => {
    const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken } = tokens.issue(session);
    return { AccessKeyId, SecretAccessKey, SessionToken, Expiration: new Date(session.expiresAt) };
  };
  const endOf = (seconds: number): number => Math.floor(clock.now() / 1000 + seconds) * 1000;

  const asAsker = ({ accountId, arn, userId, key }: StsCaller): Asker => ({
    accountId,
    arn,
    entityArn: key.entityArn ?? rootArn(accountId),
    entityId: key.entityId ?? userId,
  });

  /** The role, once its trust policy and the caller's own policies let the caller assume it. */
  async function assumable(arn: string, input: AssumeInput, caller: StsCaller): Promise<RoleRecord> {
    const { accountId, key } = caller;
    const refuse = (advice: string, decision: Decision = { effect: 'IMPLICIT_DENY' }): never =>
      refuseAssume(caller, arn, { decision, advice });
    const { RoleSessionName = '', ExternalId } = input;
    const keys: KeyValues = [
      ['sts:RoleSessionName', RoleSessionName],
      ...(ExternalId === undefined ? [] : [['sts:ExternalId', ExternalId] as const]),
    ];
    // A caller that may not assume the role does not learn whether it exists.
    const role = (await identities.role(arn)) ?? refuse(noRole(arn, accountId));
    const permissions = await key.permissions?.({ ...caller, protocol: 'http' });
    const tags = resourceTagKeys(role.tags);
    const asker = key.permissions === undefined ? [...rootKeys(accountId), ...useKeys(caller)] : (permissions?.keys ?? []);
    const asked = [...asker, ['aws:ResourceAccount', role.accountId] as const, ...tags, ...keys];
    const question = [identities.trustOf(role), role, asAsker(caller), asked, clock.now()] as const;
    const trust = trustIn(...question);
    if (trust === 'denied' || trust === 'none')
      return refuse(role.accountId === accountId ? trustFault(...question) : noRole(arn, accountId));
    if (key.permissions === undefined) return role;
    const own = permissions?.decide('sts:AssumeRole', arn, [...tags, ...keys]);
    if (own?.effect === 'ALLOWED') return role;
    // An identity that the trust policy names needs no policy of its own; boundary and session policy still apply.
    const named = trust === 'direct' && role.accountId === accountId;
    if (named && own?.effect === 'IMPLICIT_DENY' && own.limited === undefined) return role;
    return refuse(`The policies of ${key.entityArn ?? caller.arn} do not allow it to assume the role.`, own);
  }

  async function sessionPolicies({ Policy, PolicyArns = [] }: AssumeInput, accountId: string) {
    if (Policy !== undefined) {
      checkIdentityPolicy(Policy);
      if (policySize(Policy) > QUOTAS.sessionPolicy)
        fail('PackedPolicyTooLarge', `The session policy has more than ${QUOTAS.sessionPolicy} characters`);
    }
    const arns = PolicyArns.map(({ arn = '' }) => arn);
    if (arns.length > QUOTAS.sessionPolicyArns)
      fail('PackedPolicyTooLarge', `A session has at most ${QUOTAS.sessionPolicyArns} managed policies`);
    for (const arn of arns)
      if ((await identities.store.read((tx) => findPolicy(tx, accountId, arn))) === undefined)
        fail('ValidationError', `The policy ${arn} was not found`);
    return { policy: Policy, policyArns: arns.length === 0 ? undefined : arns };
  }

  function checkDuration(seconds: number, role: RoleRecord, caller: StsCaller): void {
    if (seconds > role.maxSessionDuration)
      fail('ValidationError', 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
    if (caller.key.session === 'role' && seconds > MAX_CHAINED_SESSION)
      fail(
        'ValidationError',
        'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
      );
  }

  return {
    async GetCallerIdentity(_, { arn, userId, accountId }) {
      return { UserId: userId, Account: accountId, Arn: arn };
    },

    // A caller with the permission may ask for any key of this server, as on AWS.
    async GetAccessKeyInfo({ AccessKeyId = '' }) {
      const record = await identities.store.read((tx) => tx.get(accessKeys, [AccessKeyId]));
      const account = rootAccountOf(AccessKeyId) ?? record?.accountId;
      return { Account: account ?? fail('ValidationError', 'The access key belongs to no account here') };
    },

    async AssumeRole(input, caller) {
      const { RoleArn = '', RoleSessionName: sessionName = '', DurationSeconds = DEFAULT_ROLE_SESSION } = input;
      checkSupported(input);
      const role = await assumable(RoleArn, input, caller);
      checkDuration(DurationSeconds, role, caller);
      const { accountId } = role;
      const policies = await sessionPolicies(input, accountId);
      const session = {
        kind: 'role',
        accountId,
        roleId: role.id,
        sessionName,
        expiresAt: endOf(DurationSeconds),
        ...policies,
      } as const;
      return {
        Credentials: issue(session),
        AssumedRoleUser: { AssumedRoleId: `${role.id}:${sessionName}`, Arn: sessionArn(arnOf(role), accountId, sessionName) },
        PackedPolicySize:
          input.Policy === undefined ? undefined : Math.ceil((policySize(input.Policy) / QUOTAS.sessionPolicy) * 100),
      };
    },

    async GetSessionToken({ DurationSeconds, SerialNumber, TokenCode }, { accountId, key }) {
      if (SerialNumber !== undefined || TokenCode !== undefined) notHere('MFA devices');
      if (key.session !== undefined) fail('AccessDeniedException', 'Cannot call GetSessionToken with session credentials');
      const { entityId } = key;
      // More than the root may have is cut, as the API reference says.
      if (entityId === undefined) {
        const seconds = Math.min(DurationSeconds ?? MAX_ROOT_SESSION, MAX_ROOT_SESSION);
        return { Credentials: issue({ kind: 'root', accountId, id: key.accessKeyId, expiresAt: endOf(seconds) }) };
      }
      const expiresAt = endOf(DurationSeconds ?? DEFAULT_USER_SESSION);
      return { Credentials: issue({ kind: 'user', accountId, id: entityId, expiresAt }) };
    },
  };
}
