/** Every function of the SQL by its name in lower case, and what calls of it must keep to. */
import { fail } from '@thingkeep/wire/errors.ts';
import type { Dialect } from '../dialect.ts';
import { SQL_LIMITS } from '../limits.ts';
import type { CallCheck } from '../parse-expression.ts';
import { COLLECTION_FUNCTIONS } from './collection.ts';
import type { SqlFunctions } from './definition.ts';
import { ENCODINGS, isProtobufCall } from './encoding.ts';
import { EXTERNAL, roleArgument } from './external.ts';
import { HASHES } from './hash.ts';
import { MATH } from './math.ts';
import { MESSAGE } from './message.ts';
import { REGULAR_EXPRESSIONS } from './regular-expression.ts';
import { TEXT } from './text.ts';
import { TIME } from './time.ts';

export const FUNCTIONS: SqlFunctions = {
  ...COLLECTION_FUNCTIONS,
  ...ENCODINGS,
  ...EXTERNAL,
  ...HASHES,
  ...MATH,
  ...MESSAGE,
  ...REGULAR_EXPRESSIONS,
  ...TEXT,
  ...TIME,
};

/** Whether a call asks a service. */
export const asks = (name: string, count: number): boolean => isProtobufCall(name, count) || FUNCTIONS[name]?.asks === true;

/**
 * AWS's words. Its page lists more functions as new in 2016-03-23, and its service takes all but this one in rules of 2015-10-08
 * (probe pf-iot-sql-version-functions of cdk-preflight).
 */
const ENCODE_IS_LATER =
  "Errors encountered while validating query. ERROR: Function 'encode' is only supported in sql version 2016-03-23-beta and above. " +
  'You can use the new version by specifying "awsIotSqlVersion": "version" when creating or updating a rule.';

/**
 * Checks the calls of one statement, or of one template: names, versions, arguments that no variable may stand for, and
 * how often a function may be called. Gathers the roles that calls name. A second `get_dynamodb` is let through: AWS takes the
 * rule, and lets it fail.
 */
export function callCheck({ nests }: Dialect, inTemplate: boolean, roles: Set<string>): CallCheck {
  let registry = 0;
  let protobuf = 0;
  return (name, args, fault) => {
    if (!Object.hasOwn(FUNCTIONS, name)) fault('the name of a function');
    if (name === 'encode' && !nests) fail('InvalidRequestException', ENCODE_IS_LATER);
    if (name === 'transform' && args[0]?.kind === 'variable') fault('an argument of transform that is no variable');
    const role = args[roleArgument(name, args.length) ?? -1];
    if (role?.kind === 'literal' && typeof role.value === 'string') roles.add(role.value);
    else if (role !== undefined) fault(`the role of ${name} as a text in quotes, since it can not be computed`);
    if (name === 'get_registry_data' && ++registry > SQL_LIMITS.registryCalls) fault('get_registry_data only once');
    if (!isProtobufCall(name, args.length)) return;
    if (inTemplate) fault('no decoding of Protobuf in a substitution template');
    if (++protobuf > SQL_LIMITS.protobufCalls) fault(`at most ${SQL_LIMITS.protobufCalls} decodings of Protobuf`);
  };
}
