/** Reads a request's body, never more than the cap, and lets go of a body that nobody wants. */
import type { IncomingMessage } from 'node:http';
import { fail } from '@thingkeep/wire/errors.ts';
import { MEMORY } from '../runtime/memory.ts';

/** Well over AWS's largest request (a topic rule of 256 KB, a CA certificate, a job document of 32 KB). */
export const MAX_BODY = 1024 * 1024;
/**
 * Requests that may be larger, where there is the memory for it: an archive of 50 MB in base64, an event of 6 MB, a batch of
 * log events.
 */
const LARGER: readonly (readonly [service: string, path: RegExp, most: number])[] = [
  ['lambda', /^\/[\d-]+\/functions\/?$|^\/[\d-]+\/functions\/[^/]+\/code$/, MEMORY.largeBody],
  ['lambda', /\/invocations$/, 8 * 1024 * 1024],
  ['logs', /^\/$/, 4 * 1024 * 1024],
];
/** Of a large document: more than escapes of a whole archive are, and few enough to be read in half a second. */
const MAX_MARKS = 2_000_000;
/** Requests with such a body at a time. */
const MAX_LARGE = MEMORY.largeBodies;
/** Of one key: the others have theirs. */
const MAX_OF_ONE = 2;
/** What is still read from a client that sends a refused body, so that it gets to see the answer. */
const MAX_DISCARDED = 8 * MAX_BODY;

/** The client went away while its body was read: nobody is left to answer. */
export class Gone extends Error {
  override readonly name = 'Gone';
}

/** Most bytes of a body of a request to this path that claims to be for this service. */
export const largestBody = (service: string | undefined, path: string): number =>
  LARGER.find(([name, paths]) => name === service && paths.test(path))?.[2] ?? MAX_BODY;

/**
 * Refuses a large document of small parts. What is large for a reason is one long text; anything else would hold up everybody
 * while it is read, and that before the caller's permissions are known.
 */
export function checkPartCount(body: Uint8Array): void {
  if (body.length <= MAX_BODY) return;
  let marks = 0;
  for (const byte of body) if (byte === 0x5c || byte === 0x2c || byte === 0x5b || byte === 0x7b) marks += 1;
  if (marks > MAX_MARKS) fail('RequestEntityTooLargeException', 'The request body has too many parts for its size');
}

/** Room for bodies beyond the usual size: few at a time, since each is held in memory until its request is answered. */
export class LargeBodyLimiter {
  readonly #count = new Map<string, number>();

  /** Takes room for one, of whoever claims this key; fails with TooManyRequestsException when there is none. */
  take(accessKeyId: string): void {
    const own = this.#count.get(accessKeyId) ?? 0;
    const all = [...this.#count.values()].reduce((sum, each) => sum + each, 0);
    if (all >= MAX_LARGE || own >= MAX_OF_ONE) fail('TooManyRequestsException', 'Too many large requests are under way');
    this.#count.set(accessKeyId, own + 1);
  }

  release(accessKeyId: string): void {
    const left = (this.#count.get(accessKeyId) ?? 1) - 1;
    if (left === 0) this.#count.delete(accessKeyId);
    else this.#count.set(accessKeyId, left);
  }
}

/** How much of a body is read, and who is asked before more than the usual is. */
export interface BodyBounds {
  readonly most: number;
  /** Called once, before a body gets larger than usual; throws where it may not. */
  readonly grows: () => void;
}

const USUAL: BodyBounds = { most: MAX_BODY, grows: () => undefined };

const tooLarge = (most: number): never => fail('RequestEntityTooLargeException', `The request body is larger than ${most} bytes`);

/** Refuses an announced length that no body may have. */
export function checkLength(request: IncomingMessage, most = MAX_BODY): void {
  const length = request.headers['content-length'];
  if (length !== undefined && !(Number(length) <= most)) tooLarge(most);
}

export async function readBody(request: IncomingMessage, { most, grows }: BodyBounds = USUAL): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  request.on('data', (chunk: Buffer) => {
    const before = size;
    size += chunk.length;
    try {
      if (size > most) tooLarge(most);
      if (before <= MAX_BODY && size > MAX_BODY) grows();
      chunks.push(chunk);
    } catch (error) {
      chunks.length = 0;
      request.removeAllListeners('data');
      reject(error);
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
