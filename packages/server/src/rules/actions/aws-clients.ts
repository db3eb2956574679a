/**
 * The way to AWS services, or to what speaks their protocols. An action reaches only what the operator has named: without
 * an endpoint for a service its actions fail, and say so.
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import { ActionError } from './contract.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** What every client of the AWS SDK for JavaScript takes. */
export interface ClientConfig {
  readonly region: string;
  /** Absent for AWS itself. */
  readonly endpoint?: string;
  readonly credentials: Credentials;
  /** What is not AWS has no host name for each kind of request. */
  readonly disableHostPrefix: boolean;
  /** Trying again is the queue's business. */
  readonly maxAttempts: 1;
}

export interface RequestToSign {
  readonly method: string;
  readonly url: URL;
  readonly region: string;
  /** Name that the service signs with. */
  readonly service: string;
  readonly body: Uint8Array;
}

export interface AwsClientsOptions {
  /** Endpoints by the service's signing name: URLs, or `aws`. */
  readonly endpointsOf: (service: string) => readonly string[];
  readonly credentialsOf: (place: Place, service: string) => Credentials | undefined;
  /** Headers that a request carries for its signature. */
  readonly sign: (request: RequestToSign & { readonly key: Credentials }) => Record<string, string>;
}

/** A client of the SDK. */
interface Closable {
  destroy(): void;
}

export class AwsClients {
  readonly #options: AwsClientsOptions;
  readonly #clients = new Map<string, Closable>();

  constructor(options: AwsClientsOptions) {
    this.#options = options;
  }

  /** Endpoints that the operator has named for a service. Fails with ActionError when there are none. */
  endpoints(service: string): readonly [string, ...string[]] {
    const [first, ...others] = this.#options.endpointsOf(service);
    if (first === undefined)
      throw new ActionError(
        `the server has no endpoint for ${service}: it is started with --action-endpoints ${service}=URL`,
        false,
      );
    return [first, ...others];
  }

  /** The SDK's client for a service, made once for each place. */
  client<C extends Closable>(place: Place, service: string, make: (config: ClientConfig) => C): C {
    const name = `${service}/${place.region}/${place.accountId}`;
    const known = this.#clients.get(name);
    if (known !== undefined) return known as C;
    const [endpoint] = this.endpoints(service);
    const client = make({
      region: place.region,
      ...(endpoint === 'aws' ? {} : { endpoint }),
      credentials: this.credentials(place, service),
      disableHostPrefix: endpoint !== 'aws',
      maxAttempts: 1,
    });
    this.#clients.set(name, client);
    return client;
  }

  /** Fails with ActionError when there are none. */
  credentials(place: Place, service: string): Credentials {
    const found = this.#options.credentialsOf(place, service);
    if (found === undefined)
      throw new ActionError(`the server has no credentials for ${service}: see --action-credentials`, false);
    return found;
  }

  /** Signs a request to `service`, with its own credentials. */
  sign(place: Place, request: RequestToSign): Record<string, string> {
    return this.#options.sign({ ...request, key: this.credentials(place, request.service) });
  }

  close(): void {
    for (const client of this.#clients.values()) client.destroy();
    this.#clients.clear();
  }
}

/** Codes of Node for a peer that can not be reached, or that went away. */
const NETWORK = /^(E(CONN(REFUSED|RESET|ABORTED)|PIPE|HOSTUNREACH|NETUNREACH|AI_AGAIN|TIMEDOUT)|ENOTFOUND|UND_ERR_.*)$/;
const PATIENCE_ASKED =
  /Throttl|TooManyRequests|ProvisionedThroughputExceeded|RequestLimitExceeded|SlowDown|LimitExceeded|ServiceUnavailable|InternalServer|InternalFailure|Timeout/i;

interface SdkFault {
  readonly name?: string;
  readonly message?: string;
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** Does a request of the SDK; what goes wrong becomes an ActionError. */
export async function asking<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ActionError) throw error;
    throw asActionError(error as SdkFault);
  }
}

function asActionError(fault: SdkFault): ActionError {
  const { name = 'Error', message = '', code = '', $metadata } = fault;
  if (code === 'ERR_MODULE_NOT_FOUND')
    return new ActionError('the package of the AWS SDK for this action is not installed on the server', false, fault);
  const status = $metadata?.httpStatusCode;
  const passing =
    name === 'AbortError' || NETWORK.test(code) || PATIENCE_ASKED.test(name) || status === 429 || (status ?? 0) >= 500;
  return new ActionError(`${name}: ${message}`.slice(0, 1000), passing, fault);
}
