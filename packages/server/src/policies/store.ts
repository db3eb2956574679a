/** Records of the policies domain. */
import { collection } from '../store/contract.ts';

export interface PolicyVersionRecord {
  /** "1", "2", ... never used again after deletion. */
  readonly versionId: string;
  /** The document exactly as it was sent. */
  readonly document: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

export interface PolicyRecord {
  readonly accountId: string;
  readonly policyName: string;
  readonly createdAt: number;
  readonly lastModifiedAt: number;
  /** Counts changes; shown as `generationId`. */
  readonly generation: number;
  readonly defaultVersionId: string;
  /** Number that the next version gets. */
  readonly nextVersion: number;
  readonly versions: readonly PolicyVersionRecord[];
}

export interface PolicyAttachmentRecord {
  readonly accountId: string;
  readonly policyName: string;
  /** ARN of the certificate or thing group, or a Cognito identity id. */
  readonly target: string;
  readonly attachedAt: number;
}

export const policies = collection<PolicyRecord>(
  'policies',
  (p) => [p.accountId, p.policyName],
  {
    byCreation: (p) => [[p.accountId, p.createdAt, p.policyName]],
  },
  { changes: 'policy' },
);

export const policyAttachments = collection<PolicyAttachmentRecord>(
  'policy-attachments',
  (a) => [a.accountId, a.policyName, a.target],
  {
    byTarget: (a) => [[a.accountId, a.target, a.attachedAt, a.policyName]],
    byPolicy: (a) => [[a.accountId, a.policyName, a.attachedAt, a.target]],
  },
  { changes: 'policy-attachment' },
);
