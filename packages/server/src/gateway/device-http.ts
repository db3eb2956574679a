/**
 * HTTPS for devices: the data plane's operations (developer guide, page http), authenticated by X.509, SigV4 or a custom
 * authorizer. Requests are parsed, validated and answered by the same table as the API's; policies say what a device may do.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Handler, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotDataOperations, IotJobsDataOperations } from '@thingkeep/wire/api/operation-types.ts';
import { parseRequest } from '@thingkeep/wire/api/parse-request.ts';
import { renderError } from '@thingkeep/wire/api/render-error.ts';
import { type Rendered, renderResponse } from '@thingkeep/wire/api/render-response.ts';
import { type Route, route } from '@thingkeep/wire/api/route.ts';
import type { Operation } from '@thingkeep/wire/api/table.ts';
import { defined } from '@thingkeep/wire/defined.ts';
import { fail, ThingkeepError } from '@thingkeep/wire/errors.ts';
import type { AdmissionRefusal, Peer } from '../broker/contract.ts';
import type { Refusal } from '../refusals/refusals.ts';
import { signatureRefusal } from '../refusals/signature-refusal.ts';
import type { CallFigures } from '../runtime/call-figures.ts';
import { asRefusal } from '../runtime/disk-failure.ts';
import type { Logger } from '../runtime/log.ts';
import type { RequestIdentity } from './authentication/authenticator.ts';
import type { AuthenticatorRegistry } from './authentication/authenticator-registry.ts';
import type { AttemptReader, HttpAttempt } from './attempt-reader.ts';
import { checkPayloadLength, expectsContinue, readPayload } from './read-payload.ts';
import { operationRefusal } from './authorization/operation-permissions.ts';

/** Handlers of the data planes, by their services. */
export interface DataServices {
  readonly 'iot-data': Handlers<IotDataOperations>;
  readonly 'iot-jobs-data': Handlers<IotJobsDataOperations>;
}

/** Handlers of the data planes, over the data of one region. */
export type DataPlane = (region: string) => DataServices;

export interface DeviceHttpOptions {
  readonly log: Logger;
  readonly attempts: AttemptReader;
  readonly authenticators: Pick<AuthenticatorRegistry, 'beginRequest'>;
  readonly dataPlane: DataPlane;
  readonly refuse: (refusal: Refusal) => void;
  readonly calls: CallFigures;
}

/** What is known of a request while it is served. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  operation?: Operation;
  peer?: Peer;
  /** Known once the request is authenticated. */
  sender?: RequestIdentity;
}

/** Faults of a request that its sender's owner has to find, as those of a packet over MQTT. */
const FAULTS: ReadonlyMap<string, Refusal['check']> = new Map([
  ['InvalidRequestException', 'protocol'],
  ['RequestEntityTooLargeException', 'limit'],
]);

export function deviceHttp({ log, attempts, authenticators, dataPlane, refuse, calls }: DeviceHttpOptions): RequestListener {
  const record = ({ sourceIp, certificateId }: Peer, refusal: AdmissionRefusal['refused']): void =>
    refuse({ protocol: 'https', sourceIp, certificateId, ...refusal });

  /**
   * Fails for a request that no operation here answers. The path names things and jobs, so the record is of the sender's
   * account.
   */
  function unserved(
    { peer, http }: HttpAttempt,
    { place, principal }: RequestIdentity,
    error: ThingkeepError,
    operation?: Operation,
  ): never {
    const { method, path } = http;
    const notYet = `${operation?.name} is not in Thingkeep yet. COMPATIBILITY.md lists what is there.`;
    const what = operation === undefined ? error.message : notYet;
    record(peer, { check: 'not-implemented', reason: `${method} ${path}: ${what}`, action: method, ...place, principal });
    throw error;
  }

  /** Records a request that is not valid: for the sender's account, where that is known. */
  function recordFault({ request, peer, sender, operation }: Exchange, { code, message }: ThingkeepError): void {
    const check = FAULTS.get(code);
    if (check === undefined || peer === undefined) return;
    const what = operation?.name ?? request.method;
    record(peer, { check, reason: `${what}: ${message}`, ...sender?.place, ...defined({ principal: sender?.principal }) });
  }

  const turnAway = (peer: Peer, refusal: AdmissionRefusal['refused']): never => {
    record(peer, refusal);
    return fail('ForbiddenException', 'Forbidden');
  };

  /** Fails unless the sender's permissions allow what the operation does with this input. */
  function authorize(peer: Peer, sender: RequestIdentity, operation: Operation, input: object): void {
    const refusal = sender.everything ? undefined : operationRefusal(sender, operation, input);
    if (refusal !== undefined) turnAway(peer, refusal);
  }

  /** Authenticates the sender: what the head says is checked before the body is read, and the client told to send it. */
  async function authenticate(
    { request, response }: Exchange,
    attempt: HttpAttempt,
  ): Promise<{ sender: RequestIdentity; body: Buffer }> {
    const unverified = await orTurnAway(attempt, authenticators.beginRequest(attempt));
    checkPayloadLength(request);
    if (expectsContinue(request)) response.writeContinue();
    const body = await readPayload(request);
    const sender = await orTurnAway(attempt, unverified.prove(body));
    return { sender, body };
  }

  /** The result of an authentication step. A refusal, or a failure of the step, is recorded, and fails. */
  const orTurnAway = async <T extends object>(attempt: HttpAttempt, step: Promise<T | AdmissionRefusal>): Promise<T> => {
    const answer = await step.catch((error: unknown) => {
      if (error instanceof ThingkeepError) record(attempt.peer, signatureRefusal(error));
      throw error;
    });
    return 'refused' in answer ? turnAway(attempt.peer, answer.refused) : answer;
  };

  async function answer(exchange: Exchange): Promise<Rendered> {
    const { request, requestId } = exchange;
    const attempt = attempts.fromRequest(request, 'https');
    const { query, headers } = attempt.http;
    exchange.peer = attempt.peer;
    const found = routeOf(attempt);
    if ('operation' in found) exchange.operation = found.operation;
    const { sender, body } = await authenticate(exchange, attempt);
    exchange.sender = sender;
    if (!('operation' in found)) return unserved(attempt, sender, found);
    const { operation } = found;
    const input = parseRequest(found, { query, header: (name) => headers.get(name)?.join(','), body });
    authorize(attempt.peer, sender, operation, input);
    const handler = handlerOf(dataPlane(sender.place.region), operation);
    if (handler === undefined) return unserved(attempt, sender, notImplemented(operation), operation);
    const caller = {
      ...sender.place,
      arn: sender.principal,
      userId: sender.principal,
      sourceIp: attempt.peer.sourceIp,
      requestId,
    };
    const output = await handler(input, caller);
    return operation.name === 'Publish' ? published(requestId) : renderResponse(operation, output);
  }

  async function serve(exchange: Exchange): Promise<void> {
    const { request, requestId } = exchange;
    const ended = calls.begin('https');
    const rendered = await answer(exchange).catch((thrown: unknown): Rendered => {
      const error = asRefusal(thrown);
      if (error instanceof ThingkeepError) recordFault(exchange, error);
      // A peer that left during its upload (the request has failed then) is no failure of ours.
      if (!(error instanceof ThingkeepError) && request.errored === null)
        log.error({ err: error, requestId }, 'a device request failed');
      return traced(renderError(exchange.operation, error), requestId);
    });
    send(exchange, rendered);
    ended(rendered.status, exchange.operation?.service, exchange.operation?.name);
  }

  return (request, response) => {
    const exchange: Exchange = { request, response, requestId: randomUUID() };
    serve(exchange).catch((error: unknown) => {
      log.error({ err: error, requestId: exchange.requestId }, 'a device request could not be answered');
      response.destroy();
    });
  };
}

const DATA_SERVICES = ['iot-data', 'iot-jobs-data'] as const;

/** The route of a request, or the error of one that has none. */
function routeOf({ http: { method, path } }: HttpAttempt): Route | ThingkeepError {
  try {
    return route(method, path, DATA_SERVICES);
  } catch (error) {
    if (error instanceof ThingkeepError && error.code === 'UnknownOperationException') return error;
    throw error;
  }
}

const notImplemented = ({ name }: Operation): ThingkeepError =>
  new ThingkeepError('UnknownOperationException', `${name} is not implemented by Thingkeep yet`);

/** The handler by the operation's name: the table and the handlers' types come from the same models, so the shapes agree. */
function handlerOf(services: DataServices, { service, name }: Operation): Handler | undefined {
  const known = (service === 'iot-jobs-data' ? services[service] : services['iot-data']) as Readonly<
    Record<string, Handler | undefined>
  >;
  return Object.hasOwn(known, name) ? known[name] : undefined;
}

function send({ request, response, requestId }: Exchange, { status, headers, body }: Rendered): void {
  if (response.destroyed) return;
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  // What is left of a body that was too large, or not asked for, is not waited for.
  const close = request.complete ? {} : { connection: 'close' };
  response.writeHead(status, { ...headers, ...close, 'content-length': bytes.length, 'x-amzn-RequestId': requestId });
  response.end(bytes);
}

/** What AWS answers a device, seen on the wire; SDKs read no member of it. */
const published = (requestId: string): Rendered => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ message: 'OK', traceId: requestId }),
});

/** The data plane tells devices under which id a failure is found in the log (seen on the wire; in no model). */
const traced = (rendered: Rendered, requestId: string): Rendered => ({
  ...rendered,
  body: JSON.stringify({ ...(JSON.parse(String(rendered.body)) as object), traceId: requestId }),
});
