/**
 * RegisterThing of fleet provisioning: a device shows its token, the template's hook is asked, and the template is executed with
 * the rights of its role. Source: AWS IoT developer guide, page fleet-provision-api.
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import { defined } from '@thingkeep/wire/defined.ts';
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import type { FunctionInvoker } from '../functions/contract.ts';
import { getCertificate } from '../registry/certificates.ts';
import type { CertificateRecord } from '../registry/store.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store } from '../store/contract.ts';
import { provision } from './execution.ts';
import { askHook } from './hook.ts';
import { type FleetRequester, ownershipOf, takeCertificate } from './ownership.ts';
import { type GivenParameters, missingParameters, planOf, type ProvisioningPlan, readGivenParameters } from './plan.ts';
import { ProvisioningRejection, type RejectionCode } from './rejections.ts';
import { type ProvisioningRights, roleRights } from './rights.ts';
import type { FindRole } from '@thingkeep/wire/api/authorization.ts';
import { provisioningTemplates, type TemplateRecord } from './store.ts';
import { CERTIFICATE_ID, readTemplate } from './template.ts';
import { defaultVersion, templateArn } from './templates.ts';

export interface FleetRegistrationDeps {
  readonly clock: Clock;
  readonly findRole: FindRole;
  readonly functions: FunctionInvoker;
  readonly inRegion: (region: string) => Store;
}

/** As it came. */
interface RegistrationRequest {
  readonly templateName: string;
  readonly token: unknown;
  readonly parameters: unknown;
}

const MAX_TOKEN = 2_048;

const reject = (code: RejectionCode, message: string, reason?: string): never => {
  throw new ProvisioningRejection(code, message, reason);
};

/** The same words for every fault of a token: nothing is told of others'. */
const invalidToken = (): never =>
  reject('InvalidCertificateOwnershipToken', 'Certificate ownership token is invalid or has expired.');

function readToken(token: unknown): string {
  // AWS's words, as users of its SDKs report them.
  if (token === undefined || token === null || token === '')
    return reject('InvalidCertificateOwnershipToken', 'Certificate ownership token cannot be empty.');
  return typeof token === 'string' && token.length <= MAX_TOKEN ? token : invalidToken();
}

function readParameters(given: unknown): GivenParameters {
  const parameters = readGivenParameters(given);
  return typeof parameters === 'string' ? reject('InvalidRequest', `The request is invalid: ${parameters}`) : parameters;
}

/** What a request is about. */
interface FoundRegistration {
  readonly record: TemplateRecord;
  readonly certificate: CertificateRecord;
}

export class FleetRegistration {
  readonly #deps: FleetRegistrationDeps;
  /** Tokens under way: a hook is asked once for one. */
  readonly #underWay = new Set<string>();

  constructor(deps: FleetRegistrationDeps) {
    this.#deps = deps;
  }

  async register(requester: FleetRequester, { templateName, token: shown, parameters }: RegistrationRequest): Promise<object> {
    const token = readToken(shown);
    const given = readParameters(parameters);
    const found = await this.#find(requester, templateName, token);
    const { tokenHash } = found;
    if (this.#underWay.has(tokenHash)) invalidToken();
    this.#underWay.add(tokenHash);
    try {
      const plan = await this.#plan(requester, found, given);
      return await this.#execute(requester, token, found, plan);
    } finally {
      this.#underWay.delete(tokenHash);
    }
  }

  async #find(
    requester: FleetRequester,
    templateName: string,
    token: string,
  ): Promise<FoundRegistration & { readonly tokenHash: string }> {
    const { accountId, region } = requester.place;
    return this.#deps.inRegion(region).read(async (tx) => {
      const record = await tx.get(provisioningTemplates, [accountId, templateName]);
      if (record?.type !== 'FLEET_PROVISIONING') {
        const why = `there is no fleet provisioning template ${templateName}`;
        return reject('ResourceNotFound', 'The provisioning template does not exist.', why);
      }
      if (!record.enabled) return reject('ResourceNotFound', 'The provisioning template is disabled.');
      const { certificateId, tokenHash } = (await ownershipOf(tx, requester, token, this.#deps.clock.now())) ?? invalidToken();
      return { record, tokenHash, certificate: await getCertificate(tx, accountId, certificateId) };
    });
  }

  /** What the template makes of the device's parameters and the hook's. */
  async #plan(
    { place, principal, clientId }: FleetRequester,
    { record, certificate: { certificateId, certificatePem } }: FoundRegistration,
    given: GivenParameters,
  ): Promise<ProvisioningPlan> {
    const arn = templateArn(place, record.templateName);
    const asked = { claimCertificateId: principal, certificateId, certificatePem, templateArn: arn, clientId, parameters: given };
    const overrides = record.hook === undefined ? {} : await askHook(this.#deps.functions, record.hook, place.accountId, asked);
    const template = readTemplate(defaultVersion(record).body, 'fleet');
    const values = { ...given, ...overrides, [CERTIFICATE_ID]: certificateId };
    const missing = missingParameters(template, values);
    if (missing.length > 0) reject('InvalidParameters', `Parameters must have a value: ${missing.join(', ').slice(0, 512)}`);
    const plan = planOf(template, values);
    if (plan.certificate?.value !== certificateId)
      reject('InvalidRequest', 'The certificate of the template is not a reference to the certificate of the token.');
    return plan;
  }

  /** A role that AWS IoT can't assume is the owner's fault, not the request's. */
  async #rights(place: Place, { provisioningRoleArn, templateName }: TemplateRecord): Promise<ProvisioningRights> {
    try {
      return await roleRights(this.#deps.findRole, place, provisioningRoleArn, templateArn(place, templateName));
    } catch (error) {
      if (!(error instanceof ThingkeepError) || error.code !== 'InvalidRequestException') throw error;
      throw new ProvisioningRejection('AccessDenied', 'The provisioning role is not authorized.', error.message, error);
    }
  }

  async #execute(
    requester: FleetRequester,
    token: string,
    { record }: FoundRegistration,
    plan: ProvisioningPlan,
  ): Promise<object> {
    const { place } = requester;
    const rights = await this.#rights(place, record);
    const { thingName } = await this.#deps.inRegion(place.region).write(async (tx) => {
      const now = this.#deps.clock.now();
      // Another server may have used the token meanwhile, and its time may be over.
      const ownership = (await ownershipOf(tx, requester, token, now)) ?? invalidToken();
      await takeCertificate(tx, place, ownership);
      return provision(tx, plan, { place, now, rights });
    });
    return { deviceConfiguration: plan.deviceConfiguration, ...defined({ thingName }) };
  }
}
