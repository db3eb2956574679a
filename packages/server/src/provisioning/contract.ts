/** What the gateway asks of just-in-time registration, which is handed to it. */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { Refusal } from '../refusals/refusals.ts';

/** A CONNECT with a certificate that is not registered, or not activated yet. */
export interface UnknownCertificate {
  readonly certificateId: string;
  /** DER. */
  readonly certificate: Buffer;
  readonly sourceIp: string;
  /** Account and region of the domain configuration whose host name the client asked for. */
  readonly named?: Place | undefined;
}

export type RegistrationRefusal = Pick<Refusal, 'check' | 'reason' | 'accountId' | 'region' | 'certificateId'>;

export interface AutomaticRegistration {
  /**
   * Registers the certificate where a CA with auto-registration has signed it, or tells of it once more. Gives the refusal of
   * the attempt once all of it is stored; undefined where no such CA has signed the certificate.
   */
  attempt(unknown: UnknownCertificate): Promise<RegistrationRefusal | undefined>;
}
