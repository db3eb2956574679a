/**
 * The registration of a certificate that counts for a device which names no host. Any account may register a certificate that
 * another one has: the first that was ACTIVE holds it until it is deleted, ACTIVE or not meanwhile. After that the next one
 * counts when its owner activates it anew, never by itself.
 */
import type { X509Certificate } from 'node:crypto';
import type { Place } from '@thingkeep/wire/arn.ts';
import type { AdmissionRefusal } from '../../../broker/contract.ts';
import { findCertificate, findIssuers } from '../../../registry/admission.ts';
import type { CertificateStatus } from '../../../registry/store.ts';
import { findClaim } from '../../../store/claims.ts';
import type { Store } from '../../../store/contract.ts';
import { statusReason, unregisteredReason } from './certificate-reasons.ts';
import { type CandidateCa, issuerAmong, issuerNameOf, MAX_ISSUERS } from './registered-issuer.ts';

export interface Places {
  readonly regions: () => Promise<readonly string[]>;
  readonly inRegion: (region: string) => Store;
}

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

interface Found {
  /** Two at most. */
  readonly registrations: readonly Registration[];
  /** CAs with the name of the certificate's issuer. */
  readonly candidates: readonly CandidateCa[];
  /** Whether nothing was left out. */
  readonly isAll: boolean;
}

/** What the regions have of a certificate: its registrations, and the CAs with the name of its issuer. */
async function searchRegions(
  { regions, inRegion }: Places,
  certificateId: string,
  issuerName: Buffer | undefined,
): Promise<Found> {
  const registrations: Registration[] = [];
  const candidates: CandidateCa[] = [];
  const known = await regions();
  for (const region of known.slice(0, MAX_REGIONS)) {
    const room = MAX_ISSUERS - candidates.length;
    const [records, cas] = await inRegion(region).read(async (tx) => [
      await findCertificate(tx, certificateId, 2),
      issuerName === undefined || room === 0 ? [] : await findIssuers(tx, issuerName, room),
    ]);
    for (const { accountId, status } of records) registrations.push({ accountId, region, status });
    for (const ca of cas) candidates.push({ ca, place: { accountId: ca.accountId, region } });
    if (registrations.length > 1) break;
  }
  return { registrations, candidates, isAll: known.length <= MAX_REGIONS && candidates.length < MAX_ISSUERS };
}

/** The refusal of a certificate that has no registration at all. Only the one owner of its CA learns of the CA's registration. */
function unknownRefusal(
  certificateId: string,
  certificate: X509Certificate | undefined,
  { candidates, isAll }: Found,
): AdmissionRefusal {
  const found = certificate === undefined ? undefined : issuerAmong(candidates, certificate);
  const issuer = found === undefined || (found !== 'ambiguous' && isAll) ? found : 'ambiguous';
  const reason = unregisteredReason(certificate, issuer);
  const place = issuer === undefined || issuer === 'ambiguous' ? {} : issuer.place;
  return { refused: { check: 'certificate-unknown', reason, certificateId, ...place } };
}

/**
 * The refusal of a certificate without a registration that counts; its only owner, if there is one, finds the refusal. The
 * issuer is looked for where the certificate is given.
 */
export async function unregisteredRefusal(
  places: Places,
  certificateId: string,
  named: Place | undefined,
  certificate?: X509Certificate,
): Promise<AdmissionRefusal> {
  if (named !== undefined) {
    const { accountId, region } = named;
    const reason = `the certificate is not registered in the domain's account and region (${accountId}, ${region}): register it there, or connect by a host name of the server`;
    return { refused: { check: 'certificate-unknown', reason, ...named, certificateId } };
  }
  const found = await searchRegions(places, certificateId, certificate === undefined ? undefined : issuerNameOf(certificate));
  const [only, ...others] = found.registrations;
  if (only === undefined) return unknownRefusal(certificateId, certificate, found);
  const isOnly = found.isAll && others.length === 0;
  const { status, ...place } = only;
  if (status !== 'ACTIVE' && isOnly)
    return { refused: { check: 'certificate-not-active', reason: statusReason(status, certificateId), ...place, certificateId } };
  const reason =
    'the registration of the certificate that was ACTIVE first is gone: another one counts once it is set ACTIVE anew';
  return { refused: { check: 'certificate-not-active', reason, certificateId, ...(isOnly ? place : {}) } };
}
