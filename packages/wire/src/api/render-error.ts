/** An error -> status, headers and body that SDKs read the error's type, message and members from. Nothing internal shows. */
import { type ErrorCode, type ErrorMembers, ThingkeepError } from '../errors.ts';
import { mayAnswer, ownFailureCode, statusOf } from './error-codes.ts';
import type { Rendered } from './render-response.ts';
import type { Operation } from './table.ts';
import { shapeOf } from './table.ts';

export interface RenderedError extends Rendered {
  readonly code: ErrorCode;
  readonly message: string;
  /** Why the log should hear of it: an exception that is not ours, or a code that the operation does not declare. */
  readonly defect?: 'unexpected exception' | 'undeclared error code';
}

/** Members that the operation's model knows of this exception, beside its message. */
function declaredMembers(
  operation: Operation | undefined,
  code: ErrorCode,
  members: ErrorMembers,
): Record<string, string | number> {
  const kept: Record<string, string | number> = {};
  if (operation === undefined || !Object.hasOwn(operation.errors, code)) return kept;
  const known = shapeOf(operation.service, code).members ?? {};
  for (const [name, value] of Object.entries(members)) if (value !== undefined && Object.hasOwn(known, name)) kept[name] = value;
  return kept;
}

function body(operation: Operation | undefined, code: ErrorCode, message: string, given: ErrorMembers): string {
  // A few exceptions of the Jobs data plane carry a `payload` only; SDKs show the message all the same.
  const members = declaredMembers(operation, code, given);
  return JSON.stringify({ ...frame(operation, code, message), ...members });
}

/** Lambda says whose mistake it is, and writes `Message` where its model does. */
function frame(operation: Operation | undefined, code: ErrorCode, message: string): Record<string, string> {
  if (operation?.service !== 'lambda') return { message };
  const declared = Object.hasOwn(operation.errors, code) ? (shapeOf(operation.service, code).members ?? {}) : {};
  const name = Object.hasOwn(declared, 'Message') ? 'Message' : 'message';
  return { Type: statusOf(operation, code) < 500 ? 'User' : 'Service', [name]: message };
}

/** What goes back for a failed request. `operation` is undefined while none has been found. */
export function renderError(operation: Operation | undefined, error: unknown): RenderedError {
  const known = error instanceof ThingkeepError ? error : undefined;
  // Our own failure has another name in some services: it is no defect, and says what it says.
  const isOwn = known?.code === 'InternalFailureException';
  const defect =
    known === undefined
      ? 'unexpected exception'
      : isOwn || mayAnswer(operation, known.code)
        ? undefined
        : 'undeclared error code';
  const code = known === undefined || isOwn || defect !== undefined ? ownFailureCode(operation) : known.code;
  // The data plane writes a colon behind the type; SDKs read up to it.
  const type = operation?.service === 'iot-data' ? `${code}:` : code;
  const shown = defect === undefined ? known : undefined;
  const message = shown?.message ?? 'Internal failure. The request ID leads to the log.';
  return {
    code,
    status: statusOf(operation, code),
    headers: { 'content-type': 'application/json', 'x-amzn-errortype': type },
    message,
    body: body(operation, code, message, shown?.members ?? {}),
    ...(defect && { defect }),
  };
}
