/** Invoke: now, later, or only as a question. Source: Lambda API reference, Invoke. */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import { fromBase64 } from '@thingkeep/wire/api/base64.ts';
import type { LambdaOperations } from '@thingkeep/wire/api/operation-types.ts';
import { parseToWrite } from '@thingkeep/wire/api/raw-json.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { LARGEST_EVENT, LARGEST_LATER_EVENT } from './host.ts';
import { readName } from './names.ts';
import type { HostedOptions } from './options.ts';
import { findVersion } from './records.ts';

/** Lambda API reference, Invoke: bytes of a client context, before base64. */
const LARGEST_CLIENT_CONTEXT = 3583;

const isJson = (bytes: Uint8Array): boolean => {
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return true;
  } catch {
    return false;
  }
};

function checkPayload(payload: Uint8Array, largest: number): void {
  if (payload.length > largest)
    fail('RequestTooLargeException', `Request must be smaller than ${largest} bytes for the InvokeFunction operation`);
  if (payload.length > 0 && !isJson(payload))
    fail('InvalidRequestContentException', 'Could not parse request body into json: the payload is not a JSON document');
}

/** The JSON text in the header; it goes on as it is. */
function clientContextOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const bytes = fromBase64(header);
  if (bytes === undefined || bytes.length > LARGEST_CLIENT_CONTEXT || !isJson(bytes))
    return fail('InvalidRequestContentException', 'Client context must be a valid Base64-encoded JSON object.');
  // In a header it may hold nothing but ASCII; JSON can say everything so.
  const text = JSON.stringify(parseToWrite(Buffer.from(bytes).toString()));
  return text.replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

type InvokeOutput = LambdaOperations['Invoke']['output'];
const NOTHING = new Uint8Array(0);

export function invocationOperations({ store, host }: HostedOptions): Handlers<Pick<LambdaOperations, 'Invoke'>> {
  return {
    async Invoke(input, caller): Promise<InvokeOutput> {
      const name = readName(input.FunctionName ?? '', caller, input.Qualifier);
      const payload = input.Payload === undefined ? NOTHING : Buffer.from(input.Payload as Uint8Array);
      const type = input.InvocationType ?? 'RequestResponse';
      const { version } = await store.read((tx) => findVersion(tx, caller, name));
      if (type === 'DryRun') return { StatusCode: 204 } as InvokeOutput;
      checkPayload(payload, type === 'Event' ? LARGEST_LATER_EVENT : LARGEST_EVENT);
      if (type === 'Event') {
        await host.later(caller, name, payload, caller.requestId);
        return { StatusCode: 202, ExecutedVersion: version } as InvokeOutput;
      }
      const clientContext = clientContextOf(input.ClientContext);
      const ran = await host.now(caller, name, payload, {
        requestId: caller.requestId,
        clientContext,
      });
      return {
        StatusCode: 200,
        ExecutedVersion: ran.version,
        Payload: ran.payload,
        FunctionError: ran.failed ? 'Unhandled' : undefined,
        LogResult: input.LogType === 'Tail' ? Buffer.from(ran.logTail).toString('base64') : undefined,
      } as InvokeOutput;
    },
  };
}
