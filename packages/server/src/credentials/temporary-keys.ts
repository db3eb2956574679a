/** Access keys of temporary credentials, as whoever proves signatures asks for them. */
import { roleId, sessionArn } from './role-arn.ts';
import type { Session, SessionTokens } from './session-tokens.ts';

export interface TemporaryKey<Rights> {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly accountId: string;
  readonly region: string;
  readonly arn: string;
  readonly userId: string;
  readonly certificateId: string;
  readonly rights: Rights;
}

/**
 * Finds the key of an id and a session token; undefined when they were not issued here. `rightsOf` gives what the holder
 * of a session may do: until there are IAM roles, that is what its certificate's own policies allow.
 */
export const temporaryKeys =
  <Rights>(tokens: SessionTokens, rightsOf: (session: Session) => Rights) =>
  (accessKeyId: string, sessionToken: string | undefined): TemporaryKey<Rights> | undefined => {
    const opened = sessionToken === undefined ? undefined : tokens.open(accessKeyId, sessionToken);
    if (opened === undefined || sessionToken === undefined) return undefined;
    const { session, secretAccessKey } = opened;
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
      rights: rightsOf(session),
    };
  };
