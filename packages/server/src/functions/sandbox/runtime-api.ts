/**
 * Lambda's runtime API, version 2018-06-01, for the processes that run functions: each has a path of its own that no other one
 * can guess, and comes through a door of its own, or where nothing confines it through a port of the loopback address.
 * Source: Lambda developer guide, page runtimes-api.
 */
import { defined } from '@thingkeep/wire/defined.ts';
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { close, listen } from '../../runtime/listen.ts';
import { RuntimeConnections } from './runtime-connections.ts';

/** What a process is to do next. */
export interface RuntimeEvent {
  readonly requestId: string;
  readonly payload: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly deadline: number;
  readonly functionArn: string;
  /** JSON text. */
  readonly clientContext?: string;
}

/** One process, as the runtime API sees it. */
export interface RuntimeSession {
  /** Whether an answer to this event is awaited. */
  awaits(requestId: string): boolean;
  /** The next event; the process that asked may have gone when it comes. */
  next(): Promise<RuntimeEvent>;
  /** Says whether the event is the one under way. */
  answered(requestId: string, answer: Uint8Array): boolean;
  failed(requestId: string, error: Uint8Array): boolean;
  initFailed(error: Uint8Array): void;
}

/** Lambda quotas: bytes of an answer. */
export const LARGEST_RESPONSE = 6_291_556;
/** Bytes of an error report. */
const LARGEST_ERROR = 256 * 1024;

const digest = (token: string): string => createHash('sha256').update(token).digest('base64');

export class RuntimeApi {
  readonly #server: Server;
  /** By the digest of the token: a look-up by the token itself would tell by its time how near a guess came. */
  readonly #sessions = new Map<string, RuntimeSession>();
  readonly #connections = new RuntimeConnections();
  /** Those whose bodies are being read: one of each process at a time, since it is held in memory. */
  readonly #telling = new Set<RuntimeSession>();
  #port: Promise<number> | undefined;

  constructor() {
    this.#server = createServer({ headersTimeout: 10_000, requestTimeout: 60_000, keepAliveTimeout: 3_600_000 });
    this.#server.on('request', (request, response) => void this.#serve(request, response));
  }

  /** Makes a way in for a process; gives the first part of its paths, and the way to close it. */
  admit(session: RuntimeSession): { readonly token: string; readonly close: () => void } {
    const token = randomBytes(24).toString('base64url');
    const key = digest(token);
    this.#sessions.set(key, session);
    return { token, close: () => void this.#sessions.delete(key) };
  }

  /** A connection that came through a door. */
  accept(socket: Socket): void {
    this.#server.emit('connection', socket);
  }

  /** Opens the port, for processes that have no door. */
  port(): Promise<number> {
    this.#port ??= this.#listen().catch((error: unknown) => {
      // Tried again for the next process.
      this.#port = undefined;
      throw error;
    });
    return this.#port;
  }

  async #listen(): Promise<number> {
    const port = await listen(this.#server, '127.0.0.1', 0, 'runtime API of functions');
    this.#server.on('connection', (socket) => this.#connections.open(socket));
    return port;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    if (this.#port === undefined) return;
    await this.#port.catch(() => undefined);
    const closed = close(this.#server);
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined);
    request.on('error', () => undefined);
    const [, token = '', path = ''] = /^\/([\w-]{32})\/2018-06-01\/runtime\/([\w/-]{1,128})$/.exec(request.url ?? '') ?? [];
    const key = digest(token);
    const session = this.#sessions.get(key);
    try {
      if (session === undefined) return reply(response, 403, failure('Forbidden', 'No function of this server asks here'));
      this.#connections.belongs(request.socket, key);
      await this.#answer(session, `${request.method} ${path}`, request, response);
    } catch {
      // The process that asked has gone, in the middle of its request.
      response.destroy();
    }
  }

  async #answer(session: RuntimeSession, asked: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (asked === 'GET invocation/next') return sendEvent(response, await session.next());
    const [, requestId = '', kind] = /^POST invocation\/([\w-]{1,64})\/(response|error)$/.exec(asked) ?? [];
    const isInit = asked === 'POST init/error';
    if (!isInit && kind === undefined) return reply(response, 404, failure('NotFound', 'The runtime API has no such path'));
    // Before its body is read: what no process waits for need not be held.
    if (!isInit && !session.awaits(requestId)) return reply(response, 400, UNKNOWN);
    if (this.#telling.has(session))
      return reply(response, 400, failure('InvalidStateTransition', 'Another answer is on its way'));
    this.#telling.add(session);
    try {
      if (isInit) await initError(session, request, response);
      else await answer(session, requestId, kind === 'error', request, response);
    } finally {
      this.#telling.delete(session);
    }
  }
}

const failure = (errorType: string, errorMessage: string): string => JSON.stringify({ errorType, errorMessage });

function reply(response: ServerResponse, status: number, body: string): void {
  if (!response.destroyed) response.writeHead(status, { 'content-type': 'application/json' }).end(body);
}

const ACCEPTED = JSON.stringify({ status: 'OK' });

const UNKNOWN = failure('InvalidRequestID', 'That invocation is not under way');

async function initError(session: RuntimeSession, request: IncomingMessage, response: ServerResponse): Promise<void> {
  session.initFailed((await read(request, LARGEST_ERROR)) ?? Buffer.from('{}'));
  reply(response, 202, ACCEPTED);
}

async function answer(
  session: RuntimeSession,
  requestId: string,
  isError: boolean,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await read(request, isError ? LARGEST_ERROR : LARGEST_RESPONSE);
  if (body === undefined) {
    const error = failure(
      'Function.ResponseSizeTooLarge',
      `Response payload size exceeded maximum allowed payload size (${LARGEST_RESPONSE} bytes).`,
    );
    session.failed(requestId, Buffer.from(error));
    return reply(response, 413, error);
  }
  const known = isError ? session.failed(requestId, body) : session.answered(requestId, body);
  if (known) reply(response, 202, ACCEPTED);
  else reply(response, 400, UNKNOWN);
}

function sendEvent(response: ServerResponse, event: RuntimeEvent): void {
  const { requestId, payload, deadline, functionArn, clientContext } = event;
  response
    .writeHead(
      200,
      defined({
        'content-type': 'application/json',
        'content-length': payload.length,
        'lambda-runtime-aws-request-id': requestId,
        'lambda-runtime-deadline-ms': String(Math.round(deadline)),
        'lambda-runtime-invoked-function-arn': functionArn,
        'lambda-runtime-client-context': clientContext,
      }),
    )
    .end(payload);
}

/** The body; undefined when it is longer than `most`. What is too long is read on into nothing, so that the answer is seen. */
async function read(request: IncomingMessage, most: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= most) chunks.push(chunk);
    else if (size > 4 * most) return undefined;
  }
  return size > most ? undefined : Buffer.concat(chunks);
}
