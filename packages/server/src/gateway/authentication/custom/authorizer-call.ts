/** A call of an authorizer's function for one connection or request, and its answer as a grant or a refusal. */
import { X509Certificate } from 'node:crypto';
import type { AuthorizerAnswer } from '../../../authorizers/answer.ts';
import { authorize } from '../../../authorizers/authorize.ts';
import { customCredentials } from '../../../authorizers/credentials.ts';
import type { LoginFacts } from '../../../authorizers/event.ts';
import type { AdmissionRefusal } from '../../../broker/contract.ts';
import type { FunctionInvoker } from '../../../functions/contract.ts';
import type { Connect } from '../../../mqtt/connect.ts';
import type { ConnectionAttempt } from '../connection-attempt.ts';
import type { RegisteredCertificate } from '../x509/registered-certificates.ts';
import type { FoundAuthorizer } from './authorizer-lookup.ts';

/** An answer that lets its client in, and the authorizer that gave it. */
export interface Grant extends FoundAuthorizer {
  readonly answer: AuthorizerAnswer;
}

/** The connection or request that the function is called for. */
export interface AuthorizerCall {
  readonly attempt: ConnectionAttempt;
  /** Absent for an HTTPS request. */
  readonly connect?: Connect;
  /** The certificate that the client must have beside the answer, where the domain asks for one. */
  readonly certificate: RegisteredCertificate | undefined;
  readonly connectionId: string;
}

export async function callAuthorizer(
  functions: FunctionInvoker,
  found: FoundAuthorizer,
  call: AuthorizerCall,
): Promise<Grant | AdmissionRefusal> {
  const { place, authorizer } = found;
  const { attempt, connect, certificate } = call;
  const answer = await authorize(functions, {
    place,
    authorizer,
    credentials: customCredentials(attempt.http, connect?.userName),
    facts: eventFacts(call),
    documentsRequired: certificate === undefined,
  });
  const no = (reason: string, check: 'authorizer' | 'overload' = 'authorizer'): AdmissionRefusal => ({
    refused: { check, reason: `authorizer ${authorizer.authorizerName}: ${reason}`, ...place },
  });
  if ('fault' in answer) return no(answer.reason, answer.fault === 'overload' ? 'overload' : 'authorizer');
  if (!answer.isAuthenticated) return no('the function answered that the client is not authenticated');
  if (certificate !== undefined && answer.principalId !== certificate.certificateId)
    return no("the function's principalId is not the id of the client certificate");
  return { ...found, answer };
}

function eventFacts({ attempt: { peer, http }, connect, certificate, connectionId }: AuthorizerCall): LoginFacts {
  const { serverName } = peer;
  const certificateDer = peer.certificateDer?.();
  const shown =
    certificate === undefined || certificateDer === undefined
      ? {}
      : { certificate: { pem: new X509Certificate(certificateDer).toString(), principalId: certificate.certificateId } };
  const { userName, password, clientId } = connect ?? {};
  return {
    connectionId,
    // The API port may be without TLS; on the device ports only a client without SNI looks like that.
    tls: http !== undefined && serverName === undefined && certificate === undefined ? undefined : { serverName, ...shown },
    http,
    mqtt: clientId === undefined ? undefined : { clientId, userName, password },
  };
}
