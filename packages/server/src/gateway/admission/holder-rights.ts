/** Rights of whoever signs with temporary credentials: those of the certificate that they were got with, as they are now. */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { CertificateAdmission } from './certificate.ts';
import type { ActionRights, KeyUse } from './login.ts';
import { plainAddress } from '../peer.ts';

/** Undefined once the certificate is not registered there, not ACTIVE, or out of its validity. */
export async function holderRights(
  admission: CertificateAdmission,
  { certificateId, accountId, region }: Place & { readonly certificateId: string },
  { protocol, clientId, sourceIp }: KeyUse,
): Promise<ActionRights | undefined> {
  const peer = { certificateId, sourceIp: plainAddress(sourceIp), sourcePort: 0 };
  const facts = await admission.factsOf(peer, clientId ?? '');
  if ('refused' in facts || facts.place.accountId !== accountId || facts.place.region !== region) return undefined;
  return admission.rightsOf(facts, peer, { protocol, ...(clientId === undefined ? {} : { clientId }) });
}
