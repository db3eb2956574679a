/**
 * Calls functions where they are: a function that this server hosts runs here; a URL gets the event as a POST and answers in
 * the body; any other Lambda ARN goes to an endpoint that speaks Lambda's Invoke API, where one is configured. How many are
 * under way is bounded, so that a slow function of one owner neither fills the memory nor holds up those of others.
 */
import { FunctionError, type FunctionInvoker, type InvokedAs, type InvokeLaterOptions, type InvokeOptions } from './contract.ts';
import type { FunctionCalls, FunctionResult } from './function-figures.ts';
import { functionUrl, lambdaAccount, lambdaRegion } from './function-name.ts';
import type { Egress } from '../outgoing/egress.ts';
import { type Answer, LARGEST_ANSWER, post } from './post.ts';

/** A request to the Lambda endpoint, on behalf of an account's rule, authorizer or domain. */
export interface LambdaRequest {
  readonly url: URL;
  readonly region: string;
  readonly body: Uint8Array;
  readonly accountId: string;
}

/** Headers that prove who asks the Lambda endpoint; undefined where the account may not ask it. */
export type SignLambdaRequest = (request: LambdaRequest) => Readonly<Record<string, string>> | undefined;

/** The functions that this server runs itself, by their ARN. */
export interface HostedFunctions {
  /** Whether there is a function of this ARN here, in whatever version. */
  has(functionArn: string): Promise<boolean>;
  /** Runs it and gives its answer. Fails with `FunctionError`. */
  invoke(functionArn: string, payload: Uint8Array, options: InvokeOptions): Promise<Uint8Array>;
  /** Puts the event into the function's queue; resolves once that is on disk. Fails with `FunctionError`. */
  invokeLater(functionArn: string, payload: Uint8Array, as?: InvokedAs): Promise<void>;
}

export interface FunctionsOptions {
  readonly hosted?: HostedFunctions;
  /** Base URL of Lambda's API; Lambda functions that are not hosted here can't be called without one. */
  readonly lambdaEndpoint?: URL;
  readonly sign: SignLambdaRequest;
  readonly egress: Egress;
  /** Counts calls of functions that run elsewhere; those that run here are counted by their host. */
  readonly calls?: FunctionCalls;
  /** Invocations under way at most: in all, and of one function. */
  readonly most?: number;
  readonly mostOfOne?: number;
}

const MOST = 256;
const MAX_OF_ONE = 64;
/** Milliseconds that another side has to accept an event. */
const ACCEPT = 30_000;

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
    this.#mostOfOne = options.mostOfOne ?? MAX_OF_ONE;
  }

  invoke(functionArn: string, payload: Uint8Array, options: InvokeOptions): Promise<Uint8Array> {
    return this.#counted(functionArn, () => this.#call(functionArn, payload, this.#ending(options)));
  }

  invokeLater(functionArn: string, payload: Uint8Array, { as, timeoutMs = ACCEPT }: InvokeLaterOptions = {}): Promise<void> {
    return this.#counted(functionArn, async () => {
      const { hosted } = this.#options;
      if (await hosted?.has(functionArn)) return hosted?.invokeLater(functionArn, payload, as);
      const options = this.#ending({ timeoutMs, as });
      const url = functionUrl(functionArn);
      await this.#elsewhere(async () => {
        if (url !== undefined) accepted(await this.#post(url, payload, options));
        else accepted(await this.#callLambda(functionArn, 'Event', payload, options));
      });
    });
  }

  /** Ends what is under way: no caller waits for it any more. */
  close(): void {
    this.#closing.abort();
  }

  async #counted<T>(functionArn: string, work: () => Promise<T>): Promise<T> {
    const underWay = this.#underWay.get(functionArn) ?? 0;
    if (this.#count >= this.#most || underWay >= this.#mostOfOne)
      throw new FunctionError('overload', 'too many invocations are under way');
    this.#count += 1;
    this.#underWay.set(functionArn, underWay + 1);
    try {
      return await work();
    } finally {
      this.#count -= 1;
      const left = (this.#underWay.get(functionArn) ?? 1) - 1;
      if (left === 0) this.#underWay.delete(functionArn);
      else this.#underWay.set(functionArn, left);
    }
  }

  #ending(options: InvokeOptions): InvokeOptions {
    const closing = this.#closing.signal;
    return { ...options, signal: options.signal === undefined ? closing : AbortSignal.any([closing, options.signal]) };
  }

  async #call(functionArn: string, payload: Uint8Array, options: InvokeOptions): Promise<Uint8Array> {
    const url = functionUrl(functionArn);
    if (url !== undefined) return this.#elsewhere(async () => expectOk(await this.#post(url, payload, options)).body);
    const { hosted } = this.#options;
    if (await hosted?.has(functionArn)) {
      const answer = (await hosted?.invoke(functionArn, payload, options)) ?? new Uint8Array(0);
      const largest = options.largestAnswer ?? LARGEST_ANSWER;
      if (answer.length > largest) throw new FunctionError('failed', `it answered more than ${largest} bytes`);
      return answer;
    }
    return this.#elsewhere(async () => {
      // Lambda API reference, Invoke: a function that failed is a 200 with the header X-Amz-Function-Error.
      const answer = expectOk(await this.#callLambda(functionArn, 'RequestResponse', payload, options));
      const fault = answer.header('x-amz-function-error');
      if (fault !== undefined) throw new FunctionError('failed', `it ended with an error (${fault.slice(0, 64)})`);
      return answer.body;
    });
  }

  #elsewhere<T>(call: () => Promise<T>): Promise<T> {
    const { calls } = this.#options;
    return calls === undefined ? call() : calls.count(call, (): FunctionResult => 'ok');
  }

  async #callLambda(
    functionArn: string,
    type: 'Event' | 'RequestResponse',
    payload: Uint8Array,
    options: InvokeOptions,
  ): Promise<Answer> {
    const region = lambdaRegion(functionArn);
    if (region === undefined) throw new FunctionError('unavailable', 'it is named by neither an ARN of Lambda nor a URL');
    const { lambdaEndpoint, sign, egress } = this.#options;
    if (lambdaEndpoint === undefined)
      throw new FunctionError(
        'unavailable',
        'it is a Lambda function that this server does not host, and the server runs without --lambda-endpoint',
      );
    const { sourceAccount: accountId, byRoot } = options.as ?? {};
    // The endpoint takes the operator's word: so a function of another account is not for the asking.
    const isForeign = lambdaAccount(functionArn) !== accountId;
    if (accountId === undefined || (isForeign && !egress.exempts(accountId, byRoot)))
      throw new FunctionError('refused', 'it is a Lambda function of another account, which --lambda-endpoint is not asked for');
    const base = lambdaEndpoint.href.replace(/\/$/, '');
    const url = new URL(`${base}/2015-03-31/functions/${encodeURIComponent(functionArn)}/invocations`);
    const signed = sign({ url, region, body: payload, accountId });
    if (signed === undefined)
      throw new FunctionError('refused', `the account ${accountId} has no profile for lambda in --action-credentials`);
    // The operator has named the endpoint.
    const headers = { ...signed, 'x-amz-invocation-type': type };
    return post(egress, { url, headers, body: payload, exempt: true }, options);
  }

  /** Calls a function at a URL. */
  #post(url: URL, body: Uint8Array, options: InvokeOptions): Promise<Answer> {
    const { egress } = this.#options;
    const { sourceAccount, byRoot, vouched = false } = options.as ?? {};
    return post(egress, { url, headers: {}, body, exempt: vouched || egress.exempts(sourceAccount, byRoot) }, options);
  }
}

/** Only a 200 is an answer; a redirect is not followed, since it would send the credentials elsewhere. */
function expectOk(answer: Answer): Answer {
  if (answer.status !== 200) throw notGood(answer);
  return answer;
}

function accepted(answer: Answer): void {
  if (answer.status < 200 || answer.status > 299) throw notGood(answer);
}

const notGood = ({ status }: Answer): FunctionError => new FunctionError('failed', `it answered with the status ${status}`);
