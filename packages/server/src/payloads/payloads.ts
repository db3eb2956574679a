/** Payloads of requests on reserved topics: a map of members, in JSON or CBOR as the topic says; the answer is in the same form. */
import { JsonError, parseJson } from '@thingkeep/wire/api/parse-json.ts';
import { defined } from '@thingkeep/wire/defined.ts';
import { isObject } from '@thingkeep/wire/is-object.ts';
import { decode, encode } from 'cbor2';
import { withoutFinalZeros } from './final-zeros.ts';

export const PAYLOAD_FORMATS = ['json', 'cbor'] as const;
export type PayloadFormat = (typeof PAYLOAD_FORMATS)[number];

/** The members of a payload by their names. */
export type Members = Readonly<Record<string, unknown>>;

/** A payload that is none; the message ends a sentence. */
export class PayloadFault extends Error {
  override readonly name = 'PayloadFault';
}

const MAX_DEPTH = 16;
/** Data items of CBOR: more than a hundred parameters are, and few, since each costs as much as a KiB of text. */
const MAX_ITEMS = 1_000;

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
  throw new PayloadFault(why, cause === undefined ? undefined : { cause });
};

/** Whether a value is a map of members by their names: CBOR has dates, maps with numbers for keys and more, which are none. */
export function isMembers(value: unknown): value is Members {
  if (!isObject(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function fromJson(payload: Buffer): unknown {
  try {
    return parseJson(withoutFinalZeros(payload), MAX_DEPTH);
  } catch (error) {
    if (error instanceof JsonError) return invalid(error.message);
    throw error;
  }
}

/** The bytes of a head's argument behind its first byte (RFC 8949 section 3). */
const argumentSize = (head: number): number => {
  const information = head & 31;
  return information < 24 || information > 27 ? 0 : 1 << (information - 24);
};

/** The bytes of the item at a place but for those of items in it; too few where it is cut off. */
function itemSize(payload: Buffer, at: number): number {
  const head = payload[at] ?? 0;
  const [kind, size] = [head >> 5, argumentSize(head)];
  const isText = kind === 2 || kind === 3;
  if (!isText || (head & 31) === 31 || at + 1 + size > payload.length) return 1 + size;
  const length = size === 0 ? head & 31 : size === 8 ? Number(payload.readBigUInt64BE(at + 1)) : payload.readUIntBE(at + 1, size);
  return 1 + size + length;
}

function refuseManyItems(payload: Buffer): void {
  let count = 0;
  for (let at = 0; at < payload.length; at += itemSize(payload, at)) {
    count += 1;
    if (count > MAX_ITEMS) invalid(`it has more than ${MAX_ITEMS} data items.`);
  }
}

function fromCbor(payload: Buffer): unknown {
  refuseManyItems(payload);
  try {
    return decode(payload, OPTIONS);
  } catch (error) {
    // Whatever a decoder throws on bytes of a stranger is a fault of the bytes.
    return invalid('it is not CBOR.', error);
  }
}

/** The members of a request; an empty payload has none. Fails with a {@link PayloadFault}. */
export function readMembers(payload: Buffer, format: PayloadFormat): Members {
  if (payload.length === 0) return {};
  const body = format === 'cbor' ? fromCbor(payload) : fromJson(payload);
  return isMembers(body) ? body : invalid('it is not a map with texts for keys.');
}

/** Members that are undefined are left out. Bytes in CBOR are a Uint8Array: a Buffer would be written as what it is in JSON. */
export const writePayload = (answer: object, format: PayloadFormat): Buffer =>
  Buffer.from(format === 'cbor' ? encode(defined(answer)) : JSON.stringify(answer));
