/** What the gateway asks of just-in-time registration, and what that asks of templates: each is handed in. */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { NamedDocument } from '../policies/compile.ts';
import type { Refusal } from '../refusals/refusals.ts';
import type { CaCertificateRecord } from '../registry/store.ts';

/** A CONNECT with a certificate that is not registered, or not activated yet. */
export interface UnknownCertificate {
  readonly certificateId: string;
  /** DER. */
  readonly certificate: Buffer;
  readonly sourceIp: string;
  /** Account and region of the domain configuration whose host name the client asked for. */
  readonly named?: Place | undefined;
}

/** A refusal with what is known of the certificate's owner. */
export type RegistrationRefusal = Pick<Refusal, 'check' | 'reason' | 'accountId' | 'region' | 'certificateId'>;

/** Why an attempt is refused. */
export type RefusalText = Pick<Refusal, 'check' | 'reason'>;

export interface AutomaticRegistration {
  /**
   * Registers the certificate where a CA with auto-registration has signed it, or tells of it once more. Gives the refusal of
   * the attempt once all of it is stored; undefined where no such CA has signed the certificate.
   */
  attempt(unknown: UnknownCertificate): Promise<RegistrationRefusal | undefined>;
}

/** A certificate that is PENDING_ACTIVATION, whose CA has a registration configuration. */
export interface JustInTimeRequest {
  readonly place: Place;
  readonly certificateId: string;
  readonly caCertificateId: string;
  readonly config: NonNullable<CaCertificateRecord['registrationConfig']>;
  /** Reserved parameters (`AWS::IoT::Certificate::...`) that the certificate has. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** Just-in-time provisioning by a template. */
export interface JustInTimeProvisioning {
  /**
   * Does what the template says by its role, the certificate's status last. What fails is an error whose message says why to
   * the account, and leaves the certificate as it is.
   */
  provision(request: JustInTimeRequest): Promise<void>;
}

/** A certificate that counts for a while without being registered: a temporary provisioning claim. */
export interface TemporaryCertificate {
  readonly place: Place;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** What it may do; nothing is attached to it. */
  readonly policies: readonly NamedDocument[];
}

export interface TemporaryCertificates {
  find(certificateId: string): Promise<TemporaryCertificate | undefined>;
}
