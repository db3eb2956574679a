/** The authenticators (X.509, SigV4, custom), and the choice among them for each connection attempt. */
import { carriesCustomCredentials } from '../../authorizers/credentials.ts';
import type { Admission, AdmissionRefusal, Judge } from '../../broker/contract.ts';
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

/** What the sender of an HTTPS request says of itself, to be proven once its body is known. */
export interface UnverifiedRequest {
  /** Fails, with a code of the API, for a signature that is not right. */
  prove(body: Uint8Array): Promise<RequestIdentity | AdmissionRefusal>;
}

const FOREIGN: AdmissionRefusal = {
  refused: { check: 'protocol', reason: 'a page of another origin may not use the certificate that a browser adds' },
};

export class AuthenticatorRegistry {
  readonly #authenticators: Authenticators;
  readonly #marked: (judge: Judge) => Judge;

  /** `marked` is put around every judge: it notes by which state of the rights a connection was judged. */
  constructor(authenticators: Authenticators, marked: (judge: Judge) => Judge) {
    this.#authenticators = authenticators;
    this.#marked = marked;
  }

  /** The authorizer of a connection's CONNECT, for the broker. A WebSocket has been through {@link beginWebSocket} before. */
  connectAuthorizer(attempt: ConnectionAttempt, alpn: string | undefined): Judge {
    return this.#marked((connect) => this.#authenticate(attempt, alpn, connect));
  }

  async #authenticate(
    attempt: ConnectionAttempt,
    alpn: string | undefined,
    connect: Connect,
  ): Promise<Admission | AdmissionRefusal> {
    // Not before CONNECT: a user name may bring credentials for a custom authorizer, behind a WebSocket too.
    const authenticator = this.#select(attempt, alpn, carriesCustomCredentials(attempt.http, connect.userName));
    return 'refused' in authenticator ? authenticator : authenticator.authenticate(attempt, connect);
  }

  /**
   * Checks of a WebSocket before its upgrade is accepted. Gives the attempt with its signer where SigV4 authenticates;
   * fails, with a code of the API, for a signature that is not right.
   */
  async beginWebSocket(attempt: ConnectionAttempt, alpn: string | undefined): Promise<ConnectionAttempt | AdmissionRefusal> {
    const authenticator = this.#select(attempt, alpn);
    if ('refused' in authenticator) return authenticator;
    const { sigv4 } = this.#authenticators;
    if (authenticator === sigv4) return sigv4.prove(attempt);
    return this.#comesFromForeignPage(attempt, authenticator) ? FOREIGN : attempt;
  }

  /** What can be told of an HTTPS request by its head. */
  async beginRequest(attempt: ConnectionAttempt, alpn: string | undefined): Promise<UnverifiedRequest | AdmissionRefusal> {
    const authenticator = this.#select(attempt, alpn);
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

  /** With a certificate as the only proof, whoever sends the request must not be a page that was read elsewhere. */
  #comesFromForeignPage({ http }: ConnectionAttempt, authenticator: Authenticator): boolean {
    return authenticator === this.#authenticators.x509 && http !== undefined && isForeignOrigin(http);
  }

  #select(
    attempt: ConnectionAttempt,
    alpn: string | undefined,
    hasCustomCredentials?: boolean,
  ): Authenticator | AdmissionRefusal {
    const chosen = selectAuthenticator(attempt, alpn, hasCustomCredentials);
    return typeof chosen === 'string' ? this.#authenticators[chosen] : chosen;
  }
}
