/**
 * The API's HTTP front: one listener for every AWS service that is spoken here, told apart by the SigV4 scope. A request is
 * refused for its head before its body is read, for its signature before it is routed, for its input before a handler runs.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Caller } from '@thingkeep/wire/api/handlers.ts';
import { percentDecode } from '@thingkeep/wire/api/percent.ts';
import type { Rendered } from '@thingkeep/wire/api/render-response.ts';
import { findRoute, servicesOfScope } from '@thingkeep/wire/api/route.ts';
import { type Operation, SERVICE_NAMES, signingName } from '@thingkeep/wire/api/table.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { CallFigures } from '../runtime/call-figures.ts';
import { asRefusal } from '../runtime/disk-failure.ts';
import type { Logger } from '../runtime/log.ts';
import type { FindAccessKey } from './access-keys.ts';
import { type Audit, AuditedChange, changeMembers, failureOf, isChange } from './audited-calls.ts';
import { crossOriginHeaders, preflightHeaders } from './cross-origin.ts';
import { dispatch, type Services } from './dispatch.ts';
import { type ApiRefusal, errorAnswers } from './error-answers.ts';
import { notServed } from './error-forms.ts';
import { answerJson, type JsonServices } from './json-services.ts';
import { checkHost, hostedBucket, type IsOwnName, withBuckets } from './host-check.ts';
import { checkRoleAccounts, mayAsk, mayCall, mayPass, mayQuery, type ResourceKeys, useOf } from './key-permissions.ts';
import { answerQuery, isQueryService, type QueryServices } from './query-services.ts';
import { checkLength, checkPartCount, discardBody, Gone, LargeBodyLimiter, largestBody, readBody } from './read-body.ts';
import { claimedService } from './signature.ts';
import { headerOf, type SignedHead, signedHead } from './signed-request.ts';
import { type PresignedV2, readPresignedV2, verifyPresignedV2 } from './sigv2-presigned.ts';
import { createSigv4, type ProvenHead, type Verified } from './sigv4.ts';
import { OBJECTS, type ObjectService, type RenderedObject, sendObject } from './objects.ts';
import { startDeadline } from '../runtime/deadline.ts';

/** Answers an unsigned GET (health, the root certificate); `query` is as it came, `done` says that the answer was sent. */
export type PlainHandler = (query: string, done: AbortSignal) => Rendered | Promise<Rendered>;
/** What answers an open request, once its path is known. */
type OpenHandler = (query: string, done: AbortSignal) => ReturnType<BelowHandler>;

/** Answers an unsigned GET below a path, with the rest of the path. */
export type BelowHandler = (rest: string, begin: () => void) => Rendered | RenderedObject | Promise<Rendered | RenderedObject>;

/** Answers a signed request of Thingkeep's own, with what becomes JSON. Parameters come from the query string. */
export type AdminHandler = (parameters: URLSearchParams, caller: Caller, body: Uint8Array) => Promise<unknown>;

export interface ApiOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly findAccessKey: FindAccessKey;
  /** As in {@link Sigv4Options}. */
  readonly isOwnName?: IsOwnName;
  /** Whether a request may be signed for the region; for those of AWS when absent. */
  readonly isRegion?: (region: string) => boolean;
  /** Handlers over the data of one region. */
  readonly services: (region: string) => Services;
  /** Services of the JSON protocol, by the name that requests are signed for. */
  readonly jsonServices?: JsonServices;
  /** S3, where objects are kept here. */
  readonly objects?: ObjectService;
  /** Services of the query protocol. */
  readonly queryServices?: QueryServices;
  /** Tags of what is asked for, for policies that ask for them. */
  readonly resourceKeys?: ResourceKeys;
  /** ARNs of roles that the text of an operation's input names: the caller must be allowed to pass them to AWS IoT. */
  readonly rolesInText?: (operation: string, input: object) => readonly string[];
  /** Path -> handler. */
  readonly plain: ReadonlyMap<string, PlainHandler>;
  /**
   * Unsigned GETs below a path, which may be followed from a browser: the path with its last slash -> handler of the rest,
   * which calls `begin` before it changes something.
   */
  readonly plainBelow?: ReadonlyMap<string, BelowHandler>;
  /** `METHOD /path` -> handler; signed for the service `thingkeep`. */
  readonly admin: ReadonlyMap<string, AdminHandler>;
  readonly refused?: (refusal: ApiRefusal) => void;
  /** Has a line before each change, and its result behind it. */
  readonly audit?: Audit;
  /** Counts signed requests. */
  readonly calls?: CallFigures;
}

export type Api = (request: IncomingMessage, response: ServerResponse) => void;

const ADMIN_SERVICE = 'thingkeep';
const MAX_HEADERS = 100;
/** What is known of a request while it is served; an error is rendered and logged by it. */
interface ApiExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  readonly sourceIp: string;
  path: string;
  /** Once it is proven. */
  caller?: Caller;
  service?: string | undefined;
  /** The operation, once it is known to be one; with its model where it is of the operation table. */
  called?: { readonly service: string; readonly name: string; readonly operation?: Operation };
  /** What it is about to change. */
  change?: AuditedChange;
  /** Unsigned: what a page of another origin can't read, as nothing proves that its user may. */
  open?: boolean;
}

const expectsContinue = (request: IncomingMessage): boolean => request.headers.expect?.toLowerCase() === '100-continue';

function send({ request, response, requestId, open }: ApiExchange, { status, headers, body }: Rendered): void {
  if (response.headersSent || response.destroyed) return;
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  // A client that was not told to continue may or may not send its body: nothing can follow on this connection.
  const unsent = expectsContinue(request) && !request.complete ? { connection: 'close' } : {};
  const length = status === 204 ? {} : { 'content-length': bytes.length };
  response.writeHead(status, {
    ...(!open && crossOriginHeaders),
    ...headers,
    ...unsent,
    ...length,
    'x-amzn-RequestId': requestId,
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
  discardBody(request);
}

/** Milliseconds that whoever asks without a signature has to take the answer. */
const PATIENCE = 60_000;

/** Aborts once the answer was sent, or given up. */
function sent(response: ServerResponse): AbortSignal {
  const done = new AbortController();
  const cancel = startDeadline(PATIENCE, () => response.destroy());
  response.once('close', () => {
    cancel();
    done.abort();
  });
  return done.signal;
}

/** What the head alone forbids. */
function checkHead({ request }: ApiExchange): SignedHead {
  const target = request.url ?? '';
  if (request.rawHeaders.length > 2 * MAX_HEADERS)
    fail('InvalidRequestException', `The request has more than ${MAX_HEADERS} headers`);
  const head = signedHead(request.method ?? '', target, request.rawHeaders, request.socket.localAddress);
  if (!head.headers.has('host')) fail('InvalidRequestException', `Header 'host' is missing`);
  if (!target.startsWith('/')) fail('InvalidRequestException', 'The request target must be a path');
  if (request.headers.expect !== undefined && !expectsContinue(request))
    fail('InvalidRequestException', 'The only expectation that can be met is 100-continue');
  return head;
}

/** Says which service a path belongs to when the request was signed for another one. */
function checkScope(head: SignedHead, service: string): void {
  const services = servicesOfScope(service);
  const others = SERVICE_NAMES.filter((name) => !services.includes(name));
  const other = findRoute(head.method, head.path, others);
  if (other !== undefined)
    fail(
      'InvalidSignatureException',
      `Credential should be scoped to correct service: '${signingName(other.operation.service)}'. `,
    );
}

const NO_BODY = new Uint8Array(0);
const DEFAULT_REGION = 'us-east-1';
const NO_KEYS: ResourceKeys = async () => [];

/** How a request came, as conditions may ask. */
const cameBy = (
  { socket }: IncomingMessage,
  head: SignedHead,
): Pick<Caller, 'secureTransport' | 'hostName' | 'userAgent' | 'referer'> => ({
  secureTransport: 'encrypted' in socket,
  hostName: headerOf(head, 'host')?.replace(/:\d*$/, ''),
  userAgent: headerOf(head, 'user-agent'),
  referer: headerOf(head, 'referer'),
});

/** `GET /admin/refusals` -> `GetRefusals`: what an IAM policy allows as `thingkeep:GetRefusals`. */
export const adminAction = ({ method, path }: SignedHead): string =>
  [method.toLowerCase(), ...path.split(/[/-]/).slice(2)]
    .map((word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`)
    .join('');

export function createApi(options: ApiOptions): Api {
  const { log, plain, admin, services, resourceKeys = NO_KEYS } = options;
  const sigv4 = createSigv4(options);
  const largeBodies = new LargeBodyLimiter();
  const answerError = errorAnswers({
    log,
    refused: options.refused,
    isJsonService: (service) => service !== undefined && options.jsonServices?.has(service) === true,
  });

  /** Who asks, and what has a change written into the audit log around the check of permissions. */
  function identify(exchange: ApiExchange, head: SignedHead, { key, service, region }: Verified, body: Uint8Array) {
    const { requestId, sourceIp } = exchange;
    const { accountId, arn, userId } = key;
    const caller: Caller = {
      ...{ accountId, region, arn, userId, sourceIp, requestId, ...cameBy(exchange.request, head) },
      permissions: key.permissions === undefined ? undefined : async () => key.permissions?.(useOf(caller)),
    };
    const asking = { key, caller, resourceKeys };
    exchange.caller = caller;
    /** Runs the check of permissions between the two: a change that is refused is in the audit log too. */
    const audited = async (operation: string, input: object, authorize: () => Promise<void>): Promise<void> => {
      exchange.called ??= { service, name: operation };
      if (options.audit !== undefined && isChange(operation, input)) {
        const { accessKeyId } = key;
        const call = changeMembers({ caller, accessKeyId, service, operation, input, body });
        exchange.change = new AuditedChange(options.audit, call);
      }
      await authorize();
      options.audit?.checkRoom?.(operation, input);
      exchange.change?.begin();
    };
    return { caller, asking, audited };
  }

  /** Of version 2 of the signatures, which names no region. */
  async function provenByV2(head: SignedHead, presigned: PresignedV2): Promise<ProvenHead> {
    const { clock, findAccessKey, isOwnName = () => true } = options;
    const host = headerOf(head, 'host');
    checkHost(host, head.arrivedAt, withBuckets(isOwnName));
    const bucket = hostedBucket(host, isOwnName);
    const key = await verifyPresignedV2(head, presigned, { now: clock.now(), findAccessKey, bucket });
    key.used?.(OBJECTS, DEFAULT_REGION);
    return { verified: { key, service: OBJECTS, region: DEFAULT_REGION }, payload: { kind: 'unsigned' } };
  }

  /** A request to S3: its body is read by who serves it. */
  async function answerObjects(exchange: ApiExchange, head: SignedHead, proven: ProvenHead, serveObjects: ObjectService) {
    const { verified, payload } = proven;
    const { request, response } = exchange;
    const { caller, asking, audited } = identify(exchange, head, verified, NO_BODY);
    return serveObjects({
      ...{ head, caller, payload, body: request },
      async authorize(operation, needed, input) {
        await audited(operation, input, () => mayQuery(asking, verified.service, operation, input, needed));
        if (expectsContinue(request)) response.writeContinue();
      },
    });
  }

  async function answerSigned(exchange: ApiExchange, head: SignedHead, verified: Verified, body: Uint8Array): Promise<Rendered> {
    const { key, service, region } = verified;
    const { caller, asking, audited } = identify(exchange, head, verified, body);
    if (isQueryService(service))
      return answerQuery(
        options.queryServices,
        service,
        { query: head.query, body },
        { ...caller, key },
        { resourceKeys, audited },
      );
    const json = options.jsonServices?.get(service);
    if (json !== undefined)
      return answerJson(json(region), headerOf(head, 'x-amz-target'), body, caller, (operation, input) =>
        audited(operation, input, () => mayAsk(asking, service, operation, input)),
      );
    if (service === ADMIN_SERVICE) {
      const handler =
        admin.get(`${head.method} ${head.path}`) ?? fail('UnknownOperationException', 'No such administrative request');
      const parameters = new URLSearchParams(head.query);
      const action = adminAction(head);
      await audited(action, Object.fromEntries(parameters), () => mayAsk(asking, service, action, {}));
      const result = await handler(parameters, caller, body);
      return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(result ?? {}) };
    }
    const found = findRoute(head.method, head.path, servicesOfScope(service));
    if (found === undefined) {
      if (servicesOfScope(service).length === 0) notServed(service);
      checkScope(head, service);
      return fail('UnknownOperationException', `No operation of service '${service}' answers ${head.method} at this path`);
    }
    const { operation } = found;
    exchange.called = { service: operation.service, name: operation.name, operation };
    return dispatch(
      services(region),
      found,
      { query: head.query, header: (name) => headerOf(head, name), body },
      caller,
      (operation, input) =>
        audited(operation.name, input, async () => {
          await mayCall(asking, operation, input);
          const inText = options.rolesInText?.(operation.name, input) ?? [];
          await mayPass(asking, operation, input, inText);
          checkRoleAccounts(caller, operation, input, inText);
        }),
    );
  }

  /** The handler for an unsigned request below one of the open paths; signed ones go their way. */
  function opened(head: SignedHead, exchange: ApiExchange): OpenHandler | undefined {
    if (claimedService(head) !== undefined) return undefined;
    for (const [path, handler] of options.plainBelow ?? [])
      if (head.path.startsWith(path)) {
        const rest = percentDecode(head.path.slice(path.length));
        const { requestId, sourceIp } = exchange;
        const begin = (): void => {
          if (options.audit === undefined) return;
          const call = { requestId, sourceIp, principal: 'anonymous', operation: `GET ${path}` };
          exchange.change = new AuditedChange(options.audit, call);
          exchange.change.begin();
        };
        return () => handler(rest ?? fail('InvalidRequestException', 'The request path is not valid'), begin);
      }
    return undefined;
  }

  async function answer(exchange: ApiExchange): ReturnType<ObjectService> {
    const { request, response } = exchange;
    const head = checkHead(exchange);
    exchange.path = head.path;
    exchange.service = claimedService(head);
    const most = largestBody(exchange.service, head.path);
    // An object is never held in memory: who keeps it bounds it.
    if (exchange.service !== OBJECTS) checkLength(request, most);
    if (head.method === 'OPTIONS')
      return { status: 204, headers: preflightHeaders(headerOf(head, 'access-control-request-headers')), body: '' };
    const open = head.method === 'GET' || head.method === 'HEAD' ? (plain.get(head.path) ?? opened(head, exchange)) : undefined;
    exchange.open = open !== undefined;
    if (open !== undefined) return open(head.query, sent(response));
    const presigned = options.objects === undefined ? undefined : readPresignedV2(head);
    if (presigned !== undefined && options.objects !== undefined)
      return answerObjects(exchange, head, await provenByV2(head, presigned), options.objects);
    const pending = await sigv4.begin(head);
    if (options.objects !== undefined && pending.service === OBJECTS)
      return answerObjects(exchange, head, pending.finishHead(), options.objects);
    if (expectsContinue(request)) response.writeContinue();
    let isLarge = false;
    const grows = (): void => {
      largeBodies.take(pending.accessKeyId);
      isLarge = true;
    };
    try {
      const body = await readBody(request, { most, grows });
      const verified = pending.finish(body);
      checkPartCount(body);
      return await answerSigned(exchange, head, verified, body);
    } finally {
      if (isLarge) largeBodies.release(pending.accessKeyId);
    }
  }

  async function serve(exchange: ApiExchange): Promise<void> {
    const { request } = exchange;
    const ended = options.calls?.begin('api');
    let rendered: Awaited<ReturnType<ObjectService>>;
    try {
      rendered = await answer(exchange);
      exchange.change?.end(('content' in rendered ? undefined : rendered.failure) ?? 'OK');
    } catch (thrown) {
      if (thrown instanceof Gone) return;
      const error = asRefusal(thrown);
      exchange.change?.end(failureOf(error));
      rendered = answerError({ ...exchange, headers: request.headers, method: request.method ?? '' }, error);
    }
    if ('content' in rendered) await sendObject(exchange.response, rendered, exchange.open === true ? {} : crossOriginHeaders);
    else send(exchange, rendered);
    const { requestId, path, service, called, open } = exchange;
    if (open !== true && request.method !== 'OPTIONS') ended?.(rendered.status, called?.service, called?.name);
    log.debug(
      { requestId, method: request.method, path, service, operation: called?.name, status: rendered.status },
      'API request',
    );
  }

  return (request, response) => {
    const sourceIp = request.socket.remoteAddress ?? '';
    const exchange: ApiExchange = { request, response, requestId: randomUUID(), sourceIp, path: '' };
    response.on('error', () => {});
    serve(exchange).catch((error: unknown) => {
      log.error({ err: error, requestId: exchange.requestId }, 'API answer could not be sent');
      response.destroy();
    });
  };
}
