/** The permissions of a device's temporary credentials: those of the certificate that they were got with, as they are now. */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { AdmissionRefusal, Peer } from '../../broker/contract.ts';
import type { Clock } from '../../runtime/clock.ts';
import { plainAddress } from '../peer.ts';
import { certificatePermissions, type CertificatePolicies } from './client-permissions.ts';
import type { ClientPermissions } from './permissions.ts';
import type { KeyUse } from '@thingkeep/wire/api/authorization.ts';

/** The certificate of a device's session, and account and region where it was registered when credentials were issued. */
export interface SessionCertificate extends Place {
  readonly certificateId: string;
}

/** Registered certificates. */
export interface UsableCertificates {
  /** The certificate of `peer`, if it is registered in `place` and may be used now. */
  usableCertificate(peer: Peer, clientId: string, place: Place): Promise<CertificatePolicies | AdmissionRefusal>;
}

/** Undefined once the certificate is not registered there, not ACTIVE, or out of its validity. */
async function policiesOf(
  certificates: UsableCertificates,
  { accountId, region }: SessionCertificate,
  peer: Peer,
  clientId: string,
): Promise<CertificatePolicies | undefined> {
  const found = await certificates.usableCertificate(peer, clientId, { accountId, region });
  return 'refused' in found ? undefined : found;
}

/** The permissions of the certificate itself, as they are now; undefined once it may not be used. */
export async function deviceSessionPermissions(
  { certificates, clock }: { readonly certificates: UsableCertificates; readonly clock: Clock },
  session: SessionCertificate,
  { sourceIp, domainName, secureTransport, ...use }: KeyUse,
): Promise<ClientPermissions | undefined> {
  const { protocol, clientId, connectAttributes, lastWillTopicArn } = use;
  const peer: Peer = {
    certificateId: session.certificateId,
    sourceIp: plainAddress(sourceIp),
    sourcePort: 0,
    serverName: domainName,
    secureTransport: secureTransport === true ? undefined : false,
  };
  const policies = await policiesOf(certificates, session, peer, clientId ?? '');
  const context = { protocol, clientId, connectAttributes, lastWillTopicArn };
  return policies && certificatePermissions(policies, { peer, context, clock });
}

/** Whether the certificate of a device's session may still be used. */
export async function isCertificateUsable(certificates: UsableCertificates, session: SessionCertificate): Promise<boolean> {
  const peer = { certificateId: session.certificateId, sourceIp: '', sourcePort: 0 };
  return (await policiesOf(certificates, session, peer, '')) !== undefined;
}
