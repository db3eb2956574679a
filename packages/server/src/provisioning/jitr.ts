/**
 * Just-in-time registration: a client connects with a certificate that is not registered, and a registered CA with
 * auto-registration has signed it. The certificate is registered as PENDING_ACTIVATION; no attempt before its activation is
 * let in.
 * Source: AWS IoT developer guide, pages auto-register-device-cert, jit-provisioning.
 */
import { parseCertificate } from '@thingkeep/x509/certificate.ts';
import { DerError } from '@thingkeep/x509/der.ts';
import { PATH_FAULT_TEXT, type PathFault } from '@thingkeep/x509/path.ts';
import { pathRules } from '../authority/read-certificate.ts';
import type { Clock } from '../runtime/clock.ts';
import { DISK_LOW } from '../runtime/disk-failure.ts';
import { networkOf } from '../runtime/peer-network.ts';
import { Bucket, Buckets } from '../runtime/token-buckets.ts';
import type { Arrival, Arrivals } from './arrivals.ts';
import { type AutoRegisteringCa, chooseIssuer, namedIssuers, provenIssuers, type SearchedPlaces } from './auto-registering-ca.ts';
import type { AutomaticRegistration, RefusalText, RegistrationRefusal, UnknownCertificate } from './contract.ts';
import { PacedWork } from './paced-work.ts';
import { type Registered, registerPending, registrationOf } from './pending-certificates.ts';
import type { PendingCounts } from './pending-counts.ts';

export interface JitrDeps extends SearchedPlaces {
  readonly clock: Clock;
  readonly disk: { readonly low: boolean };
  readonly pending: Pick<PendingCounts, 'reserve'>;
  readonly arrivals: Pick<Arrivals, 'take'>;
}

/**
 * Certificates that name a registered CA which has not signed them: each costs checks of signatures. Of one network in a
 * second, and at once; of all in a second.
 */
const FORGED = { perSecond: 1 / 3, max: 20 };
const ALL_FORGED = 100;

const TOO_MANY_FORGED =
  'the issuer of the certificate is not looked for: too many certificates from this network name a registered CA that has not signed them';

const TOO_MANY = 'too many certificates that are not registered come at once';

type ParsedCertificate = Arrival['unknown'];
function parse(unknown: UnknownCertificate): ParsedCertificate | undefined {
  try {
    return { ...unknown, ...parseCertificate(unknown.certificate) };
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

function faultAnswer({ ca }: AutoRegisteringCa, { fault, at }: PathFault): RefusalText {
  const which = at === 0 ? 'the certificate' : `its CA ${ca.certificateId}`;
  const check = at === 0 && fault === 'expired' ? 'certificate-expired' : 'certificate-unknown';
  const reason = `the certificate is not registered, and just-in-time registration does not register it. What is wrong with ${which}: ${PATH_FAULT_TEXT[fault]}`;
  return { check, reason };
}

export class JustInTimeRegistration implements AutomaticRegistration {
  readonly #deps: JitrDeps;
  readonly #forged = new Buckets(FORGED.perSecond, FORGED.max);
  readonly #allForged = new Bucket(ALL_FORGED);
  readonly #paced = new PacedWork();

  constructor(deps: JitrDeps) {
    this.#deps = deps;
  }

  async attempt(unknown: UnknownCertificate): Promise<RegistrationRefusal | undefined> {
    const answered = this.#paced.run(() => this.#attempt(unknown));
    return answered ?? { check: 'overload', reason: TOO_MANY, certificateId: unknown.certificateId };
  }

  async #attempt(unknown: UnknownCertificate): Promise<RegistrationRefusal | undefined> {
    const certificate = parse(unknown);
    if (certificate === undefined) return undefined;
    const candidates = await namedIssuers(this.#deps, certificate);
    if (candidates.length === 0) return undefined;
    const { certificateId, sourceIp } = unknown;
    const network = networkOf(sourceIp);
    if (!this.#mayCheck(network)) return { check: 'rate', reason: TOO_MANY_FORGED, certificateId };
    const rules = pathRules(this.#deps.clock.now());
    const proven = provenIssuers(candidates, certificate, rules);
    if (proven.length === 0) this.#noteForged(network);
    const found = await chooseIssuer(this.#deps, proven, certificateId);
    if (found === undefined) return undefined;
    const { fault } = found;
    const answer = fault === undefined ? await this.#register(found, certificate) : faultAnswer(found, fault);
    return answer === undefined ? undefined : { ...answer, ...found.place, certificateId };
  }

  /** Undefined where the certificate is registered by other ways, or the CA registers nothing any more. */
  async #register(found: AutoRegisteringCa, certificate: ParsedCertificate): Promise<RefusalText | undefined> {
    const { inRegion, arrivals } = this.#deps;
    const store = inRegion(found.place.region);
    const known = await store.read((tx) => registrationOf(tx, found, certificate.certificateId));
    if (known === 'other') return undefined;
    const registered = known === 'before' ? known : await this.#store(found, certificate);
    if (registered === undefined || typeof registered !== 'string') return registered;
    return arrivals.take({ ...found, unknown: certificate, registered });
  }

  /** Registers the certificate if there is room for it. */
  async #store(found: AutoRegisteringCa, certificate: ParsedCertificate): Promise<Registered | RefusalText | undefined> {
    const { clock, disk, inRegion, pending } = this.#deps;
    if (disk.low) return { check: 'limit', reason: DISK_LOW };
    const reserved = pending.reserve(found.place, found.ca.certificateId);
    if (typeof reserved === 'string')
      return {
        check: 'limit',
        reason: `the certificate is not registered just in time: ${reserved}; activate or delete some of them (aws iot list-certificates-by-ca)`,
      };
    try {
      return await inRegion(found.place.region).write((tx) => registerPending(tx, found, certificate, clock.now()));
    } finally {
      reserved();
    }
  }

  #mayCheck(network: string): boolean {
    const now = this.#deps.clock.monotonic();
    return this.#forged.level(network, now) >= 1 && this.#allForged.level(now) >= 1;
  }

  #noteForged(network: string): void {
    const now = this.#deps.clock.monotonic();
    this.#forged.spend(network, 1, now);
    this.#allForged.spend(1, now);
  }
}
