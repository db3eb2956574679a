/** Certificates that just-in-time registration registers: PENDING_ACTIVATION, in the account and region of their CA. */
import { toPem } from '@thingkeep/x509/pem.ts';
import { newCertificate } from '../registry/certificates.ts';
import { caCertificates, certificates } from '../registry/store.ts';
import type { ReadTransaction, WriteTransaction } from '../store/contract.ts';
import type { AutoRegisteringCa, Unregistered } from './auto-registering-ca.ts';

/** Whether the certificate was registered now, or before and not activated since. */
export type Registered = 'now' | 'before';

/** What there is of the certificate: `none`, pending since `before`, or `other` that just-in-time registration leaves alone. */
export async function registrationOf(
  tx: ReadTransaction,
  { ca, place: { accountId } }: AutoRegisteringCa,
  certificateId: string,
): Promise<'none' | 'before' | 'other'> {
  const known = await tx.get(certificates, [accountId, certificateId]);
  if (known === undefined) return 'none';
  return known.status === 'PENDING_ACTIVATION' && known.caCertificateId === ca.certificateId ? 'before' : 'other';
}

/**
 * Registers the certificate once. Undefined where it is not for just-in-time registration, or its CA registers nothing any
 * more.
 */
export async function registerPending(
  tx: WriteTransaction,
  found: AutoRegisteringCa,
  { certificateId, certificate, notBefore, notAfter }: Unregistered,
  now: number,
): Promise<Registered | undefined> {
  const { accountId } = found.place;
  const ca = await tx.get(caCertificates, [accountId, found.ca.certificateId]);
  if (ca?.status !== 'ACTIVE' || !ca.autoRegistration) return undefined;
  const known = await registrationOf(tx, found, certificateId);
  if (known !== 'none') return known === 'before' ? 'before' : undefined;
  const given = {
    accountId,
    certificateId,
    certificatePem: toPem('CERTIFICATE', certificate),
    status: 'PENDING_ACTIVATION',
    caCertificateId: ca.certificateId,
    mode: ca.mode,
    notBefore,
    notAfter,
  } as const;
  await tx.put(certificates, newCertificate(given, now));
  return 'now';
}
