/** Payloads of fleet provisioning: a map of the request, in JSON or CBOR as the topic says; the answer is in the same form. */
import { JsonError, parseJson } from '@thingkeep/wire/api/parse-json.ts';
import { isObject } from '@thingkeep/wire/is-object.ts';
import { ProvisioningRejection } from './rejections.ts';

export const PAYLOAD_FORMATS = ['json'] as const;
export type PayloadFormat = (typeof PAYLOAD_FORMATS)[number];

export type RequestBody = Readonly<Record<string, unknown>>;

const MAX_DEPTH = 16;

const invalid = (why: string): never => {
  throw new ProvisioningRejection('InvalidRequest', `The payload is invalid: ${why}`);
};

function decode(payload: Buffer): unknown {
  try {
    return parseJson(payload, MAX_DEPTH);
  } catch (error) {
    if (error instanceof JsonError) return invalid(error.message);
    throw error;
  }
}

/** The members of a request; an empty payload has none. */
export function readRequest(payload: Buffer, _format: PayloadFormat): RequestBody {
  if (payload.length === 0) return {};
  const body = decode(payload);
  return isObject(body) ? body : invalid('it is not a map');
}

export const writeAnswer = (answer: object, _format: PayloadFormat): Buffer => Buffer.from(JSON.stringify(answer));
