/** Keeping, changing and deleting a device certificate's record in a transaction, with the claim on its id. */
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { IssuedCertificate } from '../authority/authority.ts';
import { policyAttachments } from '../policies/store.ts';
import { claim, noteStatus, release } from '../store/claims.ts';
import type { WriteTransaction } from '../store/contract.ts';
import { certificateArn, getCertificate, isBeingTransferred, newCertificate, withStatus } from './certificates.ts';
import { type CertificateRecord, certificates, thingPrincipals } from './store.ts';

/** Keeps a certificate that the server's authority has issued. */
export async function keepIssuedCertificate(
  tx: WriteTransaction,
  { accountId, region }: Place,
  { certificateId, certificatePem, notBefore, notAfter }: IssuedCertificate,
  status: 'ACTIVE' | 'INACTIVE' | 'PENDING_ACTIVATION',
  now: number,
): Promise<CertificateRecord> {
  const record = newCertificate({ accountId, certificateId, certificatePem, status, mode: 'DEFAULT', notBefore, notAfter }, now);
  await tx.put(certificates, record);
  // Its holder has it now, ACTIVE or not, and no other account had it before.
  await claim(tx, { kind: 'certificate', name: certificateId, accountId, region, since: now, active: status === 'ACTIVE' });
  return record;
}

/** Sets the status that a caller of UpdateCertificate may set. */
export async function setCertificateStatus(
  tx: WriteTransaction,
  { accountId, region }: Place,
  certificateId: string,
  status: string,
  now: number,
): Promise<CertificateRecord> {
  const record = await getCertificate(tx, accountId, certificateId);
  const after = withStatus(record, status, now);
  const active = after.status === 'ACTIVE';
  const mine = { kind: 'certificate', name: certificateId, accountId, region, since: now, active } as const;
  // Where the first registration was deleted, the next one counts once its owner says that it shall.
  if (active) await claim(tx, mine);
  else await noteStatus(tx, mine);
  if (after !== record) await tx.put(certificates, after);
  return after;
}

/** Deletes a certificate that is not ACTIVE and, unless `force`, has no policies. */
export async function deleteCertificate(tx: WriteTransaction, place: Place, id: string, force: boolean): Promise<void> {
  const { accountId, region } = place;
  const arn = certificateArn(place, id);
  const record = await getCertificate(tx, accountId, id);
  if (record.status === 'ACTIVE')
    fail('CertificateStateException', `Certificate must be deactivated (not ACTIVE) before deletion. Id: ${id}`);
  if (isBeingTransferred(record))
    fail('CertificateStateException', `Certificate is being transferred; cancel the transfer before deletion. Id: ${id}`);
  const attachedThings = await tx.scan(thingPrincipals, { index: 'byPrincipal', prefix: [accountId, arn], limit: 1 });
  if (attachedThings.items.length > 0) fail('DeleteConflictException', `Things must be detached before deletion (arn: ${arn})`);
  const attached = await tx.scan(policyAttachments, { index: 'byTarget', prefix: [accountId, arn] });
  // API reference DeleteCertificate: forceDelete asks only that it is inactive and on no thing.
  if (attached.items.length > 0 && !force)
    fail('DeleteConflictException', `Certificate policies must be detached before deletion (arn: ${arn})`);
  for (const { policyName, target } of attached.items) await tx.delete(policyAttachments, [accountId, policyName, target]);
  await tx.delete(certificates, [accountId, id]);
  await release(tx, { kind: 'certificate', name: id, accountId, region });
}
