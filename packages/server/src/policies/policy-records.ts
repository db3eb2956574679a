/** Making a policy and attaching one, in a transaction. */
import { iotArn, type Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { ReadTransaction, WriteTransaction } from '../store/contract.ts';
import { mustExist, type PolicyTargets, targetKind } from './principals.ts';
import { type PolicyRecord, policies, policyAttachments } from './store.ts';

/** General Reference, AWS IoT Core quotas: policies on a certificate or Cognito identity, and on a thing group. */
const MAX_ON_A_PRINCIPAL = 10;
const MAX_ON_A_GROUP = 2;

export const policyArn = (place: Place, policyName: string): string => iotArn(place, 'policy', policyName);

export async function getPolicyRecord(tx: ReadTransaction, accountId: string, policyName: string): Promise<PolicyRecord> {
  return (
    (await tx.get(policies, [accountId, policyName])) ?? fail('ResourceNotFoundException', `Policy not found: ${policyName}`)
  );
}

/** Makes a policy of a document that has been checked. */
export async function createPolicy(
  tx: WriteTransaction,
  place: Place,
  { policyName, document }: { readonly policyName: string; readonly document: string },
  now: number,
): Promise<void> {
  const { accountId } = place;
  if ((await tx.get(policies, [accountId, policyName])) !== undefined) {
    const members = { resourceId: policyName, resourceArn: policyArn(place, policyName) };
    fail('ResourceAlreadyExistsException', `Policy cannot be created - name already exists (name=${policyName})`, members);
  }
  await tx.put(policies, {
    accountId,
    policyName,
    createdAt: now,
    lastModifiedAt: now,
    generation: 1,
    defaultVersionId: '1',
    nextVersion: 2,
    versions: [{ versionId: '1', document, createdAt: now }],
  });
}

/** Attaches a policy to a certificate, group or Cognito identity; one that is attached stays so. */
export async function attachPolicy(
  tx: WriteTransaction,
  place: Place,
  { policyName, target }: { readonly policyName: string; readonly target: string },
  { targets, now }: { readonly targets: PolicyTargets; readonly now: number },
): Promise<void> {
  const { accountId } = place;
  const most = targetKind(target, place) === 'group' ? MAX_ON_A_GROUP : MAX_ON_A_PRINCIPAL;
  await getPolicyRecord(tx, accountId, policyName);
  await mustExist(targets, tx, place, target);
  if (await targets.isBeingTransferred(tx, accountId, target))
    fail('InvalidRequestException', `The certificate is being transferred to another account: ${target}`);
  if (await targets.isDynamicGroup(tx, accountId, target))
    fail('InvalidRequestException', `Policies can not be attached to a dynamic thing group: ${target}`);
  if ((await tx.get(policyAttachments, [accountId, policyName, target])) !== undefined) return;
  const present = await tx.scan(policyAttachments, { index: 'byTarget', prefix: [accountId, target], limit: most });
  if (present.items.length >= most) {
    fail('LimitExceededException', `The target ${target} already has the maximum number of policies (${most})`);
  }
  await tx.put(policyAttachments, { accountId, policyName, target, attachedAt: now });
}
