/**
 * Services of AWS's JSON protocol: every request is a POST to `/` whose `X-Amz-Target` names the operation, `Prefix.Name`;
 * input and output are JSON documents, an error is a document with `__type` (Smithy, AWS JSON 1.1 protocol).
 */
import { ownFailureCode } from '@thingkeep/wire/api/error-codes.ts';
import type { Caller } from '@thingkeep/wire/api/handlers.ts';
import { jsonMembers } from '@thingkeep/wire/api/json-operations.ts';
import { JsonError, type JsonObject, parseJson } from '@thingkeep/wire/api/parse-json.ts';
import { isObject } from '@thingkeep/wire/is-object.ts';
import type { RenderedError } from '@thingkeep/wire/api/render-error.ts';
import type { Rendered } from '@thingkeep/wire/api/render-response.ts';
import { fail, ThingkeepError } from '@thingkeep/wire/errors.ts';
import type { JsonService } from '../domain.ts';

/** By the name that requests are signed for: the service over the data of one region. */
export type JsonServices = ReadonlyMap<string, (region: string) => JsonService>;

const HEADERS = { 'content-type': 'application/x-amz-json-1.1' };

function inputOf(body: Uint8Array): JsonObject {
  try {
    const value = parseJson(body);
    if (isObject(value)) return value;
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
  }
  return fail('ValidationException', 'The request body is not a JSON document of an object');
}

/** The input without members that the operation does not have: AWS ignores them, and no permission may be asked on them. */
const knownMembers = (input: JsonObject, members: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(input).filter(([name]) => members.includes(name)));

/** Answers a signed request. `authorize` fails when the caller may not do this. */
export async function answerJson(
  { target, operations }: JsonService,
  header: string | undefined,
  body: Uint8Array,
  caller: Caller,
  authorize: (operation: string, input: object) => Promise<void>,
): Promise<Rendered> {
  const [prefix = '', name = '', ...rest] = (header ?? '').split('.');
  const run = prefix === target && rest.length === 0 && Object.hasOwn(operations, name) ? operations[name] : undefined;
  const members = jsonMembers(target, name);
  if (run === undefined || members === undefined)
    return fail('UnknownOperationException', `${target} has no operation '${(header ?? '').slice(0, 128)}' here`);
  const input = knownMembers(inputOf(body), members);
  await authorize(name, input);
  return { status: 200, headers: HEADERS, body: JSON.stringify(await run(input, caller)) };
}

/** Statuses that are told all the same: the front end's, of every AWS service. */
const STATUSES: ReadonlyMap<string, number> = new Map([
  ['InternalFailureException', 500],
  ['InvalidSignatureException', 403],
  ['ServiceUnavailableException', 503],
]);

/**
 * The protocol knows no statuses of single errors: 400 for the caller's mistakes, 403 for a signature that is not permission,
 * 503 for what can't be stored now, 500 for our own failures.
 */
export function jsonError(error: unknown): RenderedError {
  const known = error instanceof ThingkeepError ? error : undefined;
  const code = known?.code ?? ownFailureCode(undefined);
  const message = known?.message ?? 'Internal failure. The request ID leads to the log.';
  return {
    code,
    status: known === undefined ? 500 : (STATUSES.get(known.code) ?? 400),
    headers: HEADERS,
    message,
    body: JSON.stringify({ __type: code, message }),
    defect: known === undefined ? ('unexpected exception' as const) : undefined,
  };
}
