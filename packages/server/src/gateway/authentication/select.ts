/**
 * The choice of a connection attempt's authenticator, before any proof: by the domain's configuration, the protocol that
 * TLS agreed on, and what kinds of credentials there are. Pure.
 * Source: AWS IoT developer guide, page protocols (table of protocols, authentication and ports), page custom-auth.
 */
import { carriesCustomCredentials } from '../../authorizers/credentials.ts';
import type { AdmissionRefusal } from '../../broker/contract.ts';
import { ALPN } from '../listeners/alpn.ts';
import type { ConnectionAttempt, DomainConfiguration } from './connection-attempt.ts';
import type { HttpHead } from './http-head.ts';

export type AuthenticatorName = 'x509' | 'sigv4' | 'custom';

/** The authenticator of each authentication type of a domain configuration, and the protocols that it goes with. */
const BY_TYPE: Readonly<
  Record<
    Exclude<DomainConfiguration['authenticationType'], 'DEFAULT'>,
    { authenticator: AuthenticatorName; protocols: readonly ConnectionAttempt['protocol'][] }
  >
> = {
  AWS_X509: { authenticator: 'x509', protocols: ['mqtt', 'https'] },
  AWS_SIGV4: { authenticator: 'sigv4', protocols: ['websocket', 'https'] },
  CUSTOM_AUTH: { authenticator: 'custom', protocols: ['mqtt', 'websocket', 'https'] },
  CUSTOM_AUTH_X509: { authenticator: 'custom', protocols: ['mqtt', 'https'] },
};

const PROTOCOL_OF: Readonly<
  Record<Exclude<DomainConfiguration['applicationProtocol'], 'DEFAULT'>, ConnectionAttempt['protocol']>
> = {
  SECURE_MQTT: 'mqtt',
  MQTT_WSS: 'websocket',
  HTTPS: 'https',
};

const refused = (reason: string): AdmissionRefusal => ({ refused: { check: 'protocol', reason } });

/**
 * `hasCustomCredentials` tells whether the HTTP head, or a user name that is known already, has a parameter of custom
 * authorizers (`carriesCustomCredentials`). The refusal is the domain's: it serves no such attempt.
 */
export function selectAuthenticator(
  attempt: ConnectionAttempt,
  hasCustomCredentials: boolean = carriesCustomCredentials(attempt.http),
): AuthenticatorName | AdmissionRefusal {
  const { domain, protocol } = attempt;
  if (domain === undefined) return byCredentials(attempt, hasCustomCredentials);
  const { name, applicationProtocol, authenticationType, serviceType } = domain;
  if (applicationProtocol !== 'DEFAULT' && PROTOCOL_OF[applicationProtocol] !== protocol)
    return refused(`the domain configuration ${name} serves ${applicationProtocol} alone`);
  if (serviceType !== 'DATA' && protocol !== 'https')
    return refused(`the domain configuration ${name} is for ${serviceType}, which has no MQTT`);
  if (authenticationType === 'DEFAULT') return byCredentials(attempt, hasCustomCredentials);
  const { authenticator, protocols } = BY_TYPE[authenticationType];
  return protocols.includes(protocol)
    ? authenticator
    : refused(`the domain configuration ${name} authenticates by ${authenticationType}, which does not go with ${protocol}`);
}

/** On a domain that leaves it open: MQTT by ALPN, HTTP by what the head holds. */
function byCredentials({ peer, protocol, alpn, http }: ConnectionAttempt, hasCustomCredentials: boolean): AuthenticatorName {
  if (protocol === 'mqtt') return alpn === ALPN.MQTT ? 'custom' : 'x509';
  if (alpn === ALPN.HTTP_X509) return 'x509';
  // A signature first: a header or parameter that was put beside it later must not hand the request to somebody's authorizer.
  if (http !== undefined && isSigned(http)) return 'sigv4';
  if (hasCustomCredentials) return 'custom';
  // No credentials: the default authorizer.
  return peer.certificateId === undefined ? 'custom' : 'x509';
}

/** Whether a Signature Version 4 is there to be proven, in the header or in the query. */
function isSigned({ headers, query }: HttpHead): boolean {
  if (headers.get('authorization')?.some((value) => value.startsWith('AWS4-')) === true) return true;
  return /(?:^|&)X-Amz-(?:Algorithm|Signature)=/i.test(query);
}
