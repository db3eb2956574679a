/** The plan of a provisioning: a template's resources with the values that parameters have given them. */
import { createHash } from 'node:crypto';
import { defined } from '@thingkeep/wire/defined.ts';
import { MAX_EVALUATED, registrationFailure, type TemplateScope } from './expressions.ts';
import { isMembers } from '../payloads/payloads.ts';
import type {
  CertificateResource,
  CertificateSource,
  Override,
  PolicyResource,
  ProvisioningTemplate,
  ThingResource,
} from './template.ts';

export interface ThingPlan extends Pick<ThingResource, 'logicalName' | 'overrides'> {
  readonly thingName: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly thingTypeName?: string;
  readonly thingGroups?: readonly string[];
  readonly billingGroup?: string;
  /** ARNs of package versions, or what follows `package/` in them. */
  readonly packageVersions?: readonly string[];
}

export interface CertificatePlan {
  readonly logicalName: string;
  readonly source: CertificateSource;
  /** Id, certificate signing request or certificate, as `source` says. */
  readonly value: string;
  readonly caCertificatePem?: string;
  readonly status: 'ACTIVE' | 'INACTIVE';
  readonly exclusive: boolean;
  readonly override: Override;
}

export interface PolicyPlan {
  readonly logicalName: string;
  readonly policyName: string;
  /** Undefined where the policy has to be there already. */
  readonly document: string | undefined;
}

export interface ProvisioningPlan {
  readonly thing: ThingPlan | undefined;
  readonly certificate: CertificatePlan | undefined;
  readonly policies: readonly PolicyPlan[];
  readonly deviceConfiguration: Readonly<Record<string, string>>;
}

export type GivenParameters = Readonly<Record<string, string>>;

const MAX_PARAMETERS = 100;
const MAX_PARAMETER = 32_768;

/** Parameters that a device or a hook gives: texts by their names; or a sentence that says why they are none. */
export function readGivenParameters(given: unknown): GivenParameters | string {
  if (given === undefined || given === null) return {};
  if (!isMembers(given)) return 'parameters are not a map of strings.';
  const entries = Object.entries(given);
  if (entries.length > MAX_PARAMETERS) return `there are more than ${MAX_PARAMETERS} parameters.`;
  const texts: [string, string][] = [];
  for (const [name, value] of entries) {
    if (typeof value !== 'string') return `the parameter ${name.slice(0, 128)} is not a string.`;
    if (value.length > MAX_PARAMETER) return `the parameter ${name.slice(0, 128)} has more than ${MAX_PARAMETER} characters.`;
    texts.push([name, value]);
  }
  return Object.fromEntries(texts);
}

/** Declared parameters that have neither a value nor a default. */
export const missingParameters = ({ parameters }: ProvisioningTemplate, given: GivenParameters): readonly string[] =>
  [...parameters].flatMap(([name, preset]) => (preset === undefined && !Object.hasOwn(given, name) ? [name] : []));

const NAME = /^[a-zA-Z0-9:_-]{1,128}$/;
const POLICY_NAME = /^[\w+=,.@-]{1,128}$/;

const checked = (value: string, pattern: RegExp, what: string): string =>
  pattern.test(value) ? value : registrationFailure(`${what} is not valid: ${value.slice(0, 128)}`);

function thingPlan({ logicalName, overrides, ...thing }: ThingResource, scope: TemplateScope): ThingPlan {
  const at = `Resource ${logicalName}`;
  const thingName = thing.thingName?.(scope) ?? registrationFailure(`${at}: ThingName is missing.`);
  return {
    logicalName,
    overrides,
    thingName: checked(thingName, NAME, `${at}: ThingName`),
    ...defined({
      attributes: thing.attributes?.(scope),
      thingTypeName: thing.thingTypeName?.(scope),
      thingGroups: thing.thingGroups?.(scope),
      billingGroup: thing.billingGroup?.(scope),
      packageVersions: thing.packageVersions?.(scope),
    }),
  };
}

function certificatePlan(
  { logicalName, override, source, ...certificate }: CertificateResource,
  scope: TemplateScope,
): CertificatePlan {
  const at = `Resource ${logicalName}`;
  // The examples have `Active` too.
  const status = (certificate.status?.(scope) ?? 'ACTIVE').toUpperCase();
  if (status !== 'ACTIVE' && status !== 'INACTIVE')
    return registrationFailure(`${at}: Status is neither ACTIVE nor INACTIVE: ${status.slice(0, 32)}`);
  const type = certificate.thingPrincipalType?.(scope) ?? 'NON_EXCLUSIVE_THING';
  if (type !== 'EXCLUSIVE_THING' && type !== 'NON_EXCLUSIVE_THING')
    return registrationFailure(`${at}: ThingPrincipalType is neither EXCLUSIVE_THING nor NON_EXCLUSIVE_THING.`);
  const value = certificate.value(scope);
  return {
    logicalName,
    override,
    source,
    value: source === 'CertificateId' ? checked(value.toLowerCase(), /^[0-9a-f]{64}$/, `${at}: CertificateId`) : value,
    status,
    exclusive: type === 'EXCLUSIVE_THING',
    ...defined({ caCertificatePem: certificate.caCertificatePem?.(scope) }),
  };
}

function policyPlan({ logicalName, policyName, document }: PolicyResource, scope: TemplateScope): PolicyPlan {
  const text = document?.(scope);
  // "Defaults to a hash of the policy document."
  const name =
    policyName?.(scope) ??
    createHash('sha256')
      .update(text ?? '')
      .digest('hex');
  return { logicalName, policyName: checked(name, POLICY_NAME, `Resource ${logicalName}: PolicyName`), document: text };
}

/**
 * The plan of a template with these parameters; what is not declared is ignored. Fails with
 * ResourceRegistrationFailureException.
 */
export function planOf(template: ProvisioningTemplate, given: GivenParameters): ProvisioningPlan {
  const [missing] = missingParameters(template, given);
  if (missing !== undefined) registrationFailure(`Parameter ${missing} must have a value.`);
  const parameters = new Map(Object.entries(given));
  for (const [name, preset] of template.parameters) if (!parameters.has(name)) parameters.set(name, preset ?? '');
  const scope = { parameters, budget: { left: MAX_EVALUATED } };
  const { thing, certificate, policies, deviceConfiguration } = template;
  return {
    thing: thing === undefined ? undefined : thingPlan(thing, scope),
    certificate: certificate === undefined ? undefined : certificatePlan(certificate, scope),
    policies: policies.map((policy) => policyPlan(policy, scope)),
    deviceConfiguration: deviceConfiguration(scope),
  };
}
