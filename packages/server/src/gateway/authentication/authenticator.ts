/** The contract of an authenticator: who a client is and what it may do, from its connection attempt. */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { Admission, AdmissionRefusal } from '../../broker/contract.ts';
import type { Connect } from '../../mqtt/connect.ts';
import type { ClientPermissions } from '../authorization/permissions.ts';
import type { ConnectionAttempt } from './connection-attempt.ts';

/** The sender of an HTTPS request: an identity without an MQTT session. */
export interface RequestIdentity {
  readonly place: Place;
  readonly principal: string;
  readonly permissions: ClientPermissions;
  /** True for an access key that may do whatever its account may. */
  readonly everything?: boolean;
  /** True where IAM's policies say what it may do, and not those of devices. */
  readonly isIamIdentity?: boolean;
}

/** A kind of authentication: X.509, SigV4 or custom. */
export interface Authenticator {
  /**
   * Authenticates a CONNECT and authorizes it: when it comes, and again whenever permissions may have changed. Never
   * rejects: a failure inside is a refusal too.
   */
  authenticate(attempt: ConnectionAttempt, connect: Connect): Promise<Admission | AdmissionRefusal>;
  /** Authenticates the sender of one HTTPS request. */
  authenticateRequest(attempt: ConnectionAttempt): Promise<RequestIdentity | AdmissionRefusal>;
}
