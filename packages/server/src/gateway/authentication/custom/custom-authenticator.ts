/**
 * Authentication by a custom authorizer, whose documents are the client's policies. Its function is asked at CONNECT, again
 * when its answer is due for a refresh, and for each HTTPS request.
 * Source: AWS IoT developer guide, pages custom-authorizer, custom-auth-lambda, custom-auth-509cert.
 */
import { randomUUID } from 'node:crypto';
import type { Place } from '@thingkeep/wire/arn.ts';
import type { AuthorizerAnswer } from '../../../authorizers/answer.ts';
import { customCredentials, parameterNames } from '../../../authorizers/credentials.ts';
import { authorizerArn, findAuthorizer } from '../../../authorizers/store.ts';
import type { Admission, AdmissionRefusal, Peer, Proof } from '../../../broker/contract.ts';
import type { FunctionInvoker } from '../../../functions/contract.ts';
import type { Connect } from '../../../mqtt/connect.ts';
import { CompiledPolicyCache } from '../../../policies/effective.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Logger } from '../../../runtime/log.ts';
import { certificatePermissions, clientPermissions } from '../../authorization/client-permissions.ts';
import { connectContext, connectRefusal, type ProtocolContext } from '../../authorization/connect-permissions.ts';
import type { ClientPermissions } from '../../authorization/permissions.ts';
import type { Authenticator, RequestIdentity } from '../authenticator.ts';
import type { ConnectionAttempt } from '../connection-attempt.ts';
import { refuseFailures } from '../failure.ts';
import { secondsValid } from '../x509/certificate-validity.ts';
import {
  NO_CLIENT,
  type RegisteredCertificate,
  type RegisteredCertificates,
  thingNameOf,
} from '../x509/registered-certificates.ts';
import { type AuthorizerCall, callAuthorizer, type Grant } from './authorizer-call.ts';
import { type AuthorizerPlaces, type FoundAuthorizer, lookUpAuthorizer } from './authorizer-lookup.ts';
import { HttpAnswerCache } from './http-answer-cache.ts';

export interface CustomAuthenticatorOptions extends AuthorizerPlaces {
  readonly functions: FunctionInvoker;
  /** Asked for the certificate too, on domains of the type CUSTOM_AUTH_X509. */
  readonly certificates: RegisteredCertificates;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The part of an answer that permissions are evaluated from, and who gave it. */
interface AnsweredBy extends FoundAuthorizer {
  readonly answer: Pick<AuthorizerAnswer, 'principalId' | 'policyDocuments'>;
}

/** The stored proof of a client that an authorizer has let in: what its function has answered. */
interface CustomProof extends Proof {
  readonly method: 'custom';
  readonly place: Place;
  readonly authorizerName: string;
  readonly principalId: string;
  readonly policyDocuments: readonly string[];
  readonly withCertificate: boolean;
}

const proofOf = ({ place, authorizer, answer }: Grant, certificate: RegisteredCertificate | undefined): CustomProof => ({
  method: 'custom',
  place: { accountId: place.accountId, region: place.region },
  authorizerName: authorizer.authorizerName,
  principalId: answer.principalId,
  policyDocuments: answer.policyDocuments,
  withCertificate: certificate !== undefined,
});

/** A connection's answers, between its CONNECT and its end. */
interface Connection {
  readonly id: string;
  /** The newest answer, and when it came (milliseconds of the monotonic clock). */
  granted?: { readonly by: Grant; readonly at: number };
  /** Seconds: fixed by the first answer. */
  disconnectAfter?: number;
}

/** A refresh may be asked for this much before it is due (milliseconds): timers are not exact. */
const SLACK = 1_000;
const MAX_COMPILED = 1_024;

const refused = (refusal: AdmissionRefusal['refused']): AdmissionRefusal => ({ refused: refusal });

const needsCertificate = ({ domain }: ConnectionAttempt): boolean => domain?.authenticationType === 'CUSTOM_AUTH_X509';

export class CustomAuthenticator implements Authenticator {
  readonly #options: CustomAuthenticatorOptions;
  readonly #compiled = new CompiledPolicyCache(MAX_COMPILED);
  readonly #answers: HttpAnswerCache;
  /** By attempt: each connection has one of its own, for as long as it lives. */
  readonly #connections = new WeakMap<ConnectionAttempt, Connection>();

  constructor(options: CustomAuthenticatorOptions) {
    this.#options = options;
    this.#answers = new HttpAnswerCache(options.clock);
  }

  /** Authenticates a CONNECT: when it comes, when a refresh is due, and whenever permissions may have changed. */
  authenticate(attempt: ConnectionAttempt, connect: Connect): Promise<Admission | AdmissionRefusal> {
    return refuseFailures(this.#options.log, 'connection', () => this.#authenticate(attempt, connect));
  }

  /** Authenticates the sender of one HTTPS request; on a kept connection the answer may be that of a request before. */
  async authenticateRequest(attempt: ConnectionAttempt): Promise<RequestIdentity | AdmissionRefusal> {
    const certificate = await this.#certificate(attempt, NO_CLIENT);
    if (certificate !== undefined && 'refused' in certificate) return certificate;
    const found = await this.#authorizer(attempt, undefined);
    if ('refused' in found) return found;
    const key = this.#answers.keyOf(attempt, found);
    const kept = this.#answers.get(key);
    const call = { attempt, certificate, connectionId: randomUUID() };
    const granted = kept === undefined ? await callAuthorizer(this.#options.functions, found, call) : { ...found, answer: kept };
    if ('refused' in granted) return granted;
    if (kept === undefined) this.#answers.keep(key, granted.answer);
    return {
      place: granted.place,
      principal: principalOf(granted),
      permissions: this.#permissions(granted, attempt.peer, { protocol: 'http' }, certificate),
    };
  }

  async #authenticate(attempt: ConnectionAttempt, connect: Connect): Promise<Admission | AdmissionRefusal> {
    const { clientId } = connect;
    const certificate = await this.#certificate(attempt, clientId);
    if (certificate !== undefined && 'refused' in certificate) return certificate;
    const connection = this.#connectionOf(attempt);
    const granted = this.#freshAnswer(connection) ?? (await this.#callAndKeep(connection, { attempt, connect, certificate }));
    if ('refused' in granted) return refused({ ...granted.refused, clientId });
    const { place, answer } = granted;
    const principal = principalOf(granted);
    const permissions = this.#permissions(granted, attempt.peer, connectContext(place, connect), certificate);
    const denied = connectRefusal(place, clientId, permissions);
    if (denied !== undefined) return refused({ ...denied, principal });
    connection.disconnectAfter ??= answer.disconnectAfterInSeconds;
    return {
      ...place,
      principal,
      principalId: answer.principalId,
      ...(certificate === undefined ? {} : thingNameOf(certificate)),
      ...this.#reauthorizeAfter(connection, certificate),
      endsAfter: { seconds: connection.disconnectAfter, why: 'CUSTOMAUTH_TTL_EXPIRATION' },
      permissions,
      proof: connect.will === undefined ? undefined : proofOf(granted, certificate),
    };
  }

  /**
   * Authenticates the client of a will that was stored by an earlier run of the server. The credentials are gone, so the
   * function can't be asked again: its documents count as they were, if the authorizer is still ACTIVE, and the certificate
   * beside it too.
   */
  authenticateStored(attempt: ConnectionAttempt, proof: Proof, connect: Connect): Promise<Admission | AdmissionRefusal> {
    return refuseFailures(this.#options.log, 'will', () => this.#authenticateStored(attempt, proof as CustomProof, connect));
  }

  async #authenticateStored(
    { peer }: ConnectionAttempt,
    { place, authorizerName, principalId, policyDocuments, withCertificate }: CustomProof,
    connect: Connect,
  ): Promise<Admission | AdmissionRefusal> {
    const { inRegion, certificates } = this.#options;
    const authorizer = await inRegion(place.region).read((tx) => findAuthorizer(tx, place.accountId, authorizerName));
    if (authorizer?.status !== 'ACTIVE')
      return refused({ check: 'authorizer', reason: `the authorizer ${authorizerName} is not ACTIVE any more`, ...place });
    const certificate = withCertificate ? await certificates.usableCertificate(peer, connect.clientId, place) : undefined;
    if (certificate !== undefined && 'refused' in certificate) return certificate;
    const granted = { place, authorizer, answer: { principalId, policyDocuments } };
    const permissions = this.#permissions(granted, peer, connectContext(place, connect), certificate);
    const denied = connectRefusal(place, connect.clientId, permissions);
    const principal = principalOf(granted);
    return denied === undefined ? { ...place, principal, principalId, permissions } : refused({ ...denied, principal });
  }

  #connectionOf(attempt: ConnectionAttempt): Connection {
    const known = this.#connections.get(attempt);
    if (known !== undefined) return known;
    const fresh: Connection = { id: randomUUID() };
    this.#connections.set(attempt, fresh);
    return fresh;
  }

  /** Milliseconds until the newest answer is to be refreshed; infinite for one that asks for no refresh. */
  #untilRefresh({ granted }: Connection): number {
    if (granted === undefined) return 0;
    const { refreshAfterInSeconds } = granted.by.answer;
    if (refreshAfterInSeconds === undefined) return Number.POSITIVE_INFINITY;
    return granted.at + refreshAfterInSeconds * 1000 - this.#options.clock.monotonic();
  }

  /** The newest answer until its refresh is due: a change of permissions meanwhile does not have the function asked again. */
  #freshAnswer(connection: Connection): Grant | undefined {
    return this.#untilRefresh(connection) > SLACK ? connection.granted?.by : undefined;
  }

  async #callAndKeep(
    connection: Connection,
    { attempt, connect, certificate }: Pick<AuthorizerCall, 'attempt' | 'certificate'> & { readonly connect: Connect },
  ): Promise<Grant | AdmissionRefusal> {
    const found = await this.#authorizer(attempt, connect.userName);
    if ('refused' in found) return found;
    const call = { attempt, connect, certificate, connectionId: connection.id };
    const granted = await callAuthorizer(this.#options.functions, found, call);
    if (!('refused' in granted)) connection.granted = { by: granted, at: this.#options.clock.monotonic() };
    return granted;
  }

  #reauthorizeAfter(connection: Connection, certificate: RegisteredCertificate | undefined): { reauthorizeAfter?: number } {
    const refresh = Math.max(0, this.#untilRefresh(connection) / 1000);
    const valid = certificate === undefined ? Number.POSITIVE_INFINITY : secondsValid(certificate, this.#options.clock.now());
    const seconds = Math.min(refresh, valid);
    return Number.isFinite(seconds) ? { reauthorizeAfter: seconds } : {};
  }

  /** The certificate of an attempt that needs one beside the authorizer; undefined for all others. */
  async #certificate(
    attempt: ConnectionAttempt,
    clientId: string,
  ): Promise<RegisteredCertificate | AdmissionRefusal | undefined> {
    if (!needsCertificate(attempt)) return undefined;
    return this.#options.certificates.usableCertificate(attempt.peer, clientId, attempt.domain?.place);
  }

  #authorizer(attempt: ConnectionAttempt, userName: string | undefined): Promise<FoundAuthorizer | AdmissionRefusal> {
    const named = customCredentials(attempt.http, userName).authorizerName;
    return lookUpAuthorizer(this.#options, attempt, named, parameterNames(userName));
  }

  #permissions(
    granted: AnsweredBy,
    peer: Peer,
    context: ProtocolContext,
    certificate: RegisteredCertificate | undefined,
  ): ClientPermissions {
    const policies = this.#compiled.compile(
      granted.answer.policyDocuments.map((document, index) => ({
        policyName: `authorizer/${granted.authorizer.authorizerName}#${index + 1}`,
        document,
      })),
    );
    const use = { peer, context, clock: this.#options.clock };
    return certificate === undefined ? clientPermissions(policies, use) : certificatePermissions(certificate, use, policies);
  }
}

/** The authorizer's ARN, followed by the principal of its answer: AWS has no ARN for such a principal. */
const principalOf = ({ place, authorizer, answer }: AnsweredBy): string =>
  `${authorizerArn(place, authorizer.authorizerName)}/${answer.principalId}`;
