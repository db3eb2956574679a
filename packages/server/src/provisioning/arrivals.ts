/**
 * What becomes of a certificate that is PENDING_ACTIVATION and comes with a CONNECT: an event for the account's own rules, or
 * provisioning by the template of its CA. Gives the words of the refusal.
 */
import { placeKey } from '@thingkeep/wire/arn.ts';
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import type { Messaging } from '../broker/messaging.ts';
import type { Clock } from '../runtime/clock.ts';
import { Buckets } from '../runtime/token-buckets.ts';
import type { AutoRegisteringCa, Unregistered } from './auto-registering-ca.ts';
import { certificateParameters } from './certificate-parameters.ts';
import type { JustInTimeProvisioning, JustInTimeRequest, RefusalText, UnknownCertificate } from './contract.ts';
import type { Registered } from './pending-certificates.ts';
import { registrationEvent } from './registration-event.ts';

export interface ArrivalsDeps {
  readonly clock: Clock;
  readonly messaging: Pick<Messaging, 'publish' | 'stored'>;
  readonly provisioning: JustInTimeProvisioning;
}

/** A registered, pending certificate with its CA. */
export interface Arrival extends AutoRegisteringCa {
  readonly unknown: Unregistered & Pick<UnknownCertificate, 'sourceIp'>;
  readonly registered: Registered;
}

/**
 * Attempts of one certificate that are told of, or provisioned, in a second, and at once: a fleet whose function is slow
 * would bury it under events of devices that come again and again.
 */
const ATTEMPTS = { perSecond: 0.1, max: 10 };

const NOT_ACTIVE = 'certificate-not-active';

const begin = ({ ca, registered }: Arrival): string =>
  registered === 'now'
    ? `the certificate was not registered: just-in-time registration has registered it as PENDING_ACTIVATION, by its CA ${ca.certificateId}`
    : 'the certificate is PENDING_ACTIVATION: just-in-time registration has registered it before, and nothing has activated it since';

export class Arrivals {
  readonly #deps: ArrivalsDeps;
  readonly #attempts = new Buckets(ATTEMPTS.perSecond, ATTEMPTS.max);
  /** Certificates that are being provisioned. */
  readonly #running = new Map<string, Promise<void>>();

  constructor(deps: ArrivalsDeps) {
    this.#deps = deps;
  }

  /** Resolves once what it causes is stored. */
  async take(arrival: Arrival): Promise<RefusalText> {
    const { ca, place, unknown } = arrival;
    const key = `${placeKey(place)}/${unknown.certificateId}`;
    if (!this.#attempts.take(key, this.#deps.clock.monotonic()))
      return {
        check: 'rate',
        reason: `${begin(arrival)}; it comes more often than once in ten seconds, and this attempt causes nothing`,
      };
    const { registrationConfig: config } = ca;
    if (config?.templateBody === undefined && config?.templateName === undefined) return this.#announce(arrival);
    const { certificateId, subject } = unknown;
    const caCertificateId = ca.certificateId;
    return this.#provision(key, arrival, {
      place,
      certificateId,
      caCertificateId,
      config,
      parameters: certificateParameters(subject, certificateId),
    });
  }

  async #announce(arrival: Arrival): Promise<RefusalText> {
    const { messaging, clock } = this.#deps;
    const { ca, place, unknown } = arrival;
    const { topic, payload } = registrationEvent(ca.certificateId, place, unknown, clock.now());
    await messaging.stored(messaging.publish(place, topic, payload, 1));
    const how = `an event is published on ${topic}: a rule on it, or aws iot update-certificate --new-status ACTIVE --certificate-id ${unknown.certificateId}, activates the certificate, and the next connection is let in`;
    return { check: NOT_ACTIVE, reason: `${begin(arrival)}; ${how}` };
  }

  async #provision(key: string, arrival: Arrival, request: JustInTimeRequest): Promise<RefusalText> {
    const { provisioning } = this.#deps;
    // Two attempts at once are one registration.
    const running = this.#running.get(key) ?? provisioning.provision(request).finally(() => this.#running.delete(key));
    this.#running.set(key, running);
    try {
      await running;
      return {
        check: NOT_ACTIVE,
        reason: `${begin(arrival)}; the template of the CA has provisioned it: the next connection is let in`,
      };
    } catch (error) {
      if (!(error instanceof ThingkeepError)) throw error;
      const reason = `${begin(arrival)}; provisioning by the template of the CA has failed, and the next connection tries again: ${error.message}`;
      return { check: NOT_ACTIVE, reason };
    }
  }
}
