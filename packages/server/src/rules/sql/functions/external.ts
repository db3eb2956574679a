/** Functions that ask another service (developer guide, page iot-sql-functions). A call that fails gives Undefined. */
import type { ExternalFunction } from '../contract.ts';
import { SQL_LIMITS } from '../limits.ts';
import { isSqlObject, jsonSize, type SqlObject, type SqlValue, toPlain } from '../values.ts';
import { define, type SqlFunctions, type SqlFunction } from './definition.ts';

type Valid = (args: readonly SqlValue[]) => boolean;

const external = (
  name: ExternalFunction,
  shape: { readonly counts: readonly number[] },
  valid: Valid,
  prepare: (args: readonly SqlValue[]) => readonly SqlValue[] = (args) => args,
): SqlFunction =>
  define({ least: Math.min(...shape.counts), most: Math.max(...shape.counts), asks: true }, (args, { id }) => {
    if (!shape.counts.includes(args.length)) return () => undefined;
    const fixed = args.map(({ expression }) => expression.kind === 'literal');
    return (evaluation) => {
      const values = args.map((arg) => arg.evaluate(evaluation));
      if (!valid(values)) return undefined;
      for (const value of values) evaluation.bound(jsonSize(value, SQL_LIMITS.valueText));
      return evaluation.ask(id, name, () => prepare(values).map(toPlain), fixed);
    };
  });

const texts: Valid = (args) => args.every((arg) => typeof arg === 'string');

/** One level: members that are objects or arrays become their JSON text. */
function flattened(record: SqlObject): SqlObject {
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => [
      key,
      typeof value === 'object' && value !== null ? JSON.stringify(value) : value,
    ]),
  );
}

const SECRET_TYPES: readonly SqlValue[] = ['SecretString', 'SecretBinary'];

export const EXTERNAL: SqlFunctions = {
  aws_lambda: external('aws_lambda', { counts: [2] }, ([arn, input]) => typeof arn === 'string' && input !== undefined),
  get_dynamodb: external(
    'get_dynamodb',
    { counts: [4, 6] },
    (args) =>
      texts([args[0], args[1], args.at(-1)]) &&
      (args.length === 4 || typeof args[3] === 'string') &&
      [args[2], args.length === 6 ? args[4] : ''].every((key) => key !== undefined && key !== null),
  ),
  get_registry_data: external(
    'get_registry_data',
    { counts: [3] },
    (args) => texts(args) && (args[0] === 'DescribeThing' || args[0] === 'ListThingGroupsForThing'),
  ),
  get_secret: external('get_secret', { counts: [3, 4] }, (args) => texts(args) && SECRET_TYPES.includes(args[1])),
  get_thing_shadow: external('get_thing_shadow', { counts: [2, 3] }, texts),
  machinelearning_predict: external(
    'machinelearning_predict',
    { counts: [3] },
    ([model, role, record]) => texts([model, role]) && isSqlObject(record),
    ([model, role, record]) => [model, role, flattened(record as SqlObject)],
  ),
};

/** Numbers of arguments with which a function that takes a role can be called. */
const ROLE_COUNTS: Readonly<Record<string, readonly number[]>> = {
  get_dynamodb: [4, 6],
  get_registry_data: [3],
  get_secret: [3, 4],
  get_thing_shadow: [2, 3],
  machinelearning_predict: [3],
};

/**
 * Which argument is the role. It must stand in the SQL itself (page iot-sql-set): whoever makes the rule is asked for
 * iam:PassRole on it. Undefined for a function without one, and for a call that gives Undefined in any case.
 */
export const roleArgument = (name: string, count: number): number | undefined => {
  if (!Object.hasOwn(ROLE_COUNTS, name) || ROLE_COUNTS[name]?.includes(count) !== true) return undefined;
  return name === 'machinelearning_predict' ? 1 : count - 1;
};
