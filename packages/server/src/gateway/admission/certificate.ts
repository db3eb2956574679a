/**
 * Who is it, and what may it do: a device with an X.509 certificate. The steps are the checks that a refusal names:
 * a certificate was shown, is registered, is ACTIVE, is within its validity, and its policies allow the client id.
 * Source: AWS IoT developer guide, pages x509-client-certs, iot-policy-actions, thing-policy-variables.
 */
import { iotArn } from '@thingkeep/wire/arn.ts';
import type { Admission, AdmissionRefusal, Admit, Peer, Rights } from '../../broker/contract.ts';
import type { Connect } from '../../mqtt/connect.ts';
import { timeKeys } from '../../policies/condition.ts';
import { CompiledPolicyCache, effectivePolicies } from '../../policies/effective.ts';
import { bindRights, type Rights as PolicyRights } from '../../policies/evaluate.ts';
import { type DeviceFacts, deviceContext } from '../../policies/variables.ts';
import { findCertificate, thingOf } from '../../registry/admission.ts';
import type { CertificateRecord } from '../../registry/store.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/log.ts';
import type { ReadTransaction, Store } from '../../store/contract.ts';

export interface CertificateAdmissionOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly region: string;
}

/** A device's identity without an MQTT session: who sends an HTTPS request. */
export interface Identified {
  readonly accountId: string;
  readonly principal: string;
  readonly rights: Rights;
}

type Judged = { readonly certificate: CertificateRecord } | AdmissionRefusal;

const refused = (refusal: AdmissionRefusal['refused']): AdmissionRefusal => ({ refused: refusal });

export class CertificateAdmission {
  readonly #options: CertificateAdmissionOptions;
  readonly #compiled = new CompiledPolicyCache();

  constructor(options: CertificateAdmissionOptions) {
    this.#options = options;
  }

  /** Judges a CONNECT, at its time and again whenever rights may have changed. */
  readonly admit: Admit = async (peer, connect) => {
    try {
      return await this.#options.store.read((tx) => this.#judge(tx, peer, connect));
    } catch (error) {
      this.#options.log.error({ err: error }, 'a connection could not be judged');
      return refused({ check: 'overload', reason: 'the server could not read what it needs to judge the connection' });
    }
  };

  /** Judges the sender of an HTTPS request: there is no client id, and no thing (page thing-policy-variables). */
  async identify(peer: Peer): Promise<Identified | AdmissionRefusal> {
    return this.#options.store.read(async (tx) => {
      const judged = await this.#certificate(tx, peer);
      if ('refused' in judged) return judged;
      const { accountId } = judged.certificate;
      const principal = this.#principal(judged.certificate);
      return { accountId, principal, rights: this.#forBroker(await this.#rights(tx, judged.certificate, peer, { protocol: 'http', isAttached: false })) };
    });
  }

  async #judge(tx: ReadTransaction, peer: Peer, connect: Connect): Promise<Admission | AdmissionRefusal> {
    const judged = await this.#certificate(tx, peer);
    if ('refused' in judged) return judged;
    const { accountId } = judged.certificate;
    const place = { accountId, region: this.#options.region };
    const principal = this.#principal(judged.certificate);
    const { clientId, will } = connect;
    const found = await thingOf(tx, accountId, principal, clientId);
    const rights = await this.#rights(tx, judged.certificate, peer, {
      protocol: 'mqtt',
      clientId,
      isAttached: found !== undefined,
      ...(found === undefined ? {} : { thing: found.thing }),
      connectAttributes: connectAttributes(connect),
      ...(will === undefined ? {} : { lastWillTopicArn: iotArn(place, 'topic', will.topic) }),
    });
    const resource = iotArn(place, 'client', clientId);
    const { effect, ...statement } = rights.decide('iot:Connect', resource);
    if (effect === 'ALLOWED') return { accountId, principal, rights: this.#forBroker(rights) };
    return refused({
      check: 'policy',
      reason: `iot:Connect as ${clientId} is ${effect === 'EXPLICIT_DENY' ? 'denied by a statement' : 'not allowed by any statement'}`,
      accountId,
      clientId,
      principal,
      certificateId: judged.certificate.certificateId,
      action: 'iot:Connect',
      resource,
      decision: effect,
      ...statement,
    });
  }

  /** The registered certificate that the peer has shown, if it may be used now. */
  async #certificate(tx: ReadTransaction, { certificateId }: Peer): Promise<Judged> {
    if (certificateId === undefined) return refused({ check: 'certificate-missing', reason: 'the client showed no certificate' });
    const records = await findCertificate(tx, certificateId);
    const [first] = records;
    if (first === undefined) return refused({ check: 'certificate-unknown', reason: 'the certificate is not registered', certificateId });
    const certificate = records.find((record) => record.status === 'ACTIVE') ?? first;
    const { accountId, status, notBefore, notAfter } = certificate;
    const known = { accountId, certificateId, principal: this.#principal(certificate) };
    if (status !== 'ACTIVE') return refused({ check: 'certificate-not-active', reason: `the certificate is ${status}`, ...known });
    const now = this.#options.clock.now();
    if (now < notBefore)
      return refused({ check: 'certificate-not-yet-valid', reason: `the certificate is valid from ${new Date(notBefore).toISOString()}`, ...known });
    if (now > notAfter)
      return refused({ check: 'certificate-expired', reason: `the certificate expired on ${new Date(notAfter).toISOString()}`, ...known });
    return { certificate };
  }

  #principal({ accountId, certificateId }: CertificateRecord): string {
    return iotArn({ accountId, region: this.#options.region }, 'cert', certificateId);
  }

  async #rights(
    tx: ReadTransaction,
    certificate: CertificateRecord,
    peer: Peer,
    facts: Omit<DeviceFacts, 'now' | 'sourceIp' | 'domainName' | 'certificateDer'>,
  ): Promise<PolicyRights> {
    const { clock } = this.#options;
    const documents = await effectivePolicies(tx, certificate.accountId, this.#principal(certificate), []);
    const context = deviceContext({
      ...facts,
      now: clock.now(),
      sourceIp: peer.sourceIp,
      ...(peer.serverName === undefined ? {} : { domainName: peer.serverName }),
      ...(peer.certificateDer === undefined ? {} : { certificateDer: peer.certificateDer }),
    });
    return bindRights(this.#compiled.compile(documents), context);
  }

  /** Rights that depend on the time are asked with the time, and their answers are not kept for long. */
  #forBroker(rights: PolicyRights): Rights {
    if (!rights.timeDependent) return { volatile: false, decide: (action, resource) => rights.decide(action, resource) };
    const { clock } = this.#options;
    return { volatile: true, decide: (action, resource) => rights.decide(action, resource, timeKeys(clock.now())) };
  }
}

/** What a CONNECT uses beyond the plain, as `iot:ConnectAttributes` names it (page connect-policy). */
function connectAttributes({ level, clean, will, properties }: Connect): string[] {
  const persistent = level === 5 ? (properties.sessionExpiryInterval ?? 0) > 0 : !clean;
  return [...(persistent ? ['PersistentConnect'] : []), ...(will === undefined ? [] : ['LastWill'])];
}
