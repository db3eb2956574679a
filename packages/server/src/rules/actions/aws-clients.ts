/**
 * The way to AWS services, or to what speaks their protocols. An action reaches only what the operator has named: without
 * an endpoint for a service its actions fail, and say so.
 */
import { randomBytes } from 'node:crypto';
import type { Place } from '@thingkeep/wire/arn.ts';
import { ActionError } from './action-error.ts';
import type { ActionRole, ActionCredentials } from './role.ts';

/** What every client of the AWS SDK for JavaScript takes. */
export interface ClientConfig {
  readonly region: string;
  /** Absent for AWS itself. */
  readonly endpoint?: string;
  readonly credentials: () => Promise<ActionCredentials>;
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
  /** Whether requests for a service go to this server itself. */
  readonly isOwn: (service: string) => boolean;
  /** Credentials of the operator's, where there is a file of them: what an account's rules sign with for a service. */
  readonly operatorKeys: OperatorKeys | undefined;
  /** Headers that a request carries for its signature. */
  readonly sign: (request: RequestToSign & { readonly key: ActionCredentials }) => Record<string, string>;
}

export interface OperatorKeys {
  of(accountId: string, service: string): ActionCredentials | undefined;
}

/** Who asks a service, and where. */
export interface AskingAs {
  readonly place: Place;
  readonly role: ActionRole;
}

/**
 * A key that proves nothing, and that no server knows: the form of a signature, for what stands in the place of AWS and looks
 * at no more than that.
 */
export const UNKNOWN_KEY: ActionCredentials = {
  accessKeyId: 'THINGKEEPNOROLEKEPT0',
  secretAccessKey: randomBytes(30).toString('base64'),
};

/** Clients that are kept: one for each service and place, and for each role and rule where those sign. */
const MAX_CLIENTS = 256;

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

  /** The SDK's client for a service, made once for each place, and for each role and rule that it signs as. */
  client<C extends Closable>(as: AskingAs, service: string, make: (config: ClientConfig) => C): C {
    const { place, role } = as;
    const { isOwn, operatorKeys } = this.#options;
    // The operator's key is the same for all rules of an account.
    const session = operatorKeys === undefined || isOwn(service) ? role.session : '';
    const name = `${service}/${place.region}/${place.accountId}/${session}`;
    const known = this.#clients.get(name);
    if (known !== undefined) {
      this.#clients.delete(name);
      this.#clients.set(name, known);
      return known as C;
    }
    const [endpoint] = this.endpoints(service);
    const client = make({
      region: place.region,
      endpoint: endpoint === 'aws' ? undefined : endpoint,
      credentials: () => this.credentials(as, service),
      disableHostPrefix: endpoint !== 'aws',
      maxAttempts: 1,
    });
    const [[oldest, unused] = []] = this.#clients;
    if (this.#clients.size >= MAX_CLIENTS && oldest !== undefined) {
      this.#clients.delete(oldest);
      unused?.destroy();
    }
    this.#clients.set(name, client);
    return client;
  }

  /**
   * What a request is signed with: the temporary credentials of the role, or the operator's for the service at the operator's
   * endpoint. No key of this server is among them. Fails with ActionError when there are none.
   */
  async credentials({ place, role }: AskingAs, service: string): Promise<ActionCredentials> {
    const { isOwn, operatorKeys } = this.#options;
    if (isOwn(service)) return (await role.credentials()) ?? this.#lackingRole(role.arn);
    const key = operatorKeys?.of(place.accountId, service);
    if (key !== undefined) return key;
    if (operatorKeys !== undefined || this.endpoints(service)[0] === 'aws')
      throw new ActionError(
        `the server has no credentials for ${service} of the account ${place.accountId}: see --action-credentials`,
        false,
      );
    return (await role.credentials()) ?? UNKNOWN_KEY;
  }

  #lackingRole(arn: string): never {
    throw new ActionError(`IAM keeps no role ${arn}: there are no credentials of it to sign with`, false);
  }

  /** Signs a request to `service` at an endpoint of the operator's. */
  async sign(as: AskingAs, request: RequestToSign): Promise<Record<string, string>> {
    return this.#options.sign({ ...request, key: await this.credentials(as, request.service) });
  }

  /** Signs a request to wherever a rule sends it, with the credentials of its role and no others. */
  async signAsRole({ role }: AskingAs, request: RequestToSign): Promise<Record<string, string>> {
    const key = (await role.credentials()) ?? this.#lackingRole(role.arn);
    return this.#options.sign({ ...request, key });
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
