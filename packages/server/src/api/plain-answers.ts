/** Answers to unsigned requests. */
import type { Rendered } from '@thingkeep/wire/api/render-response.ts';
import type { RenderedObject } from './objects.ts';
import { type Reason, REASONS } from '../runtime/readiness.ts';

export const text = (body: string, type = 'text/plain'): Rendered => ({
  status: 200,
  headers: { 'content-type': type },
  body,
});

/** Whether the server is able to do its work, and if not, why: no more than a stranger may know. */
export function readyAnswer(reasons: readonly Reason[]): Rendered {
  if (reasons.length === 0) return text('{"status":"ready"}\n', 'application/json');
  const told = reasons.map((reason) => ({ reason, text: REASONS[reason] }));
  return { ...text(`${JSON.stringify({ status: 'not ready', reasons: told })}\n`, 'application/json'), status: 503 };
}

/** The code of a function, by a link that is good for a while. */
export const archiveAnswer = (body: Uint8Array | undefined): Rendered =>
  body === undefined
    ? { ...text('The link is not valid any more.\n'), status: 403 }
    : { status: 200, headers: { 'content-type': 'application/zip' }, body };

/** A report by lines, by a link that is good for a while. */
export const reportAnswer = (content: AsyncIterable<Uint8Array> | undefined): Rendered | RenderedObject =>
  content === undefined
    ? { ...text('The link is not valid any more.\n'), status: 403 }
    : { status: 200, headers: { 'content-type': 'application/x-ndjson' }, content };

/** What follows the link of a topic rule's destination. */
export const confirmationAnswer = (confirmed: boolean): Rendered =>
  confirmed ? text('The destination is enabled.\n') : { ...text('The confirmation token is not valid any more.\n'), status: 404 };
