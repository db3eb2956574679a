/**
 * Calls functions where they are: a URL gets the event as a POST and answers in the body; a Lambda ARN goes to an
 * endpoint that speaks Lambda's Invoke API, where one is configured. How many are under way is bounded, so that a slow
 * function of one owner neither fills the memory nor holds up those of others.
 */
import { FunctionError, type FunctionInvoker, type InvokeOptions } from './contract.ts';
import { functionUrl, lambdaRegion } from './function-name.ts';
import { post } from './post.ts';

/** Headers that prove who asks the Lambda endpoint. */
export type SignLambdaRequest = (url: URL, region: string, body: Uint8Array) => Readonly<Record<string, string>>;

export interface FunctionsOptions {
  /** Base URL of Lambda's API; Lambda functions can't be called without one. */
  readonly lambdaEndpoint?: URL;
  readonly sign: SignLambdaRequest;
  /** Invocations under way at most: in all, and of one function. */
  readonly most?: number;
  readonly mostOfOne?: number;
}

const MOST = 256;
const MOST_OF_ONE = 64;

export class Functions implements FunctionInvoker {
  readonly #options: FunctionsOptions;
  readonly #most: number;
  readonly #mostOfOne: number;
  readonly #closing = new AbortController();
  /** Invocations under way by function. */
  readonly #underWay = new Map<string, number>();
  #count = 0;

  constructor(options: FunctionsOptions) {
    this.#options = options;
    this.#most = options.most ?? MOST;
    this.#mostOfOne = options.mostOfOne ?? MOST_OF_ONE;
  }

  async invoke(functionArn: string, payload: Uint8Array, { timeoutMs, signal }: InvokeOptions): Promise<Uint8Array> {
    const underWay = this.#underWay.get(functionArn) ?? 0;
    if (this.#count >= this.#most || underWay >= this.#mostOfOne)
      throw new FunctionError('overload', 'too many invocations are under way');
    this.#count += 1;
    this.#underWay.set(functionArn, underWay + 1);
    try {
      const closing = this.#closing.signal;
      const ended = signal === undefined ? closing : AbortSignal.any([closing, signal]);
      return await this.#call(functionArn, payload, { timeoutMs, signal: ended });
    } finally {
      this.#count -= 1;
      const left = (this.#underWay.get(functionArn) ?? 1) - 1;
      if (left === 0) this.#underWay.delete(functionArn);
      else this.#underWay.set(functionArn, left);
    }
  }

  /** Ends what is under way: nobody waits for it any more. */
  close(): void {
    this.#closing.abort();
  }

  async #call(functionArn: string, payload: Uint8Array, options: InvokeOptions): Promise<Uint8Array> {
    const url = functionUrl(functionArn);
    if (url !== undefined) return expectOk(await post(url, {}, payload, options)).body;
    const region = lambdaRegion(functionArn);
    if (region === undefined) throw new FunctionError('unavailable', 'it is named by neither an ARN of Lambda nor a URL');
    return this.#callLambda(functionArn, region, payload, options);
  }

  /** Lambda API reference, Invoke: a function that failed is a 200 with the header X-Amz-Function-Error. */
  async #callLambda(functionArn: string, region: string, payload: Uint8Array, options: InvokeOptions): Promise<Uint8Array> {
    const { lambdaEndpoint, sign } = this.#options;
    if (lambdaEndpoint === undefined)
      throw new FunctionError('unavailable', 'it is a Lambda function, and the server runs without --lambda-endpoint');
    const base = lambdaEndpoint.href.replace(/\/$/, '');
    const url = new URL(`${base}/2015-03-31/functions/${encodeURIComponent(functionArn)}/invocations`);
    const headers = { ...sign(url, region, payload), 'x-amz-invocation-type': 'RequestResponse' };
    const answer = expectOk(await post(url, headers, payload, options));
    const fault = answer.header('x-amz-function-error');
    if (fault !== undefined) throw new FunctionError('failed', `it ended with an error (${fault.slice(0, 64)})`);
    return answer.body;
  }
}

/** Only a 200 is an answer; a redirect is not followed, since it would send the credentials elsewhere. */
function expectOk<T extends { readonly status: number }>(answer: T): T {
  if (answer.status !== 200) throw new FunctionError('failed', `it answered with the status ${answer.status}`);
  return answer;
}
