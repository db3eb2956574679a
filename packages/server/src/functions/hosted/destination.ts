/** What a destination hears of an event: Lambda developer guide, page invocation-async-retain-records. */
import type { Place } from '@thingkeep/wire/arn.ts';
import { parseToWrite } from '@thingkeep/wire/api/raw-json.ts';
import type { WaitingEvent } from './queue.ts';
import { functionArn, LATEST } from './store.ts';

export interface Ending {
  readonly condition: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The last run; absent where there was none. */
  readonly ran?: { readonly payload: Uint8Array; readonly failed: boolean; readonly version: string };
}

/** JSON where it is JSON, its numbers as they were written, else the text. */
function contentOf(bytes: Uint8Array): unknown {
  const text = Buffer.from(bytes).toString();
  try {
    return parseToWrite(text);
  } catch {
    return text;
  }
}

export function destinationRecord(
  place: Place,
  event: WaitingEvent,
  payload: Uint8Array,
  { condition, now, ran }: Ending,
): object {
  return {
    version: '1.0',
    timestamp: new Date(now).toISOString(),
    requestContext: {
      requestId: event.requestId,
      functionArn: functionArn(place, event.name, event.qualifier ?? LATEST),
      condition,
      approximateInvokeCount: event.failures + (ran === undefined ? 0 : 1),
    },
    requestPayload: contentOf(payload),
    responseContext:
      ran === undefined
        ? undefined
        : {
            statusCode: 200,
            executedVersion: ran.version,
            functionError: ran.failed ? 'Unhandled' : undefined,
          },
    responsePayload: ran === undefined ? undefined : contentOf(ran.payload),
  };
}
