/** The body of a device's HTTPS request: a payload, and never much more. */
import type { IncomingMessage } from 'node:http';
import { fail } from '@thingkeep/wire/errors.ts';
import { LIMITS } from '@thingkeep/wire/limits.ts';

/** The largest payload, and a little more, so that one over the limit gets its own error. */
const MAX_BODY = LIMITS.payload + 1024;

const tooLarge = (): never => fail('RequestEntityTooLargeException', 'The payload exceeds the maximum size allowed');

/** Whether the client waits for `100 Continue` before it sends its body (RFC 9110 section 10.1.1). */
export const expectsContinue = (request: IncomingMessage): boolean => request.headers.expect?.toLowerCase() === '100-continue';

/** Refuses an announced length that no body may have. */
export function checkPayloadLength(request: IncomingMessage): void {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY) tooLarge();
}

export async function readPayload(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
