/** One HTTP request of an action or a destination: bounded in time and size, follows no redirect. */
import type { IncomingMessage } from 'node:http';
import { type Egress, EgressError } from '../../outgoing/egress.ts';
import { openRequest } from '../../outgoing/requests.ts';
import { ActionError } from './action-error.ts';

export interface HttpAnswer {
  readonly status: number;
  /** At most {@link MAX_READ} bytes of it. */
  readonly body: string;
  /** Bytes that the peer sent, as far as they were counted: up to one more than is read. */
  readonly size: number;
}

/** Bytes of an answer that are read (API reference: an answer beyond 16,384 bytes is not tried again). */
export const MAX_READ = 16_384;

export interface Sending {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly signal: AbortSignal;
  /** Whether the operator, or the root of the home account, has chosen the host. */
  readonly exempt: boolean;
}

/** Sends a request. Any status is an answer; fails with ActionError when there is none. */
export async function send(egress: Egress, url: URL, { method, headers, body, signal, exempt }: Sending): Promise<HttpAnswer> {
  try {
    const request = await openRequest(egress, url, {
      method,
      headers: { ...headers, 'content-length': String(body.length) },
      signal,
      exempt,
      keepAlive: true,
    });
    return await new Promise<HttpAnswer>((resolve, reject) => {
      request.on('error', reject);
      request.on('response', (response) => read(response).then(resolve, reject));
      request.end(body);
    });
  } catch (error) {
    if (error instanceof EgressError) throw new ActionError(error.message, error.passing, error);
    if (signal.aborted) throw new ActionError(`no answer came in time from ${url.host}`, true, error);
    const code = (error as NodeJS.ErrnoException | undefined)?.code ?? 'unknown fault';
    throw new ActionError(`${url.host} could not be reached (${code})`, true, error);
  }
}

async function read(response: IncomingMessage): Promise<HttpAnswer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_READ) break;
    chunks.push(chunk);
  }
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8'), size };
}
