/** The validity of a registered certificate: its status, and the time between its two dates. Pure. */
import type { AdmissionRefusal } from '../../../broker/contract.ts';
import { statusReason } from './certificate-reasons.ts';
import type { CertificateStatus } from '../../../registry/store.ts';

export interface CertificateValidity {
  readonly certificateId: string;
  readonly status: CertificateStatus;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}

type Fault = Pick<AdmissionRefusal['refused'], 'check' | 'reason'>;

/** Why a certificate may not be used at `now` (milliseconds since the epoch); undefined when it may. */
export function validityFault(
  { certificateId, status, notBefore, notAfter }: CertificateValidity,
  now: number,
): Fault | undefined {
  if (status !== 'ACTIVE') return { check: 'certificate-not-active', reason: statusReason(status, certificateId) };
  if (now < notBefore)
    return {
      check: 'certificate-not-yet-valid',
      reason: `the certificate is valid from ${new Date(notBefore).toISOString()}, and here it is ${new Date(now).toISOString()}: check the clock of the machine that issued it, and this server's`,
    };
  if (now > notAfter)
    return {
      check: 'certificate-expired',
      reason: `the certificate expired on ${new Date(notAfter).toISOString()}: give the device a new one, and register it`,
    };
  return undefined;
}

/** Seconds after which a connection is to be authorized again though nothing changed: the certificate has ended then. */
export const secondsValid = ({ notAfter }: CertificateValidity, now: number): number => Math.max(0, notAfter - now) / 1000 + 1;
