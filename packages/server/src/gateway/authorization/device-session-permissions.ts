/** Whoever signs with a device's temporary credentials: what the certificate is worth now that they were got with. */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { X509Authenticator, CertificateFacts } from '../authentication/x509/x509-authenticator.ts';
import type { ClientPermissions, KeyUse } from './permissions.ts';
import type { Peer } from '../../broker/contract.ts';
import { plainAddress } from '../peer.ts';

/** Account and region where the certificate was registered when credentials were issued. */
interface Holder extends Place {
  readonly certificateId: string;
}

/** Undefined once the certificate is not registered there, not ACTIVE, or out of its validity. */
async function factsOf(
  admission: X509Authenticator,
  { accountId, region }: Holder,
  peer: Peer,
  clientId: string,
): Promise<CertificateFacts | undefined> {
  const facts = await admission.factsOf(peer, clientId, { accountId, region });
  return 'refused' in facts ? undefined : facts;
}

/** The rights of the certificate itself, as they are now; undefined once it may not be used. */
export async function deviceSessionPermissions(
  admission: X509Authenticator,
  holder: Holder,
  { sourceIp, domainName, secureTransport, ...use }: KeyUse,
): Promise<ClientPermissions | undefined> {
  const { protocol, clientId, connectAttributes, lastWillTopicArn } = use;
  const peer: Peer = {
    certificateId: holder.certificateId,
    sourceIp: plainAddress(sourceIp),
    sourcePort: 0,
    serverName: domainName,
    secureTransport: secureTransport === true ? undefined : false,
  };
  const facts = await factsOf(admission, holder, peer, clientId ?? '');
  return facts && admission.rightsOf(facts, peer, { protocol, clientId, connectAttributes, lastWillTopicArn });
}

/** Whether the certificate may still be used. */
export async function isCertificateUsable(admission: X509Authenticator, holder: Holder): Promise<boolean> {
  const peer = { certificateId: holder.certificateId, sourceIp: '', sourcePort: 0 };
  return (await factsOf(admission, holder, peer, '')) !== undefined;
}
