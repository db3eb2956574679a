/** The authorization of a request: the use of an access key, the keys of conditions, and the decision. */

/** Keys of conditions, with their values. */
export type KeyValues = readonly (readonly [key: string, value: string | readonly string[]])[];

/** The decision of policies, in the words of TestAuthorization. */
export interface Decision {
  readonly effect: 'ALLOWED' | 'EXPLICIT_DENY' | 'IMPLICIT_DENY';
  /** The policy that decided; none for an implicit deny. */
  readonly policyName?: string;
  /** Its statement: the Sid, or `#` and the place counted from 1. */
  readonly statement?: string;
  /** What the policies have that differs from the request, in words. Costs more than the decision: it is for refusals. */
  readonly explain?: () => string;
}

/** Permissions of a caller that may do less than everything. */
export interface CallerPermissions {
  /** Whether tags of what is asked for have to be among the keys of the question. */
  readonly asksForResource?: boolean;
  decide(action: string, resource: string, keys?: KeyValues): Decision;
}

/**
 * Permissions of a role as a service may use them now; `unknown-role` where the account keeps none of this ARN. Fails with
 * AccessDeniedException where it does not trust the service. `sourceArn` is the resource that the service assumes the role for,
 * which trust policies may ask for (condition key `aws:SourceArn`).
 */
export type FindRole = (
  accountId: string,
  roleArn: string,
  service: string,
  sourceArn?: string,
) => Promise<'unknown-role' | CallerPermissions>;

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
  /** Of AWS IoT's data plane: the host name that was asked for. */
  readonly domainName?: string | undefined;
  /** The features that a CONNECT uses, and the ARN of its will's topic: for policies of a device's certificate. */
  readonly connectAttributes?: readonly string[];
  readonly lastWillTopicArn?: string | undefined;
}

/** The input of a call, member by member. */
export type CallInput = Readonly<Record<string, unknown>>;
