/** Keys that conditions may ask about a request (IAM user guide, page reference_policies_condition-keys). */
import type { SessionDevice } from '../credentials/session-tokens.ts';
import { entityArn, rootArn } from './names.ts';
import type { KeyUse, KeyValues } from '@thingkeep/wire/api/authorization.ts';
import type { RoleRecord, Tag, UserRecord } from './store.ts';

/** The use of a key, as far as IAM's conditions ask about it. */
export type Use = Omit<KeyUse, 'protocol' | 'connectAttributes' | 'lastWillTopicArn'>;

/** Of temporary credentials: when they were made, and for which function. */
export interface SessionFacts {
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
  readonly sourceFunctionArn?: string | undefined;
}

/** Address without the prefix that a socket of both families puts before an IPv4 one. */
const plainAddress = (address: string): string => (address.startsWith('::ffff:') ? address.slice(7) : address);

/** A key without a value is not in the request. */
const present = (key: string, value: string | undefined): KeyValues =>
  value === undefined || value === '' ? [] : [[key, value]];

/** Keys of the user or role. `userId` is that of the session for a role; `session` there for temporary credentials alone. */
export function identityKeys(entity: UserRecord | RoleRecord, userId: string, session?: SessionFacts): KeyValues {
  const { accountId, kind, path, name, tags } = entity;
  return [
    ['aws:PrincipalArn', entityArn(accountId, kind, path, name)],
    ['aws:PrincipalAccount', accountId],
    ['aws:PrincipalType', kind === 'user' ? 'User' : 'AssumedRole'],
    ['aws:PrincipalIsAWSService', 'false'],
    ['aws:ViaAWSService', 'false'],
    ['aws:userid', userId],
    ...present('aws:username', kind === 'user' ? name : undefined),
    ...(session === undefined ? [] : sessionKeys(session)),
    ...tags.map(({ Key, Value }) => [`aws:PrincipalTag/${Key}`, Value] as const),
  ];
}

/** As for AWS's keys: long-term ones know nothing of a second factor, temporary ones say that there was none. */
const sessionKeys = ({ issuedAt, sourceFunctionArn }: SessionFacts): KeyValues => [
  ['aws:TokenIssueTime', new Date(issuedAt).toISOString()],
  ['aws:MultiFactorAuthPresent', 'false'],
  ...present('lambda:SourceFunctionArn', sourceFunctionArn),
];

/** Keys of an account's root, which no policy but a role's trust policy binds. */
export const rootKeys = (accountId: string): KeyValues => [
  ['aws:PrincipalArn', rootArn(accountId)],
  ['aws:PrincipalAccount', accountId],
  ['aws:PrincipalType', 'Account'],
  ['aws:PrincipalIsAWSService', 'false'],
  ['aws:ViaAWSService', 'false'],
  ['aws:userid', accountId],
];

/** Keys of a service that assumes a role, within the server. */
export const serviceKeys = (service: string): KeyValues => [
  ['aws:PrincipalIsAWSService', 'true'],
  ['aws:PrincipalServiceName', service],
  ['aws:PrincipalServiceNamesList', [service]],
  ['aws:ViaAWSService', 'false'],
  ['aws:SecureTransport', 'true'],
];

/** Tags of the resource: under the key of every service, and under that of IAM. */
export const resourceTagKeys = (tags: readonly Tag[]): KeyValues =>
  tags.flatMap(({ Key, Value }) => [[`aws:ResourceTag/${Key}`, Value] as const, [`iam:ResourceTag/${Key}`, Value] as const]);

/** Keys of the device that a role was assumed for (AWS IoT developer guide, page authorizing-direct-aws). */
export function deviceKeys(device: SessionDevice | undefined): KeyValues {
  if (device === undefined) return [];
  const { certificateId, thingName, thingTypeName } = device;
  return [
    ['credentials-iot:AwsCertificateId', certificateId],
    ...present('credentials-iot:ThingName', thingName),
    ...present('credentials-iot:ThingTypeName', thingTypeName),
  ];
}

/** Keys of the request without those of the clock. */
export const useKeys = (use: Use): KeyValues => [
  ['aws:SourceIp', plainAddress(use.sourceIp)],
  ['aws:SecureTransport', String(use.secureTransport ?? false)],
  ...present('aws:RequestedRegion', use.region),
  ...present('aws:UserAgent', use.userAgent),
  ...present('aws:Referer', use.referer),
  ...present('ec2:Region', use.region),
  ...present('iot:DomainName', use.domainName),
  ...present('iot:ClientId', use.clientId),
];
