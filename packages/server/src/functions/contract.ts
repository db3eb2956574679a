/**
 * What asks a function of its owner's: bytes in, bytes out, within a time. Who runs the function (a host of this server,
 * an HTTP endpoint, Lambda) is not seen from here.
 */

/** Who asks, when it is not the function's owner: a service of AWS, on behalf of one of the owner's resources. */
export interface InvokedAs {
  /** Such as `iot.amazonaws.com`. */
  readonly service: string;
  /** ARN of the rule, the authorizer, ... that calls. */
  readonly sourceArn?: string;
  readonly sourceAccount?: string;
  /** Where the function is named by a URL: whether the root of `sourceAccount` has written its host. */
  readonly byRoot?: boolean;
  /** The same: whether the operator vouches for the URL. */
  readonly vouched?: boolean;
}

export interface InvokeOptions {
  /** Milliseconds for the whole of it. */
  readonly timeoutMs: number;
  /** Ends it before that. */
  readonly signal?: AbortSignal;
  /** A hosted function then needs a permission for it (AddPermission); without it the server asks for itself. */
  readonly as?: InvokedAs;
  /** Most bytes of an answer that are read; 64 KiB when absent. */
  readonly largestAnswer?: number;
}

export interface FunctionInvoker {
  /**
   * Calls the function with a JSON document and gives the JSON document that it answers, unread.
   * `functionArn` is a Lambda function's ARN, or an `http://` or `https://` URL.
   * Fails with `FunctionError` and with nothing else.
   */
  invoke(functionArn: string, payload: Uint8Array, options: InvokeOptions): Promise<Uint8Array>;
  /**
   * Hands a JSON document over, for the function to be run with it later. Resolves once it is accepted: of a hosted
   * function, once it is on disk; of one elsewhere, once the other side has said yes. Fails as `invoke` does.
   */
  invokeLater(functionArn: string, payload: Uint8Array, options?: InvokeLaterOptions): Promise<void>;
}

export interface InvokeLaterOptions {
  readonly as?: InvokedAs;
  /** Milliseconds until the other side has to have accepted it; 30 seconds when absent. */
  readonly timeoutMs?: number;
}

/**
 * `unavailable`: there is no peer to ask (not configured, not reachable). `timeout`: no answer in time. `failed`: it
 * answered with an error, or with more than is read. `overload`: too many invocations are under way already. `refused`: it may
 * not be called, and that does not pass.
 */
export type FunctionFault = 'unavailable' | 'timeout' | 'failed' | 'overload' | 'refused';

/** Why there is no answer, in words for the function's owner. Neither the payload nor the URL beyond its host is in them. */
export class FunctionError extends Error {
  override readonly name = 'FunctionError';
  readonly fault: FunctionFault;

  constructor(fault: FunctionFault, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.fault = fault;
  }
}
