/**
 * Just-in-time registration: a client connects with a certificate that is not registered, and a registered CA with
 * auto-registration has signed it. The certificate is registered as PENDING_ACTIVATION and an event says so, at each attempt
 * until it is activated; no attempt before that is let in.
 * Source: AWS IoT developer guide, page auto-register-device-cert.
 */
import type { Messaging } from '../broker/messaging.ts';
import type { Clock } from '../runtime/clock.ts';
import { type AutoRegisteringCa, type SearchedPlaces, findAutoRegisteringCa } from './auto-registering-ca.ts';
import type { AutomaticRegistration, RegistrationRefusal, UnknownCertificate } from './contract.ts';
import { registerPending } from './pending-certificates.ts';
import { registrationEvent } from './registration-event.ts';

export interface JitrDeps extends SearchedPlaces {
  readonly clock: Clock;
  readonly messaging: Pick<Messaging, 'publish' | 'stored'>;
}

export class JustInTimeRegistration implements AutomaticRegistration {
  readonly #deps: JitrDeps;

  constructor(deps: JitrDeps) {
    this.#deps = deps;
  }

  async attempt(unknown: UnknownCertificate): Promise<RegistrationRefusal | undefined> {
    const found = await findAutoRegisteringCa(this.#deps, unknown);
    if (found === undefined) return undefined;
    const { clock, inRegion } = this.#deps;
    const registered = await inRegion(found.place.region).write((tx) => registerPending(tx, found, unknown, clock.now()));
    if (registered === undefined) return undefined;
    return this.#announce(found, unknown, registered === 'new');
  }

  async #announce({ ca, place }: AutoRegisteringCa, unknown: UnknownCertificate, isNew: boolean): Promise<RegistrationRefusal> {
    const { messaging, clock } = this.#deps;
    const { topic, payload } = registrationEvent(ca.certificateId, place, unknown, clock.now());
    await messaging.stored(messaging.publish(place, topic, payload, 1));
    const what = isNew
      ? `the certificate was not registered: just-in-time registration has registered it as PENDING_ACTIVATION, by its CA ${ca.certificateId}`
      : 'the certificate is PENDING_ACTIVATION: just-in-time registration has registered it before, and nothing has activated it since';
    const how = `an event is published on ${topic}: a rule on it, or aws iot update-certificate --new-status ACTIVE --certificate-id ${unknown.certificateId}, activates the certificate, and the next connection is let in`;
    return { check: 'certificate-not-active', reason: `${what}; ${how}`, ...place, certificateId: unknown.certificateId };
  }
}
