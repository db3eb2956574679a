/**
 * The credential provider on the HTTPS port: `GET /role-aliases/{alias}/credentials` with a client certificate
 * (developer guide, page authorizing-direct-aws). Errors have the form that AWS's endpoint is seen to use.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { percentDecode } from '@thingkeep/wire/api/percent.ts';
import { iotArn } from '@thingkeep/wire/arn.ts';
import { defined } from '@thingkeep/wire/defined.ts';
import { type ErrorCode, fail, ThingkeepError } from '@thingkeep/wire/errors.ts';
import type { AdmissionRefusal, Peer } from '../broker/contract.ts';
import type { Decision } from '@thingkeep/wire/api/authorization.ts';
import type { IssueCredentials } from '../credentials/provider.ts';
import type { Refusal } from '../refusals/refusals.ts';
import type { CallFigures } from '../runtime/call-figures.ts';
import { asRefusal } from '../runtime/disk-failure.ts';
import type { Logger } from '../runtime/log.ts';
import type { RequestIdentity, Authenticator } from './authentication/authenticator.ts';
import type { AttemptReader, HttpAttempt } from './attempt-reader.ts';
import { policyRefusal } from '../refusals/policy-refusal.ts';

export interface CredentialHttpOptions {
  readonly log: Logger;
  readonly attempts: AttemptReader;
  readonly x509: Authenticator;
  /** Fails with the codes of {@link STATUSES}. */
  readonly issue: IssueCredentials;
  readonly refuse: (refusal: Refusal) => void;
  readonly calls: CallFigures;
}

const PATH = /^\/role-aliases\/([^/?]+)\/credentials(?:\?|$)/;
const ACTION = 'iot:AssumeRoleWithCertificate';
const THING_NAME = 'x-amzn-iot-thingname';
/** API reference CreateThing and CreateRoleAlias: what a name may be. */
const NAME = /^[\w:-]{1,128}$/;
const ALIAS = /^[\w=,@-]{1,128}$/;

const STATUSES: Partial<Record<ErrorCode, number>> = {
  AccessDeniedException: 403,
  InvalidRequestException: 400,
  MethodNotAllowedException: 405,
  ResourceNotFoundException: 404,
};

/** Whether a request is for the credential provider. */
export const asksForCredentials = ({ url = '' }: IncomingMessage): boolean => PATH.test(url);

export function credentialHttp({ log, attempts, x509, issue, refuse, calls }: CredentialHttpOptions): RequestListener {
  const record = ({ sourceIp, certificateId }: Peer, refusal: AdmissionRefusal['refused']): void =>
    refuse({ protocol: 'https', sourceIp, certificateId, ...refusal });

  async function authenticate(attempt: HttpAttempt): Promise<RequestIdentity> {
    const result = domainRefusal(attempt) ?? (await x509.authenticateRequest(attempt));
    if (!('refused' in result)) return result;
    record(attempt.peer, result.refused);
    return fail('AccessDeniedException', 'Certificate is invalid on this endpoint');
  }

  async function answer(request: IncomingMessage): Promise<object> {
    if (request.method !== 'GET') fail('MethodNotAllowedException', 'Credentials are got with GET');
    const attempt = attempts.fromRequest(request, 'https');
    const { peer } = attempt;
    const { place, principal, permissions } = await authenticate(attempt);
    const roleAlias = roleAliasOf(request);
    const thingName = thingNameOf(attempt);
    const resource = iotArn(place, 'rolealias', roleAlias);
    const decision: Decision = permissions.decide(ACTION, resource);
    const known = { ...place, principal, action: ACTION, resource };
    try {
      const credentials = await issue({
        place,
        principal,
        certificateId: peer.certificateId ?? '',
        roleAlias,
        thingName,
        allowed: () => decision.effect === 'ALLOWED',
      });
      return { credentials };
    } catch (error) {
      if (error instanceof ThingkeepError) record(peer, { ...known, ...refusalOf(error, decision, resource, roleAlias) });
      throw error;
    }
  }

  return (request, response) => {
    const requestId = randomUUID();
    const counted = calls.begin('https');
    const ended = (status: number): void => counted(status, 'credentials', 'AssumeRoleWithCertificate');
    answer(request)
      .then((body) => {
        ended(200);
        send(response, requestId, 200, body);
      })
      .catch((thrown: unknown) => {
        const error = asRefusal(thrown);
        const known = error instanceof ThingkeepError ? error : undefined;
        if (known === undefined) log.error({ err: error, requestId }, 'a request for credentials failed');
        const code = known?.code ?? 'InternalFailureException';
        const message = known?.message ?? 'Internal failure. The request ID leads to the log.';
        const status = STATUSES[code] ?? 500;
        ended(status);
        send(response, requestId, status, { message }, code);
      });
    // A body is read and dropped.
    request.resume();
  };
}

/** A domain that is for something else, or for other ways of authentication, has no credentials. */
function domainRefusal({ domain }: HttpAttempt): AdmissionRefusal | undefined {
  if (domain === undefined) return undefined;
  const { name, authenticationType, applicationProtocol, serviceType } = domain;
  const fits =
    serviceType !== 'JOBS' &&
    (authenticationType === 'DEFAULT' || authenticationType === 'AWS_X509') &&
    (applicationProtocol === 'DEFAULT' || applicationProtocol === 'HTTPS');
  if (fits) return undefined;
  return { refused: { check: 'protocol', reason: `the domain configuration ${name} gives no credentials to certificates` } };
}

function roleAliasOf({ url = '' }: IncomingMessage): string {
  const alias = percentDecode(PATH.exec(url)?.[1] ?? '') ?? '';
  return ALIAS.test(alias) ? alias : fail('InvalidRequestException', 'Invalid role alias');
}

function thingNameOf({ http: { headers } }: HttpAttempt): string | undefined {
  const values = headers.get(THING_NAME);
  if (values === undefined) return undefined;
  const [thingName = ''] = values;
  return values.length === 1 && NAME.test(thingName) ? thingName : fail('AccessDeniedException', 'Invalid thing name passed');
}

/** The message that the device gets, with the cause that its owner alone may know. */
const reasonOf = ({ message, cause }: ThingkeepError): string =>
  cause instanceof Error ? `${message} (${cause.message})` : message;

/** The refusal as its owner finds it: the policy's decision, or what else was wrong. */
function refusalOf(error: ThingkeepError, decision: Decision, resource: string, roleAlias: string): AdmissionRefusal['refused'] {
  if (decision.effect === 'ALLOWED' || error.message !== 'Access Denied')
    return { check: 'credentials', reason: `no credentials for role alias ${roleAlias}: ${reasonOf(error)}` };
  return policyRefusal({ action: ACTION, resource, what: `on ${roleAlias}` }, decision);
}

function send(response: ServerResponse, requestId: string, status: number, body: object, code?: ErrorCode): void {
  if (response.destroyed) return;
  const text = JSON.stringify(body);
  const headers = defined({
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    // Secrets must not be cached.
    'cache-control': 'no-store',
    'x-amzn-RequestId': requestId,
    'x-amzn-ErrorType': code,
  });
  response.writeHead(status, headers);
  response.end(text);
}
