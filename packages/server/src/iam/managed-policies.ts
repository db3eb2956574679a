/** Managed policies by ARN: those of an account, which are records, and those that AWS makes, which are data. */
import { createHash } from 'node:crypto';
import type { ReadTransaction } from '../store/contract.ts';
import { AWS_MANAGED_POLICIES, type AwsManagedPolicy } from './aws-managed-policies.ts';
import { entityArn, parseEntityArn } from './names.ts';
import { type ManagedPolicyRecord, managedPolicies } from './store.ts';

/** Account in the ARNs of AWS's own policies. */
const AWS = 'aws';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** The same in every server, as it is the same in every account. */
const idOf = (name: string): string =>
  `ANPA${[...createHash('sha256').update(name).digest().subarray(0, 17)].map((byte) => BASE32[byte & 31]).join('')}`;

/** Only the newest version of a policy of AWS's is kept. */
function recordOf({ path, name, version, created, updated, statements }: AwsManagedPolicy): ManagedPolicyRecord {
  const versionId = `v${version}`;
  const updatedAt = Date.parse(updated);
  const document = JSON.stringify({
    Version: '2012-10-17',
    Statement: statements.map((statement) => ({ Effect: 'Allow', ...statement })),
  });
  return {
    accountId: AWS,
    name,
    path,
    id: idOf(name),
    tags: [],
    createdAt: Date.parse(created),
    updatedAt,
    versions: [{ versionId, document, createdAt: updatedAt }],
    defaultVersionId: versionId,
    nextVersion: version + 1,
  };
}

export const policyArnOf = ({ accountId, path, name }: ManagedPolicyRecord): string => entityArn(accountId, 'policy', path, name);

/** AWS's own, by ARN. */
export const AWS_MANAGED: ReadonlyMap<string, ManagedPolicyRecord> = new Map(
  AWS_MANAGED_POLICIES.map(recordOf).map((record) => [policyArnOf(record), record]),
);

/** The policy of an ARN, as far as `accountId` may use it: its own and AWS's. */
export async function findPolicy(tx: ReadTransaction, accountId: string, arn: string): Promise<ManagedPolicyRecord | undefined> {
  const known = AWS_MANAGED.get(arn);
  if (known !== undefined) return known;
  const named = parseEntityArn(arn);
  if (named?.kind !== 'policy' || named.accountId !== accountId) return undefined;
  const record = await tx.get(managedPolicies, [accountId, named.name.toLowerCase()]);
  return record !== undefined && policyArnOf(record) === arn ? record : undefined;
}

/** The document in force; a policy or version that is gone is unreadable, and so denies. */
export const defaultDocument = (policy: ManagedPolicyRecord | undefined): string =>
  policy?.versions.find(({ versionId }) => versionId === policy.defaultVersionId)?.document ?? '';
