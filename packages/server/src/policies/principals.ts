/**
 * Targets and principals of policies, and the questions of the policies domain about them. Certificates, things and groups
 * belong to the registry, which this domain does not know: it is handed these few functions.
 */
import { nameInPlace, type Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { ReadTransaction, WriteTransaction } from '../store/contract.ts';

export interface PolicyTargets {
  /** Whether the certificate or thing group of this ARN exists. */
  exists(tx: ReadTransaction, accountId: string, arn: string): Promise<boolean>;
  /** Whether the ARN is a certificate's that is on its way to another account: it has no policies then. */
  isBeingTransferred(tx: ReadTransaction, accountId: string, arn: string): Promise<boolean>;
  /** Whether the ARN is a dynamic thing group's, which can have no policies (developer guide, page dynamic-thing-groups). */
  isDynamicGroup(tx: ReadTransaction, accountId: string, arn: string): Promise<boolean>;
  /** ARNs of the groups that a target inherits policies from: a group's ancestors, and none for a certificate. */
  inheritsFrom(tx: ReadTransaction, accountId: string, arn: string): Promise<readonly string[]>;
}

export interface ThingFacts {
  readonly thingName: string;
  readonly thingTypeName?: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** ARNs of its static groups, direct ones and ancestors. */
  readonly groupArns: readonly string[];
}

export interface PrincipalFacts {
  /** DER of a certificate, or undefined when there is none of this ARN. */
  certificateDer(tx: ReadTransaction, accountId: string, certificateArn: string): Promise<Uint8Array | undefined>;
  thing(tx: ReadTransaction, place: Place, thingName: string): Promise<ThingFacts | undefined>;
  isAttached(tx: ReadTransaction, accountId: string, thingName: string, principal: string): Promise<boolean>;
}

/** Tags of policies, which the registry keeps under the ARN. */
export interface PolicyTags {
  put(
    tx: WriteTransaction,
    accountId: string,
    arn: string,
    tags: readonly { readonly Key: string | undefined; readonly Value?: string | undefined }[],
  ): Promise<void>;
  remove(tx: WriteTransaction, accountId: string, arn: string): Promise<void>;
}

export type TargetKind = 'certificate' | 'group' | 'cognito';

/** API reference AttachPolicy: a certificate ARN, a thing group ARN or a Cognito identity id (`region:uuid`). */
const COGNITO = /^[a-z]{2}(?:-[a-z]{1,16}){1,3}-\d{1,2}:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The kind of the target `arn`; fails with InvalidRequestException when it can be none of this account and region. */
export function targetKind(arn: string, place: Place): TargetKind {
  return kindOf(arn, place) ?? fail('InvalidRequestException', `Invalid policy target: ${arn.slice(0, 256)}`);
}

function kindOf(arn: string, place: Place): TargetKind | undefined {
  if (nameInPlace(arn, place, 'cert') !== undefined) return 'certificate';
  if (nameInPlace(arn, place, 'thinggroup') !== undefined) return 'group';
  return COGNITO.test(arn) ? 'cognito' : undefined;
}

/** The kind of a principal: a target that is no group. The text is AWS's (probe pf-iot-policyprincipal-principal-format). */
export function principalKind(arn: string, place: Place): Exclude<TargetKind, 'group'> {
  const kind = kindOf(arn, place);
  return kind === 'certificate' || kind === 'cognito' ? kind : fail('InvalidRequestException', 'Invalid principal type');
}

/**
 * Fails with ResourceNotFoundException when the target does not exist. Cognito identities live outside and are taken as given.
 */
export async function mustExist(targets: PolicyTargets, tx: ReadTransaction, place: Place, arn: string): Promise<void> {
  const known = targetKind(arn, place) === 'cognito' || (await targets.exists(tx, place.accountId, arn));
  if (!known) fail('ResourceNotFoundException', `The policy target ${arn} does not exist.`);
}
