/** Records of the registry: things, thing types, certificates, CA certificates, attachments, tags. */
import { collection } from '../store/contract.ts';

export type CertificateStatus = 'ACTIVE' | 'INACTIVE' | 'REVOKED' | 'PENDING_TRANSFER' | 'PENDING_ACTIVATION';

/** How near to its end a certificate was when its owner was last told, in days: 0 once it has expired. */
export type AnnouncedDays = 30 | 7 | 1 | 0;

/** Times are milliseconds since the epoch. */
export interface CertificateRecord {
  readonly accountId: string;
  /** SHA-256 of the DER form, 64 lowercase hexadecimal digits. */
  readonly certificateId: string;
  readonly certificatePem: string;
  readonly status: CertificateStatus;
  /** Id of the CA certificate that signed it, when it was registered with one. */
  readonly caCertificateId?: string;
  readonly mode: 'DEFAULT' | 'SNI_ONLY';
  readonly createdAt: number;
  readonly lastModifiedAt: number;
  /** Counts changes; shown as `customerVersion`. */
  readonly version: number;
  readonly generationId: string;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly announcedDays?: AnnouncedDays;
  /** A certificate that was registered as REVOKED can't be activated later. */
  readonly registeredRevoked?: boolean;
  /** The last transfer to another account, under way or ended. */
  readonly transfer?: CertificateTransfer;
  /** The account that the last accepted transfer came from. */
  readonly previousOwnedBy?: string;
}

/** A certificate's way to another account. The record is the source's until it is accepted, and the target's from then on. */
export interface CertificateTransfer {
  /** The target's account id. */
  readonly to: string;
  readonly startedAt: number;
  readonly message?: string;
  /** Absent while the transfer is under way. */
  readonly ended?: { readonly by: 'accept' | 'reject' | 'cancel'; readonly at: number; readonly rejectReason?: string };
}

export interface CaCertificateRecord {
  readonly accountId: string;
  readonly certificateId: string;
  readonly certificatePem: string;
  readonly status: 'ACTIVE' | 'INACTIVE';
  readonly mode: 'DEFAULT' | 'SNI_ONLY';
  readonly autoRegistration: boolean;
  readonly registrationConfig?: { readonly templateBody?: string; readonly roleArn?: string; readonly templateName?: string };
  /** SHA-256 of the DER subject name, hexadecimal: issuers are found by it. */
  readonly subjectHash: string;
  readonly createdAt: number;
  readonly lastModifiedAt: number;
  readonly version: number;
  readonly generationId: string;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly announcedDays?: AnnouncedDays;
}

export interface ThingRecord {
  readonly accountId: string;
  readonly thingName: string;
  readonly thingId: string;
  readonly thingTypeName?: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly version: number;
  readonly createdAt: number;
  readonly billingGroupName?: string;
  /** Id of that billing group: one that is made anew under its name is another. */
  readonly billingGroupId?: string;
}

export interface ThingTypeRecord {
  readonly accountId: string;
  readonly thingTypeName: string;
  readonly thingTypeId: string;
  readonly description?: string;
  readonly searchableAttributes: readonly string[];
  readonly propagatingAttributes: readonly { userPropertyKey?: string; thingAttribute?: string; connectionAttribute?: string }[];
  readonly createdAt: number;
  /** Present once deprecated. */
  readonly deprecatedAt?: number;
}

export interface ThingPrincipalRecord {
  readonly accountId: string;
  readonly thingName: string;
  /** ARN of the certificate (or a Cognito identity id). */
  readonly principal: string;
  readonly exclusive: boolean;
}

export interface TagRecord {
  readonly accountId: string;
  readonly resourceArn: string;
  readonly tags: readonly { readonly Key: string; readonly Value: string }[];
}

export const certificates = collection<CertificateRecord>(
  'certificates',
  (c) => [c.accountId, c.certificateId],
  {
    /** Of the owner, and of the account that it is being transferred to: it is in the lists of both. */
    byCreation: (c) => [
      [c.accountId, c.createdAt, c.certificateId],
      ...(c.transfer === undefined || c.status !== 'PENDING_TRANSFER' ? [] : [[c.transfer.to, c.createdAt, c.certificateId]]),
    ],
    outgoing: (c) =>
      c.transfer === undefined || c.status !== 'PENDING_TRANSFER' ? [] : [[c.accountId, c.transfer.startedAt, c.certificateId]],
    /** What was offered to an account and is not its own, until it is offered to another one; the oldest offer first. */
    offered: (c) =>
      c.transfer === undefined || c.transfer.to === c.accountId
        ? []
        : [[c.transfer.to, c.certificateId, c.status === 'PENDING_TRANSFER' ? 0 : 1, c.transfer.startedAt]],
    byPreviousOwner: (c) => (c.previousOwnedBy === undefined ? [] : [[c.previousOwnedBy, c.certificateId]]),
    byCa: (c) => (c.caCertificateId === undefined ? [] : [[c.accountId, c.caCertificateId, c.createdAt, c.certificateId]]),
    /** What just-in-time registration has registered and nothing has activated. */
    pending: (c) =>
      c.status === 'PENDING_ACTIVATION' && c.caCertificateId !== undefined ? [[c.accountId, c.caCertificateId]] : [],
    /** By its end; a date may be before 1970. */
    byEnd: (c) => (c.status === 'REVOKED' ? [] : [[c.accountId, c.notAfter < 0 ? 0 : c.notAfter, c.certificateId]]),
    /** By the time, and 30 days, at which its owner is told that the end is near: 30, 7 and 1 day before it, and at the end. */
    byAnnouncement: (c) =>
      c.status === 'REVOKED' || c.announcedDays === 0
        ? []
        : [
            [
              c.notAfter < 0
                ? 0
                : c.notAfter +
                  (c.announcedDays === undefined ? 0 : c.announcedDays === 30 ? 23 : c.announcedDays === 7 ? 29 : 30) *
                    86_400_000,
            ],
          ],
    /** Over all accounts: the gateway knows only the certificate that a device shows. */
    byId: (c) => [[c.certificateId, c.accountId]],
  },
  { changes: 'certificate' },
);

/** How many certificates of an account are on their way to others; none has no record. */
export interface TransferCountRecord {
  readonly accountId: string;
  readonly count: number;
}

export const transferCounts = collection<TransferCountRecord>('certificate-transfer-counts', (c) => [c.accountId]);

export const caCertificates = collection<CaCertificateRecord>(
  'ca-certificates',
  (c) => [c.accountId, c.certificateId],
  {
    byCreation: (c) => [[c.accountId, c.createdAt, c.certificateId]],
    byEnd: (c) => [[c.accountId, c.notAfter < 0 ? 0 : c.notAfter, c.certificateId]],
    byAnnouncement: (c) =>
      c.announcedDays === 0
        ? []
        : [
            [
              c.notAfter < 0
                ? 0
                : c.notAfter +
                  (c.announcedDays === undefined ? 0 : c.announcedDays === 30 ? 23 : c.announcedDays === 7 ? 29 : 30) *
                    86_400_000,
            ],
          ],
    bySubject: (c) => [[c.subjectHash, c.accountId, c.certificateId]],
  },
  { changes: 'ca-certificate' },
);

/** The code that a CA's owner signs into a verification certificate; one per account. */
export interface RegistrationCodeRecord {
  readonly accountId: string;
  readonly code: string;
}

export const registrationCodes = collection<RegistrationCodeRecord>('registration-codes', (c) => [c.accountId]);

export const things = collection<ThingRecord>(
  'things',
  (t) => [t.accountId, t.thingName],
  {
    byType: (t) => (t.thingTypeName === undefined ? [] : [[t.accountId, t.thingTypeName, t.thingName]]),
    byAttribute: (t) => Object.entries(t.attributes).map(([name, value]) => [t.accountId, name, value, t.thingName]),
    byBillingGroup: (t) => (t.billingGroupId === undefined ? [] : [[t.accountId, t.billingGroupId, t.thingName]]),
  },
  { changes: 'thing' },
);

export const thingTypes = collection<ThingTypeRecord>(
  'thing-types',
  (t) => [t.accountId, t.thingTypeName],
  {},
  { changes: 'thing-type' },
);

export const thingPrincipals = collection<ThingPrincipalRecord>(
  'thing-principals',
  (p) => [p.accountId, p.thingName, p.principal],
  { byPrincipal: (p) => [[p.accountId, p.principal, p.thingName]] },
  { changes: 'thing-principal' },
);

export const tags = collection<TagRecord>('tags', (t) => [t.accountId, t.resourceArn]);
