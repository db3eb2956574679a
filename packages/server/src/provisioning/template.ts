/**
 * A provisioning template, read from its body: parameters, resources and, of fleet provisioning, the device's configuration.
 * Source: AWS IoT developer guide, page provision-template.
 */
import { JsonError, type JsonObject, type JsonValue, parseJson } from '@thingkeep/wire/api/parse-json.ts';
import { isObject } from '@thingkeep/wire/is-object.ts';
import {
  type ExpressionContext,
  invalidBody,
  type Mappings,
  readDocument,
  readList,
  readText,
  readTexts,
  type TemplateScope,
  type TextExpression,
  type ListExpression,
} from './expressions.ts';

/** What a template is for. `registration`: RegisterThing and bulk registration. */
export type TemplateUse = 'fleet' | 'jitp' | 'registration';

export type Override = 'DO_NOTHING' | 'REPLACE' | 'FAIL' | 'MERGE';

interface Resource {
  /** Its name in the template. */
  readonly logicalName: string;
}

export interface ThingResource extends Resource {
  readonly thingName: TextExpression | undefined;
  readonly attributes: ((scope: TemplateScope) => Readonly<Record<string, string>>) | undefined;
  readonly thingTypeName: TextExpression | undefined;
  readonly thingGroups: ListExpression | undefined;
  readonly billingGroup: TextExpression | undefined;
  /** ARNs of package versions, or what follows `package/` in them. */
  readonly packageVersions: ListExpression | undefined;
  readonly overrides: { readonly attributes: Override; readonly thingTypeName: Override; readonly thingGroups: Override };
}

/** Where the certificate comes from. */
export type CertificateSource = 'CertificateId' | 'CertificateSigningRequest' | 'CertificatePem';

export interface CertificateResource extends Resource {
  readonly source: CertificateSource;
  readonly value: TextExpression;
  readonly caCertificatePem: TextExpression | undefined;
  readonly status: TextExpression | undefined;
  readonly thingPrincipalType: TextExpression | undefined;
  readonly override: Override;
}

export interface PolicyResource extends Resource {
  readonly policyName: TextExpression | undefined;
  /** The document as it is to be stored. */
  readonly document: TextExpression | undefined;
}

export interface ProvisioningTemplate {
  /** Declared parameters with their defaults. */
  readonly parameters: ReadonlyMap<string, string | undefined>;
  readonly thing: ThingResource | undefined;
  readonly certificate: CertificateResource | undefined;
  readonly policies: readonly PolicyResource[];
  readonly deviceConfiguration: (scope: TemplateScope) => Readonly<Record<string, string>>;
}

/** The pseudo parameter that the service fills in. */
export const CERTIFICATE_ID = 'AWS::IoT::Certificate::Id';

const MAX_DEPTH = 32;
/** General Reference, AWS IoT Core quotas: policies on a certificate. */
const MAX_POLICIES = 10;
const MAX_PARAMETERS = 100;

function object(value: JsonValue | undefined, at: string): JsonObject {
  if (value === undefined) return invalidBody(`${at} is missing`);
  return isObject(value) ? value : invalidBody(`${at} is not an object`);
}

function checkMembers(value: JsonObject, known: readonly string[], at: string): void {
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown !== undefined) invalidBody(`${at} has an unknown member, ${unknown.slice(0, 128)}`);
}

function readParameters(value: JsonValue | undefined): ReadonlyMap<string, string | undefined> {
  const declared = Object.entries(value === undefined ? {} : object(value, 'Parameters'));
  if (declared.length > MAX_PARAMETERS) invalidBody(`there are more than ${MAX_PARAMETERS} parameters`);
  return new Map(
    declared.map(([name, given]) => {
      const { Type: type, Default: preset } = object(given, `Parameters.${name}`);
      if (type !== 'String') invalidBody(`the type of parameter ${name.slice(0, 128)} is not String`);
      if (preset !== undefined && typeof preset !== 'string') invalidBody(`the default of parameter ${name} is not a string`);
      return [name, typeof preset === 'string' ? preset : undefined];
    }),
  );
}

/** A map of maps of strings, without expressions. */
function readMappings(value: JsonValue | undefined): Mappings {
  const maps = Object.entries(value === undefined ? {} : object(value, 'Mappings'));
  return new Map(
    maps.map(([name, map]) => [
      name,
      new Map(
        Object.entries(object(map, `Mappings.${name}`)).map(([top, values]) => [
          top,
          new Map(
            Object.entries(object(values, `Mappings.${name}.${top}`)).map(([key, text]) => [
              key,
              typeof text === 'string' ? text : invalidBody(`Mappings.${name}.${top}.${key} is not a string`),
            ]),
          ),
        ]),
      ),
    ]),
  );
}

/** Both spellings of a setting: the examples' and that of the page's list. */
const SETTINGS: Readonly<Record<string, string>> = {
  ATTRIBUTE_PAYLOAD: 'AttributePayload',
  THING_TYPE_NAME: 'ThingTypeName',
  THING_GROUPS: 'ThingGroups',
  STATUS: 'Status',
};

const OVERRIDES: readonly Override[] = ['DO_NOTHING', 'REPLACE', 'FAIL', 'MERGE'];

/** The settings of a resource by the name of the property; those that may merge are in `merging`. */
function readOverrides(
  value: JsonValue | undefined,
  at: string,
  properties: readonly string[],
  merging: readonly string[],
): (property: string) => Override {
  const settings = new Map<string, Override>();
  for (const [name, given] of Object.entries(value === undefined ? {} : object(value, at))) {
    const property = SETTINGS[name] ?? name;
    const override = OVERRIDES.find((each) => each === given);
    if (!properties.includes(property)) invalidBody(`${at} can not have ${name.slice(0, 128)}`);
    if (override === undefined || (override === 'MERGE' && !merging.includes(property)))
      return invalidBody(`${at}.${name} has an unknown value`);
    settings.set(property, override);
  }
  return (property) => settings.get(property) ?? 'DO_NOTHING';
}

interface ResourceBody {
  readonly logicalName: string;
  readonly at: string;
  readonly properties: JsonObject;
  readonly settings: JsonValue | undefined;
}

/** Reads members of a resource's properties. */
class PropertyReader {
  readonly #body: ResourceBody;
  readonly #context: Omit<ExpressionContext, 'at'>;

  constructor(body: ResourceBody, context: Omit<ExpressionContext, 'at'>) {
    this.#body = body;
    this.#context = context;
  }

  read<T>(name: string, as: (value: JsonValue, context: ExpressionContext) => T): T | undefined {
    const { properties, at } = this.#body;
    const value = properties[name];
    return value === undefined ? undefined : as(value, { ...this.#context, at: `${at}.Properties.${name}` });
  }
}

const THING = ['ThingName', 'AttributePayload', 'ThingTypeName', 'ThingGroups', 'BillingGroup', 'PackageVersions'];

/** AttributePayload is a map of names and values; one that is written as in CreateThing is taken too. */
function readAttributes(value: JsonValue, context: ExpressionContext) {
  const inner = isObject(value) ? value.attributes : undefined;
  return readTexts(inner !== undefined && isObject(inner) ? inner : value, context);
}

/** Package versions are a map of names of packages and versions, or a list of ARNs. */
function readPackageVersions(value: JsonValue, context: ExpressionContext): ListExpression {
  if (Array.isArray(value)) return readList(value, context);
  const versions = readTexts(value, context);
  return (scope) => Object.entries(versions(scope)).map(([name, version]) => `${name}/version/${version}`);
}

function readThing(body: ResourceBody, context: Omit<ExpressionContext, 'at'>): ThingResource {
  const { logicalName, at, properties, settings } = body;
  checkMembers(properties, THING, `${at}.Properties`);
  const reader = new PropertyReader(body, context);
  const overridable = ['AttributePayload', 'ThingTypeName', 'ThingGroups'];
  const merging = ['AttributePayload', 'ThingGroups'];
  const override = readOverrides(settings, `${at}.OverrideSettings`, overridable, merging);
  return {
    logicalName,
    thingName: reader.read('ThingName', readText),
    attributes: reader.read('AttributePayload', readAttributes),
    thingTypeName: reader.read('ThingTypeName', readText),
    thingGroups: reader.read('ThingGroups', readList),
    billingGroup: reader.read('BillingGroup', readText),
    packageVersions: reader.read('PackageVersions', readPackageVersions),
    overrides: {
      attributes: override('AttributePayload'),
      thingTypeName: override('ThingTypeName'),
      thingGroups: override('ThingGroups'),
    },
  };
}

const SOURCES: readonly CertificateSource[] = ['CertificateId', 'CertificateSigningRequest', 'CertificatePem'];
const CERTIFICATE = [...SOURCES, 'CACertificatePem', 'Status', 'ThingPrincipalType'];

function readCertificate(given: ResourceBody, context: Omit<ExpressionContext, 'at'>, use: TemplateUse): CertificateResource {
  // The page writes it in both ways.
  const { CertificateID: other, ...rest } = given.properties;
  const properties: JsonObject = other === undefined ? rest : { CertificateId: other, ...rest };
  const body = { ...given, properties };
  const { logicalName, at, settings } = body;
  checkMembers(properties, CERTIFICATE, `${at}.Properties`);
  const [source, ...more] = SOURCES.filter((name) => properties[name] !== undefined);
  if (source === undefined || more.length > 0) return invalidBody(`${at} must define one property: ${SOURCES.join(', ')}`);
  if (use !== 'registration' && source !== 'CertificateId')
    return invalidBody(`${at} must define CertificateId: a template of this type has no other certificate`);
  const reader = new PropertyReader(body, context);
  return {
    logicalName,
    source,
    value: reader.read(source, readText) ?? invalidBody(`${at}.${source} is missing`),
    caCertificatePem: reader.read('CACertificatePem', readText),
    status: reader.read('Status', readText),
    thingPrincipalType: reader.read('ThingPrincipalType', readText),
    override: readOverrides(settings, `${at}.OverrideSettings`, ['Status'], [])('Status'),
  };
}

/** A document is a string, or an object that becomes one. */
function readPolicyDocument(value: JsonValue, context: ExpressionContext): TextExpression {
  const document = readDocument(value, context);
  return (scope) => {
    const evaluated = document(scope);
    return typeof evaluated === 'string' ? evaluated : JSON.stringify(evaluated);
  };
}

function readPolicy(body: ResourceBody, context: Omit<ExpressionContext, 'at'>): PolicyResource {
  const { logicalName, at, properties, settings } = body;
  checkMembers(properties, ['PolicyName', 'PolicyDocument'], `${at}.Properties`);
  const { PolicyName: name, PolicyDocument: document } = properties;
  // AWS's words (probe pf-iot-provisioningtemplate-policy-exclusive of cdk-preflight).
  if ((name === undefined) === (document === undefined))
    invalidBody('Policy resources must define one property: PolicyName or PolicyDocument');
  if (settings !== undefined) invalidBody(`${at} can not have OverrideSettings`);
  const reader = new PropertyReader(body, { ...context, join: false });
  return {
    logicalName,
    policyName: reader.read('PolicyName', readText),
    document: reader.read('PolicyDocument', readPolicyDocument),
  };
}

function readBody(body: string): JsonObject {
  try {
    const value = parseJson(body, MAX_DEPTH);
    return isObject(value) ? value : invalidBody('it is not a JSON object');
  } catch (error) {
    if (error instanceof JsonError) return invalidBody(error.message);
    throw error;
  }
}

const SECTIONS = ['Parameters', 'Resources'];
const FLEET_SECTIONS = ['Mappings', 'DeviceConfiguration'];

/** The template of a body. Fails with InvalidRequestException for one that can't work. */
export function readTemplate(text: string, use: TemplateUse): ProvisioningTemplate {
  const body = readBody(text);
  checkMembers(body, [...SECTIONS, ...(use === 'fleet' ? FLEET_SECTIONS : []), 'Version', 'Description'], 'the template');
  const parameters = readParameters(body.Parameters);
  const context = {
    parameters: new Set([...parameters.keys(), ...(use === 'registration' ? [] : [CERTIFICATE_ID])]),
    mappings: readMappings(body.Mappings),
    functions: use === 'fleet',
    join: true,
  };
  const things: ThingResource[] = [];
  const certificates: CertificateResource[] = [];
  const policies: PolicyResource[] = [];
  for (const [logicalName, value] of Object.entries(object(body.Resources, 'Resources'))) {
    const at = `Resources.${logicalName.slice(0, 128)}`;
    const { Type: type, Properties: given, OverrideSettings: settings, ...more } = object(value, at);
    checkMembers(more, [], at);
    const resource = { logicalName, at, properties: object(given, `${at}.Properties`), settings };
    if (type === 'AWS::IoT::Thing') things.push(readThing(resource, context));
    else if (type === 'AWS::IoT::Certificate') certificates.push(readCertificate(resource, context, use));
    else if (type === 'AWS::IoT::Policy') policies.push(readPolicy(resource, context));
    else invalidBody(`the type of ${at} is none of AWS::IoT::Thing, AWS::IoT::Certificate, AWS::IoT::Policy`);
  }
  if (things.length > 1) invalidBody('it has more than one thing');
  if (certificates.length > 1) invalidBody('it has more than one certificate');
  if (policies.length > MAX_POLICIES) invalidBody(`it has more than ${MAX_POLICIES} policies`);
  const configuration = body.DeviceConfiguration;
  return {
    parameters,
    thing: things[0],
    certificate: certificates[0],
    policies,
    deviceConfiguration:
      configuration === undefined ? () => ({}) : readTexts(configuration, { ...context, at: 'DeviceConfiguration' }),
  };
}
