/** One HTTP request of an action or a destination: bounded in time and size, follows no redirect. */
import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { ActionError } from './contract.ts';

export interface HttpAnswer {
  readonly status: number;
  /** At most {@link MOST_READ} bytes of it. */
  readonly body: string;
  /** Bytes that the peer sent, as far as they were counted: up to one more than is read. */
  readonly size: number;
}

/** Bytes of an answer that are read (API reference: an answer beyond 16,384 bytes is not tried again). */
export const MOST_READ = 16_384;

/**
 * Connections are kept for the next message. A queue has its own bound on what is under way; that of a peer is so wide
 * that one path which never answers does not keep the others waiting for a connection.
 */
const kept = { keepAlive: true, maxSockets: 512, maxFreeSockets: 8, timeout: 30_000 } as const;
const httpAgent = new HttpAgent(kept);
const httpsAgent = new HttpsAgent(kept);

/** Sends a request. Any status is an answer; fails with ActionError, passing, when there is none. */
export async function send(
  url: URL,
  { method, headers, body, signal }: { method: string; headers: Record<string, string>; body: Uint8Array; signal: AbortSignal },
): Promise<HttpAnswer> {
  const secure = url.protocol === 'https:';
  try {
    return await new Promise<HttpAnswer>((resolve, reject) => {
      const request = (secure ? httpsRequest : httpRequest)(url, {
        method,
        headers: { ...headers, 'content-length': String(body.length) },
        signal,
        agent: secure ? httpsAgent : httpAgent,
      });
      request.on('error', reject);
      request.on('response', (response) => read(response).then(resolve, reject));
      request.end(body);
    });
  } catch (error) {
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
    if (size > MOST_READ) break;
    chunks.push(chunk);
  }
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8'), size };
}
