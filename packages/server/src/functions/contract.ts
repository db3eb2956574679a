/**
 * What asks a function of its owner's: bytes in, bytes out, within a time. Who runs the function (a host of this server,
 * an HTTP endpoint, Lambda) is not seen from here.
 */

export interface InvokeOptions {
  /** Milliseconds for the whole of it. */
  readonly timeoutMs: number;
  /** Ends it before that. */
  readonly signal?: AbortSignal;
}

export interface FunctionInvoker {
  /**
   * Calls the function with a JSON document and gives the JSON document that it answers, unread.
   * `functionArn` is a Lambda function's ARN, or an `http://` or `https://` URL.
   * Fails with `FunctionError` and with nothing else.
   */
  invoke(functionArn: string, payload: Uint8Array, options: InvokeOptions): Promise<Uint8Array>;
}

/**
 * `unavailable`: there is nobody to ask (not configured, not reachable). `timeout`: no answer in time. `failed`: it
 * answered with an error, or with more than is read. `overload`: too many invocations are under way already.
 */
export type FunctionFault = 'unavailable' | 'timeout' | 'failed' | 'overload';

/** Why there is no answer, in words for the function's owner. Neither the payload nor the URL is in them. */
export class FunctionError extends Error {
  override readonly name = 'FunctionError';
  readonly fault: FunctionFault;

  constructor(fault: FunctionFault, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.fault = fault;
  }
}
