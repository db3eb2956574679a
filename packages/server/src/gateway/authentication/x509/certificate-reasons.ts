/** Why a client certificate gives no entry, in words that say what to do. Pure. */
import type { X509Certificate } from 'node:crypto';
import type { CertificateStatus } from '../../../registry/store.ts';
import type { RegisteredIssuer } from './registered-issuer.ts';

export const NO_CERTIFICATE =
  'the client showed no certificate: configure the device with its certificate and the matching private key';

const REMEDY: Readonly<Record<CertificateStatus, (certificateId: string) => string>> = {
  ACTIVE: () => '',
  INACTIVE: (id) => `: activate it by aws iot update-certificate --new-status ACTIVE --certificate-id ${id}`,
  REVOKED: () => ': give the device a new certificate',
  PENDING_TRANSFER: () => ': the account that it is transferred to has to accept it',
  PENDING_ACTIVATION: (id) =>
    `: its registration is not finished; activate it by aws iot update-certificate --new-status ACTIVE --certificate-id ${id}`,
};

export const statusReason = (status: CertificateStatus, certificateId: string): string =>
  `the certificate is ${status}${REMEDY[status](certificateId)}`;

/** Of a temporary provisioning claim that counts no more, or not yet. */
export const claimReason = ({ notAfter }: { readonly notAfter: number }): string =>
  `the certificate is a provisioning claim, which counts for five minutes, until ${new Date(notAfter).toISOString()}: make another one by aws iot create-provisioning-claim`;

const REGISTER =
  'register it by aws iot register-certificate-without-ca --status ACTIVE, or make one by aws iot create-keys-and-certificate';

const REGISTER_OF_CA =
  "register the device's certificate by aws iot register-certificate --set-as-active, with both certificates";

/** The names of a certificate on one line: the peer has written them. */
const nameText = (name: string | undefined): string => JSON.stringify((name ?? '').replaceAll('\n', ', ').slice(0, 256));

/** What a CA's auto-registration has to do with a certificate that it has not registered. */
function automaticText({ autoRegistration, mode }: RegisteredIssuer['ca']): string {
  if (!autoRegistration) return 'its auto-registration is off';
  return mode === 'SNI_ONLY'
    ? 'its auto-registration is on for MQTT clients that ask for a host name of the account, as it is registered as SNI_ONLY'
    : 'its auto-registration is on for MQTT clients';
}

/**
 * Of a certificate that no account has registered; `issuer` is the registered CA that has signed it, `ambiguous` where there are
 * several: this reason is read by all accounts then, and says nothing of what one of them has registered.
 */
export function unregisteredReason(
  certificate: X509Certificate | undefined,
  issuer: RegisteredIssuer | 'ambiguous' | undefined,
): string {
  const first = 'the certificate is not registered';
  if (certificate === undefined) return `${first}: ${REGISTER}`;
  if (issuer === 'ambiguous') return `${first}; a registered CA has signed it: ${REGISTER_OF_CA}`;
  if (issuer !== undefined) {
    const { certificateId, status } = issuer.ca;
    const inactive = status === 'ACTIVE' ? '' : ` The CA is ${status}: set it ACTIVE first.`;
    return `${first}; its CA is registered (${certificateId}), and ${automaticText(issuer.ca)}: ${REGISTER_OF_CA}.${inactive}`;
  }
  const { subject, issuer: by } = certificate;
  const origin = subject === by ? 'it is signed by itself' : `no registered CA has signed it, its issuer is ${nameText(by)}`;
  if (/^OU=Amazon Web Services O=Amazon\.com Inc\./.test(by))
    return `${first}; it was issued by this server and has been deleted since, or it was issued by AWS: ${REGISTER}`;
  return `${first}, and ${origin}: ${REGISTER}`;
}
