/** Checks of an authorizer's record, and its description in the API. */
import { type Place, otherRegionIn } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { ReadTransaction } from '../store/contract.ts';
import { checkPublicKey } from './signing.ts';
import { type AuthorizerRecord, authorizerArn, authorizers, findAuthorizer } from './store.ts';

/** General Reference, quotas of AWS IoT Core: authorizers of an account and region, and those of them that are ACTIVE. */
const MOST = 100;
const MAX_ACTIVE = 32;
/** Keys of an authorizer at most (AWS names no number): each may cost a verification for each login. */
const MAX_KEYS = 10;

export async function getAuthorizer(tx: ReadTransaction, accountId: string, authorizerName: string): Promise<AuthorizerRecord> {
  const found = await findAuthorizer(tx, accountId, authorizerName);
  return found ?? fail('ResourceNotFoundException', `Authorizer not found: ${authorizerName}`);
}

/** Fails with InvalidRequestException unless the members of a record are consistent. */
export function checkAuthorizer(
  { authorizerName, functionArn, signingDisabled, tokenKeyName, tokenSigningPublicKeys }: AuthorizerRecord,
  isFunctionName: (name: string) => boolean,
): void {
  if (!isFunctionName(functionArn))
    fail('InvalidRequestException', 'authorizerFunctionArn is neither the ARN of a Lambda function nor an http or https URL');
  const keys = Object.entries(tokenSigningPublicKeys);
  // AWS's words (probe pf-iot-authorizer-signing-keys of cdk-preflight).
  if (!signingDisabled && tokenKeyName === undefined)
    fail('InvalidRequestException', `Token key name for authorizer ${authorizerName} cannot be null`);
  if (!signingDisabled && keys.length === 0)
    fail('InvalidRequestException', 'tokenSigningPublicKeys are required unless signing is disabled');
  if (keys.length > MAX_KEYS) fail('InvalidRequestException', `An authorizer can have at most ${MAX_KEYS} signing keys`);
  for (const [name, pem] of keys) checkPublicKey(name, pem);
}

/**
 * Fails with InvalidRequestException for a function of another region, in AWS's words (probe
 * pf-iot-authorizer-function-region).
 */
export function checkFunctionRegion(functionArn: string, authorizerName: string, place: Place): void {
  if (otherRegionIn(functionArn, 'lambda', place) !== undefined)
    fail('InvalidRequestException', `Lambda function region must be same as authorizer ${authorizerName} region`);
}

/** Fails with LimitExceededException when the record, new or about to become ACTIVE, exceeds a quota. */
export async function checkLimits(tx: ReadTransaction, { accountId, authorizerName, status }: AuthorizerRecord): Promise<void> {
  const { items } = await tx.scan(authorizers, { skipDamaged: true, prefix: [accountId] });
  const others = items.filter((each) => each.authorizerName !== authorizerName);
  if (others.length >= MOST) fail('LimitExceededException', `There can be at most ${MOST} authorizers`);
  if (status === 'ACTIVE' && others.filter((each) => each.status === 'ACTIVE').length >= MAX_ACTIVE)
    fail('LimitExceededException', `There can be at most ${MAX_ACTIVE} active authorizers`);
}

export const authorizerSummary = (place: Place, { authorizerName }: Pick<AuthorizerRecord, 'authorizerName'>) => ({
  authorizerName,
  authorizerArn: authorizerArn(place, authorizerName),
});

export const describeAuthorizer = (place: Place, record: AuthorizerRecord) => ({
  ...authorizerSummary(place, record),
  authorizerFunctionArn: record.functionArn,
  tokenKeyName: record.tokenKeyName,
  tokenSigningPublicKeys: { ...record.tokenSigningPublicKeys },
  status: record.status,
  creationDate: new Date(record.createdAt),
  lastModifiedDate: new Date(record.lastModifiedAt),
  signingDisabled: record.signingDisabled,
  enableCachingForHttp: record.enableCachingForHttp,
});
