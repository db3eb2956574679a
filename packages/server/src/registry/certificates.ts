/** Device certificates: the record's life (statuses and who may change them to what), and how the API shows one. */
import { randomUUID } from 'node:crypto';
import { iotArn, type Place } from '@thingkeep/wire/arn.ts';
import { type ErrorMembers, fail } from '@thingkeep/wire/errors.ts';
import type { ReadTransaction } from '../store/contract.ts';
import { findClaim } from '../store/claims.ts';
import { type CertificateRecord, type CertificateTransfer, type CertificateStatus, certificates } from './store.ts';

export const certificateArn = (place: Place, certificateId: string): string => iotArn(place, 'cert', certificateId);

/** Ids are compared in lower case: the API's pattern allows both. */
export const certificateIdIn = (given: string | undefined): string => (given ?? '').toLowerCase();

export const duplicate = (place: Place, certificateId: string): ErrorMembers => ({
  resourceId: certificateId,
  resourceArn: certificateArn(place, certificateId),
});

/** Whether a transfer of the certificate to another account is under way. */
export const isBeingTransferred = (
  record: CertificateRecord | undefined,
): record is CertificateRecord & { readonly status: 'PENDING_TRANSFER' } => record?.status === 'PENDING_TRANSFER';

export async function getCertificate(tx: ReadTransaction, accountId: string, certificateId: string): Promise<CertificateRecord> {
  const found = await tx.get(certificates, [accountId, certificateId]);
  return found ?? fail('ResourceNotFoundException', `Certificate ${certificateId} does not exist`);
}

/**
 * The account's certificate, or the one that is on its way to it. Of several on their way it is the one whose owner is the
 * holder, which devices get to that name no host; else the one that was sent first.
 */
export async function getOwnOrOffered(tx: ReadTransaction, accountId: string, certificateId: string): Promise<CertificateRecord> {
  const own = await tx.get(certificates, [accountId, certificateId]);
  const found = own ?? (await findOffered(tx, accountId, certificateId));
  if (found !== undefined && (found === own || isBeingTransferred(found))) return found;
  return fail('ResourceNotFoundException', `Certificate ${certificateId} does not exist`);
}

/** The certificate that is on its way to the account, else one that was and has not come. */
export async function findOffered(
  tx: ReadTransaction,
  accountId: string,
  certificateId: string,
): Promise<CertificateRecord | undefined> {
  const holder = await findClaim(tx, 'certificate', certificateId);
  const held = holder === undefined ? undefined : await tx.get(certificates, [holder.accountId, certificateId]);
  if (isBeingTransferred(held) && held.transfer?.to === accountId) return held;
  const { items } = await tx.scan(certificates, { index: 'offered', prefix: [accountId, certificateId], limit: 1 });
  return items[0];
}

export type NewCertificate = Pick<
  CertificateRecord,
  | 'accountId'
  | 'certificateId'
  | 'certificatePem'
  | 'status'
  | 'caCertificateId'
  | 'mode'
  | 'notBefore'
  | 'notAfter'
  | 'registeredRevoked'
>;

export const newCertificate = (given: NewCertificate, now: number): CertificateRecord => ({
  ...given,
  createdAt: now,
  lastModifiedAt: now,
  version: 1,
  generationId: randomUUID(),
});

/** Status that a caller may give a certificate it registers (API reference RegisterCertificate). */
export function statusAtRegistration(
  status: string | undefined,
  setAsActive: boolean | undefined,
): Extract<CertificateStatus, 'ACTIVE' | 'INACTIVE' | 'REVOKED'> {
  const asked = status ?? (setAsActive ? 'ACTIVE' : 'INACTIVE');
  if (asked === 'REGISTER_INACTIVE') return 'INACTIVE';
  if (asked !== 'ACTIVE' && asked !== 'INACTIVE' && asked !== 'REVOKED')
    return fail('InvalidRequestException', `A certificate can not be registered with the status ${asked}`);
  if (setAsActive && asked !== 'ACTIVE') return fail('InvalidRequestException', `setAsActive contradicts the status ${asked}`);
  return asked;
}

/** The record after UpdateCertificate; the same record when nothing changes. */
export function withStatus(record: CertificateRecord, wanted: string, now: number): CertificateRecord {
  // API reference UpdateCertificate: the two pending states are the service's own; REGISTER_INACTIVE should not be used.
  if (wanted === 'PENDING_TRANSFER' || wanted === 'PENDING_ACTIVATION')
    fail('InvalidRequestException', `The status of a certificate can not be set to ${wanted}`);
  const status = wanted === 'REGISTER_INACTIVE' ? 'INACTIVE' : wanted;
  if (status !== 'ACTIVE' && status !== 'INACTIVE' && status !== 'REVOKED')
    return fail('InvalidRequestException', `Unknown status ${status}`);
  if (isBeingTransferred(record))
    fail('CertificateStateException', `The certificate is being transferred. Id: ${record.certificateId}`);
  // Developer guide, page manual-cert-registration.
  if (status === 'ACTIVE' && record.registeredRevoked)
    fail(
      'CertificateStateException',
      `A certificate that was registered as REVOKED can not be activated. Id: ${record.certificateId}`,
    );
  if (status === record.status) return record;
  return { ...record, status, lastModifiedAt: now, version: record.version + 1 };
}

/** An element of the lists. */
export const certificateSummary = (place: Place, record: CertificateRecord) => ({
  certificateArn: certificateArn(place, record.certificateId),
  certificateId: record.certificateId,
  status: record.status,
  certificateMode: record.mode,
  creationDate: new Date(record.createdAt),
});

/** An element of ListOutgoingCertificates. */
export const outgoingCertificate = (place: Place, { certificateId, createdAt, transfer }: CertificateRecord) => ({
  certificateArn: certificateArn(place, certificateId),
  certificateId,
  transferredTo: transfer?.to,
  transferDate: transfer === undefined ? undefined : new Date(transfer.startedAt),
  transferMessage: transfer?.message,
  creationDate: new Date(createdAt),
});

const transferData = ({ message, startedAt, ended }: CertificateTransfer) => ({
  transferMessage: message,
  transferDate: new Date(startedAt),
  acceptDate: ended?.by === 'accept' ? new Date(ended.at) : undefined,
  rejectDate: ended?.by === 'reject' ? new Date(ended.at) : undefined,
  rejectReason: ended?.rejectReason,
});

/** DescribeCertificate's description. */
export const describeCertificate = (place: Place, record: CertificateRecord) => ({
  certificateArn: certificateArn(place, record.certificateId),
  certificateId: record.certificateId,
  caCertificateId: record.caCertificateId,
  status: record.status,
  certificatePem: record.certificatePem,
  ownedBy: record.accountId,
  previousOwnedBy: record.previousOwnedBy,
  creationDate: new Date(record.createdAt),
  lastModifiedDate: new Date(record.lastModifiedAt),
  customerVersion: record.version,
  transferData: record.transfer === undefined ? {} : transferData(record.transfer),
  generationId: record.generationId,
  validity: { notBefore: new Date(record.notBefore), notAfter: new Date(record.notAfter) },
  certificateMode: record.mode,
});
