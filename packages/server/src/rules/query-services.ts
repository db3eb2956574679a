/**
 * What the SQL of rules asks of the world: functions, the registry, tables. A service that this server can't reach answers
 * as one that fails: the value is Undefined, and `get_or_default` sees it.
 */
import { randomUUID } from 'node:crypto';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Place } from '@thingkeep/wire/arn.ts';
import type { FunctionInvoker } from '../functions/contract.ts';
import { functionUrl } from '../functions/function-name.ts';
import { ActionError } from './actions/contract.ts';
import type { AwsClients } from './actions/aws-clients.ts';
import type { Destinations } from './actions/destinations.ts';
import type { ExternalFunction, QueryServices } from './sql/contract.ts';
import { ruleArn } from './store.ts';

/** What the registry knows, as its API gives it: `DescribeThing` or `ListThingGroupsForThing` of a thing. Rejects when it is not there. */
export type AskRegistry = (place: Place, operation: string, thingName: string) => Promise<unknown>;

export interface QueryServicesOptions {
  readonly functions: FunctionInvoker;
  readonly aws: AwsClients;
  /** As {@link AskRegistry}, for a role that may. */
  readonly registry: (place: Place, operation: string, thingName: string, roleArn: string) => Promise<unknown>;
  /** URLs that functions may be at. */
  readonly destinations: Destinations;
}

/** Milliseconds that a function has (developer guide, function aws_lambda), and a table. */
const PATIENCE = 2000;
const LARGEST_ANSWER = 128 * 1024;

const lacking = (name: string): never => {
  throw new ActionError(`${name} needs a service that this server does not have`, false);
};

export function queryServices(
  { functions, aws, registry, destinations }: QueryServicesOptions,
  place: Place,
  ruleName: string,
): QueryServices {
  const as = { service: 'iot.amazonaws.com', sourceArn: ruleArn(place, ruleName), sourceAccount: place.accountId };

  async function askFunction([arn, input]: readonly unknown[]): Promise<unknown> {
    const url = functionUrl(String(arn));
    if (url !== undefined && !destinations.isConfirmed(place, url, undefined))
      throw new ActionError(`no destination that is ENABLED covers ${url.origin}${url.pathname}`, false);
    const payload = Buffer.from(JSON.stringify(input ?? null));
    const answer = await functions.invoke(String(arn), payload, { timeoutMs: PATIENCE, as, largestAnswer: LARGEST_ANSWER });
    return JSON.parse(Buffer.from(answer).toString('utf8'));
  }

  async function askTable(args: readonly unknown[]): Promise<unknown> {
    const { DynamoDBClient, GetItemCommand } = await import('@aws-sdk/client-dynamodb');
    const [table, ...keys] = args.slice(0, -1);
    const key: Record<string, AttributeValue> = {};
    for (let i = 0; i + 1 < keys.length; i += 2) key[String(keys[i])] = keyValue(keys[i + 1]);
    const client = aws.client(place, 'dynamodb', (config) => new DynamoDBClient(config));
    const { Item } = await client.send(new GetItemCommand({ TableName: String(table), Key: key }), {
      abortSignal: AbortSignal.timeout(PATIENCE),
    });
    return Item === undefined ? undefined : members(Item);
  }

  async function call(name: ExternalFunction, args: readonly unknown[]): Promise<unknown> {
    switch (name) {
      case 'aws_lambda':
        return askFunction(args);
      case 'get_dynamodb':
        return askTable(args);
      case 'get_registry_data':
        return registry(place, String(args[0]), String(args[1]), String(args[2]));
      default:
        return lacking(name);
    }
  }

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
