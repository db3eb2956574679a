/** The answer to a request that failed, with its record where it was refused and its log line where the fault is the server's. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Caller } from '@thingkeep/wire/api/handlers.ts';
import type { Rendered } from '@thingkeep/wire/api/render-response.ts';
import type { Operation } from '@thingkeep/wire/api/table.ts';
import { recordedMessage, ThingkeepError } from '@thingkeep/wire/errors.ts';
import { isDiskRefusal } from '../runtime/disk-failure.ts';
import type { Logger } from '../runtime/log.ts';
import { errorForm, errorInForm } from './error-forms.ts';

/** A request that was turned away at the door. */
export interface ApiRefusal {
  readonly requestId: string;
  readonly sourceIp: string;
  readonly method: string;
  readonly path: string;
  readonly error: ThingkeepError;
  /** Whose key it was; absent while that was not proven. */
  readonly caller?: Caller;
}

/** What is known of a request that failed. */
export interface FailedRequest {
  readonly requestId: string;
  readonly sourceIp: string;
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Of the scope that the request names, proven or not; absent where it names none. */
  readonly service?: string | undefined;
  readonly caller?: Caller;
  readonly called?: { readonly name: string; readonly operation?: Operation };
}

interface ErrorAnswersOptions {
  readonly log: Logger;
  readonly refused: ((refusal: ApiRefusal) => void) | undefined;
  readonly isJsonService: (service: string | undefined) => boolean;
}

/** Characters of a path in a log line or a refusal. */
const MAX_LOGGED_PATH = 1024;
const REFUSALS: ReadonlySet<string> = new Set([
  'AccessDeniedException',
  'ExpiredTokenException',
  'ForbiddenException',
  'IncompleteSignatureException',
  'InvalidSignatureException',
  'MissingAuthenticationTokenException',
  'UnrecognizedClientException',
]);

export function errorAnswers({ log, refused, isJsonService }: ErrorAnswersOptions) {
  function recordRefusal(error: unknown, { requestId, sourceIp, method, path, service, caller }: FailedRequest): void {
    if (!(error instanceof ThingkeepError) || !REFUSALS.has(error.code)) return;
    const refusal = { requestId, sourceIp, method, path: path.slice(0, MAX_LOGGED_PATH), caller };
    const { code } = error;
    if (refused !== undefined) refused({ ...refusal, error });
    else log.warn({ event: 'api-refused', service, ...refusal, code, reason: recordedMessage(error) }, 'API request refused');
  }

  return (request: FailedRequest, error: unknown): Rendered => {
    recordRefusal(error, request);
    const { requestId, method, service, called } = request;
    const path = request.path.slice(0, MAX_LOGGED_PATH);
    const context = { ...request, service, operation: called?.operation };
    const form = errorForm(context, isJsonService(service));
    const rendered = errorInForm(form, error, context);
    const about = { err: error, requestId, method, path, operation: called?.name };
    const isOwn = error instanceof ThingkeepError && error.code === 'InternalFailureException';
    if (form === 'query' && !(error instanceof ThingkeepError)) log.error(about, 'API request failed: unexpected exception');
    else if (form === 'query' && isOwn) log.error(about, 'API request failed');
    else if (rendered.defect !== undefined) log.error({ ...about, defect: rendered.defect }, 'API request failed: defect');
    else if (form !== 'query' && rendered.status >= 500 && !isDiskRefusal(error)) log.error(about, 'API request failed');
    return rendered;
  };
}
