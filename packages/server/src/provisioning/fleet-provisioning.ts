/**
 * Fleet provisioning: what a device with a claim asks for. A certificate is made for it, and then a template makes the thing and
 * all it needs of that. Source: AWS IoT developer guide, pages fleet-provision-api and provision-wo-cert.
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import { defined } from '@thingkeep/wire/defined.ts';
import type { DeviceIssuer, IssuedCertificate } from '../authority/authority.ts';
import { keepIssuedCertificate } from '../registry/certificate-records.ts';
import type { Clock } from '../runtime/clock.ts';
import { Buckets } from '../runtime/token-buckets.ts';
import type { Store } from '../store/contract.ts';
import { provision } from './execution.ts';
import { type OwnershipClaimant, offerCertificate, ownershipOf, takeCertificate } from './ownership.ts';
import { type GivenParameters, missingParameters, planOf } from './plan.ts';
import { isMembers } from './payloads.ts';
import { ProvisioningRejection, type RejectionCode } from './rejections.ts';
import { type FindRole, roleRights } from './rights.ts';
import { type OwnershipRecord, provisioningTemplates, templateArn, type TemplateRecord } from './store.ts';
import { CERTIFICATE_ID, readTemplate } from './template.ts';
import { defaultVersion } from './templates.ts';

export interface FleetProvisioningDeps {
  readonly clock: Clock;
  readonly issuer: DeviceIssuer;
  readonly findRole: FindRole;
  readonly inRegion: (region: string) => Store;
}

/** The sender of a request. */
export interface Requester extends OwnershipClaimant {
  readonly clientId: string;
}

/** Requests of an account in a second, and at once. A key of RSA keeps a processor busy for a while. */
const KEYS_RATE = { perSecond: 25, burst: 200 };
const RATE = { perSecond: 200, burst: 1_000 };
const MAX_TOKEN = 2_048;
const MAX_PARAMETERS = 100;
const MAX_PARAMETER = 32_768;

const reject = (code: RejectionCode, message: string, reason?: string): never => {
  throw new ProvisioningRejection(code, message, reason);
};

const accountKey = ({ accountId, region }: Place): string => `${region}/${accountId}`;

/** Parameters as the device has sent them: texts by their names. */
function readParameters(given: unknown): GivenParameters {
  if (given === undefined || given === null) return {};
  if (!isMembers(given)) return reject('InvalidRequest', 'parameters is not a map of strings.');
  const entries = Object.entries(given);
  if (entries.length > MAX_PARAMETERS) reject('InvalidRequest', `There can be at most ${MAX_PARAMETERS} parameters.`);
  return Object.fromEntries(
    entries.map(([name, value]) => {
      if (typeof value !== 'string') return reject('InvalidRequest', `The parameter ${name.slice(0, 128)} is not a string.`);
      if (value.length > MAX_PARAMETER) return reject('InvalidRequest', `The parameter ${name.slice(0, 128)} is too long.`);
      return [name, value];
    }),
  );
}

export class FleetProvisioning {
  readonly #deps: FleetProvisioningDeps;
  readonly #keys = new Buckets(KEYS_RATE.perSecond, KEYS_RATE.burst);
  readonly #requests = new Buckets(RATE.perSecond, RATE.burst);

  constructor(deps: FleetProvisioningDeps) {
    this.#deps = deps;
  }

  async createKeysAndCertificate(requester: Requester): Promise<object> {
    this.#mayAsk(this.#keys, requester);
    const { privateKeyPem, ...issued } = await this.#deps.issuer.issueWithNewKey();
    const offered = await this.#offer(requester, issued);
    // The private key goes into the answer and nowhere else.
    return { ...offered, privateKey: privateKeyPem };
  }

  async createCertificateFromCsr(requester: Requester, request: unknown): Promise<object> {
    this.#mayAsk(this.#requests, requester);
    if (typeof request !== 'string' || request === '')
      return reject('InvalidRequest', 'Certificate signing request cannot be empty.');
    const { issuer } = this.#deps;
    return this.#offer(requester, await issuer.issue(issuer.prepareFromCsr(request)));
  }

  async registerThing(requester: Requester, templateName: string, token: unknown, given: unknown): Promise<object> {
    this.#mayAsk(this.#requests, requester);
    // AWS's words, as users of its SDKs report them.
    if (token === undefined || token === null || token === '')
      return reject('InvalidCertificateOwnershipToken', 'Certificate ownership token cannot be empty.');
    if (typeof token !== 'string' || token.length > MAX_TOKEN) return this.#invalidToken();
    const parameters = readParameters(given);
    const { place } = requester;
    const { store, record, ownership } = await this.#open(requester, templateName, token);
    const template = readTemplate(defaultVersion(record).body, 'fleet');
    const values = { ...parameters, [CERTIFICATE_ID]: ownership.certificateId };
    const missing = missingParameters(template, values);
    if (missing.length > 0) reject('InvalidParameters', `Parameters must have a value: ${missing.join(', ').slice(0, 512)}`);
    const plan = planOf(template, values);
    if (plan.certificate?.value !== ownership.certificateId)
      reject(
        'InvalidRequest',
        'The template does not take the certificate of the token: its certificate is not a reference to it.',
      );
    const rights = await roleRights(this.#deps.findRole, place, record.provisioningRoleArn, templateArn(place, templateName));
    const { thingName } = await store.write(async (tx) => {
      const now = this.#deps.clock.now();
      // Of two requests with one token the second one finds it used.
      const current = (await ownershipOf(tx, requester, token, now)) ?? this.#invalidToken();
      await takeCertificate(tx, place, current);
      return provision(tx, plan, { place, now, rights });
    });
    return { deviceConfiguration: plan.deviceConfiguration, ...defined({ thingName }) };
  }

  async #open(
    requester: Requester,
    templateName: string,
    token: string,
  ): Promise<{ readonly store: Store; readonly record: TemplateRecord; readonly ownership: OwnershipRecord }> {
    const { place } = requester;
    const store = this.#deps.inRegion(place.region);
    const [record, ownership] = await store.read(async (tx) => [
      await tx.get(provisioningTemplates, [place.accountId, templateName]),
      await ownershipOf(tx, requester, token, this.#deps.clock.now()),
    ]);
    if (record?.type !== 'FLEET_PROVISIONING')
      return reject(
        'ResourceNotFound',
        'The provisioning template does not exist.',
        `there is no fleet provisioning template ${templateName}`,
      );
    if (!record.enabled) return reject('ResourceNotFound', 'The provisioning template is disabled.');
    return { store, record, ownership: ownership ?? this.#invalidToken() };
  }

  /** The same words for every fault of a token: nothing is told of others'. */
  #invalidToken(): never {
    return reject('InvalidCertificateOwnershipToken', 'Certificate ownership token is invalid or has expired.');
  }

  #mayAsk(buckets: Buckets, { place }: Requester): void {
    if (!buckets.take(accountKey(place), this.#deps.clock.monotonic())) reject('Throttled', 'Rate exceeded');
  }

  async #offer(requester: Requester, issued: IssuedCertificate): Promise<object> {
    const { certificateId, certificatePem } = issued;
    const { place } = requester;
    const certificateOwnershipToken = await this.#deps.inRegion(place.region).write(async (tx) => {
      const now = this.#deps.clock.now();
      await keepIssuedCertificate(tx, place, issued, 'PENDING_ACTIVATION', now);
      return offerCertificate(tx, requester, certificateId, now);
    });
    return { certificateId, certificatePem, certificateOwnershipToken };
  }
}
