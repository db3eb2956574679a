/** Sends each login to the method by which it is judged: certificate, signature (SigV4) or custom authorizer. */
import { carriesCustomCredentials } from '../../authorizers/credentials.ts';
import type { AdmissionRefusal, Judge } from '../../broker/contract.ts';
import { isForeignOrigin } from '../upgrade.ts';
import { choose } from './select.ts';
import type { Identified, Login, LoginMethod } from './connection-attempt.ts';
import type { Sigv4Admission } from './sigv4/sigv4-authenticator.ts';

export interface LoginMethods {
  readonly certificate: LoginMethod;
  readonly sigv4: Sigv4Admission;
  readonly custom: LoginMethod;
}

/** What the sender of an HTTPS request says of itself, to be proven once its body is known. */
export interface Claim {
  /** Fails, with a code of the API, for a signature that is not right. */
  prove(body: Uint8Array): Promise<Identified | AdmissionRefusal>;
}

const FOREIGN: AdmissionRefusal = {
  refused: { check: 'protocol', reason: 'a page of another origin may not use the certificate that a browser adds' },
};

export class Logins {
  readonly #methods: LoginMethods;
  readonly #marked: (judge: Judge) => Judge;

  /** `marked` is put around every judge: it notes by which state of the rights a connection was judged. */
  constructor(methods: LoginMethods, marked: (judge: Judge) => Judge) {
    this.#methods = methods;
    this.#marked = marked;
  }

  /**
   * The judge of a connection's CONNECT. `alpn` is what TLS agreed on at the HTTPS port; undefined elsewhere. A WebSocket
   * has been through {@link beginWebSocket} before.
   */
  judgeOf(login: Login, alpn: string | undefined): Judge {
    // Not before CONNECT: a user name may bring credentials for a custom authorizer, behind a WebSocket too.
    const judge: Judge = async (connect) => {
      const method = this.#method(login, alpn, carriesCustomCredentials(login.http, connect.userName));
      return 'refused' in method ? method : method.judgeOf(login)(connect);
    };
    return this.#marked(judge);
  }

  /**
   * What can be told of a WebSocket before its upgrade is accepted. Gives the login with who has signed it, if anybody
   * has to; fails, with a code of the API, for a signature that is not right.
   */
  async beginWebSocket(login: Login, alpn: string | undefined): Promise<Login | AdmissionRefusal> {
    const method = this.#method(login, alpn);
    if ('refused' in method) return method;
    const { sigv4 } = this.#methods;
    if (method === sigv4) return sigv4.prove(login);
    return this.#comesFromForeignPage(login, method) ? FOREIGN : login;
  }

  /** What can be told of an HTTPS request by its head. */
  async beginRequest(login: Login, alpn: string | undefined): Promise<Claim | AdmissionRefusal> {
    const method = this.#method(login, alpn);
    if ('refused' in method) return method;
    const { sigv4 } = this.#methods;
    if (method === sigv4) {
      const finish = await sigv4.begin(login);
      return { prove: async (body) => sigv4.identify(finish(body)) };
    }
    if (this.#comesFromForeignPage(login, method)) return FOREIGN;
    const who = await method.identify(login);
    return 'refused' in who ? who : { prove: () => Promise.resolve(who) };
  }

  /** With a certificate as the only proof, whoever sends the request must not be a page that was read elsewhere. */
  #comesFromForeignPage({ http }: Login, method: LoginMethod): boolean {
    return method === this.#methods.certificate && http !== undefined && isForeignOrigin(http);
  }

  #method(login: Login, alpn: string | undefined, hasCustomCredentials?: boolean): LoginMethod | AdmissionRefusal {
    const chosen = choose(login, alpn, hasCustomCredentials);
    return typeof chosen === 'string' ? this.#methods[chosen] : chosen;
  }
}
