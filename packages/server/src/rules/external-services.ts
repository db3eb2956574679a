/**
 * What the SQL of rules asks of the world: functions, the registry, tables. A service that this server can't reach answers
 * as one that fails: the value is Undefined, and `get_or_default` sees it.
 */
import { randomUUID } from 'node:crypto';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { iotArn, type Place } from '@thingkeep/wire/arn.ts';
import { IOT_SERVICE } from '@thingkeep/wire/service-principals.ts';
import { FunctionError, type FunctionInvoker } from '../functions/contract.ts';
import { functionUrl } from '../functions/function-name.ts';
import { ActionError } from './actions/action-error.ts';
import type { AwsClients } from './actions/aws-clients.ts';
import type { Destinations } from './actions/destinations.ts';
import type { ExternalCall, ExternalFunction, ExternalServices } from './sql/contract.ts';
import { roleArgument } from './sql/functions/external.ts';
import { type ActionRole, serviceArn, type RolePermission } from './actions/role.ts';
import { tableArn } from './actions/dynamodb-values.ts';
import type { ActionRoles } from './action-roles.ts';
import { type RuleRecord, ruleArn } from './store.ts';

/**
 * What the registry knows, as its API gives it: `DescribeThing` or `ListThingGroupsForThing` of a thing. Rejects when it is not
 * there.
 */
export type AskRegistry = (place: Place, operation: string, thingName: string) => Promise<unknown>;

/** A thing's shadow as GetThingShadow gives it: the classic one without a name. Rejects when it is not there. */
export type AskShadow = (place: Place, thingName: string, shadowName: string | undefined) => Promise<unknown>;

export interface QueryServicesOptions {
  readonly functions: FunctionInvoker;
  readonly aws: AwsClients;
  readonly registry: AskRegistry;
  readonly shadow: AskShadow;
  /** URLs that functions may be at. */
  readonly destinations: Destinations;
  readonly actionRoles: ActionRoles;
  /** Told of a call that failed, for the rule's owner. */
  readonly failed: (failure: { place: Place; ruleName: string; topic: string; reason: string }) => void;
}

/** Milliseconds that a function has (developer guide, function aws_lambda), and a table. */
const PATIENCE = 2000;
const LARGEST_ANSWER = 128 * 1024;

const lacking = (name: string): never => {
  throw new ActionError(`${name} needs a service that this server does not have`, false);
};

/** The permission that a call's role must have. `args`: as {@link ExternalFunction} has them. */
function permissionOf(name: ExternalFunction, args: readonly unknown[], place: Place): RolePermission {
  const [first, second, third] = args.map(String);
  switch (name) {
    case 'get_dynamodb':
      return { action: 'dynamodb:GetItem', resource: tableArn(first, place) };
    case 'get_registry_data':
      return { action: `iot:${first}`, resource: iotArn(place, 'thing', second ?? '') };
    case 'get_thing_shadow':
      return {
        action: 'iot:GetThingShadow',
        resource: iotArn(place, 'thing', args.length > 2 ? `${first}/${second}` : `${first}`),
      };
    case 'get_secret':
      return { action: 'secretsmanager:GetSecretValue', resource: secretArn(first ?? '', place) };
    default:
      return { action: 'machinelearning:Predict', resource: serviceArn('machinelearning', place, 'mlmodel/', first ?? third) };
  }
}

const secretArn = (id: string, place: Place): string =>
  id.startsWith('arn:') ? id : serviceArn('secretsmanager', place, 'secret:', id);

export function queryServices(
  { functions, aws, registry, shadow, destinations, actionRoles, failed }: QueryServicesOptions,
  place: Place,
  { ruleName, byRoot, foreignRoles = [] }: RuleRecord,
): ExternalServices {
  const as = { service: IOT_SERVICE, sourceArn: ruleArn(place, ruleName), sourceAccount: place.accountId };

  async function askFunction([arn, input]: readonly unknown[], { fixed }: ExternalCall): Promise<unknown> {
    const url = functionUrl(String(arn));
    if (url !== undefined && !destinations.isConfirmed(place, url, undefined))
      throw new ActionError(destinations.whyUnconfirmed(place, url, undefined), false);
    const payload = Buffer.from(JSON.stringify(input ?? null));
    const answer = await functions.invoke(String(arn), payload, {
      timeoutMs: PATIENCE,
      largestAnswer: LARGEST_ANSWER,
      as: {
        ...as,
        // A message may say which function is called; that is not the root's word.
        byRoot: byRoot === true && fixed[0] === true,
        vouched: url !== undefined && destinations.isTrusted(url),
      },
    });
    return JSON.parse(Buffer.from(answer).toString('utf8'));
  }

  async function askTable(args: readonly unknown[], role: ActionRole): Promise<unknown> {
    const { DynamoDBClient, GetItemCommand } = await import('@aws-sdk/client-dynamodb');
    const [table, ...keys] = args.slice(0, -1);
    const key: Record<string, AttributeValue> = {};
    for (let i = 0; i + 1 < keys.length; i += 2) key[String(keys[i])] = keyValue(keys[i + 1]);
    const client = aws.client({ place, role }, 'dynamodb', (config) => new DynamoDBClient(config));
    const { Item } = await client.send(new GetItemCommand({ TableName: String(table), Key: key }), {
      abortSignal: AbortSignal.timeout(PATIENCE),
    });
    return Item === undefined ? undefined : members(Item);
  }

  /** The role that the call names, once it allows what is asked. Fails with ActionError. */
  async function allowedRole(name: ExternalFunction, args: readonly unknown[]): Promise<ActionRole> {
    const roleArn = String(args[roleArgument(name, args.length) ?? -1] ?? '');
    // The registry is this server's own: it is asked with the permissions of a role that IAM keeps.
    const foreign = name === 'get_dynamodb' && foreignRoles.includes(roleArn);
    const role = actionRoles.of({ place, ruleName, roleArn, foreign });
    await role.must(permissionOf(name, args, place));
    return role;
  }

  async function ask(name: ExternalFunction, args: readonly unknown[], site: ExternalCall): Promise<unknown> {
    if (name === 'aws_lambda') return askFunction(args, site);
    if (name === 'decode_proto') return lacking(name);
    const role = await allowedRole(name, args);
    if (name === 'get_dynamodb') return askTable(args, role);
    if (name === 'get_registry_data') return registry(place, String(args[0]), String(args[1]));
    if (name !== 'get_thing_shadow') return lacking(name);
    return shadow(place, String(args[0]), args.length > 2 ? String(args[1]) : undefined);
  }

  const call: ExternalServices['call'] = async (name, args, site) => {
    try {
      return await ask(name, args, site);
    } catch (error) {
      // The value is Undefined: without this its owner would not learn why.
      if (error instanceof ActionError || error instanceof FunctionError)
        failed({ place, ruleName, topic: site.topic, reason: `${name}: ${error.message}` });
      throw error;
    }
  };

  return { ...place, random: Math.random, uuid: randomUUID, call };
}

const keyValue = (value: unknown): AttributeValue => (typeof value === 'number' ? { N: String(value) } : { S: String(value) });

const members = (item: Record<string, AttributeValue>): object =>
  Object.fromEntries(Object.entries(item).map(([name, value]) => [name, plain(value)]));

/** An attribute value as JSON. */
function plain(value: AttributeValue): unknown {
  const [[kind, held] = []] = Object.entries(value);
  switch (kind) {
    case 'N':
      return Number(held);
    case 'M':
      return members(held as Record<string, AttributeValue>);
    case 'L':
      return (held as AttributeValue[]).map(plain);
    case 'NS':
      return (held as string[]).map(Number);
    case 'NULL':
      return null;
    case 'B':
      return Buffer.from(held as Uint8Array).toString('base64');
    default:
      return held;
  }
}
