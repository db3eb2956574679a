/**
 * The credential provider: temporary credentials for a device that has shown its certificate. Which checks there are, in
 * which order and with which answers, follows the developer guide, page authorizing-direct-aws, and what AWS's endpoint
 * is seen to answer.
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ReadTransaction, Store } from '../store/contract.ts';
import type { SessionTokens, TemporaryCredentials } from './session-tokens.ts';
import { roleAliases } from './store.ts';

/** Who asks: a device whose certificate is registered, ACTIVE and valid. */
export interface CredentialRequest {
  readonly place: Place;
  /** ARN and id of the certificate. */
  readonly principal: string;
  readonly certificateId: string;
  readonly roleAlias: string;
  /** Given by the device; it must be attached to the certificate. */
  readonly thingName?: string;
  /** Whether the certificate's policies allow iot:AssumeRoleWithCertificate on the role alias. */
  readonly allowed: () => boolean;
}

export interface IssuedCredentials extends TemporaryCredentials {
  /** ISO 8601, whole seconds. */
  readonly expiration: string;
}

export interface CredentialProviderOptions {
  readonly inRegion: (region: string) => Store;
  readonly clock: Clock;
  readonly tokens: SessionTokens;
  readonly isAttached: (tx: ReadTransaction, accountId: string, thingName: string, principal: string) => Promise<boolean>;
}

/** Fails with AccessDeniedException or ResourceNotFoundException. */
export type IssueCredentials = (request: CredentialRequest) => Promise<IssuedCredentials>;

export const credentialProvider =
  ({ inRegion, clock, tokens, isAttached }: CredentialProviderOptions): IssueCredentials =>
  async ({ place, principal, certificateId, roleAlias, thingName, allowed }) => {
    const { accountId, region } = place;
    const alias = await inRegion(region).read(async (tx) => {
      if (thingName !== undefined && !(await isAttached(tx, accountId, thingName, principal)))
        return fail('AccessDeniedException', 'Invalid thing name passed');
      return tx.get(roleAliases, [accountId, roleAlias]);
    });
    // Before anything is said of the alias: who may not use it does not learn whether it is there.
    if (!allowed()) return fail('AccessDeniedException', 'Access Denied');
    if (alias === undefined) return fail('ResourceNotFoundException', 'Role alias does not exist');
    // What is shown has whole seconds, so the credentials end with one.
    const expiresAt = Math.floor(clock.now() / 1000 + alias.credentialDurationSeconds) * 1000;
    const session = { accountId, region, roleArn: alias.roleArn, certificateId, expiresAt };
    const credentials = tokens.issue(thingName === undefined ? session : { ...session, thingName });
    return { ...credentials, expiration: new Date(expiresAt).toISOString().replace('.000Z', 'Z') };
  };
