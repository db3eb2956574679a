/**
 * Which permissions of IAM policies an API call needs: actions, and the ARNs that they are asked on. Which operation knows which
 * resources is in resources.json, after AWS's Service Authorization Reference. A row there is a list; each of its entries is
 * what stands behind the account in an ARN, with members of the input in braces, or `@member` for a member that is an ARN
 * itself; `|` parts what is taken when the first is not given. A member that is a list gives an ARN for each of its values.
 */
import type { CallInput } from './authorization.ts';
import type { Place } from '../arn.ts';
import { CREDENTIALS_SERVICE, IOT_SERVICE, LAMBDA_SERVICE } from '../service-principals.ts';
import { type NeededPermission, neededPermissions } from './data-permissions.ts';
import resources from './resources.json' with { type: 'json' };
import { parseFunctionReference } from './function-reference.ts';
import { membersOf, type Operation, type ServiceName, shapeOf } from './table.ts';

/** What stands before the colon of an action, by the service of the operation table. */
export const PREFIXES: Readonly<Record<ServiceName, string>> = {
  iot: 'iot',
  'iot-data': 'iot',
  'iot-jobs-data': 'iotjobsdata',
  lambda: 'lambda',
};

/** Operations whose action has another name. */
const ACTIONS: Readonly<Record<string, string>> = {
  'lambda:Invoke': 'lambda:InvokeFunction',
  // Served beside jobs, and of AWS IoT nevertheless (Service Authorization Reference).
  'iotjobsdata:StartCommandExecution': 'iot:StartCommandExecution',
};

/** What stands before the account's number in ARNs of jobs' executions is the service that keeps things. */
const ARN_SERVICES: Readonly<Record<string, string>> = { iotjobsdata: 'iot' };

const TABLE: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = resources;

const MEMBER = /\{(\w+)\}/;

const valuesOf = (input: CallInput, member: string): readonly string[] => {
  const value = Object.hasOwn(input, member) ? input[member] : undefined;
  if (Array.isArray(value)) return value.map(String);
  // Where JSON was not validated, null is a member that is not given.
  if (value === undefined || value === null) return [];
  // Ids of certificates are the same in upper and lower case.
  return [member === 'certificateId' ? String(value).toLowerCase() : String(value)];
};

/** A template with every member put in; empty when one is not given. What a value holds is text, braces too. */
const filled = (template: string, input: CallInput): readonly string[] =>
  template.split(MEMBER).reduce<readonly string[]>(
    // Every second part is what stood in braces.
    (texts, part, index) => {
      const values = index % 2 === 0 ? [part] : valuesOf(input, part);
      return texts.flatMap((text) => values.map((value) => `${text}${value}`));
    },
    [''],
  );

/** A function is named by its name, by its ARN or by a part of that; a version or alias may follow. */
function functionArn(head: string, input: CallInput): readonly string[] {
  const [text = ''] = valuesOf(input, 'FunctionName');
  const { region, accountId, name = text, qualifier: inName } = parseFunctionReference(text) ?? {};
  const [qualifier = inName] = valuesOf(input, 'Qualifier');
  const [arn = '', aws = '', service = '', ownRegion = '', ownAccount = ''] = head.split(':');
  const place = [arn, aws, service, region ?? ownRegion, accountId ?? ownAccount].join(':');
  return [`${place}:function:${name}${qualifier === undefined || qualifier === '$LATEST' ? '' : `:${qualifier}`}`];
}

/**
 * A log group by its name, or by name or ARN as an identifier; the right is asked on both where both are given. What is about
 * a whole group is asked on the streams of it, in none: CloudWatch Logs names it so when it refuses.
 */
function logStreamArn(head: string, input: CallInput): readonly string[] {
  const given = [...valuesOf(input, 'logGroupIdentifier'), ...valuesOf(input, 'logGroupName')];
  const [stream = ''] = valuesOf(input, 'logStreamName');
  return (given.length === 0 ? [''] : given).map((identifier) => {
    const group = identifier.startsWith('arn:') ? identifier.replace(/:\*$/, '') : `${head}log-group:${identifier}`;
    return `${group}:log-stream:${stream}`;
  });
}

/** Templates that are not filled in by members as they come. */
const NAMED: Readonly<Record<string, (head: string, input: CallInput) => readonly string[]>> = {
  'function:{FunctionName}': functionArn,
  'log-group:{group}:log-stream:{logStreamName}': logStreamArn,
};

function arnsOf(entry: string, head: string, input: CallInput): readonly string[] {
  for (const template of entry.split('|')) {
    const named = NAMED[template];
    if (named !== undefined) return named(head, input);
    const arns = template.startsWith('@')
      ? valuesOf(input, template.slice(1))
      : filled(template, input).map((resource) => `${head}${resource}`);
    if (arns.length > 0) return arns;
  }
  return [];
}

/** The ARNs that an operation is about; `*` alone when it knows none. */
export function resourcesOf(prefix: string, operation: string, input: object, { region, accountId }: Place): readonly string[] {
  const rows = TABLE[prefix] ?? {};
  const entries = Object.hasOwn(rows, operation) ? (rows[operation] ?? []) : [];
  const head = `arn:aws:${ARN_SERVICES[prefix] ?? prefix}:${region}:${accountId}:`;
  const arns = entries.flatMap((entry) => arnsOf(entry, head, input as CallInput));
  return arns.length === 0 ? ['*'] : [...new Set(arns)];
}

/** Permissions that an operation needs by itself, for services without a row in the operation table too. */
export const operationPermissions = (
  prefix: string,
  operation: string,
  input: object,
  place: Place,
): readonly NeededPermission[] =>
  resourcesOf(prefix, operation, input, place).map((resource) => ({
    action: ACTIONS[`${prefix}:${operation}`] ?? `${prefix}:${operation}`,
    resource,
  }));

/** Service that a role is passed to, by operation; every other operation of AWS IoT passes it to AWS IoT. */
const PASSED_TO: Readonly<Record<string, string>> = {
  CreateRoleAlias: CREDENTIALS_SERVICE,
  UpdateRoleAlias: CREDENTIALS_SERVICE,
};

const ROLE_MEMBER = /^Role$|roleArn(?:ForLogging)?$/i;

/**
 * ARNs of roles in an input: members whose names end in `roleArn` or `roleArnForLogging`, and Lambda's `Role`. Keys of a map
 * are the caller's own words (a thing's attribute, a function's environment), and mean nothing here; structures in it are as
 * any.
 */
function rolesIn(service: ServiceName, value: unknown, shapeName: string): readonly string[] {
  if (value === undefined) return [];
  const shape = shapeOf(service, shapeName);
  if (shape.type === 'list') return (value as unknown[]).flatMap((each) => rolesIn(service, each, shape.member ?? ''));
  if (shape.type === 'map') return Object.values(value as CallInput).flatMap((each) => rolesIn(service, each, shape.value ?? ''));
  if (shape.type !== 'structure') return [];
  return membersOf(shape).flatMap(([name, { shape: of }]) => {
    const given = (value as CallInput)[name];
    return typeof given === 'string' ? (ROLE_MEMBER.test(name) ? [given] : []) : rolesIn(service, given, of);
  });
}

/** ARNs of roles that a call hands to a service. */
export const rolesPassed = ({ service, input: shape }: Operation, input: object): readonly string[] =>
  shape === undefined || (service !== 'iot' && service !== 'lambda') ? [] : [...new Set(rolesIn(service, input, shape))];

/** `iam:PassRole` on each role that the call hands to a service (IAM user guide, page id_roles_use_passrole). */
function passedRoles(operation: Operation, input: object): readonly NeededPermission[] {
  const passedTo = operation.service === 'lambda' ? LAMBDA_SERVICE : (PASSED_TO[operation.name] ?? IOT_SERVICE);
  return rolesPassed(operation, input).map((resource) => ({
    action: 'iam:PassRole',
    resource,
    keys: [['iam:PassedToService', passedTo]],
  }));
}

/** Operations that need another action, too (API reference, CreatePackage and CreatePackageVersion). */
const ALSO: Readonly<Record<string, string>> = {
  CreatePackage: 'iot:GetIndexingConfiguration',
  CreatePackageVersion: 'iot:GetIndexingConfiguration',
};

/** Everything that a call of an operation of the table needs. */
export function callPermissions(operation: Operation, input: object, place: Place): readonly NeededPermission[] {
  const own =
    neededPermissions(operation, input, place) ?? operationPermissions(PREFIXES[operation.service], operation.name, input, place);
  const also = operation.service === 'iot' ? ALSO[operation.name] : undefined;
  const more = also === undefined ? [] : [{ action: also, resource: '*' }];
  return [...own, ...more, ...passedRoles(operation, input)];
}
