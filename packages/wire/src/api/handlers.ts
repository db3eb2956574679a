/** What a domain hands to the API: functions under the AWS operation's name, typed by the AWS SDK's own shapes. */

import { fail, ThingkeepError } from '../errors.ts';
import type { CallerPermissions } from './authorization.ts';

/** Who makes an API call, as the admission of the API port found it. */
export interface Caller {
  readonly accountId: string;
  readonly region: string;
  /** ARN of the identity, as GetCallerIdentity shows it. */
  readonly arn: string;
  readonly userId: string;
  /** Address of the peer, without port. */
  readonly sourceIp: string;
  readonly requestId: string;
  /** How the request came: false without TLS. */
  readonly secureTransport?: boolean;
  /** Host name that it was sent to, without port. */
  readonly hostName?: string;
  /** Headers of these names, as the client has sent them. */
  readonly userAgent?: string;
  readonly referer?: string;
  /**
   * What it may do, for a call that does more than its own operation; undefined is answered when its identity has no permissions
   * any more. Absent for a caller that may do everything in its account.
   */
  readonly permissions?: (() => Promise<CallerPermissions | undefined>) | undefined;
}

/** A table of operations: name -> input and output shapes. */
export type OperationShapes<T> = { [K in keyof T]: { input: object; output: object } };

/**
 * Handlers for some of a service's operations. Input has been parsed and validated against the model; a handler
 * throws a `ThingkeepError` with a code that the operation declares, and never answers before its change is stored.
 */
export type Handlers<T extends OperationShapes<T>> = {
  readonly [K in keyof T]?: (input: T[K]['input'], caller: Caller) => Promise<T[K]['output']>;
};

/** A handler of any operation. */
export type Handler = (input: object, caller: Caller) => Promise<object>;

/**
 * Handlers of a service whose operations declare ValidationException for bad input: what parts that it shares with others call an
 * invalid request (a page's token, a tag) is answered so.
 */
export function answeringValidation<H extends object>(handlers: H): H {
  const wrapped = Object.entries(handlers as Readonly<Record<string, Handler>>).map(([name, handler]) => [
    name,
    (input: object, caller: Caller) =>
      handler(input, caller).catch((error: unknown) => {
        if (error instanceof ThingkeepError && error.code === 'InvalidRequestException')
          return fail('ValidationException', error.message, {}, error.cause);
        throw error;
      }),
  ]);
  return Object.fromEntries(wrapped) as H;
}
