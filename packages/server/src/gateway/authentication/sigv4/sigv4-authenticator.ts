/**
 * Authentication by a signature with an access key (Signature Version 4), of a WebSocket's upgrade or an HTTPS request. The
 * MQTT packets behind a signed upgrade need no signature of their own.
 * Source: AWS IoT developer guide, pages protocols, iam-users-groups-roles, life-cycle-events.
 */
import { policyRefusal } from '../../../refusals/policy-refusal.ts';
import { servicesOfScope } from '@thingkeep/wire/api/route.ts';
import { iotArn, type Place } from '@thingkeep/wire/arn.ts';
import { defined } from '@thingkeep/wire/defined.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { Admission, AdmissionRefusal } from '../../../broker/contract.ts';
import type { Connect } from '../../../mqtt/connect.ts';
import type { Logger } from '../../../runtime/log.ts';
import { connectContext, type ProtocolContext } from '../../authorization/connect-permissions.ts';
import type { ClientPermissions } from '../../authorization/permissions.ts';
import type { KeyValues } from '@thingkeep/wire/api/authorization.ts';
import type { KeyUse } from '@thingkeep/wire/api/authorization.ts';
import type { Authenticator, RequestIdentity } from '../authenticator.ts';
import type { ConnectionAttempt } from '../connection-attempt.ts';
import { refuseFailures } from '../failure.ts';
import type { SignatureProver, SignedProof, Signer } from './signer.ts';

/** Seconds that a WebSocket of a signed upgrade lasts (General Reference, WebSocket connection duration). */
const WEBSOCKET_LIFETIME = 86_400;

/** Permissions of an access key that has none of its own: everything in its account. The broker refuses reserved topics. */
const EVERYTHING: ClientPermissions = { volatile: false, decide: () => ({ effect: 'ALLOWED' }) };

const refused = (refusal: AdmissionRefusal['refused']): AdmissionRefusal => ({ refused: refusal });

const placeOf = ({ key, region }: Signer): Place => ({ accountId: key.accountId, region });

/** Called with each CONNECT of an IAM identity, before its permissions are asked for. */
export type MarkIdentity = (connect: Connect, accountId: string) => void;

export class Sigv4Authenticator implements Authenticator {
  readonly #prover: SignatureProver;
  readonly #log: Logger;
  readonly #markIdentity: MarkIdentity;

  constructor(prover: SignatureProver, log: Logger, markIdentity: MarkIdentity = () => {}) {
    this.#prover = prover;
    this.#log = log;
    this.#markIdentity = markIdentity;
  }

  /** The upgrade's attempt with its signer. A client certificate that TLS saw beside the signature is dropped. */
  async prove(attempt: ConnectionAttempt): Promise<ConnectionAttempt> {
    const { http } = attempt;
    if (http === undefined) return fail('MissingAuthenticationTokenException', 'Missing Authentication Token');
    return signedBy(attempt, await this.#prover.webSocket(http));
  }

  /** Proves a request in two steps, so that it is refused for its head before its body is read. */
  async begin(attempt: ConnectionAttempt): Promise<(body: Uint8Array) => ConnectionAttempt> {
    const { http } = attempt;
    if (http === undefined) return fail('MissingAuthenticationTokenException', 'Missing Authentication Token');
    const pending = await this.#prover.begin(http);
    return (body) => {
      const signer = pending.finish(body);
      if (!servicesOfScope(signer.service).some((service) => service === 'iot-data' || service === 'iot-jobs-data'))
        fail('InvalidSignatureException', `Credential should be scoped to correct service: 'iotdata'. `);
      return signedBy(attempt, signer);
    };
  }

  authenticate(attempt: ConnectionAttempt, connect: Connect): Promise<Admission | AdmissionRefusal> {
    return refuseFailures(this.#log, 'connection', () => this.#authenticate(attempt, connect));
  }

  async authenticateRequest(attempt: ConnectionAttempt): Promise<RequestIdentity | AdmissionRefusal> {
    const { signer } = attempt;
    if (signer === undefined) return NOT_SIGNED;
    const { key } = signer;
    const permissions = await permissionsOf(signer, { protocol: 'http', ...transportUse(attempt), region: signer.region });
    if (permissions === undefined) return noPermissions(signer);
    return {
      place: placeOf(signer),
      principal: key.arn,
      permissions,
      everything: key.permissions === undefined ? true : undefined,
      isIamIdentity: key.holder === 'identity',
    };
  }

  async #authenticate(attempt: ConnectionAttempt, connect: Connect): Promise<Admission | AdmissionRefusal> {
    const { signer } = attempt;
    if (signer === undefined) return NOT_SIGNED;
    const { key, region } = signer;
    if (key.holder === 'identity' || key.isGone !== undefined) this.#markIdentity(connect, key.accountId);
    const { clientId } = connect;
    const place = placeOf(signer);
    const context = connectContext(place, connect);
    const permissions = await permissionsOf(signer, { ...context, ...transportUse(attempt), region });
    if (permissions === undefined) return noPermissions(signer);
    const resource = iotArn(place, 'client', clientId);
    const decision = permissions.decide('iot:Connect', resource, connectKeyValues(context));
    if (decision.effect === 'ALLOWED')
      return {
        ...place,
        principal: key.arn,
        // As presence events name an IAM identity: by its unique id, with the session's name where there is one.
        principalId: key.userId,
        permissions,
        proof: connect.will === undefined ? undefined : proofOf(attempt, signer),
        endsAfter: { seconds: WEBSOCKET_LIFETIME, why: 'WEBSOCKET_TTL_EXPIRATION' },
      };
    const asked = { action: 'iot:Connect', resource, what: `as ${clientId}` };
    return refused({ ...place, clientId, principal: key.arn, ...policyRefusal(asked, decision) });
  }
}

/** Headers that policies may ask about. */
const CONTEXT_HEADERS = ['host', 'user-agent', 'referer'] as const;

/** The stored proof of a signed client, for its will: no secret, and a session token that is worthless without one. */
function proofOf({ http }: ConnectionAttempt, { key, service, region }: Signer): SignedProof {
  const headers = Object.fromEntries(CONTEXT_HEADERS.map((name) => [name, http?.headers.get(name)]));
  return { method: 'sigv4', accessKeyId: key.accessKeyId, sessionToken: key.sessionToken, service, region, headers };
}

/** The condition context of a request or connection by its transport. A host name that was signed counts without TLS too. */
function transportUse({ peer, http }: ConnectionAttempt): Omit<KeyUse, 'protocol'> {
  const header = (name: string): string | undefined => http?.headers.get(name)?.join(',');
  return {
    sourceIp: peer.sourceIp,
    secureTransport: peer.secureTransport !== false,
    domainName: peer.serverName ?? header('host')?.replace(/:\d*$/, ''),
    userAgent: header('user-agent'),
    referer: header('referer'),
  };
}

/** Condition keys of a CONNECT alone (page connect-policy). */
const connectKeyValues = ({ connectAttributes = [], lastWillTopicArn }: ProtocolContext): KeyValues => [
  ['iot:ConnectAttributes', connectAttributes],
  ...(lastWillTopicArn === undefined ? [] : [['iot:LastWillTopic', lastWillTopicArn] as const]),
];

async function permissionsOf({ key }: Signer, use: KeyUse): Promise<ClientPermissions | undefined> {
  if (key.isGone?.() === true) return undefined;
  return key.permissions === undefined ? EVERYTHING : key.permissions(use);
}

const NOT_SIGNED = refused({ check: 'signature', reason: 'the request is not signed' });

const noPermissions = (signer: Signer): AdmissionRefusal =>
  refused({
    check: 'signature',
    reason: 'the access key stands for nobody who has permissions now',
    ...placeOf(signer),
    principal: signer.key.arn,
  });

function signedBy(attempt: ConnectionAttempt, signer: Signer): ConnectionAttempt {
  const { sourceIp, sourcePort, serverName, secureTransport } = attempt.peer;
  const { certificateId } = signer.key;
  return {
    ...attempt,
    signer,
    peer: {
      sourceIp,
      sourcePort,
      ...defined({ secureTransport, serverName, certificateId }),
    },
  };
}
