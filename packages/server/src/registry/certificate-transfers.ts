/**
 * Transfers of certificates between accounts, in a transaction. The record stays the source's while a transfer is under way.
 * By an acceptance it becomes the target's, with the claim on its id: a device that names no host gets to the target.
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { policyAttachments } from '../policies/store.ts';
import { claim, findClaim, release } from '../store/claims.ts';
import type { ReadTransaction, WriteTransaction } from '../store/contract.ts';
import { certificateArn, findOffered, getCertificate, isBeingTransferred } from './certificates.ts';
import { type CertificateRecord, type CertificateTransfer, certificates, thingPrincipals, transferCounts } from './store.ts';

export interface TransferDraft {
  readonly certificateId: string;
  /** The target's account id. */
  readonly to: string;
  readonly message: string | undefined;
}

async function refuseAttached(tx: ReadTransaction, accountId: string, arn: string): Promise<void> {
  const scan = { prefix: [accountId, arn], limit: 1 };
  const policies = await tx.scan(policyAttachments, { ...scan, index: 'byTarget' });
  // The text of the model's TransferConflictException.
  if (policies.items.length > 0)
    fail('TransferConflictException', `You can't transfer the certificate because authorization policies are still attached.`);
  const things = await tx.scan(thingPrincipals, { ...scan, index: 'byPrincipal' });
  if (things.items.length > 0)
    fail('InvalidRequestException', `Things must be detached before the transfer of the certificate (arn: ${arn})`);
}

/** Certificates of an account that are on their way at a time: each is in the lists of an account that has not asked for it. */
export const MAX_TRANSFERS = 10_000;

async function countTransfer(tx: WriteTransaction, accountId: string, by: 1 | -1): Promise<void> {
  const count = ((await tx.get(transferCounts, [accountId]))?.count ?? 0) + by;
  if (count > MAX_TRANSFERS)
    fail('InvalidRequestException', `${MAX_TRANSFERS} certificates of the account are being transferred, which is the limit`);
  if (count > 0) await tx.put(transferCounts, { accountId, count });
  else await tx.delete(transferCounts, [accountId]);
}

/** Offers the certificate to another account. */
export async function startTransfer(tx: WriteTransaction, place: Place, draft: TransferDraft, now: number): Promise<void> {
  const { certificateId, to, message } = draft;
  if (to === place.accountId) fail('InvalidRequestException', 'The certificate can not be transferred to its own account');
  const record = await getCertificate(tx, place.accountId, certificateId);
  if (isBeingTransferred(record))
    fail('TransferConflictException', `The certificate is being transferred already. Id: ${certificateId}`);
  if (record.status !== 'INACTIVE')
    fail('CertificateStateException', `The certificate must be INACTIVE to be transferred. Id: ${certificateId}`);
  await refuseAttached(tx, place.accountId, certificateArn(place, certificateId));
  await countTransfer(tx, place.accountId, 1);
  await tx.put(certificates, changed(record, 'PENDING_TRANSFER', { to, message, startedAt: now }, now));
}

const changed = (
  record: CertificateRecord,
  status: CertificateRecord['status'],
  transfer: CertificateTransfer,
  now: number,
): CertificateRecord => ({ ...record, status, transfer, lastModifiedAt: now, version: record.version + 1 });

/** The transfer, if it is under way; one that has ended fails with TransferAlreadyCompletedException. */
function underWay(record: CertificateRecord): CertificateTransfer {
  const { transfer, certificateId } = record;
  if (transfer === undefined)
    return fail('InvalidRequestException', `The certificate is not being transferred. Id: ${certificateId}`);
  if (!isBeingTransferred(record)) return completed(certificateId);
  return transfer;
}

const completed = (certificateId: string): never =>
  fail('TransferAlreadyCompletedException', `The transfer of the certificate is already complete. Id: ${certificateId}`);

/** What is on its way to the account, or was and has been rejected or canceled. */
async function getOffered(tx: ReadTransaction, { accountId }: Place, certificateId: string): Promise<CertificateRecord> {
  const offered = await findOffered(tx, accountId, certificateId);
  if (isBeingTransferred(offered)) return offered;
  const own = await tx.get(certificates, [accountId, certificateId]);
  if (own?.transfer?.to === accountId) return completed(certificateId);
  return offered ?? fail('ResourceNotFoundException', `Certificate ${certificateId} was not transferred to this account`);
}

/** The claim goes with the certificate if its source has it; a free one is taken, so that no other account gets before. */
async function moveClaim(tx: WriteTransaction, source: Place, target: Place, name: string, active: boolean, now: number) {
  const held = await findClaim(tx, 'certificate', name);
  await release(tx, { kind: 'certificate', name, ...source });
  const { accountId, region } = target;
  await claim(tx, { kind: 'certificate', name, accountId, region, since: held?.since ?? now, active });
}

/** Makes the certificate the target's. */
export async function acceptTransfer(
  tx: WriteTransaction,
  { accountId, region }: Place,
  { certificateId, setAsActive }: { readonly certificateId: string; readonly setAsActive: boolean },
  now: number,
): Promise<void> {
  const record = await getOffered(tx, { accountId, region }, certificateId);
  const transfer = underWay(record);
  // Any account can register a certificate of another authority (RegisterCertificateWithoutCA).
  if ((await tx.get(certificates, [accountId, certificateId])) !== undefined)
    fail('InvalidRequestException', `The certificate is registered in this account already. Id: ${certificateId}`);
  if (setAsActive && record.registeredRevoked)
    fail('InvalidRequestException', `A certificate that was registered as REVOKED can not be activated. Id: ${certificateId}`);
  // How near its end is was told to the source.
  const { announcedDays: _, ...rest } = record;
  const accepted = changed(
    { ...rest, accountId, previousOwnedBy: record.accountId },
    setAsActive ? 'ACTIVE' : 'INACTIVE',
    { ...transfer, ended: { by: 'accept', at: now } },
    now,
  );
  await countTransfer(tx, record.accountId, -1);
  await tx.delete(certificates, [record.accountId, certificateId]);
  await tx.put(certificates, accepted);
  await moveClaim(tx, { accountId: record.accountId, region }, { accountId, region }, certificateId, setAsActive, now);
}

async function giveBack(
  tx: WriteTransaction,
  record: CertificateRecord,
  ended: NonNullable<CertificateTransfer['ended']>,
): Promise<void> {
  const transfer = underWay(record);
  await countTransfer(tx, record.accountId, -1);
  await tx.put(certificates, changed(record, 'INACTIVE', { ...transfer, ended }, ended.at));
}

/** Gives the certificate back to its source. */
export async function rejectTransfer(
  tx: WriteTransaction,
  place: Place,
  { certificateId, rejectReason }: { readonly certificateId: string; readonly rejectReason: string | undefined },
  now: number,
): Promise<void> {
  const ended = { by: 'reject', at: now, ...(rejectReason === undefined ? {} : { rejectReason }) } as const;
  await giveBack(tx, await getOffered(tx, place, certificateId), ended);
}

/** Takes the certificate back, for its source. */
export async function cancelTransfer(
  tx: WriteTransaction,
  { accountId }: Place,
  certificateId: string,
  now: number,
): Promise<void> {
  const given = await tx.scan(certificates, { index: 'byPreviousOwner', prefix: [accountId, certificateId], limit: 1 });
  const own = await tx.get(certificates, [accountId, certificateId]);
  if (own === undefined && given.items.length > 0) completed(certificateId);
  await giveBack(tx, own ?? (await getCertificate(tx, accountId, certificateId)), { by: 'cancel', at: now });
}
