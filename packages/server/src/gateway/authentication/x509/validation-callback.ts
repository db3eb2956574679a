/**
 * Custom client certificate validation: on a domain that names a function for it, the function is asked once for each connection
 * whether the client's certificate counts, before its policies are evaluated. It is not called for a certificate that is not
 * registered, or not ACTIVE.
 * Source: AWS IoT developer guide, page customize-client-auth.
 */
import { randomUUID, X509Certificate } from 'node:crypto';
import { IOT_SERVICE } from '@thingkeep/wire/service-principals.ts';
import type { Admission, AdmissionRefusal, Peer } from '../../../broker/contract.ts';
import { FunctionError, type FunctionInvoker } from '../../../functions/contract.ts';
import type { Connect } from '../../../mqtt/connect.ts';
import type { Logger } from '../../../runtime/log.ts';
import type { Authenticator, RequestIdentity } from '../authenticator.ts';
import type { CertificateCallback, ConnectionAttempt, DomainConfiguration } from '../connection-attempt.ts';
import { failureRefusal } from '../failure.ts';
import { NO_CLIENT, type RegisteredCertificates } from './registered-certificates.ts';

export interface ValidationCallbackOptions {
  /** Authenticates once the function has let a peer in. */
  readonly x509: Authenticator;
  readonly certificates: RegisteredCertificates;
  readonly functions: FunctionInvoker;
  readonly log: Logger;
}

/** Milliseconds for the function, as for authorizers. */
const TIMEOUT = 5_000;

type Refused = AdmissionRefusal['refused'];

function isAuthenticated(answer: Uint8Array): boolean {
  try {
    const parsed = JSON.parse(Buffer.from(answer).toString('utf8')) as { isAuthenticated?: unknown };
    return parsed.isAuthenticated === true;
  } catch {
    return false;
  }
}

/** X.509 authentication with the function of a domain asked first. */
export class ValidationCallbackAuthenticator implements Authenticator {
  readonly #options: ValidationCallbackOptions;
  /** Peers whose function has let them in. */
  readonly #passed = new WeakSet<Peer>();

  constructor(options: ValidationCallbackOptions) {
    this.#options = options;
  }

  async authenticate(attempt: ConnectionAttempt, connect: Connect): Promise<Admission | AdmissionRefusal> {
    const { clientId } = connect;
    const refused = await this.#validate(attempt, clientId);
    if (refused === undefined) return this.#options.x509.authenticate(attempt, connect);
    return { ...refused, refused: { ...refused.refused, clientId } };
  }

  async authenticateRequest(attempt: ConnectionAttempt): Promise<RequestIdentity | AdmissionRefusal> {
    const refused = await this.#validate(attempt, NO_CLIENT);
    return refused === undefined ? this.#options.x509.authenticateRequest(attempt) : refused;
  }

  /** The refusal of the domain's function; undefined when it lets the peer in, or has before, or there is none. */
  async #validate({ domain, peer }: ConnectionAttempt, clientId: string): Promise<AdmissionRefusal | undefined> {
    const callback = domain?.certificateCallback;
    if (domain === undefined || callback === undefined || this.#passed.has(peer)) return undefined;
    try {
      const certificate = await this.#options.certificates.usableCertificate(peer, clientId, domain.place);
      if ('refused' in certificate) return certificate;
      const fault = await this.#call(domain, callback, peer, certificate.certificateId);
      if (fault === undefined) {
        this.#passed.add(peer);
        return undefined;
      }
      const { place, principal, certificateId } = certificate;
      return { refused: { ...fault, ...place, principal, certificateId } };
    } catch (error) {
      this.#options.log.error({ err: error }, 'a connection could not be authorized');
      return { refused: failureRefusal('connection', error) };
    }
  }

  async #call(
    { name, place: { accountId } }: DomainConfiguration,
    { functionArn, sourceArn, byRoot }: CertificateCallback,
    peer: Peer,
    principalId: string,
  ): Promise<Pick<Refused, 'check' | 'reason'> | undefined> {
    const { issuers = [] } = peer;
    const own = [peer.certificateDer?.()].filter((der) => der !== undefined);
    const event = {
      connectionMetadata: { id: randomUUID() },
      principalId,
      serverName: peer.serverName,
      clientCertificateChain: [...own, ...issuers].map((der) => new X509Certificate(der).toString()),
    };
    const said = `the certificate callback of the domain configuration ${name}`;
    try {
      const answer = await this.#options.functions.invoke(functionArn, Buffer.from(JSON.stringify(event)), {
        timeoutMs: TIMEOUT,
        as: { service: IOT_SERVICE, sourceArn, sourceAccount: accountId, byRoot },
      });
      if (isAuthenticated(answer)) return undefined;
      return { check: 'authorizer', reason: `${said} answered that the client is not authenticated` };
    } catch (error) {
      if (!(error instanceof FunctionError)) throw error;
      const check = error.fault === 'overload' ? 'overload' : 'authorizer';
      return { check, reason: `${said} gave no answer: ${error.message}` };
    }
  }
}
