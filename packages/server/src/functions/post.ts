/** One POST of a JSON document: the sender that everything which calls functions shares. Follows no redirect. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { type Egress, EgressError } from '../outgoing/egress.ts';
import { openRequest } from '../outgoing/requests.ts';
import { FunctionError, type InvokeOptions } from './contract.ts';
import { deadlineSignal } from '../runtime/deadline.ts';

/** Most bytes of an answer that are read, where nothing else is said. */
export const LARGEST_ANSWER = 64 * 1024;

export interface Answer {
  readonly status: number;
  /** A header's value by its lower-case name. */
  header(name: string): string | undefined;
  readonly body: Buffer;
}

export interface Posted {
  readonly url: URL;
  /** Beside the type and length of the body. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Whether the operator, or the root of the home account, has chosen the host. */
  readonly exempt: boolean;
}

/** Sends `body` to an `http:` or `https:` URL. Fails with `FunctionError`; any status is an answer. */
export async function post(
  egress: Egress,
  { url, headers, body, exempt }: Posted,
  { timeoutMs, signal, largestAnswer = LARGEST_ANSWER }: InvokeOptions,
): Promise<Answer> {
  const { signal: deadline, end } = deadlineSignal(timeoutMs);
  const ended = signal === undefined ? deadline : AbortSignal.any([deadline, signal]);
  try {
    const request = await openRequest(egress, url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers, 'content-length': String(body.length) },
      signal: ended,
      exempt,
      // A connection of its own: one that was kept may be closed by the other side in just this moment.
      keepAlive: false,
    });
    const response = await answered(request, body);
    const header = (name: string): string | undefined => response.headers[name]?.toString();
    return { status: response.statusCode ?? 0, header, body: await read(response, largestAnswer) };
  } catch (error) {
    throw asFunctionError(error, deadline, timeoutMs);
  } finally {
    end();
  }
}

const answered = (request: ClientRequest, body: Uint8Array): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    request.once('response', resolve);
    // For good: what goes wrong after the answer has begun is told by its reader.
    request.on('error', reject);
    request.end(body);
  });

async function read(response: IncomingMessage, largest: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Leaving the loop destroys the response, and the connection with it.
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largest) throw new FunctionError('failed', `it answered more than ${largest} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function asFunctionError(error: unknown, deadline: AbortSignal, timeoutMs: number): FunctionError {
  if (error instanceof FunctionError) return error;
  if (error instanceof EgressError) return new FunctionError(error.passing ? 'unavailable' : 'refused', error.message, error);
  if (deadline.aborted) return new FunctionError('timeout', `it did not answer within ${timeoutMs / 1000} seconds`);
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? 'an unknown fault';
  return new FunctionError('unavailable', `it could not be reached (${code})`, error);
}
