/** The body of a device's HTTPS request: a payload, and never much more. */
import type { IncomingMessage } from 'node:http';
import { fail } from '@thingkeep/wire/errors.ts';
import { LIMITS } from '@thingkeep/wire/limits.ts';

/** A payload, and a little for those that are over the limit to be told so. */
const LARGEST_BODY = LIMITS.payload + 1024;

const tooLarge = (): never => fail('RequestEntityTooLargeException', 'The payload exceeds the maximum size allowed');

/** Whether the client waits to be told before it sends its body (RFC 9110 section 10.1.1). */
export const expectsContinue = (request: IncomingMessage): boolean => request.headers.expect?.toLowerCase() === '100-continue';

/** Refuses an announced length that no body may have. */
export function checkLength(request: IncomingMessage): void {
  if (Number(request.headers['content-length'] ?? 0) > LARGEST_BODY) tooLarge();
}

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_BODY) tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
