/** Payloads of fleet provisioning: a map of the request, in JSON or CBOR as the topic says; the answer is in the same form. */
import { JsonError, parseJson } from '@thingkeep/wire/api/parse-json.ts';
import { isObject } from '@thingkeep/wire/is-object.ts';
import { decode, encode } from 'cbor2';
import { ProvisioningRejection } from './rejections.ts';

export const PAYLOAD_FORMATS = ['json', 'cbor'] as const;
export type PayloadFormat = (typeof PAYLOAD_FORMATS)[number];

export type RequestBody = Readonly<Record<string, unknown>>;

const MAX_DEPTH = 16;

/** "What follows is CBOR" (RFC 8949, section 3.4.6), the one tag that a request may have. */
const SELF_DESCRIBED = 55_799;

/** No other tag means anything in a request: a number of a hundred thousand bytes would keep the event loop for seconds. */
const OPTIONS = {
  rejectDuplicateKeys: true,
  maxDepth: MAX_DEPTH,
  rejectBigInts: true,
  ignoreGlobalTags: true,
  tags: new Map([[SELF_DESCRIBED, ({ contents }: { readonly contents: unknown }) => contents]]),
};

const invalid = (why: string, cause?: unknown): never => {
  const text = `The payload is invalid: ${why}`;
  throw new ProvisioningRejection('InvalidRequest', text, text, cause);
};

/** Whether a value is a map of members by their names: CBOR has dates, maps with numbers for keys and more, which are none. */
export function isMembers(value: unknown): value is RequestBody {
  if (!isObject(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function fromJson(payload: Buffer): unknown {
  try {
    return parseJson(payload, MAX_DEPTH);
  } catch (error) {
    if (error instanceof JsonError) return invalid(error.message);
    throw error;
  }
}

function fromCbor(payload: Buffer): unknown {
  try {
    return decode(payload, OPTIONS);
  } catch (error) {
    // Whatever a decoder throws on bytes of a stranger is a fault of the bytes.
    return invalid('it is not CBOR.', error);
  }
}

/** The members of a request; an empty payload has none. */
export function readRequest(payload: Buffer, format: PayloadFormat): RequestBody {
  if (payload.length === 0) return {};
  const body = format === 'cbor' ? fromCbor(payload) : fromJson(payload);
  return isMembers(body) ? body : invalid('it is not a map with texts for keys.');
}

export const writeAnswer = (answer: object, format: PayloadFormat): Buffer =>
  Buffer.from(format === 'cbor' ? encode(answer) : JSON.stringify(answer));
