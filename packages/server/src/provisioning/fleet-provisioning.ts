/**
 * Fleet provisioning's certificates: made for a device with a claim, and kept until it shows its token.
 * Source: AWS IoT developer guide, pages fleet-provision-api and provisioning-cert-provider.
 */
import { placeKey } from '@thingkeep/wire/arn.ts';
import type { DeviceIssuer, IssuedCertificate } from '../authority/authority.ts';
import type { FunctionInvoker } from '../functions/contract.ts';
import { keepIssuedCertificate } from '../registry/certificate-records.ts';
import type { Clock } from '../runtime/clock.ts';
import { DISK_LOW } from '../runtime/disk-failure.ts';
import { Buckets } from '../runtime/token-buckets.ts';
import type { Store, WriteTransaction } from '../store/contract.ts';
import { keepProvidedCertificate, provideCertificate } from './provided-certificates.ts';
import { providerOf } from './certificate-providers.ts';
import { FleetRegistration } from './fleet-registration.ts';
import { type FleetRequester, offerCertificate } from './ownership.ts';
import { ProvisioningRejection } from './rejections.ts';
import type { FindRole } from '@thingkeep/wire/api/authorization.ts';

export interface FleetProvisioningDeps {
  readonly clock: Clock;
  readonly issuer: DeviceIssuer;
  readonly findRole: FindRole;
  readonly functions: FunctionInvoker;
  readonly inRegion: (region: string) => Store;
  readonly disk: { readonly low: boolean };
}

/** Requests of an account in a second, and at once. A key of RSA keeps a processor busy for a while. */
const KEYS_RATE = { perSecond: 25, burst: 200 };
const RATE = { perSecond: 200, burst: 1_000 };

/** Bytes of payloads of an account in a second, and at once: those of JSON that are made to be slow to read take 20 ms each. */
const BYTES_RATE = { perSecond: 128 * 1024, burst: 512 * 1024 };

export class FleetProvisioning {
  readonly #deps: FleetProvisioningDeps;
  readonly #registration: FleetRegistration;
  readonly #keys = new Buckets(KEYS_RATE.perSecond, KEYS_RATE.burst);
  readonly #requests = new Buckets(RATE.perSecond, RATE.burst);
  readonly #bytes = new Buckets(BYTES_RATE.perSecond, BYTES_RATE.burst);

  constructor(deps: FleetProvisioningDeps) {
    this.#deps = deps;
    this.#registration = new FleetRegistration(deps);
  }

  /** Fails with a rejection where the account has sent too much of late; asked before a payload is read. */
  mayRead({ place }: FleetRequester, bytes: number): void {
    const [key, now] = [placeKey(place), this.#deps.clock.monotonic()];
    if (this.#bytes.level(key, now) < bytes) throw new ProvisioningRejection('Throttled', 'Rate exceeded');
    this.#bytes.spend(key, bytes, now);
  }

  async createKeysAndCertificate(requester: FleetRequester): Promise<object> {
    this.#mayAsk(this.#keys, requester);
    const { privateKeyPem, ...issued } = await this.#deps.issuer.issueWithNewKey();
    const offered = await this.#offer(requester, issued, (tx, now) => this.#keepIssued(tx, requester, issued, now));
    // The private key goes into the answer and nowhere else.
    return { ...offered, privateKey: privateKeyPem };
  }

  /** Signs a request, or has the account's certificate provider sign it. */
  async createCertificateFromCsr(requester: FleetRequester, request: unknown): Promise<object> {
    this.#mayAsk(this.#requests, requester);
    if (typeof request !== 'string' || request === '')
      throw new ProvisioningRejection('InvalidRequest', 'Certificate signing request cannot be empty.');
    const { issuer, functions, inRegion } = this.#deps;
    const prepared = issuer.prepareFromCsr(request);
    const { place } = requester;
    const provider = await inRegion(place.region).read((tx) => providerOf(tx, place.accountId));
    if (provider === undefined) {
      const issued = await issuer.issue(prepared);
      return this.#offer(requester, issued, (tx, now) => this.#keepIssued(tx, requester, issued, now));
    }
    const provided = await provideCertificate(functions, provider, requester, { request, prepared });
    return this.#offer(requester, provided, (tx, now) => keepProvidedCertificate(tx, place, provided, now));
  }

  async registerThing(requester: FleetRequester, templateName: string, token: unknown, parameters: unknown): Promise<object> {
    this.#mayAsk(this.#requests, requester);
    return this.#registration.register(requester, { templateName, token, parameters });
  }

  #mayAsk(buckets: Buckets, { place }: FleetRequester): void {
    if (this.#deps.disk.low) throw new ProvisioningRejection('InternalFailure', 'The request could not be served.', DISK_LOW);
    if (!buckets.take(placeKey(place), this.#deps.clock.monotonic()))
      throw new ProvisioningRejection('Throttled', 'Rate exceeded');
  }

  async #keepIssued(tx: WriteTransaction, { place }: FleetRequester, issued: IssuedCertificate, now: number): Promise<void> {
    await keepIssuedCertificate(tx, place, issued, 'PENDING_ACTIVATION', now);
  }

  async #offer(
    requester: FleetRequester,
    { certificateId, certificatePem }: Pick<IssuedCertificate, 'certificateId' | 'certificatePem'>,
    keep: (tx: WriteTransaction, now: number) => Promise<void>,
  ): Promise<object> {
    const certificateOwnershipToken = await this.#deps.inRegion(requester.place.region).write(async (tx) => {
      const now = this.#deps.clock.now();
      await keep(tx, now);
      return offerCertificate(tx, requester, certificateId, now);
    });
    return { certificateId, certificatePem, certificateOwnershipToken };
  }
}
