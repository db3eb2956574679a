/** Reads a request's body, never more than the cap, and lets go of a body that nobody wants. */
import type { IncomingMessage } from 'node:http';
import { fail } from '@thingkeep/wire/errors.ts';

/** Well over AWS's largest request (a topic rule of 256 KB, a CA certificate, a job document of 32 KB). */
export const MAX_BODY = 1024 * 1024;
/** What is still read from a client that sends a refused body, so that it gets to see the answer. */
const MAX_DISCARDED = 8 * MAX_BODY;

/** The client went away while its body was read: nobody is left to answer. */
export class Gone extends Error {
  override readonly name = 'Gone';
}

const tooLarge = (): never => fail('RequestEntityTooLargeException', `The request body is larger than ${MAX_BODY} bytes`);

/** Refuses an announced length that no body may have. */
export function checkLength(request: IncomingMessage): void {
  const length = request.headers['content-length'];
  if (length !== undefined && !(Number(length) <= MAX_BODY)) tooLarge();
}

export async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= MAX_BODY) chunks.push(chunk);
    else {
      chunks.length = 0;
      request.removeAllListeners('data');
      try {
        tooLarge();
      } catch (error) {
        reject(error);
      }
    }
  });
  request.once('end', () => resolve(chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks)));
  request.once('error', () => reject(new Gone()));
  request.once('close', () => reject(new Gone()));
  return promise;
}

/** Reads on into nothing for a while; a client that won't stop loses its connection. */
export function discardBody(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  let left = MAX_DISCARDED;
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) request.socket.destroy();
  });
  request.on('error', () => {});
  request.resume();
}
