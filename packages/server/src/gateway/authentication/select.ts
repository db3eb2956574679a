/**
 * Which way of proving who it is a login takes, from what stands before any proof: the domain's configuration, the
 * protocol that TLS agreed on, and what kinds of credentials there are. Pure.
 * Source: AWS IoT developer guide, page protocols (table of protocols, authentication and ports), page custom-auth.
 */
import { carriesCustomCredentials } from '../../authorizers/credentials.ts';
import type { AdmissionRefusal } from '../../broker/contract.ts';
import { ALPN } from '../listeners/alpn.ts';
import type { Domain, HttpHead, Login } from './connection-attempt.ts';

export type MethodName = 'certificate' | 'sigv4' | 'custom';

/** What each authentication type of a domain configuration comes to, and the protocols that it goes with. */
const BY_TYPE: Readonly<
  Record<Exclude<Domain['authenticationType'], 'DEFAULT'>, { method: MethodName; protocols: readonly Login['protocol'][] }>
> = {
  AWS_X509: { method: 'certificate', protocols: ['mqtt', 'https'] },
  AWS_SIGV4: { method: 'sigv4', protocols: ['websocket', 'https'] },
  CUSTOM_AUTH: { method: 'custom', protocols: ['mqtt', 'websocket', 'https'] },
  CUSTOM_AUTH_X509: { method: 'custom', protocols: ['mqtt', 'https'] },
};

const PROTOCOL_OF: Readonly<Record<Exclude<Domain['applicationProtocol'], 'DEFAULT'>, Login['protocol']>> = {
  SECURE_MQTT: 'mqtt',
  MQTT_WSS: 'websocket',
  HTTPS: 'https',
};

const refused = (reason: string): AdmissionRefusal => ({ refused: { check: 'protocol', reason } });

/**
 * `alpn` is what TLS agreed on at the HTTPS port; undefined at the MQTT port, where it says nothing, and without TLS.
 * `hasCustomCredentials` tells whether the HTTP head, or a user name that is known already, has a parameter of custom
 * authorizers (`carriesCustomCredentials`). The refusal is the domain's: it does not serve such logins.
 */
export function choose(
  login: Login,
  alpn: string | undefined,
  hasCustomCredentials: boolean = carriesCustomCredentials(login.http),
): MethodName | AdmissionRefusal {
  const { domain, protocol } = login;
  if (domain === undefined) return byCredentials(login, alpn, hasCustomCredentials);
  const { name, applicationProtocol, authenticationType, serviceType } = domain;
  if (applicationProtocol !== 'DEFAULT' && PROTOCOL_OF[applicationProtocol] !== protocol)
    return refused(`the domain configuration ${name} serves ${applicationProtocol} alone`);
  if (serviceType !== 'DATA' && protocol !== 'https')
    return refused(`the domain configuration ${name} is for ${serviceType}, which has no MQTT`);
  if (authenticationType === 'DEFAULT') return byCredentials(login, alpn, hasCustomCredentials);
  const { method, protocols } = BY_TYPE[authenticationType];
  return protocols.includes(protocol)
    ? method
    : refused(`the domain configuration ${name} authenticates by ${authenticationType}, which does not go with ${protocol}`);
}

/** On a domain that leaves it open: MQTT by ALPN, HTTP by what the head holds. */
function byCredentials({ peer, protocol, http }: Login, alpn: string | undefined, hasCustomCredentials: boolean): MethodName {
  if (protocol === 'mqtt') return alpn === ALPN.MQTT ? 'custom' : 'certificate';
  if (alpn === ALPN.HTTP_X509) return 'certificate';
  // A signature first: a header or parameter that was put beside it later must not hand the request to somebody's authorizer.
  if (http !== undefined && isSigned(http)) return 'sigv4';
  if (hasCustomCredentials) return 'custom';
  // Whoever brings nothing is left to the default authorizer.
  return peer.certificateId === undefined ? 'custom' : 'certificate';
}

/** Whether a Signature Version 4 is there to be proven, in the header or in the query. */
function isSigned({ headers, query }: HttpHead): boolean {
  if (headers.get('authorization')?.some((value) => value.startsWith('AWS4-')) === true) return true;
  return /(?:^|&)X-Amz-(?:Algorithm|Signature)=/i.test(query);
}
