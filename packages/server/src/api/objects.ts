/**
 * The way of requests to S3: their bodies are read, and answers with the bytes of an object are written, piece by piece by
 * who serves them. All else is as of every service: signature, permissions, audit log, refusals.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { NeededPermission } from '@thingkeep/wire/api/data-permissions.ts';
import type { Caller } from '@thingkeep/wire/api/handlers.ts';
import type { Rendered } from '@thingkeep/wire/api/render-response.ts';
import { startDeadline } from '../runtime/deadline.ts';
import type { Payload } from './payload.ts';
import type { SignedHead } from './signed-request.ts';

/** The name that requests to S3 are signed for. */
export const OBJECTS = 's3';

/** A request whose signature is proven. */
export interface ObjectCall {
  readonly head: SignedHead;
  readonly caller: Caller;
  readonly payload: Payload;
  readonly body: IncomingMessage;
  /** Fails where the caller may not; to be awaited before the body is read. */
  authorize(operation: string, needed: readonly NeededPermission[], input: object): Promise<void>;
}

/** An answer with the bytes of an object; its headers have their length. */
export interface RenderedObject {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly content: AsyncIterable<Uint8Array>;
}

/** An answer without: `failure` is the error that it says. */
export type ObjectService = (call: ObjectCall) => Promise<RenderedObject | (Rendered & { readonly failure?: string })>;

/**
 * Headers of an answer with bytes that a user has brought: a browser that is led to them by a presigned URL runs nothing of
 * them as a page of the API's origin.
 */
const FOREIGN_CONTENT = { 'content-security-policy': 'sandbox', 'x-content-type-options': 'nosniff' };

/** Milliseconds in which a client has to take some of what it has asked for. */
const PATIENCE = 60_000;

/** Resolves once there is room for more, or the connection is gone; one that takes nothing for long is ended. */
async function drained(response: ServerResponse, patience: number): Promise<void> {
  const cancel = startDeadline(patience, () => response.destroy());
  try {
    await Promise.race([once(response, 'drain'), once(response, 'close')]);
  } finally {
    cancel();
  }
}

/** Writes an object as fast as its client takes it. An object that can't be read to its end ends the connection. */
export async function sendObject(
  response: ServerResponse,
  { status, headers, content }: RenderedObject,
  more: Readonly<Record<string, string>>,
  patience = PATIENCE,
): Promise<void> {
  if (response.destroyed) return;
  response.writeHead(status, { ...more, ...headers, ...FOREIGN_CONTENT });
  try {
    for await (const bytes of content) {
      if (response.destroyed) return;
      if (!response.write(bytes)) await drained(response, patience);
    }
    response.end();
  } catch {
    response.destroy();
  }
}
