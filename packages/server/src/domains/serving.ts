/**
 * Makes what is stored of domain configurations what is served: fills the directory at the start, follows changes of
 * configurations and certificates, and renews the certificates that the server's own authority has issued.
 */
import { defined } from '@thingkeep/wire/defined.ts';
import type { Place } from '@thingkeep/wire/arn.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import { serverCertificateArn, serverCertificateId, serverCertificates, serverKeys } from '../server-certificates/store.ts';
import type { Changes } from '../store/changes.ts';
import type { ReadTransaction, Store } from '../store/contract.ts';
import { pages } from '../store/pages.ts';
import { proveCredentials } from './proof.ts';
import type { DomainDirectory, DomainRules, DomainTls, ServedDomain } from './directory.ts';
import type { OperatorNames } from './operator-names.ts';
import { tlsVersionsOf } from './security-policies.ts';
import { type DomainRecord, domainArn, domainConfigurations, type IssuedRecord, issuedCertificates } from './store.ts';

/** Certifies host names with the server's own authority. */
export interface HostNameIssuer {
  /** PEM keys and chains, one pair per kind of key; `renewAt` in milliseconds since the epoch. */
  issueServerCertificate(hostName: string): Promise<Pick<IssuedRecord, 'key' | 'cert' | 'renewAt'>>;
}

export interface DomainServingOptions {
  readonly directory: DomainDirectory;
  readonly operatorNames: OperatorNames;
  readonly log: Pick<Logger, 'warn'>;
  readonly regions: () => Promise<readonly string[]>;
  readonly inRegion: (region: string) => Store;
  readonly issuer: HostNameIssuer;
  readonly clock: Clock;
}

type Credentials = Pick<DomainTls, 'key' | 'cert'>;

/** A domain whose certificates have not been proven. */
type UnprovenDomain = Omit<ServedDomain, 'tls'> & { readonly tls: Omit<DomainTls, 'notAfter'> };

export class DomainServing {
  readonly #options: DomainServingOptions;
  /** Changes take effect one after another, so that an older state never follows a newer one. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Ids of configurations whose certificate does not hold. */
  readonly #broken = new Set<string>();

  constructor(options: DomainServingOptions) {
    this.#options = options;
  }

  /** Serves what is stored from now on whenever it changes; gives the function that ends it. */
  follow(changes: Changes): () => void {
    const ends = [
      changes.on(domainConfigurations, ({ place, key: [, name], before, after }) => {
        if (after !== undefined) return this.refresh(place, String(name));
        if (before === undefined) return undefined;
        return this.#next(async () => this.#withdraw(place, before.name, before.domainName.toLowerCase()));
      }),
      changes.on(issuedCertificates, ({ place, key: [, name] }) => this.refresh(place, String(name))),
      changes.on(serverCertificates, ({ place, key: [, id] }) => this.#certificateReplaced(place, String(id))),
    ];
    return () => {
      for (const end of ends) end();
    };
  }

  /** Serves all that is stored; before the first connection. */
  async load(): Promise<void> {
    const { operatorNames } = this.#options;
    const all = await this.#all();
    // The operator's first: where two are stored for a name, the first one is served.
    const [own, others] = [true, false].map((isOwn) => all.filter(({ record }) => operatorNames.isOfHome(record) === isOwn));
    for (const { place, record } of [...(own ?? []), ...(others ?? [])]) {
      this.#tellLost(place, record);
      // One that can't be served keeps the server from nothing else.
      await this.refresh(place, record.name).catch((error: unknown) => this.#tellBroken(place, record, String(error)));
    }
  }

  /** Serves a configuration as it is stored now. */
  refresh(place: Place, name: string): Promise<void> {
    return this.#next(() => this.#refresh(place, name));
  }

  /** One that is not served takes nothing from the one that is. */
  #withdraw(place: Place, name: string, domainName: string): void {
    if (isServed(this.#options.directory.find(domainName), place, name)) this.#options.directory.remove(domainName);
  }

  #tellLost(place: Place, record: DomainRecord): void {
    const { accountId, name, domainName } = record;
    const why = this.#options.operatorNames.loses(record);
    if (why === undefined) return;
    this.#options.log.warn(
      { event: 'domain-not-served', accountId, region: place.region, domainConfiguration: name, domainName },
      `a domain configuration is not served: its name ${why}`,
    );
  }

  #tellBroken(place: Place, { accountId, name, domainName }: DomainRecord, why: string): void {
    this.#options.log.warn(
      { event: 'domain-not-served', accountId, region: place.region, domainConfiguration: name, domainName },
      `a domain configuration is not served: ${why}`,
    );
  }

  #next(change: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(change);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** An imported certificate has another content. */
  async #certificateReplaced(place: Place, id: string): Promise<void> {
    const { inRegion } = this.#options;
    const users = await inRegion(place.region).read((tx) => usersOf(tx, place, serverCertificateArn(place, id)));
    for (const { name } of users) await this.refresh(place, name);
  }

  /** Renews what the server's own authority has issued and is due; says whether any is new. */
  async renewIfDue(): Promise<boolean> {
    const { clock, inRegion, issuer } = this.#options;
    let renewed = false;
    for (const { place, record } of await this.#all()) {
      const { accountId, name, domainName } = record;
      const store = inRegion(place.region);
      const issued = await store.read((tx) => tx.get(issuedCertificates, [accountId, name]));
      if (issued === undefined || (clock.now() < issued.renewAt && !this.#broken.has(record.id))) continue;
      const fresh = await issuer.issueServerCertificate(domainName.toLowerCase());
      await store.write(async (tx) => {
        // The configuration may be gone by now, or be another one of the same name.
        const current = await tx.get(domainConfigurations, [accountId, name]);
        if (current?.id === record.id) await tx.put(issuedCertificates, { accountId, name, ...fresh });
      });
      renewed = true;
    }
    return renewed;
  }

  async #all(): Promise<{ place: Place; record: DomainRecord }[]> {
    const found: { place: Place; record: DomainRecord }[] = [];
    for (const region of await this.#options.regions()) {
      for await (const { items } of pages(this.#options.inRegion(region), domainConfigurations, {
        skipDamaged: true,
        prefix: [],
      }))
        found.push(...items.map((record) => ({ place: { region, accountId: record.accountId }, record })));
    }
    return found;
  }

  async #refresh(place: Place, name: string): Promise<void> {
    const { directory, inRegion, operatorNames } = this.#options;
    const served = await inRegion(place.region).read((tx) => servedDomain(tx, place, name));
    if (served === undefined) return;
    const { record, domain } = served;
    const domainName = record.domainName.toLowerCase();
    const there = directory.find(domainName);
    const proof = proveCredentials(domain.tls);
    if (proof.fault === undefined) this.#broken.delete(record.id);
    else {
      this.#broken.add(record.id);
      this.#tellBroken(place, record, proof.fault);
      return this.#withdraw(place, name, domainName);
    }
    if (operatorNames.loses(record) !== undefined) this.#withdraw(place, name, domainName);
    // Two may be stored for a name that was the operator's for a while: the first one stays.
    else if (there === undefined || isServed(there, place, name))
      directory.put(domainName, { ...domain, tls: { ...domain.tls, notAfter: proof.notAfter } });
  }
}

async function servedDomain(
  tx: ReadTransaction,
  place: Place,
  name: string,
): Promise<{ record: DomainRecord; domain: UnprovenDomain } | undefined> {
  const record = await tx.get(domainConfigurations, [place.accountId, name]);
  const credentials = record === undefined ? undefined : await credentialsOf(tx, place, record);
  if (record === undefined || credentials === undefined) return undefined;
  const tls = { ...credentials, ...tlsVersionsOf(record.securityPolicy) };
  const domain = { enabled: record.status === 'ENABLED', rules: rulesOf(place, record), tls };
  return { record, domain };
}

/** Whether what is served is this configuration. */
const isServed = (served: ServedDomain | undefined, { accountId, region }: Place, name: string): boolean =>
  served?.rules.place.accountId === accountId && served.rules.place.region === region && served.rules.name === name;

/** The imported certificate, or the one of the server's own authority. */
async function credentialsOf(tx: ReadTransaction, place: Place, record: DomainRecord): Promise<Credentials | undefined> {
  const { accountId, name, serverCertificateArn } = record;
  if (serverCertificateArn === undefined) return tx.get(issuedCertificates, [accountId, name]);
  const id = serverCertificateId(serverCertificateArn, place) ?? '';
  const certificate = await tx.get(serverCertificates, [accountId, id]);
  const key = await tx.get(serverKeys, [accountId, id]);
  if (certificate === undefined || key === undefined) return undefined;
  return { key: [key.privateKeyPem], cert: [certificate.certificatePem + certificate.chainPem] };
}

const rulesOf = (place: Place, record: DomainRecord): DomainRules => {
  const { name, authenticationType, applicationProtocol, serviceType, authorizerConfig = {} } = record;
  const functionArn = record.clientCertificateConfig?.clientCertificateCallbackArn;
  const { defaultAuthorizerName, allowAuthorizerOverride = false } = authorizerConfig;
  return {
    place,
    name,
    authenticationType,
    applicationProtocol,
    serviceType,
    allowAuthorizerOverride,
    ...defined({
      defaultAuthorizerName,
      certificateCallback:
        functionArn === undefined
          ? undefined
          : { functionArn, sourceArn: domainArn(place, record), byRoot: record.callbackByRoot },
    }),
  };
};

/** Configurations of an account that serve an imported certificate. */
async function usersOf(tx: ReadTransaction, place: Place, certificateArn: string): Promise<DomainRecord[]> {
  const scan = { index: 'byCertificate', prefix: [place.accountId, certificateArn] };
  return (await tx.scan(domainConfigurations, scan)).items;
}

/** Their ARNs: what a certificate says that it is in use by. */
export const domainsUsing = async (tx: ReadTransaction, place: Place, certificateArn: string): Promise<string[]> =>
  (await usersOf(tx, place, certificateArn)).map((record) => domainArn(place, record));

/** ARN of a configuration of the account whose default authorizer this is; undefined when there is none. */
export async function domainNaming(tx: ReadTransaction, place: Place, authorizerName: string): Promise<string | undefined> {
  const { items } = await tx.scan(domainConfigurations, { prefix: [place.accountId] });
  const found = items.find(({ authorizerConfig }) => authorizerConfig?.defaultAuthorizerName === authorizerName);
  return found === undefined ? undefined : domainArn(place, found);
}
