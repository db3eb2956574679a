/** The authenticators (X.509, SigV4, custom), and the choice among them for each connection attempt. */
import { carriesCustomCredentials } from '../../authorizers/credentials.ts';
import type { Admission, AdmissionRefusal, ConnectAuthorizer } from '../../broker/contract.ts';
import type { Connect } from '../../mqtt/connect.ts';
import type { Authenticator, RequestIdentity } from './authenticator.ts';
import type { ConnectionAttempt } from './connection-attempt.ts';
import { isForeignOrigin } from './foreign-origin.ts';
import { selectAuthenticator } from './select.ts';
import type { Sigv4Authenticator } from './sigv4/sigv4-authenticator.ts';

export interface Authenticators {
  readonly x509: Authenticator;
  readonly sigv4: Sigv4Authenticator;
  readonly custom: Authenticator;
}

/** An HTTPS request whose signature, if it has one, is proven once its body is known. */
export interface UnverifiedRequest {
  /** Fails, with a code of the API, for a signature that is not right. */
  prove(body: Uint8Array): Promise<RequestIdentity | AdmissionRefusal>;
}

const FOREIGN: AdmissionRefusal = {
  refused: { check: 'protocol', reason: 'a page of another origin may not use the certificate that a browser adds' },
};

export class AuthenticatorRegistry {
  readonly #authenticators: Authenticators;
  readonly #tracked: (authorizer: ConnectAuthorizer) => ConnectAuthorizer;

  /** `tracked` wraps the authorizer of every CONNECT: it notes by which state of the permissions a CONNECT was authorized. */
  constructor(authenticators: Authenticators, tracked: (authorizer: ConnectAuthorizer) => ConnectAuthorizer) {
    this.#authenticators = authenticators;
    this.#tracked = tracked;
  }

  /** The authorizer of a connection's CONNECT, for the broker. A WebSocket has been through {@link beginWebSocket} before. */
  connectAuthorizer(attempt: ConnectionAttempt): ConnectAuthorizer {
    return this.#tracked((connect) => this.#authenticate(attempt, connect));
  }

  async #authenticate(attempt: ConnectionAttempt, connect: Connect): Promise<Admission | AdmissionRefusal> {
    // Not before CONNECT: a user name may bring credentials for a custom authorizer, behind a WebSocket too.
    const authenticator = this.#select(attempt, carriesCustomCredentials(attempt.http, connect.userName));
    return 'refused' in authenticator ? authenticator : authenticator.authenticate(attempt, connect);
  }

  /**
   * Checks of a WebSocket before its upgrade is accepted. Gives the attempt with its signer where SigV4 authenticates;
   * fails, with a code of the API, for a signature that is not right.
   */
  async beginWebSocket(attempt: ConnectionAttempt): Promise<ConnectionAttempt | AdmissionRefusal> {
    const authenticator = this.#select(attempt);
    if ('refused' in authenticator) return authenticator;
    const { sigv4 } = this.#authenticators;
    if (authenticator === sigv4) return sigv4.prove(attempt);
    return this.#comesFromForeignPage(attempt, authenticator) ? FOREIGN : attempt;
  }

  /** Checks of an HTTPS request by its head, before its body is read. */
  async beginRequest(attempt: ConnectionAttempt): Promise<UnverifiedRequest | AdmissionRefusal> {
    const authenticator = this.#select(attempt);
    if ('refused' in authenticator) return authenticator;
    const { sigv4 } = this.#authenticators;
    if (authenticator === sigv4) {
      const finish = await sigv4.begin(attempt);
      return { prove: async (body) => sigv4.authenticateRequest(finish(body)) };
    }
    if (this.#comesFromForeignPage(attempt, authenticator)) return FOREIGN;
    const who = await authenticator.authenticateRequest(attempt);
    return 'refused' in who ? who : { prove: () => Promise.resolve(who) };
  }

  /** A certificate as the only proof does not admit a page of another origin. */
  #comesFromForeignPage({ http }: ConnectionAttempt, authenticator: Authenticator): boolean {
    return authenticator === this.#authenticators.x509 && http !== undefined && isForeignOrigin(http);
  }

  #select(attempt: ConnectionAttempt, hasCustomCredentials?: boolean): Authenticator | AdmissionRefusal {
    const chosen = selectAuthenticator(attempt, hasCustomCredentials);
    return typeof chosen === 'string' ? this.#authenticators[chosen] : chosen;
  }
}
