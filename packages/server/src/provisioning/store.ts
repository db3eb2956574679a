/**
 * Records of provisioning: templates, claims, what waits for its owner, certificate providers. Times are milliseconds since the
 * epoch.
 */
import { collection } from '../store/contract.ts';

export interface TemplateVersion {
  readonly versionId: number;
  readonly body: string;
  readonly createdAt: number;
}

/** A function that is asked before a device is provisioned. */
export interface HookRecord {
  readonly targetArn: string;
  readonly payloadVersion: string;
  /** Whether the account's root wrote `targetArn`. */
  readonly byRoot: boolean;
}

export interface TemplateRecord {
  readonly accountId: string;
  readonly templateName: string;
  readonly type: 'FLEET_PROVISIONING' | 'JITP';
  readonly description?: string;
  readonly enabled: boolean;
  readonly provisioningRoleArn: string;
  readonly hook?: HookRecord;
  readonly defaultVersionId: number;
  /** Number that the next version gets. */
  readonly nextVersion: number;
  readonly versions: readonly TemplateVersion[];
  readonly createdAt: number;
  readonly lastModifiedAt: number;
}

export const provisioningTemplates = collection<TemplateRecord>('provisioning-templates', (t) => [t.accountId, t.templateName]);

/** A certificate that was made for a device, which has to show the token of this hash to have it. */
export interface OwnershipRecord {
  readonly accountId: string;
  /** SHA-256 of the token, hexadecimal. */
  readonly tokenHash: string;
  readonly certificateId: string;
  /** The principal that has asked for it. */
  readonly claim: string;
  readonly expiresAt: number;
}

export const ownerships = collection<OwnershipRecord>('certificate-ownerships', (o) => [o.accountId, o.tokenHash]);

/** How many certificates wait for their owners: of an account, where `claim` is empty, or of one claim. */
export interface OwnershipCount {
  readonly accountId: string;
  readonly claim: string;
  readonly count: number;
}

export const ownershipCounts = collection<OwnershipCount>('certificate-ownership-counts', (c) => [c.accountId, c.claim]);

/** The function that signs devices' requests over MQTT; one of an account in a region. */
export interface CertificateProviderRecord {
  readonly accountId: string;
  readonly name: string;
  readonly functionArn: string;
  /** Whether the account's root wrote `functionArn`. */
  readonly byRoot: boolean;
  readonly clientToken?: string;
  readonly createdAt: number;
  readonly lastModifiedAt: number;
}

export const certificateProviders = collection<CertificateProviderRecord>('certificate-providers', (p) => [p.accountId, p.name]);

/** A temporary claim, by the id of its certificate: over all regions, as a device names none. */
export interface ProvisioningClaimRecord {
  readonly certificateId: string;
  readonly accountId: string;
  readonly region: string;
  readonly templateName: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}

export const provisioningClaims = collection<ProvisioningClaimRecord>(
  'provisioning-claims',
  (c) => [c.certificateId],
  { byAccount: (c) => [[c.accountId, c.createdAt, c.certificateId]] },
  { scope: 'server' },
);
