/**
 * The rules for addresses that users have chosen: they must be of the internet (special-addresses.ts) and no listener of
 * this server. Addresses named by the operator or by the root of the home account are exempt. A name is resolved once, all
 * of its addresses are checked, and the connection goes to those: see requests.ts.
 */
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { inRange, parseIpRange } from '../policies/ip-address.ts';
import { type AllowedEntry, allowsAddress, allowsName } from './allowed.ts';
import { type ResolvedAddress, resolveName, type ResolveName } from './resolve.ts';
import { endAddress, specialPurpose } from './special-addresses.ts';

/** A refused address, for the owner of the rule, authorizer or function. The text has no address that a name was resolved to. */
export class EgressError extends Error {
  override readonly name = 'EgressError';
  /** Whether the name may have addresses later. */
  readonly passing: boolean;

  constructor(message: string, passing = false) {
    super(message);
    this.passing = passing;
  }
}

export interface EgressOptions {
  /** Account of `--account-id`: what its root wrote is exempt. */
  readonly homeAccountId: string;
  readonly allowed: readonly AllowedEntry[];
  /** Ports of this server's listeners. */
  readonly ports: () => readonly number[];
  /** Whether a host name is the operator's. Names of accounts do not count: one account could claim a name of another. */
  readonly isOwnName: (host: string) => boolean;
  readonly resolve?: ResolveName;
  /** Addresses of this machine; those of its network interfaces when absent. */
  readonly ownAddresses?: () => readonly string[];
}

/** {@link EgressOptions} in a form that can be sent to a thread. */
export interface EgressPlan {
  readonly allowed: readonly AllowedEntry[];
  readonly ports: readonly number[];
}

/** Characters of a host name (RFC 1035 section 2.3.4). */
const LONGEST = 253;

/** A target that a connection may be opened to. */
export interface EgressTarget {
  readonly host: string;
  readonly port: number;
  /** At least one. */
  readonly addresses: readonly ResolvedAddress[];
}

/** The host of a URL, without the brackets of an IPv6 address. */
export const hostOf = ({ hostname }: URL): string => (hostname.startsWith('[') ? hostname.slice(1, -1) : hostname);

export const portOf = ({ port, protocol }: URL): number => (port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port));

const interfaceAddresses = (): readonly string[] =>
  Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address));

/** Addresses that every machine reaches itself by, beside those of its interfaces. */
const ITSELF = ['0.0.0.0/8', '127.0.0.0/8', '::/127'].flatMap((text) => parseIpRange(text) ?? []);

const flag = (host: string, port: number): string =>
  `the operator may allow it with --outgoing-allow ${host.includes(':') ? `[${host}]` : host}:${port}`;

export class Egress {
  readonly #options: EgressOptions;
  readonly #resolve: ResolveName;
  readonly #ownAddresses: () => readonly string[];

  constructor(options: EgressOptions) {
    this.#options = options;
    this.#resolve = options.resolve ?? resolveName;
    this.#ownAddresses = options.ownAddresses ?? interfaceAddresses;
  }

  /** Whether an address in an account's record is exempt: the root of the home account wrote it. */
  exempts(accountId: string | undefined, byRoot: boolean | undefined): boolean {
    return byRoot === true && accountId === this.#options.homeAccountId;
  }

  /** The addresses of a URL's host. Fails with EgressError where they are refused. */
  target(url: URL, exempt: boolean): Promise<EgressTarget> {
    return this.targetOf(hostOf(url), portOf(url), exempt);
  }

  async targetOf(host: string, port: number, exempt: boolean): Promise<EgressTarget> {
    const { allowed } = this.#options;
    if (host.length > LONGEST) throw new EgressError(`a host name has at most ${LONGEST} characters`);
    const isOwn = !exempt && this.#isOwnName(host, port);
    if (isOwn) throw new EgressError(`${host}:${port} is a listener of this server itself; ${flag(host, port)}`);
    const vouched = exempt || allowsName(allowed, host, port);
    const addresses = await this.#addressesOf(host, vouched);
    if (addresses.length === 0) throw new EgressError(`the host name ${host} has no address`, true);
    for (const { address } of exempt ? [] : addresses) {
      const refused = this.#refusal(host, address, port);
      if (refused !== undefined) throw refused;
    }
    return { host, port, addresses };
  }

  /** The refusal of an address that is given without a name; undefined when it is allowed. */
  refusalOf(address: string, port: number): EgressError | undefined {
    return this.#refusal(address, address, port);
  }

  /** The rules for another thread, without the host names of the server. */
  get plan(): EgressPlan {
    const { allowed, ports } = this.#options;
    return { allowed, ports: [...ports()] };
  }

  #refusal(host: string, address: string, port: number): EgressError | undefined {
    const fault = this.#fault(host, address, port);
    if (fault === undefined) return undefined;
    return new EgressError(`${host}${isIP(host) === 0 ? ' leads to an address that' : ''} ${fault}; ${flag(host, port)}`);
  }

  /** The reason against an address, as the end of a sentence that begins with its name. */
  #fault(host: string, address: string, port: number): string | undefined {
    const { allowed, ports } = this.#options;
    // An entry must name the port to allow a listener of the server: a range without a port means other hosts.
    if (ports().includes(port) && this.#isOwnAddress(address))
      return allowsName(allowed, host, port, true) || allowsAddress(allowed, address, port, true)
        ? undefined
        : 'is a listener of this server itself';
    if (allowsName(allowed, host, port) || allowsAddress(allowed, address, port)) return undefined;
    const special = specialPurpose(address);
    return special === undefined ? undefined : `is not of the internet (${special})`;
  }

  #isOwnName(host: string, port: number): boolean {
    const { allowed, ports, isOwnName } = this.#options;
    return (
      isIP(host) === 0 &&
      ports().includes(port) &&
      isOwnName(host.replace(/\.$/, '').toLowerCase()) &&
      !allowsName(allowed, host, port, true)
    );
  }

  #isOwnAddress(text: string): boolean {
    const address = endAddress(text);
    if (address === undefined || ITSELF.some((range) => inRange(address, range))) return true;
    return this.#ownAddresses().some((own) => {
      const known = endAddress(own.split('%', 1)[0] ?? '');
      return known !== undefined && known.bits === address.bits && known.value === address.value;
    });
  }

  async #addressesOf(host: string, vouched: boolean): Promise<readonly ResolvedAddress[]> {
    const family = isIP(host);
    if (family !== 0) return [{ address: host, family: family === 6 ? 6 : 4 }];
    try {
      return await this.#resolve(host, vouched);
    } catch {
      return [];
    }
  }
}
