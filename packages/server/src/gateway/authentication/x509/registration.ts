/**
 * The registration of a certificate that counts for a device which names no host. Any account may register a certificate that
 * another one has: the first that was ACTIVE holds it until it is deleted, ACTIVE or not meanwhile. After that the next one
 * counts when its owner activates it anew, never by itself.
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { AdmissionRefusal } from '../../../broker/contract.ts';
import { findCertificate } from '../../../registry/admission.ts';
import type { CertificateStatus } from '../../../registry/store.ts';
import { findClaim } from '../../../store/claims.ts';
import { statusReason, unregisteredReason } from './certificate-reasons.ts';
import { type Places, registeredIssuer } from './registered-issuer.ts';

/** Claims are the same in each region. */
const ANY_REGION = 'us-east-1';

export async function registrationHolder(
  { inRegion }: Pick<Places, 'inRegion'>,
  certificateId: string,
): Promise<Place | undefined> {
  const claimed = await inRegion(ANY_REGION).read((tx) => findClaim(tx, 'certificate', certificateId));
  return claimed === undefined ? undefined : { accountId: claimed.accountId, region: claimed.region };
}

/** Maximum of regions that are searched for a certificate that no registration holds: any client can show one. */
const MAX_REGIONS = 32;

type Registration = Place & { readonly status: CertificateStatus };

/** Two registrations of a certificate at most, and whether all regions were looked at to find them. */
async function registrations({ regions, inRegion }: Places, certificateId: string): Promise<[Registration[], isAll: boolean]> {
  const found: Registration[] = [];
  const known = await regions();
  for (const region of known.slice(0, MAX_REGIONS)) {
    const records = await inRegion(region).read((tx) => findCertificate(tx, certificateId, 2));
    for (const { accountId, status } of records) found.push({ accountId, region, status });
    if (found.length > 1) break;
  }
  return [found, known.length <= MAX_REGIONS];
}

/** The refusal of a certificate without a registration that counts; its only owner, if there is one, finds the refusal. */
export async function unregisteredRefusal(
  places: Places,
  certificateId: string,
  named: Place | undefined,
  der?: Buffer,
): Promise<AdmissionRefusal> {
  if (named !== undefined) {
    const { accountId, region } = named;
    const reason = `the certificate is not registered in the domain's account and region (${accountId}, ${region}): register it there, or connect by a host name of the server`;
    return { refused: { check: 'certificate-unknown', reason, ...named, certificateId } };
  }
  const [[only, ...others], isAll] = await registrations(places, certificateId);
  if (only === undefined) {
    const issuer = der === undefined ? undefined : await registeredIssuer(places, der);
    const reason = unregisteredReason(der, issuer);
    return { refused: { check: 'certificate-unknown', reason, certificateId, ...issuer?.place } };
  }
  const isOnly = isAll && others.length === 0;
  const { status, ...place } = only;
  if (status !== 'ACTIVE' && isOnly)
    return { refused: { check: 'certificate-not-active', reason: statusReason(status, certificateId), ...place, certificateId } };
  const reason =
    'the registration of the certificate that was ACTIVE first is gone: another one counts once it is set ACTIVE anew';
  return { refused: { check: 'certificate-not-active', reason, certificateId, ...(isOnly ? place : {}) } };
}
