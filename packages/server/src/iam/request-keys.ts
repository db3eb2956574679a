/** Keys that conditions may ask about a request (IAM user guide, page reference_policies_condition-keys). */
import type { SessionDevice } from '../credentials/session-tokens.ts';
import { entityArn } from './names.ts';
import type { KeyValues } from './rights.ts';
import type { RoleRecord, UserRecord } from './store.ts';

/** What somebody who signs with a key is about to do. */
export interface Use {
  readonly sourceIp: string;
  /** Region that the request is signed for. */
  readonly region?: string;
}

/** Address without the prefix that a socket of both families puts before an IPv4 one. */
const plainAddress = (address: string): string => (address.startsWith('::ffff:') ? address.slice(7) : address);

/** Keys of the user or role. `userId` is that of the session for a role. */
export function identityKeys(entity: UserRecord | RoleRecord, userId: string, temporary: boolean): KeyValues {
  const { accountId, kind, path, name, tags } = entity;
  return [
    ['aws:PrincipalArn', entityArn(accountId, kind, path, name)],
    ['aws:PrincipalAccount', accountId],
    ['aws:PrincipalType', kind === 'user' ? 'User' : 'AssumedRole'],
    ['aws:PrincipalIsAWSService', 'false'],
    ['aws:userid', userId],
    ...(kind === 'user' ? [['aws:username', name] as const] : []),
    // As for AWS's keys: long-term ones know nothing of a second factor, temporary ones say that there was none.
    ...(temporary ? [['aws:MultiFactorAuthPresent', 'false'] as const] : []),
    ...tags.map(({ Key, Value }) => [`aws:PrincipalTag/${Key}`, Value] as const),
  ];
}

/** What is known of a device that a role was assumed for (AWS IoT developer guide, page authorizing-direct-aws). */
export function deviceKeys(device: SessionDevice | undefined): KeyValues {
  if (device === undefined) return [];
  const { certificateId, thingName, thingTypeName } = device;
  return [
    ['credentials-iot:AwsCertificateId', certificateId],
    ...(thingName === undefined ? [] : [['credentials-iot:ThingName', thingName] as const]),
    ...(thingTypeName === undefined ? [] : [['credentials-iot:ThingTypeName', thingTypeName] as const]),
  ];
}

/** Keys of the request, beside those of the clock. */
export const useKeys = ({ sourceIp, region }: Use): KeyValues => [
  ['aws:SourceIp', plainAddress(sourceIp)],
  ...(region === undefined ? [] : [['aws:RequestedRegion', region] as const]),
];
