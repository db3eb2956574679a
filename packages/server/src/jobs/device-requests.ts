/** Payloads of devices' requests over MQTT (developer guide, page jobs-mqtt-api), read and checked. */
import { JsonError, type JsonObject, type JsonValue, parseJson } from '@thingkeep/wire/api/parse-json.ts';
import { isObject } from '@thingkeep/wire/is-object.ts';
import { withoutFinalZeros } from '../payloads/final-zeros.ts';
import { type DescribeRequest, JobRejection, type StartRequest, type JobExecutionReport } from './device-jobs.ts';
import { isReported } from './states.ts';
import { MAX_MINUTES, NO_STEP_TIMER } from './timers.ts';

/** Pairs of status details, and the lengths of their keys and values. */
const DETAILS = { pairs: 10, key: /^[a-zA-Z0-9:_-]{1,128}$/, value: /^[^\p{C}]{1,1024}$/u };
const MAX_TOKEN = 64;
const WHOLE = /^\d{1,15}$/;

const invalid = (message: string): never => {
  throw new JobRejection('InvalidRequest', message);
};

/** The object of a payload; one without bytes is an empty object. */
export function readRequestBody(payload: Uint8Array): JsonObject {
  const text = withoutFinalZeros(payload);
  if (text.length === 0) return {};
  let body: JsonValue;
  try {
    body = parseJson(text);
  } catch (error) {
    if (error instanceof JsonError) throw new JobRejection('InvalidJson', `The payload is no valid JSON: ${error.message}`);
    throw error;
  }
  return isObject(body) ? body : invalid('The payload has to be a JSON object');
}

/** What the requester tells its answers apart by; undefined where it is none. */
export function clientTokenOf({ clientToken }: JsonObject): string | undefined {
  return typeof clientToken === 'string' && clientToken.length <= MAX_TOKEN ? clientToken : undefined;
}

/** Checks the token of a request. */
export function checkToken({ clientToken }: JsonObject): void {
  if (clientToken === undefined || clientToken === null) return;
  if (typeof clientToken !== 'string' || clientToken.length < 1 || clientToken.length > MAX_TOKEN)
    invalid(`clientToken has to be a string of 1 to ${MAX_TOKEN} characters`);
}

/** A whole number; samples of the guide write it as a string too. */
function wholeOf(body: JsonObject, name: string): number | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  const number = typeof value === 'string' && WHOLE.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0
    ? number
    : invalid(`${name} has to be a whole number`);
}

function booleanOf(body: JsonObject, name: string): boolean | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  return typeof value === 'boolean' ? value : invalid(`${name} has to be true or false`);
}

/** Checks status details; what they say is `invalid`'s to be told. */
export function checkDetails(details: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const entries = Object.entries(details).map(([key, value]): [string, string] => {
    if (!DETAILS.key.test(key)) return invalid('Keys of statusDetails have to match [a-zA-Z0-9:_-]{1,128}');
    if (typeof value !== 'string' || !DETAILS.value.test(value))
      return invalid('Values of statusDetails have to be strings of 1 to 1024 printable characters');
    return [key, value];
  });
  if (entries.length > DETAILS.pairs) invalid(`statusDetails can have at most ${DETAILS.pairs} pairs`);
  return Object.fromEntries(entries);
}

function detailsOf({ statusDetails }: JsonObject): Readonly<Record<string, string>> | undefined {
  if (statusDetails === undefined || statusDetails === null) return undefined;
  return isObject(statusDetails) ? checkDetails(statusDetails) : invalid('statusDetails has to be a map of strings');
}

/** Checks the minutes of a step timer. */
export function checkStepTimeout(minutes: number | undefined): number | undefined {
  if (minutes === undefined || minutes === NO_STEP_TIMER) return minutes;
  return Number.isInteger(minutes) && minutes >= 1 && minutes <= MAX_MINUTES
    ? minutes
    : invalid(`stepTimeoutInMinutes has to be 1 to ${MAX_MINUTES}, or ${NO_STEP_TIMER}`);
}

function stepTimeoutOf({ stepTimeoutInMinutes: minutes }: JsonObject): number | undefined {
  if (minutes === undefined || minutes === null) return undefined;
  return checkStepTimeout(typeof minutes === 'number' ? minutes : Number.NaN);
}

export const readStart = (body: JsonObject): StartRequest => ({
  statusDetails: detailsOf(body),
  stepTimeoutInMinutes: stepTimeoutOf(body),
});

export const readDescribe = (body: JsonObject): DescribeRequest => ({
  executionNumber: wholeOf(body, 'executionNumber'),
  includeJobDocument: booleanOf(body, 'includeJobDocument'),
});

export function readReport(body: JsonObject): JobExecutionReport {
  const { status } = body;
  return {
    status: isReported(status) ? status : invalid('status has to be IN_PROGRESS, FAILED, SUCCEEDED or REJECTED'),
    ...readStart(body),
    expectedVersion: wholeOf(body, 'expectedVersion'),
    executionNumber: wholeOf(body, 'executionNumber'),
    includeJobExecutionState: booleanOf(body, 'includeJobExecutionState'),
    includeJobDocument: booleanOf(body, 'includeJobDocument'),
  };
}
