/** Access keys: what the API's front asks of whoever keeps them. */
import type { Decision, KeyUse, KeyValues } from '@thingkeep/wire/api/authorization.ts';

export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly accountId: string;
  /** ARN and unique id of the identity, as GetCallerIdentity shows them. */
  readonly arn: string;
  readonly userId: string;
  /** Temporary credentials carry one; a request must then bring the same. */
  readonly sessionToken?: string;
  /** The one region that the key is good for; absent for a key of the whole account. */
  readonly region?: string;
  /** Certificate that the key was got with: changes of its permissions are the key's too. */
  readonly certificateId?: string;
  /**
   * Whose key it is that has less than every permission of its account: an IAM identity's, authorized for every operation,
   * or a device's, which has the data plane alone.
   */
  readonly holder?: 'identity' | 'device';
  /** Of temporary credentials of an IAM role, user or root. */
  readonly session?: 'role' | 'user' | 'root';
  /** Of an IAM identity: ARN and unique id of the user or role. */
  readonly entityArn?: string;
  readonly entityId?: string;
  /** Of a root's key: whether it has been taken away since it signed. */
  readonly isGone?: () => boolean;
  /** To be called once a signature with the key is proven. */
  readonly used?: (service: string, region: string) => void;
  /**
   * Permissions of a key that has less than all of its account: asked for each use, since they may have changed. Undefined is
   * answered when the identity of the key has no permissions any more. A key without this member may do everything.
   */
  readonly permissions?: (use: KeyUse) => Promise<KeyPermissions | undefined>;
}

/** A decision about a key, with what AWS tells of it. */
export interface KeyDecision extends Decision {
  /** Kind of the IAM policy that denied, or that did not allow. */
  readonly policyType?: string;
  /** What limits the key's own policies, a boundary or a session policy, does not allow it. */
  readonly limited?: true;
}

export interface KeyPermissions {
  /** Whether answers change with time. */
  readonly volatile: boolean;
  /** Whether tags of what is asked for have to be among the keys of the question. */
  readonly asksForResource?: boolean;
  /** Keys that stand in every question. */
  readonly keys?: KeyValues;
  decide(action: string, resource: string, keys?: KeyValues): KeyDecision;
}

/**
 * The key of this id; undefined when there is none, or when the session token is not the one that came with it. Fails
 * with ExpiredTokenException for temporary credentials whose time is over.
 */
export type FindAccessKey = (accessKeyId: string, sessionToken?: string) => Promise<AccessKey | undefined>;

export interface AccessKeySources {
  /** Keys of accounts' roots: they come before all others. */
  readonly roots: { get(id: string): Pick<AccessKey, 'accessKeyId' | 'secretAccessKey' | 'accountId'> | undefined };
  /** Keys of IAM users. */
  readonly long: (id: string) => Promise<AccessKey | undefined>;
  readonly temporary: (id: string, sessionToken: string) => Promise<AccessKey | undefined>;
}

/** Looks a key up where keys of its kind are kept. */
export const accessKeyFinder =
  ({ roots, long, temporary }: AccessKeySources): FindAccessKey =>
  async (id, sessionToken) => {
    const key = roots.get(id);
    if (key === undefined) return sessionToken === undefined ? long(id) : temporary(id, sessionToken);
    const isGone = (): boolean => roots.get(id)?.secretAccessKey !== key.secretAccessKey;
    return { ...key, arn: `arn:aws:iam::${key.accountId}:root`, userId: key.accountId, isGone };
  };
