/** Certificates that just-in-time registration registers: PENDING_ACTIVATION, in the account and region of their CA. */
import { toPem } from '@thingkeep/x509/pem.ts';
import { newCertificate } from '../registry/certificates.ts';
import { caCertificates, certificates } from '../registry/store.ts';
import type { WriteTransaction } from '../store/contract.ts';
import type { AutoRegisteringCa } from './auto-registering-ca.ts';

/**
 * Registers the certificate once. Undefined where it is not for just-in-time registration: it is registered with another
 * status or by another CA, or the CA registers nothing any more.
 */
export async function registerPending(
  tx: WriteTransaction,
  { ca, place: { accountId }, notBefore, notAfter }: AutoRegisteringCa,
  { certificateId, certificate }: { readonly certificateId: string; readonly certificate: Buffer },
  now: number,
): Promise<'new' | 'known' | undefined> {
  const current = await tx.get(caCertificates, [accountId, ca.certificateId]);
  if (current?.status !== 'ACTIVE' || !current.autoRegistration) return undefined;
  const known = await tx.get(certificates, [accountId, certificateId]);
  if (known !== undefined)
    return known.status === 'PENDING_ACTIVATION' && known.caCertificateId === ca.certificateId ? 'known' : undefined;
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
  return 'new';
}
