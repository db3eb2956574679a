/**
 * Host names of the operator: those of --endpoint, `localhost`, all below them, and those that the operator's own certificate is
 * made out to. Only the root of the home account may have a domain configuration for one.
 */
import { X509Certificate } from 'node:crypto';
import { fail } from '@thingkeep/wire/errors.ts';
import type { DomainRecord } from './store.ts';

export interface OperatorNamesOptions {
  /** Names of --endpoint, and `localhost`: the built-in configuration's. */
  readonly hostNames: readonly string[];
  /** Account of the operator (--account-id). */
  readonly homeAccountId: string;
  /** PEM of --server-certificate, its own certificate first; absent without one. */
  readonly certificatePem?: string | undefined;
}

type NamedRecord = Pick<DomainRecord, 'accountId' | 'domainName' | 'domainType'>;

const plain = (name: string): string => name.toLowerCase().replace(/^\*\./, '').replace(/\.$/, '');

export class OperatorNames {
  readonly #options: OperatorNamesOptions;
  readonly #hostNames: ReadonlySet<string>;
  #certificate: X509Certificate | undefined;

  constructor(options: OperatorNamesOptions) {
    this.#options = options;
    this.#hostNames = new Set(options.hostNames.map(plain));
  }

  /** Whether it is a name that the built-in configuration serves: no other one may. */
  isBuiltIn(domainName: string): boolean {
    return this.#hostNames.has(plain(domainName));
  }

  /** Why the name of a configuration is the operator's; undefined where it is free. */
  reason({ domainName, domainType }: Pick<NamedRecord, 'domainName' | 'domainType'>): string | undefined {
    const name = plain(domainName);
    if (this.#hostNames.has(name)) return "is the server's own";
    // The server made it up, below its own name.
    if (domainType === 'AWS_MANAGED') return undefined;
    const above = [...this.#hostNames].find((each) => name.endsWith(`.${each}`));
    if (above !== undefined) return `is below ${above}, which is the server's own`;
    return this.#isCertified(name) ? "is one of the operator's certificate (--server-certificate)" : undefined;
  }

  isOfHome({ accountId }: Pick<NamedRecord, 'accountId'>): boolean {
    return accountId === this.#options.homeAccountId;
  }

  /** Why a stored configuration is not served; undefined where it is. */
  loses(record: NamedRecord): string | undefined {
    return this.isOfHome(record) && !this.isBuiltIn(record.domainName) ? undefined : this.reason(record);
  }

  /** Fails with InvalidRequestException where the caller may not have a configuration for the name. */
  check(record: NamedRecord, caller: { readonly arn: string }): void {
    const why = this.reason(record);
    if (why === undefined) return;
    const isBuiltIn = this.isBuiltIn(record.domainName);
    if (caller.arn === `arn:aws:iam::${this.#options.homeAccountId}:root` && !isBuiltIn) return;
    const whose = isBuiltIn ? 'its configuration is iot:Data-ATS' : 'only the root of the home account may take it';
    fail('InvalidRequestException', `The domain name ${record.domainName} ${why}: ${whose}`);
  }

  #isCertified(name: string): boolean {
    const { certificatePem } = this.#options;
    if (certificatePem === undefined) return false;
    // Read late: the authority has checked it by then, with words of its own.
    this.#certificate ??= new X509Certificate(certificatePem);
    return this.#certificate.checkHost(name, { subject: 'always' }) !== undefined;
  }
}
