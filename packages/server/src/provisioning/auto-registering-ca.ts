/**
 * The registered CA with auto-registration that has signed a certificate: found by the issuer's name, proven by the signature.
 * The signing CA has to be registered, not one above it (developer guide, page device-certs-your-own), so that what a client
 * sends of its chain is not read.
 */
import { createHash } from 'node:crypto';
import type { Place } from '@thingkeep/wire/arn.ts';
import { CERTIFICATE_LABELS, type CertificateFields, parseCertificate } from '@thingkeep/x509/certificate.ts';
import { DerError } from '@thingkeep/x509/der.ts';
import { hasSigned, type PathFault, pathFault, type PathRules } from '@thingkeep/x509/path.ts';
import { type PathExtensions, readPathExtensions } from '@thingkeep/x509/path-extensions.ts';
import { onePemBlock } from '@thingkeep/x509/pem.ts';
import { findIssuers } from '../registry/admission.ts';
import { type CaCertificateRecord, certificates } from '../registry/store.ts';
import type { Store } from '../store/contract.ts';

/**
 * Regions that are searched, CAs of one name that are read in each, and CAs whose signature is checked: any client can show a
 * certificate.
 */
const MAX_REGIONS = 32;
const MAX_READ = 100;
const MAX_CHECKED = 16;

export interface SearchedPlaces {
  /** Regions that hold data. */
  readonly regions: () => Promise<readonly string[]>;
  readonly inRegion: (region: string) => Store;
  /** Account and region that the server's own host names are for. */
  readonly home: Place;
}

/** A certificate to find the CA of. */
export interface Unregistered extends CertificateFields {
  readonly certificateId: string;
  /** DER. */
  readonly certificate: Buffer;
  readonly named?: Place | undefined;
}

/** A CA that counts for a client, in one account and region. */
export interface AutoRegisteringCa {
  readonly ca: CaCertificateRecord;
  readonly place: Place;
}

const isAt = (place: Place, { accountId, region }: Place): boolean => place.accountId === accountId && place.region === region;

/**
 * Whether a CA at `place` counts for the client. A host name of a domain configuration says account and region. Without one a
 * CA counts whose owner has proven to have its key; any account could register another one's as SNI_ONLY, so that such a CA
 * counts for the server's own host names in the home account and region alone.
 */
const counts = ({ ca, place }: AutoRegisteringCa, named: Place | undefined, home: Place): boolean =>
  ca.status === 'ACTIVE' &&
  ca.autoRegistration &&
  (named === undefined ? ca.mode === 'DEFAULT' || isAt(place, home) : isAt(place, named));

/** CAs that have the name of the issuer and count for the client; each registration by itself. */
export async function namedIssuers(
  { regions, inRegion, home }: SearchedPlaces,
  { issuer, named }: Unregistered,
): Promise<AutoRegisteringCa[]> {
  const where = named === undefined ? (await regions()).slice(0, MAX_REGIONS) : [named.region];
  const found: AutoRegisteringCa[] = [];
  for (const region of where) {
    const cas = await inRegion(region).read((tx) => findIssuers(tx, issuer, MAX_READ, named?.accountId));
    for (const ca of cas) {
      const candidate = { ca, place: { accountId: ca.accountId, region } };
      if (counts(candidate, named, home)) found.push(candidate);
    }
  }
  return found;
}

const derOf = ({ certificatePem }: CaCertificateRecord): Buffer =>
  onePemBlock(certificatePem, CERTIFICATE_LABELS) ?? Buffer.alloc(0);

function extensionsOf(certificate: Buffer): PathExtensions | undefined {
  try {
    return readPathExtensions(parseCertificate(certificate).extensions);
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

/** Where an account comes among others in this second: another place in the next. */
const placeAt = (accountId: string, now: number): string =>
  createHash('sha256')
    .update(`${accountId}/${Math.floor(now / 1000)}`)
    .digest('hex');

/**
 * DER of each CA certificate once, those first whose key the certificate says it is signed with: a hint, and no proof. The
 * accounts take turns, and another is the first each second: any of them can have CAs with the name and the identifier of
 * another one's, and where there are more of them than are checked, a device that comes again gets to its own.
 */
function orderedByHint(candidates: readonly AutoRegisteringCa[], certificate: Buffer, now: number): Buffer[] {
  const distinct = [...new Map(candidates.map((each) => [each.ca.certificateId, each])).values()];
  const ders = distinct.map(({ ca, place: { accountId } }) => ({ accountId, der: derOf(ca) }));
  if (ders.length < 2) return ders.map(({ der }) => der);
  const hint = extensionsOf(certificate)?.issuerKeyIdentifier;
  const isHinted = (der: Buffer): boolean => hint !== undefined && extensionsOf(der)?.keyIdentifier?.equals(hint) === true;
  const turns = new Map<string, number>();
  const all = ders.map(({ accountId, der }) => {
    const rank = isHinted(der) ? 0 : 1;
    const turn = turns.get(`${rank}/${accountId}`) ?? 0;
    turns.set(`${rank}/${accountId}`, turn + 1);
    return { der, rank, turn, at: placeAt(accountId, now) };
  });
  return all.sort((a, b) => a.rank - b.rank || a.turn - b.turn || (a.at < b.at ? -1 : 1)).map(({ der }) => der);
}

/** A CA that has signed the certificate, and what is wrong with the path to it (RFC 5280 section 6) all the same. */
export interface ProvenIssuer extends AutoRegisteringCa {
  readonly fault: PathFault | undefined;
}

/** Those of the candidates that have signed the certificate. */
export function provenIssuers(
  candidates: readonly AutoRegisteringCa[],
  { certificate }: Unregistered,
  rules: PathRules,
): ProvenIssuer[] {
  const signers = orderedByHint(candidates, certificate, rules.now)
    .slice(0, MAX_CHECKED)
    .flatMap((der) => {
      const fault = pathFault([certificate, der], rules);
      // What is wrong beside the signature is told to the owner of a key that has signed, and to nobody else.
      return fault === undefined || hasSigned(der, certificate, rules) ? [{ der, fault }] : [];
    });
  return candidates.flatMap((candidate) => {
    const der = derOf(candidate.ca);
    const signer = signers.find((each) => each.der.equals(der));
    return signer === undefined ? [] : [{ ...candidate, fault: signer.fault }];
  });
}

/** Where an account has proven to have the CA's key, no other counts: any user of the home account can register the CA there. */
const byProof = ({ ca }: AutoRegisteringCa): number => (ca.mode === 'DEFAULT' ? 0 : 1);

/**
 * The one that registers: the one that has registered the certificate already; else the CA certificate that ends last, as a
 * renewed one has the same name and key, where it was registered first.
 */
export async function chooseIssuer(
  { inRegion }: SearchedPlaces,
  proven: readonly ProvenIssuer[],
  certificateId: string,
): Promise<ProvenIssuer | undefined> {
  const least = Math.min(...proven.map(byProof));
  const counting = proven
    .filter((each) => byProof(each) === least)
    .sort((a, b) => b.ca.notAfter - a.ca.notAfter || a.ca.createdAt - b.ca.createdAt);
  const [first, ...others] = counting;
  if (others.length === 0) return first;
  for (const candidate of counting) {
    const { region, accountId } = candidate.place;
    const known = await inRegion(region).read((tx) => tx.get(certificates, [accountId, certificateId]));
    if (known?.caCertificateId === candidate.ca.certificateId) return candidate;
  }
  return first;
}
