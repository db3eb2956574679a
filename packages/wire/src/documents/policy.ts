/**
 * The policy document: its grammar, checked whole, and its plain form.
 * Source: IAM user guide, page reference_policies_grammar; developer guide, pages iot-policies and iot-policy-actions.
 */
import { defined } from '../defined.ts';
import { type KnowsKey, knowsKeyOfDevices } from './condition-keys.ts';
import { conditionOperator, type ConditionOperator } from './policy-operators.ts';
import { malformed, parsePolicyJson, type PolicyFault, type PolicyJson, type PolicyJsonObject } from './policy-json.ts';
import { arnParts, parsePolicyText } from './policy-text.ts';

export interface PolicyDocument {
  readonly version: '2012-10-17' | '2008-10-17';
  readonly id?: string;
  readonly statements: readonly PolicyStatement[];
}

export interface PolicyStatement {
  readonly sid?: string;
  readonly effect: 'Allow' | 'Deny';
  readonly actions: readonly string[];
  /** The statement speaks of every action but these. */
  readonly notActions: boolean;
  readonly resources: readonly string[];
  /** The statement speaks of every resource but these. */
  readonly notResources: boolean;
  readonly conditions: readonly PolicyCondition[];
  /** Of a policy on a resource (a role's trust policy): whom it speaks of. */
  readonly principals?: readonly PolicyPrincipal[];
}

/** `kind` is AWS, Service, Federated or CanonicalUser; `*` in its place stands for everybody. */
export interface PolicyPrincipal {
  readonly kind: string;
  readonly value: string;
}

/** What differs between the kinds of policies that share the language. */
export interface PolicyGrammar {
  /** Most characters without whitespace. */
  readonly longest: number;
  /** An action, when it is not `*`. */
  readonly action: RegExp;
  /** A policy on a resource names principals and no resource: the resource is what it is on. */
  readonly onResource: boolean;
  /** Whether a condition may deny by the key. */
  readonly knowsKey: KnowsKey;
  /** What `Version` may say; a document without one is of 2008-10-17 all the same. */
  readonly versions: readonly string[];
}

export interface PolicyCondition extends ConditionOperator {
  /** As the document writes it, such as `ForAnyValue:StringEquals`. */
  readonly operator: string;
  readonly key: string;
  readonly values: readonly string[];
}

/** API reference CreatePolicyVersion: "Maximum length of 2048, excluding whitespace." */
export const LONGEST_POLICY = 2048;

const BLANK = /\s+/g;
/** Services whose actions the device guides print in AWS IoT policies. */
const ACTION = /^(?:iot|iotjobsdata|greengrass):[a-z0-9*?]+$/i;

export const VERSIONS: readonly string[] = ['2012-10-17', '2008-10-17'];

/** A policy of AWS IoT. */
export const IOT_POLICY: PolicyGrammar = {
  longest: LONGEST_POLICY,
  action: ACTION,
  onResource: false,
  knowsKey: knowsKeyOfDevices,
  versions: VERSIONS,
};
/** One that is made now: AWS refuses the older version (probe pf-iot-policy-document-version of cdk-preflight). */
const NEW_IOT_POLICY: PolicyGrammar = { ...IOT_POLICY, versions: ['2012-10-17'] };

const isObject = (json: PolicyJson | undefined): json is PolicyJsonObject => json instanceof Map;

/** Elements that belong to the other kind of policy. */
const MISPLACED: ReadonlyMap<string, PolicyFault> = new Map([
  ['Principal', 'misplaced-principal'],
  ['NotPrincipal', 'misplaced-principal'],
  ['Resource', 'misplaced-resource'],
  ['NotResource', 'misplaced-not-resource'],
]);
const NONE: ReadonlyMap<string, PolicyFault> = new Map();

const knownOnly = (object: PolicyJsonObject, names: readonly string[], where: string, misplaced = NONE): void => {
  for (const name of object.keys())
    if (!names.includes(name)) malformed(`${where} has the unknown element "${name.slice(0, 64)}"`, misplaced.get(name));
};

const text = (json: PolicyJson | undefined, where: string): string | undefined => {
  if (json === undefined || typeof json === 'string') return json;
  return malformed(`${where} is not a string`);
};

/** A string or a list of at least one. */
const strings = (json: PolicyJson | undefined, where: string, empty?: PolicyFault): readonly string[] => {
  const list = Array.isArray(json) ? json : [json];
  if (list.length === 0) malformed(`${where} is empty`, empty);
  return list.map((item) => (typeof item === 'string' && item !== '' ? item : malformed(`${where} holds what is not a string`)));
};

/** One of a pair of elements that exclude each other. */
const oneOf = (statement: PolicyJsonObject, name: 'Action' | 'Resource', where: string) => {
  const negated = `Not${name}`;
  const none = name === 'Action' ? 'no-actions' : 'no-resources';
  if (statement.has(name) === statement.has(negated))
    malformed(`${where} needs exactly one of ${name} and ${negated}`, statement.has(name) ? undefined : none);
  const not = statement.has(negated);
  return { not, values: strings(statement.get(not ? negated : name), `${where}.${not ? negated : name}`, none) };
};

const checkText = (value: string, variables: boolean, where: string) =>
  parsePolicyText(value, variables) ??
  malformed(`${where} holds a variable that is empty or does not end: ${value.slice(0, 128)}`);

function actionFault(action: string): PolicyFault {
  const [vendor = '', ...rest] = action.split(':');
  if (rest.length === 0) return 'action-without-vendor';
  if (rest.length > 1) return 'action-with-colons';
  return /[*?]/.test(vendor) ? 'action-vendor-wildcard' : 'unreadable';
}

const conditionValues = (json: PolicyJson, where: string): readonly string[] => {
  // An empty list is allowed here: the developer guide, page connect-policy, prints one for iot:ConnectAttributes.
  const list: readonly PolicyJson[] = Array.isArray(json) ? json : [json];
  return list.map((item) =>
    typeof item === 'string' || typeof item === 'number' || typeof item === 'boolean'
      ? String(item)
      : malformed(`${where} holds what is neither a string, a number nor a boolean`),
  );
};

function parseConditions(json: PolicyJson | undefined, variables: boolean, where: string): readonly PolicyCondition[] {
  if (json === undefined) return [];
  if (!isObject(json)) return malformed(`${where}.Condition is not an object`);
  return [...json].flatMap(([name, block]) => {
    const operator = conditionOperator(name) ?? malformed(`${where} has the unknown condition operator "${name.slice(0, 64)}"`);
    const place = `${where}.Condition.${name}`;
    if (!isObject(block) || block.size === 0) return malformed(`${place} names no condition key`);
    return [...block].map(([key, json]) => {
      if (key === '') malformed(`${place} has an empty condition key`);
      const values = conditionValues(json, `${place}.${key.slice(0, 64)}`);
      for (const value of values) checkText(value, variables, place);
      if (operator.family === 'Null' && !values.every((value) => value === 'true' || value === 'false')) {
        malformed(`${place} takes "true" or "false"`);
      }
      return { ...operator, operator: name, key, values };
    });
  });
}

const PRINCIPAL_KINDS = ['AWS', 'Service', 'Federated', 'CanonicalUser'];

function parsePrincipals(json: PolicyJson | undefined, where: string): readonly PolicyPrincipal[] {
  if (json === '*') return [{ kind: '*', value: '*' }];
  if (!isObject(json) || json.size === 0) return malformed(`${where}.Principal is neither "*" nor an object of principals`);
  knownOnly(json, PRINCIPAL_KINDS, `${where}.Principal`);
  return [...json].flatMap(([kind, values]) =>
    strings(values, `${where}.Principal.${kind}`).map((value) => ({ kind: kind === 'AWS' && value === '*' ? '*' : kind, value })),
  );
}

function parseResources(json: PolicyJsonObject, variables: boolean, where: string) {
  const resource = oneOf(json, 'Resource', where);
  for (const name of resource.values) {
    const tokens = checkText(name, variables, where);
    if (name !== '*' && arnParts(tokens) === undefined)
      malformed(
        `The resource ${name.slice(0, 128)} is not in valid ARN format`,
        name.startsWith('arn:') ? 'unreadable' : 'no-arn',
        name,
      );
  }
  return resource;
}

const STATEMENT = ['Sid', 'Effect', 'Action', 'NotAction', 'Condition'];
const ITS_RESOURCE = { not: false, values: ['*'] };

function parseStatement(json: PolicyJson, grammar: PolicyGrammar, variables: boolean, where: string): PolicyStatement {
  if (!isObject(json)) return malformed(`${where} is not an object`);
  const { onResource } = grammar;
  knownOnly(json, [...STATEMENT, ...(onResource ? ['Principal'] : ['Resource', 'NotResource'])], where, MISPLACED);
  const effect = json.get('Effect');
  if (effect !== 'Allow' && effect !== 'Deny')
    return typeof effect === 'string'
      ? malformed(`Invalid effect: ${effect.slice(0, 64)}`, 'unreadable')
      : malformed(`${where}.Effect is neither Allow nor Deny`);
  const action = oneOf(json, 'Action', where);
  for (const name of action.values) {
    if (name !== '*' && !grammar.action.test(name))
      malformed(`The following actions are invalid : ${name.slice(0, 128)}`, actionFault(name));
  }
  const resource = onResource ? ITS_RESOURCE : parseResources(json, variables, where);
  const sid = text(json.get('Sid'), `${where}.Sid`);
  return {
    ...defined({ sid }),
    effect,
    actions: action.values,
    notActions: action.not,
    resources: resource.values,
    notResources: resource.not,
    conditions: parseConditions(json.get('Condition'), variables, where),
    ...defined({ principals: onResource ? parsePrincipals(json.get('Principal'), where) : undefined }),
  };
}

/** Characters of a document as quotas count them: without whitespace. */
export const policySize = (document: string): number => document.replace(BLANK, '').length;

/** The document in its plain form; anything that is not exactly a policy fails with MalformedPolicyException. */
export function parsePolicyDocument(document: string, grammar: PolicyGrammar = IOT_POLICY): PolicyDocument {
  const size = policySize(document);
  if (size > grammar.longest) malformed(`it has ${size} characters without whitespace, more than ${grammar.longest}`);
  const json = parsePolicyJson(document);
  if (!isObject(json)) return malformed('it is not a JSON object');
  knownOnly(json, ['Version', 'Id', 'Statement'], 'the document');
  // IAM user guide, page reference_policies_elements_version: 2008-10-17 when there is none.
  const version = json.has('Version') ? json.get('Version') : '2008-10-17';
  if ((version !== '2012-10-17' && version !== '2008-10-17') || (json.has('Version') && !grammar.versions.includes(version)))
    return malformed('Unknown policy document version. It must be version 2012-10-17');
  const statement = json.get('Statement') ?? [];
  const list: readonly PolicyJson[] = Array.isArray(statement) ? statement : [statement];
  if (list.length === 0) malformed('Policy has no statements');
  const id = text(json.get('Id'), 'Id');
  const variables = version === '2012-10-17';
  return {
    version,
    ...defined({ id }),
    statements: list.map((item, index) => parseStatement(item, grammar, variables, `Statement[${index}]`)),
  };
}

/**
 * Fails with MalformedPolicyException for a Deny by a condition key that requests never have: it would deny nothing. Asked where
 * a document is stored; one that is stored already denies whatever such a key says.
 */
export function checkConditionKeys({ statements }: PolicyDocument, { knowsKey }: PolicyGrammar): void {
  for (const [index, { effect, conditions }] of statements.entries())
    for (const { key } of effect === 'Deny' ? conditions : [])
      if (!knowsKey(key))
        malformed(`Statement[${index}] denies by the condition key ${key.slice(0, 128)}, which is not supported here`);
}

/** A policy of AWS IoT that is made now. Fails with MalformedPolicyException. */
export const checkNewPolicy = (document: string): void =>
  checkConditionKeys(parsePolicyDocument(document, NEW_IOT_POLICY), NEW_IOT_POLICY);
