/**
 * Authentication by an X.509 client certificate. The steps are the checks that a refusal names: a certificate was shown, is
 * registered, is ACTIVE, is within its validity, and its policies allow the client id.
 * Source: AWS IoT developer guide, pages x509-client-certs, iot-policy-actions, thing-policy-variables.
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import { defined } from '@thingkeep/wire/defined.ts';
import type { Admission, AdmissionRefusal, Peer } from '../../../broker/contract.ts';
import type { Connect } from '../../../mqtt/connect.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Logger } from '../../../runtime/log.ts';
import { certificatePermissions } from '../../authorization/client-permissions.ts';
import { connectContext, connectRefusal } from '../../authorization/connect-permissions.ts';
import type { Authenticator, RequestIdentity } from '../authenticator.ts';
import type { ConnectionAttempt } from '../connection-attempt.ts';
import { refuseFailures } from '../failure.ts';
import { NO_CERTIFICATE } from './certificate-reasons.ts';
import { secondsValid } from './certificate-validity.ts';
import { NO_CLIENT, type RegisteredCertificates, thingNameOf } from './registered-certificates.ts';

export interface X509Deps {
  readonly certificates: RegisteredCertificates;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A client that brings a user name and no certificate means a custom authorizer. */
function withUserName(answer: AdmissionRefusal): AdmissionRefusal {
  const { refused } = answer;
  if (refused.check !== 'certificate-missing') return answer;
  const reason = `${NO_CERTIFICATE}; its user name is for a custom authorizer, which is asked on the HTTPS port with the ALPN protocol mqtt, over WebSocket, or on a domain configuration of the type CUSTOM_AUTH`;
  return { refused: { ...refused, reason } };
}

export class X509Authenticator implements Authenticator {
  readonly #deps: X509Deps;

  constructor(deps: X509Deps) {
    this.#deps = deps;
  }

  authenticate({ peer, domain }: ConnectionAttempt, connect: Connect): Promise<Admission | AdmissionRefusal> {
    return refuseFailures(this.#deps.log, 'connection', () => this.#authenticate(peer, connect, domain?.place));
  }

  /** An HTTPS request has no client id, and no thing (page thing-policy-variables). */
  async authenticateRequest({ peer, domain }: ConnectionAttempt): Promise<RequestIdentity | AdmissionRefusal> {
    const certificate = await this.#deps.certificates.usableCertificate(peer, NO_CLIENT, domain?.place);
    if ('refused' in certificate) return certificate;
    const { place, principal } = certificate;
    return {
      place,
      principal,
      permissions: certificatePermissions(certificate, { peer, context: { protocol: 'http' }, clock: this.#deps.clock }),
    };
  }

  async #authenticate(peer: Peer, connect: Connect, named: Place | undefined): Promise<Admission | AdmissionRefusal> {
    const { certificates, clock } = this.#deps;
    const { clientId } = connect;
    const certificate = await certificates.usableCertificate(peer, clientId, named);
    if ('refused' in certificate) return connect.userName === undefined ? certificate : withUserName(certificate);
    const { place, principal, certificateId, userProperties } = certificate;
    const permissions = certificatePermissions(certificate, { peer, context: connectContext(place, connect), clock });
    const denied = connectRefusal(place, clientId, permissions);
    if (denied !== undefined) return { refused: { ...denied, principal, certificateId } };
    return {
      ...place,
      principal,
      principalId: certificateId,
      ...thingNameOf(certificate),
      ...defined({ userProperties: userProperties.length === 0 ? undefined : userProperties }),
      ...(certificate.isTemporary === true && { isGuest: true as const }),
      reauthorizeAfter: secondsValid(certificate, clock.now()),
      permissions,
    };
  }
}
