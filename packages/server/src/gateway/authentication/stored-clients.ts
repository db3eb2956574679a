/**
 * Clients that an earlier run of the server had let in, authenticated again for the wills that they left: by the permissions
 * of now. What the transport proved then is believed; what can change since (certificate, key, authorizer, policies) is asked
 * again.
 */
import type { Admission, AdmissionRefusal, ConnectAuthorizer, Peer, Proof } from '../../broker/contract.ts';
import type { Connect } from '../../mqtt/connect.ts';
import type { Authenticator } from './authenticator.ts';
import type { DomainConfiguration } from './connection-attempt.ts';
import type { CustomAuthenticator } from './custom/custom-authenticator.ts';
import type { SignedProof, Signer } from './sigv4/signer.ts';
import type { Sigv4Authenticator } from './sigv4/sigv4-authenticator.ts';

export interface StoredClientsOptions {
  readonly x509: Authenticator;
  readonly sigv4: Sigv4Authenticator;
  readonly custom: CustomAuthenticator;
  readonly domainOf: (serverName: string) => DomainConfiguration | undefined;
  /** The access key of an id and a session token; undefined when there is none any more. */
  readonly findKey: (accessKeyId: string, sessionToken?: string) => Promise<Signer['key'] | undefined>;
}

/** What was stored of a client: the peer, and the proof that its admission has given. */
export interface StoredClient {
  readonly peer: Peer;
  readonly proof?: Proof | undefined;
}

const GONE: AdmissionRefusal = {
  refused: { check: 'signature', reason: 'the access key that the client signed with is not there any more' },
};

export function storedAuthorizer(options: StoredClientsOptions): (client: StoredClient) => ConnectAuthorizer {
  return (client) => (connect) => authenticateStored(options, client, connect);
}

async function authenticateStored(
  { x509, sigv4, custom, domainOf, findKey }: StoredClientsOptions,
  { peer, proof }: StoredClient,
  connect: Connect,
): Promise<Admission | AdmissionRefusal> {
  const domain = peer.serverName === undefined ? undefined : domainOf(peer.serverName);
  const attempt = { peer, domain, protocol: 'mqtt' as const };
  if (proof === undefined) return x509.authenticate(attempt, connect);
  if (proof.method === 'custom') return custom.authenticateStored(attempt, proof, connect);
  const { accessKeyId, sessionToken, service, region, headers } = proof as SignedProof;
  // Credentials that have expired fail here: they have no permissions any more.
  const key = await findKey(accessKeyId, sessionToken).catch(() => undefined);
  if (key === undefined) return GONE;
  const known = Object.entries(headers).flatMap(([name, values]) => (values === undefined ? [] : [[name, values] as const]));
  const http = { method: 'GET', path: '/mqtt', query: '', headers: new Map(known) };
  return sigv4.authenticate({ ...attempt, protocol: 'websocket', http, signer: { service, region, key } }, connect);
}
