/**
 * Just-in-time provisioning: the template that a CA names is executed for a certificate which that CA's auto-registration has
 * registered, with the rights of the template's role. Source: AWS IoT developer guide, page jit-provisioning.
 */
import { fail } from '@thingkeep/wire/errors.ts';
import { caCertificateArn } from '../registry/ca-certificates.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store } from '../store/contract.ts';
import type { JustInTimeProvisioning, JustInTimeRequest } from './contract.ts';
import { provision } from './execution.ts';
import { type GivenParameters, missingParameters, planOf, type ProvisioningPlan } from './plan.ts';
import { roleRights } from './rights.ts';
import type { FindRole } from '@thingkeep/wire/api/authorization.ts';
import { provisioningTemplates } from './store.ts';
import { type ProvisioningTemplate, readTemplate } from './template.ts';
import { defaultVersion, templateArn } from './templates.ts';

export interface TemplateProvisioningDeps {
  readonly clock: Clock;
  readonly findRole: FindRole;
  readonly inRegion: (region: string) => Store;
}

/** A template's body, its role, and what AWS IoT assumes the role for. */
interface TemplateSource {
  readonly body: string;
  readonly roleArn: string;
  readonly sourceArn: string;
}

const refuse = (why: string): never => fail('ResourceRegistrationFailureException', why);

/** The certificate's subject must give what the template has no default for: nothing else gives parameters. */
function checkParameters(template: ProvisioningTemplate, given: GivenParameters): void {
  const [missing] = missingParameters(template, given);
  if (missing === undefined) return;
  refuse(`Parameter ${missing} must have a value, and the certificate gives these: ${Object.keys(given).join(', ')}.`);
}

/** The template must be for the one certificate that has come: it would be told as provisioned, and never be activated. */
function checkCertificate({ certificate }: ProvisioningPlan, certificateId: string): void {
  if (certificate?.source !== 'CertificateId' || certificate.value !== certificateId)
    refuse('The template has no certificate whose CertificateId is {"Ref": "AWS::IoT::Certificate::Id"}.');
}

export class TemplateProvisioning implements JustInTimeProvisioning {
  readonly #deps: TemplateProvisioningDeps;

  constructor(deps: TemplateProvisioningDeps) {
    this.#deps = deps;
  }

  async provision(request: JustInTimeRequest): Promise<void> {
    const { clock, findRole, inRegion } = this.#deps;
    const { place, certificateId, parameters } = request;
    const { body, roleArn, sourceArn } = await this.#source(request);
    const template = readTemplate(body, 'jitp');
    checkParameters(template, parameters);
    const plan = planOf(template, parameters);
    checkCertificate(plan, certificateId);
    const rights = await roleRights(findRole, place, roleArn, sourceArn);
    await inRegion(place.region).write((tx) => provision(tx, plan, { place, now: clock.now(), rights }));
  }

  async #source({ place, caCertificateId, config }: JustInTimeRequest): Promise<TemplateSource> {
    const { templateName, templateBody, roleArn } = config;
    if (templateName !== undefined) return this.#named(place, templateName);
    if (templateBody === undefined) return refuse('The CA certificate names no template.');
    if (roleArn === undefined) return refuse('The registration configuration of the CA certificate has no roleArn.');
    return { body: templateBody, roleArn, sourceArn: caCertificateArn(place, caCertificateId) };
  }

  async #named(place: JustInTimeRequest['place'], templateName: string): Promise<TemplateSource> {
    const { accountId, region } = place;
    const store = this.#deps.inRegion(region);
    const record = await store.read((tx) => tx.get(provisioningTemplates, [accountId, templateName]));
    if (record === undefined) return refuse(`The template ${templateName} does not exist.`);
    if (record.type !== 'JITP') return refuse(`The template ${templateName} is not of the type JITP.`);
    if (!record.enabled) return refuse(`The template ${templateName} is not enabled.`);
    const { provisioningRoleArn: roleArn } = record;
    return { body: defaultVersion(record).body, roleArn, sourceArn: templateArn(place, templateName) };
  }
}
