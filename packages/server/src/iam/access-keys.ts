/**
 * Access keys of IAM identities, for the check of signatures: a user's own keys, and the temporary ones of role and user
 * sessions. Permissions are asked for with each use, so that a change counts at once.
 */
import type { RoleSession, SessionDevice, UserSession } from '../credentials/session-tokens.ts';
import type { IdentityToken } from '../credentials/temporary-keys.ts';
import { sessionArn } from '../credentials/role-arn.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Identities, Identity } from './identities.ts';
import type { KeyUses } from './key-uses.ts';
import { entityArn, rootArn } from './names.ts';
import { deviceKeys, identityKeys, type SessionFacts, type Use, useKeys } from './request-keys.ts';
import { type IamPermissions, type Layer, permissionsUnder } from './permissions.ts';
import type { KeyValues } from '@thingkeep/wire/api/authorization.ts';
import type { RoleRecord, UserRecord } from './store.ts';

/** A key of an IAM identity; `holder` distinguishes it from a root's and a device's. */
export interface IdentityKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly accountId: string;
  readonly arn: string;
  readonly userId: string;
  readonly holder: 'identity';
  /** Of temporary credentials. */
  readonly session?: 'role' | 'user';
  /** ARN and id of the user or role. */
  readonly entityArn: string;
  readonly entityId: string;
  /** Of a role's session that the credential provider has made for a device: it ends with the certificate. */
  readonly certificateId?: string;
  readonly permissions: (use: Use) => Promise<IamPermissions | undefined>;
  /** Called once the signature is verified. */
  readonly used?: (service: string, region: string) => void;
}

/** A root's temporary key: it may do everything, and so has no permissions to ask for. */
export type RootSessionKey = Pick<
  IdentityKey,
  'accessKeyId' | 'secretAccessKey' | 'sessionToken' | 'accountId' | 'arn' | 'userId'
> & { readonly session: 'root' };

export interface DeviceOfAccount extends SessionDevice {
  readonly accountId: string;
}

interface IdentityKeyDeps {
  readonly identities: Identities;
  readonly uses: KeyUses;
  readonly clock: Clock;
  /** Whether the root's key of this id is still one of the account. */
  readonly isRootKey: (accessKeyId: string, accountId: string) => boolean;
}

const arnOf = ({ accountId, kind, path, name }: UserRecord | RoleRecord): string => entityArn(accountId, kind, path, name);

export const layersOf = ({ policies, boundary }: Identity): Layer[] => [
  { type: 'identity-based policy', policies },
  ...(boundary === undefined ? [] : [{ type: 'permissions boundary', policies: boundary } as const]),
];

/** Tokens of earlier releases do not say when they were made: whatever revokes older sessions revokes them. */
const factsOf = (session: RoleSession | UserSession): SessionFacts => ({
  issuedAt: session.issuedAt ?? 0,
  sourceFunctionArn: session.kind === 'role' ? session.sourceFunctionArn : undefined,
});

export class IdentityKeys {
  readonly #identities: Identities;
  readonly #uses: KeyUses;
  readonly #clock: Clock;
  readonly #isRootKey: IdentityKeyDeps['isRootKey'];

  constructor({ identities, uses, clock, isRootKey }: IdentityKeyDeps) {
    this.#identities = identities;
    this.#uses = uses;
    this.#clock = clock;
    this.#isRootKey = isRootKey;
  }

  /** A user's own key; undefined when there is none that is Active. */
  async long(accessKeyId: string): Promise<IdentityKey | undefined> {
    const key = await this.#identities.key(accessKeyId);
    if (key?.status !== 'Active') return undefined;
    const { accountId, userId, secretAccessKey } = key;
    const identity = await this.#identities.byId(accountId, userId);
    if (identity === undefined) return undefined;
    return {
      accessKeyId,
      secretAccessKey,
      accountId,
      userId,
      holder: 'identity' as const,
      arn: arnOf(identity.entity),
      entityArn: arnOf(identity.entity),
      entityId: userId,
      permissions: async (use) => {
        const now = await this.#identities.key(accessKeyId);
        return now?.status === 'Active' ? this.#permissions(accountId, userId, userId, use) : undefined;
      },
      used: (service, region) => this.#uses.used(accessKeyId, service, region),
    };
  }

  /** The key of a session; undefined once its user or role is gone. `stands`: a device's certificate is still usable. */
  async temporary(
    { session, ...key }: IdentityToken,
    stands: (device: DeviceOfAccount) => Promise<boolean>,
  ): Promise<IdentityKey | RootSessionKey | undefined> {
    if (session.kind === 'role') return this.#ofRole(session, key, stands);
    return session.kind === 'root' ? this.#ofRoot(session, key) : this.#ofUser(session, key);
  }

  async #ofRole(
    session: RoleSession,
    key: Omit<IdentityToken, 'session'>,
    stands: (device: DeviceOfAccount) => Promise<boolean>,
  ): Promise<IdentityKey | undefined> {
    const { accountId, roleId, sessionName, device } = session;
    const identity = await this.#identities.byId(accountId, roleId);
    if (identity === undefined) return undefined;
    const entity = arnOf(identity.entity);
    const userId = `${roleId}:${sessionName}`;
    return {
      ...key,
      accountId,
      userId,
      holder: 'identity' as const,
      session: 'role' as const,
      arn: sessionArn(entity, accountId, sessionName),
      entityArn: entity,
      entityId: roleId,
      certificateId: device?.certificateId,
      permissions: async (use) =>
        device === undefined || (await stands({ ...device, accountId }))
          ? this.#permissions(accountId, roleId, userId, use, session)
          : undefined,
    };
  }

  async #ofUser(session: UserSession, key: Omit<IdentityToken, 'session'>): Promise<IdentityKey | undefined> {
    const { accountId, id } = session;
    const identity = await this.#identities.byId(accountId, id);
    if (identity === undefined) return undefined;
    const entity = arnOf(identity.entity);
    return {
      ...key,
      accountId,
      userId: id,
      holder: 'identity' as const,
      session: 'user' as const,
      arn: entity,
      entityArn: entity,
      entityId: id,
      permissions: (use) => this.#permissions(accountId, id, id, use, session),
    };
  }

  #ofRoot({ accountId, id }: UserSession, key: Omit<IdentityToken, 'session'>): RootSessionKey | undefined {
    if (!this.#isRootKey(id, accountId)) return undefined;
    return { ...key, accountId, arn: rootArn(accountId), userId: accountId, session: 'root' };
  }

  async #permissions(
    accountId: string,
    id: string,
    userId: string,
    use: Use,
    session?: RoleSession | UserSession,
  ): Promise<IamPermissions | undefined> {
    const identity = await this.#identities.byId(accountId, id);
    if (identity === undefined) return undefined;
    const role = session?.kind === 'role' ? session : undefined;
    const layers = [...layersOf(identity), ...(role === undefined ? [] : await this.#sessionLayers(role))];
    const keys: KeyValues = [
      ...identityKeys(identity.entity, userId, session === undefined ? undefined : factsOf(session)),
      ...deviceKeys(role?.device),
      ...useKeys(use),
    ];
    return permissionsUnder(layers, keys, this.#clock);
  }

  /** A session's document and its managed policies are one layer: each may allow, each may deny. */
  async #sessionLayers({ accountId, policy, policyArns = [] }: RoleSession): Promise<Layer[]> {
    if (policy === undefined && policyArns.length === 0) return [];
    const managed = await this.#identities.managed(accountId, policyArns);
    const inline = policy === undefined ? undefined : this.#identities.inline('session policy', policy);
    const policies =
      inline === undefined
        ? managed
        : {
            statements: [...inline.statements, ...managed.statements],
            unreadable: [...inline.unreadable, ...managed.unreadable],
          };
    return [{ type: 'session policy', policies }];
  }
}
