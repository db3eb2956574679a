/**
 * The event of a just-in-time registration: members, order and types as an event of AWS was captured, with the client's address,
 * and `null` for the registration's time. Pure.
 */
import type { Place } from '@thingkeep/wire/arn.ts';

export interface RegistrationEvent {
  readonly topic: string;
  readonly payload: Buffer;
}

/** `now` is milliseconds since the epoch. */
export function registrationEvent(
  caCertificateId: string,
  { accountId }: Place,
  { certificateId, sourceIp }: { readonly certificateId: string; readonly sourceIp: string },
  now: number,
): RegistrationEvent {
  const event = {
    certificateId,
    caCertificateId,
    timestamp: now,
    certificateStatus: 'PENDING_ACTIVATION',
    awsAccountId: accountId,
    certificateRegistrationTimestamp: null,
    sourceIp,
  };
  return { topic: `$aws/events/certificates/registered/${caCertificateId}`, payload: Buffer.from(JSON.stringify(event)) };
}
