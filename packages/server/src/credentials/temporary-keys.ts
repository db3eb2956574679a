/** Access keys of temporary credentials, for the verification of signatures. */
import { roleId, sessionArn } from './role-arn.ts';
import type { IdentitySession, DeviceSession, SessionTokens } from './session-tokens.ts';

export interface TemporaryKey<Permissions> {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly accountId: string;
  readonly region: string;
  readonly arn: string;
  readonly userId: string;
  readonly certificateId: string;
  readonly holder: 'device';
  readonly permissions: Permissions;
}

/** The content of the session token of an IAM identity, with its secret access key. */
export interface IdentityToken {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly session: IdentitySession;
}

/**
 * Finds the key of an id and a session token; undefined when they were not issued here. `permissionsOf` gives the
 * permissions of a device's session, those of its certificate; `identityOf` gives the identity of a session of IAM.
 */
export const temporaryKeys =
  <Permissions, Key>(
    tokens: SessionTokens,
    permissionsOf: (session: DeviceSession) => Permissions,
    identityOf: (token: IdentityToken) => Promise<Key | undefined>,
  ) =>
  async (accessKeyId: string, sessionToken: string | undefined): Promise<TemporaryKey<Permissions> | Key | undefined> => {
    const opened = sessionToken === undefined ? undefined : tokens.open(accessKeyId, sessionToken);
    if (opened === undefined || sessionToken === undefined) return undefined;
    const { session, secretAccessKey } = opened;
    if (session.kind !== undefined) return identityOf({ accessKeyId, secretAccessKey, sessionToken, session });
    const { accountId, region, roleArn, certificateId } = session;
    return {
      accessKeyId,
      secretAccessKey,
      sessionToken,
      accountId,
      region,
      arn: sessionArn(roleArn, accountId, certificateId),
      userId: `${roleId(roleArn)}:${certificateId}`,
      certificateId,
      holder: 'device',
      permissions: permissionsOf(session),
    };
  };
