/**
 * The credential provider: temporary credentials for a device that is authenticated by its certificate. The checks, their
 * order and their answers follow the developer guide, page authorizing-direct-aws, and the observed answers of AWS.
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail, ThingkeepError } from '@thingkeep/wire/errors.ts';
import { CREDENTIALS_SERVICE } from '@thingkeep/wire/service-principals.ts';
import type { PrincipalFacts } from '../policies/principals.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store } from '../store/contract.ts';
import type { SessionDevice, SessionTokens, TemporaryCredentials } from './session-tokens.ts';
import { type RoleAliasRecord, roleAliasArn, roleAliases } from './store.ts';

/** The request of a device whose certificate is registered, ACTIVE and valid. */
export interface CredentialRequest {
  readonly place: Place;
  /** ARN and id of the certificate. */
  readonly principal: string;
  readonly certificateId: string;
  readonly roleAlias: string;
  /** Thing that the device names; it must be attached to the certificate. */
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
  readonly facts: Pick<PrincipalFacts, 'isAttached' | 'thing'>;
  readonly assume: AssumeRole;
}

/**
 * Assumes a role for a device. Undefined when IAM keeps no such role. Fails with AccessDeniedException when it does not trust
 * the service, with ValidationError when its sessions may not last as long.
 */
export type AssumeRole = (input: {
  readonly accountId: string;
  readonly roleArn: string;
  readonly service: string;
  readonly sessionName: string;
  readonly durationSeconds: number;
  readonly sourceArn: string;
  readonly device: SessionDevice;
}) => Promise<(TemporaryCredentials & { readonly expiresAt: number }) | undefined>;

const NO_ROLE = 'Unable to assume the role, or the role to assume does not exist';
const TOO_LONG = 'The requested CredentialDurationSeconds exceeds the MaxSessionDuration set for the role';

/** Fails with AccessDeniedException, ResourceNotFoundException or InvalidRequestException. */
export type IssueCredentials = (request: CredentialRequest) => Promise<IssuedCredentials>;

/** The answer to a device whose role can't be assumed, without the reason, as on AWS. */
function notAssumed(error: unknown): never {
  const code = error instanceof ThingkeepError ? error.code : undefined;
  if (code === 'ValidationError') fail('InvalidRequestException', TOO_LONG, {}, error);
  if (code === 'AccessDeniedException') fail('InvalidRequestException', NO_ROLE, {}, error);
  throw error;
}

const shown = ({ accessKeyId, secretAccessKey, sessionToken }: TemporaryCredentials, expiresAt: number): IssuedCredentials => ({
  accessKeyId,
  secretAccessKey,
  sessionToken,
  expiration: new Date(expiresAt).toISOString().replace('.000Z', 'Z'),
});

export function credentialProvider({ inRegion, clock, tokens, facts, assume }: CredentialProviderOptions): IssueCredentials {
  /** Finds the role alias, and the thing that the device names. */
  const find = ({ place, principal, roleAlias, thingName }: CredentialRequest) =>
    inRegion(place.region).read(async (tx) => {
      if (thingName !== undefined && !(await facts.isAttached(tx, place.accountId, thingName, principal)))
        fail(
          'AccessDeniedException',
          'Invalid thing name passed',
          {},
          new Error(`the certificate is not attached to a thing ${thingName}: aws iot attach-thing-principal`),
        );
      const thing = thingName === undefined ? undefined : await facts.thing(tx, place, thingName);
      return { alias: await tx.get(roleAliases, [place.accountId, roleAlias]), thing };
    });

  /** Issues credentials with the permissions of the certificate. */
  function ofCertificate(alias: RoleAliasRecord, { place, certificateId, thingName }: CredentialRequest): IssuedCredentials {
    const { accountId, region } = place;
    // The expiration is shown in whole seconds, so the credentials end with one.
    const expiresAt = Math.floor(clock.now() / 1000 + alias.credentialDurationSeconds) * 1000;
    const session = { accountId, region, roleArn: alias.roleArn, certificateId, expiresAt };
    return shown(tokens.issue(thingName === undefined ? session : { ...session, thingName }), expiresAt);
  }

  return async (request) => {
    const { place, certificateId, roleAlias, thingName, allowed } = request;
    const { accountId, region } = place;
    const { alias, thing } = await find(request);
    // Checked first: without permission the answer does not show whether the alias exists.
    if (!allowed()) return fail('AccessDeniedException', 'Access Denied');
    if (alias === undefined) return fail('ResourceNotFoundException', 'Role alias does not exist');
    const { roleArn, credentialDurationSeconds: durationSeconds } = alias;
    const thingTypeName = thing?.thingTypeName;
    const device = {
      certificateId,
      region,
      thingName,
      thingTypeName,
    };
    const sourceArn = roleAliasArn(place, roleAlias);
    const given = await assume({
      accountId,
      roleArn,
      service: CREDENTIALS_SERVICE,
      sessionName: certificateId,
      durationSeconds,
      sourceArn,
      device,
    }).catch(notAssumed);
    if (given !== undefined) return shown(given, given.expiresAt);
    if (alias.foreignRole === true) return ofCertificate(alias, request);
    return fail('InvalidRequestException', NO_ROLE, {}, new Error(`IAM keeps no role ${roleArn}`));
  };
}
