/** Permissions of a client or an access key, and what is known of the use that they are asked for. */
import type { Decision, Rights } from '../../broker/contract.ts';
import { timeKeys } from '../../policies/condition.ts';
import type { Rights as PolicyRights } from '../../policies/evaluate.ts';
import type { Clock } from '../../runtime/clock.ts';

/** Condition keys of one request, beside those of the connection. */
export type ConditionKeys = readonly (readonly [key: string, value: string | readonly string[]])[];

/** Permissions for more than messages: connecting, and the operations of the data plane. */
export interface ClientPermissions extends Rights {
  decide(action: string, resource: string, keys?: ConditionKeys): Decision;
}

/** The use of an access key that permissions are asked for. */
export interface KeyUse {
  readonly protocol: 'mqtt' | 'http';
  readonly clientId?: string;
  readonly sourceIp: string;
  /** Region that the request is signed for. */
  readonly region?: string;
  /** Whether it came over TLS. */
  readonly secureTransport?: boolean;
  /** Headers of these names, as the client has sent them. */
  readonly userAgent?: string | undefined;
  readonly referer?: string | undefined;
  /** Host name that was asked for. */
  readonly domainName?: string | undefined;
  /** The features that a CONNECT uses, and the ARN of its will's topic: for policies of a device's certificate. */
  readonly connectAttributes?: readonly string[];
  readonly lastWillTopicArn?: string | undefined;
}

/** Permissions whose conditions on the time are evaluated by the clock; such decisions are volatile. */
export function withClock(bound: PolicyRights, clock: Clock): ClientPermissions {
  if (!bound.timeDependent) return { volatile: false, decide: (action, resource) => bound.decide(action, resource) };
  return { volatile: true, decide: (action, resource) => bound.decide(action, resource, timeKeys(clock.now())) };
}
