/**
 * Registered certificates, as connections and requests use them: found by what the peer has shown, checked by status and
 * validity, with policies and thing. What the store says is remembered; the clock is asked anew for each use.
 */
import { X509Certificate } from 'node:crypto';
import { iotArn, type Place, placeKey } from '@thingkeep/wire/arn.ts';
import type { Admission, AdmissionRefusal, Peer } from '../../../broker/contract.ts';
import { readCertificateNames } from '../../../policies/certificate-names.ts';
import { CompiledPolicyCache, effectivePolicies } from '../../../policies/effective.ts';
import type { PermissionChanges } from '../../../policies/permission-changes.ts';
import { asksForCertificate } from '../../../policies/variables.ts';
import type { AutomaticRegistration, TemporaryCertificates } from '../../../provisioning/contract.ts';
import { propagated, thingOf } from '../../../registry/admission.ts';
import { type CertificateRecord, certificates } from '../../../registry/store.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { networkOf } from '../../../runtime/peer-network.ts';
import { RepeatLimiter } from '../../../runtime/repeat-limiter.ts';
import type { ReadTransaction } from '../../../store/contract.ts';
import { claimReason, NO_CERTIFICATE } from './certificate-reasons.ts';
import { CertificateFactsCache } from './certificate-facts-cache.ts';
import type { CertificatePolicies } from '../../authorization/client-permissions.ts';
import { type CertificateValidity, validityFault } from './certificate-validity.ts';
import { type Places, registrationHolder, unregisteredRefusal } from './registration.ts';

/** Regions that hold data are where a certificate without a holder is searched for, to say why it is refused. */
export interface RegisteredCertificatesOptions extends Places {
  readonly clock: Clock;
  readonly changes: PermissionChanges;
  /** Absent where no CONNECT registers a certificate. */
  readonly automatic?: AutomaticRegistration;
  /** Certificates that count for a while without being registered; absent where there are none. */
  readonly temporary?: TemporaryCertificates;
}

/** Looks for the issuer of an unknown certificate, by the peer's network: each reads records and checks signatures. */
const ISSUER_LOOKS = { max: 20, perMs: 60_000 };

const NOTHING: NonNullable<Admission['userProperties']> = [];

/** A registered certificate that is used with a client id. */
export interface RegisteredCertificate extends CertificateValidity, CertificatePolicies {
  readonly place: Place;
  readonly certificateId: string;
  readonly principal: string;
  /** That the thing's type gives to every message of the connection. */
  readonly userProperties: NonNullable<Admission['userProperties']>;
  /** Whether `thing` is the principal's only one, by exclusive attachment. */
  readonly exclusive: boolean;
  /** Whether it counts for a while, without being registered. */
  readonly isTemporary?: true;
}

/** The client id of an HTTPS request, which has none: no client id of MQTT is empty. */
export const NO_CLIENT = '';

const refused = (refusal: AdmissionRefusal['refused']): AdmissionRefusal => ({ refused: refusal });

export class RegisteredCertificates {
  readonly #options: RegisteredCertificatesOptions;
  readonly #compiled = new CompiledPolicyCache();
  readonly #remembered: CertificateFactsCache<RegisteredCertificate>;
  readonly #looks: RepeatLimiter;

  constructor(options: RegisteredCertificatesOptions) {
    this.#options = options;
    this.#remembered = new CertificateFactsCache(options.changes);
    this.#looks = new RepeatLimiter(options.clock, ISSUER_LOOKS);
  }

  /**
   * The registered certificate that the peer has shown, if it may be used now. An HTTPS request has the client id ''.
   * `named` is the place of the domain configuration whose host name the peer asked for: no other registration counts then.
   */
  async usableCertificate(peer: Peer, clientId: string, named?: Place): Promise<RegisteredCertificate | AdmissionRefusal> {
    const { certificateId } = peer;
    if (certificateId === undefined) return refused({ check: 'certificate-missing', reason: NO_CERTIFICATE });
    // No client id can look like one beside a place: what is asked without a place begins with a slash.
    const use = `${named === undefined ? '' : `${named.accountId}/${named.region}`}/${clientId}`;
    const certificate = await this.#remembered.get(certificateId, use, () =>
      this.#load(certificateId, clientId, named, peer.certificateDer),
    );
    if (clientId !== NO_CLIENT && (certificate === undefined || certificate.status === 'PENDING_ACTIVATION')) {
      const attempted = await this.#registerAutomatically(peer, certificateId, named);
      if (attempted !== undefined) return attempted;
    }
    if (certificate === undefined) return this.#unregistered(peer, certificateId, named);
    const fault = validityFault(certificate, this.#options.clock.now());
    if (fault === undefined) return certificate;
    const { place, principal, isTemporary } = certificate;
    const reason = isTemporary === true ? claimReason(certificate) : fault.reason;
    return refused({ ...fault, reason, ...place, certificateId, principal });
  }

  /** The refusal of a CONNECT that just-in-time registration takes as a device's first ones: it is answered by no CONNACK. */
  async #registerAutomatically(
    { sourceIp, certificateDer }: Peer,
    certificateId: string,
    named: Place | undefined,
  ): Promise<AdmissionRefusal | undefined> {
    const { automatic } = this.#options;
    const certificate = automatic === undefined ? undefined : certificateDer?.();
    if (automatic === undefined || certificate === undefined) return undefined;
    const refusal = await automatic.attempt({ certificateId, certificate, sourceIp, named });
    return refusal === undefined ? undefined : { refused: refusal, isSilent: true };
  }

  /** The refusal; its words tell of the issuer, unless the peer's address has had such words too often. */
  async #unregistered(peer: Peer, certificateId: string, named: Place | undefined): Promise<AdmissionRefusal> {
    const mayLook = named === undefined && this.#looks.admit(networkOf(peer.sourceIp)) !== undefined;
    const der = mayLook ? peer.certificateDer?.() : undefined;
    const certificate = der === undefined ? undefined : new X509Certificate(der);
    return unregisteredRefusal(this.#options, certificateId, named, certificate);
  }

  /** The registration that counts: the one in `place`, else the one that was ACTIVE first, whatever state it is in now. */
  async #load(
    certificateId: string,
    clientId: string,
    place: Place | undefined,
    der: Peer['certificateDer'],
  ): Promise<RegisteredCertificate | undefined> {
    const where = place ?? (await registrationHolder(this.#options, certificateId));
    const registered =
      where === undefined
        ? undefined
        : await this.#options.inRegion(where.region).read(async (tx) => {
            const record = await tx.get(certificates, [where.accountId, certificateId]);
            return record === undefined ? undefined : this.#loadFrom(tx, where.region, record, clientId, der);
          });
    return registered ?? this.#loadTemporary(certificateId, place);
  }

  async #loadTemporary(certificateId: string, named: Place | undefined): Promise<RegisteredCertificate | undefined> {
    const found = await this.#options.temporary?.find(certificateId);
    if (found === undefined || (named !== undefined && placeKey(named) !== placeKey(found.place))) return undefined;
    const { place, notBefore, notAfter, policies } = found;
    return {
      ...{ place, certificateId, principal: iotArn(place, 'cert', certificateId), status: 'ACTIVE', notBefore, notAfter },
      ...{ names: undefined, policies: this.#compiled.compile(policies), thing: undefined },
      ...{ userProperties: NOTHING, exclusive: false, isTemporary: true },
    };
  }

  async #loadFrom(
    tx: ReadTransaction,
    region: string,
    record: CertificateRecord,
    clientId: string,
    der: Peer['certificateDer'],
  ): Promise<RegisteredCertificate> {
    const { certificateId } = record;
    const { accountId, status, notBefore, notAfter } = record;
    const place = { accountId, region };
    const principal = iotArn(place, 'cert', certificateId);
    const found = clientId === NO_CLIENT ? undefined : await thingOf(tx, place, principal, clientId);
    const policies = this.#compiled.compile(await effectivePolicies(tx, accountId, principal, found?.groupArns ?? []));
    // Temporary credentials come without the certificate that they were got with.
    const names = asksForCertificate(policies)
      ? readCertificateNames(der?.() ?? new X509Certificate(record.certificatePem).raw)
      : undefined;
    return {
      place,
      certificateId,
      principal,
      status,
      notBefore,
      notAfter,
      names,
      policies,
      thing: found?.thing,
      userProperties: found === undefined ? NOTHING : propagated(found, clientId),
      exclusive: found?.exclusive === true,
    };
  }
}

/** Lifecycle events name the thing of an exclusive attachment, and no other (page life-cycle-events). */
export const thingNameOf = ({ exclusive, thing }: RegisteredCertificate): { thingName?: string } =>
  exclusive && thing !== undefined ? { thingName: thing.thingName } : {};
