/**
 * Host names that are served now, in memory: the gateway asks it in the middle of a handshake. Filled at the start and
 * brought up to date by changes of configurations and certificates. Bounded by the quota of configurations.
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { TlsVersions } from './security-policies.ts';
import type { ApplicationProtocol, AuthenticationType, ServiceType } from './store.ts';

/** What a domain configuration says of logins at its host name. */
export interface DomainRules {
  readonly place: Place;
  readonly name: string;
  readonly authenticationType: AuthenticationType;
  readonly applicationProtocol: ApplicationProtocol;
  readonly serviceType: ServiceType;
  readonly defaultAuthorizerName?: string;
  readonly allowAuthorizerOverride: boolean;
  /** The function that is asked about client certificates, and the configuration's ARN. */
  readonly certificateCallback?: { readonly functionArn: string; readonly sourceArn: string; readonly byRoot?: boolean };
}

/** What the handshake is made with: PEM, one key and chain per kind of key. Never changed: a change is a new object. */
export interface DomainTls extends TlsVersions {
  readonly key: readonly string[];
  readonly cert: readonly string[];
  /** Milliseconds since the epoch: the end of the certificate that expires first. */
  readonly notAfter: number;
}

export interface ServedDomain {
  readonly enabled: boolean;
  readonly rules: DomainRules;
  readonly tls: DomainTls;
}

export class DomainDirectory {
  readonly #domains = new Map<string, ServedDomain>();
  /** Names that a configuration under way has claimed. */
  readonly #claimed = new Set<string>();
  #narrowsTls = false;

  find(serverName: string): ServedDomain | undefined {
    return this.#domains.get(serverName.toLowerCase());
  }

  /** All host names that are served. */
  get all(): Iterable<ServedDomain> {
    return this.#domains.values();
  }

  /** What the handshake of a host name is made with; `disabled` is to be refused. */
  tlsOf(serverName: string): DomainTls | 'disabled' | undefined {
    const domain = this.find(serverName);
    return domain?.enabled === false ? 'disabled' : domain?.tls;
  }

  /** Whether some domain wants other versions of TLS than the default ones. */
  get narrowsTls(): boolean {
    return this.#narrowsTls;
  }

  /**
   * Claims a host name for a new configuration, until the claim is disposed of. A name leads to one configuration of all
   * accounts and regions: fails with ResourceAlreadyExistsException.
   */
  claim(domainName: string): Disposable {
    if (this.#domains.has(domainName) || this.#claimed.has(domainName))
      fail('ResourceAlreadyExistsException', `The domain name ${domainName} is in use by another domain configuration`);
    this.#claimed.add(domainName);
    return { [Symbol.dispose]: () => void this.#claimed.delete(domainName) };
  }

  put(domainName: string, domain: ServedDomain): void {
    this.#domains.set(domainName, domain);
    this.#count();
  }

  remove(domainName: string): void {
    this.#domains.delete(domainName);
    this.#count();
  }

  #count(): void {
    this.#narrowsTls = [...this.#domains.values()].some(
      ({ tls }) => tls.minVersion !== 'TLSv1.2' || tls.maxVersion !== 'TLSv1.3',
    );
  }
}
