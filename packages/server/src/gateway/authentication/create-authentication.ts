/** The parts of authentication, put together: the registry of authenticators, and what authorizes stored wills anew. */
import type { ConnectAuthorizer } from '../../broker/contract.ts';
import type { FunctionInvoker } from '../../functions/contract.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/log.ts';
import { AuthenticatorRegistry } from './authenticator-registry.ts';
import type { Authenticator } from './authenticator.ts';
import type { AuthorizerPlaces } from './custom/authorizer-lookup.ts';
import { CustomAuthenticator } from './custom/custom-authenticator.ts';
import type { SignatureProver } from './sigv4/signer.ts';
import { type MarkIdentity, Sigv4Authenticator } from './sigv4/sigv4-authenticator.ts';
import { storedAuthorizer, type StoredClient, type StoredClientsOptions } from './stored-clients.ts';
import type { RegisteredCertificates } from './x509/registered-certificates.ts';
import { ValidationCallbackAuthenticator } from './x509/validation-callback.ts';
import { X509Authenticator } from './x509/x509-authenticator.ts';

export interface AuthenticationDeps extends AuthorizerPlaces, Pick<StoredClientsOptions, 'domainOf' | 'findKey'> {
  readonly certificates: RegisteredCertificates;
  readonly functions: FunctionInvoker;
  readonly prover: SignatureProver;
  readonly markIdentity: MarkIdentity;
  /** Wraps the authorizer of every CONNECT, see {@link AuthenticatorRegistry}. */
  readonly tracked: (authorizer: ConnectAuthorizer) => ConnectAuthorizer;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Authentication {
  readonly registry: AuthenticatorRegistry;
  readonly x509: Authenticator;
  /** The authorizer of a client that an earlier run of the server had let in. */
  readonly storedAuthorizer: (client: StoredClient) => ConnectAuthorizer;
}

export function createAuthentication(deps: AuthenticationDeps): Authentication {
  const { certificates, functions, prover, markIdentity, tracked, domainOf, findKey, home, inRegion, clock, log } = deps;
  const withoutCallback = new X509Authenticator({ certificates, clock, log });
  const x509 = new ValidationCallbackAuthenticator({ x509: withoutCallback, certificates, functions, log });
  const sigv4 = new Sigv4Authenticator(prover, log, markIdentity);
  const custom = new CustomAuthenticator({ home, inRegion, functions, certificates, clock, log });
  return {
    registry: new AuthenticatorRegistry({ x509, sigv4, custom }, tracked),
    x509,
    storedAuthorizer: storedAuthorizer({ x509: withoutCallback, sigv4, custom, domainOf, findKey }),
  };
}
