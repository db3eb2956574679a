/**
 * HTTP requests to addresses that users have chosen. The connection goes to the addresses that were checked, under the name
 * of the URL (TLS, Host). No redirect is followed.
 */
import {
  Agent as HttpAgent,
  type AgentOptions,
  type ClientRequest,
  request as httpRequest,
  type RequestOptions,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Egress, EgressTarget } from './egress.ts';

export interface OutgoingRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Whether the operator or the root of the home account has chosen the host. */
  readonly exempt: boolean;
  /** Whether the connection may serve later requests. */
  readonly keepAlive: boolean;
}

/**
 * Bounds on kept connections. A queue has its own bound on what is under way; that of a peer is so wide that one path which
 * never answers does not keep the others waiting for a connection.
 */
const KEPT: AgentOptions = { keepAlive: true, maxSockets: 512, maxFreeSockets: 8, timeout: 30_000 };

/** The checked addresses of a connection: it serves later requests to the same ones only, as a name may have others then. */
const pinOf = (options: object | undefined): string => `${(options as { readonly pin?: string } | undefined)?.pin ?? ''}`;

class PinnedHttpAgent extends HttpAgent {
  override getName(options?: RequestOptions): string {
    return `${super.getName(options)}|${pinOf(options)}`;
  }
}

class PinnedHttpsAgent extends HttpsAgent {
  override getName(options?: RequestOptions): string {
    return `${super.getName(options)}|${pinOf(options)}`;
  }
}

const httpAgent = new PinnedHttpAgent(KEPT);
const httpsAgent = new PinnedHttpsAgent(KEPT);

/** A lookup that returns the checked addresses. */
export const pinnedLookup =
  ({ addresses }: EgressTarget): LookupFunction =>
  (_host, options, done) => {
    const [first] = addresses;
    if (options.all === true || first === undefined) done(null, [...addresses]);
    else done(null, first.address, first.family);
  };

/** The result of a promise; rejects when the signal aborts before it, as a name server may be slow. */
function beforeAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(signal.reason);
    if (signal.aborted) ended();
    signal.addEventListener('abort', ended, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', ended));
  });
}

/** Begins a request. Fails with EgressError where the address is refused. */
export async function openRequest(egress: Egress, url: URL, request: OutgoingRequest): Promise<ClientRequest> {
  const target = await beforeAbort(egress.target(url, request.exempt), request.signal);
  const secure = url.protocol === 'https:';
  const { method, headers, signal, keepAlive } = request;
  const options: RequestOptions & { readonly pin: string } = {
    method,
    headers,
    signal,
    agent: keepAlive ? (secure ? httpsAgent : httpAgent) : false,
    lookup: pinnedLookup(target),
    pin: target.addresses.map(({ address }) => address).join(),
  };
  return (secure ? httpsRequest : httpRequest)(url, options);
}
