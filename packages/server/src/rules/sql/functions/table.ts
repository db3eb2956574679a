/** Every function of the SQL by its name in lower case, and what calls of it must keep to. */
import type { Expression } from '../ast.ts';
import type { Dialect } from '../dialect.ts';
import { SQL_LIMITS } from '../limits.ts';
import type { CallCheck } from '../parse-expression.ts';
import { COLLECTIONS } from './collection.ts';
import type { Functions } from './definition.ts';
import { ENCODINGS, isProtobufCall } from './encoding.ts';
import { EXTERNAL, roleArgument } from './external.ts';
import { HASHES } from './hash.ts';
import { MATH } from './math.ts';
import { MESSAGE } from './message.ts';
import { REGULAR_EXPRESSIONS } from './regular-expression.ts';
import { TEXT } from './text.ts';
import { TIME } from './time.ts';

export const FUNCTIONS: Functions = {
  ...COLLECTIONS,
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

/** Arguments that must stand in the SQL themselves (page iot-sql-set). */
function fixedArguments(name: string, args: readonly Expression[]): (Expression | undefined)[] {
  if (name === 'transform') return [args[0]];
  const role = roleArgument(name, args.length);
  return role === undefined ? [] : [args[role]];
}

/**
 * Judges the calls of one statement, or of one template: names, versions, arguments that no variable may stand for, and
 * how often a function may be called. A second `get_dynamodb` is let through: AWS takes the rule, and lets it fail.
 */
export function callCheck({ nests }: Dialect, inTemplate: boolean): CallCheck {
  let registry = 0;
  let protobuf = 0;
  return (name, args, fault) => {
    if (!Object.hasOwn(FUNCTIONS, name)) fault('the name of a function');
    if (FUNCTIONS[name]?.since2016 === true && !nests) fault('a function of SQL version 2015-10-08: this one needs 2016-03-23');
    if (fixedArguments(name, args).some((arg) => arg?.kind === 'variable')) fault(`an argument of ${name} that is no variable`);
    if (name === 'get_registry_data' && ++registry > SQL_LIMITS.registryCalls) fault('get_registry_data only once');
    if (!isProtobufCall(name, args.length)) return;
    if (inTemplate) fault('no decoding of Protobuf in a substitution template');
    if (++protobuf > SQL_LIMITS.protobufCalls) fault(`at most ${SQL_LIMITS.protobufCalls} decodings of Protobuf`);
  };
}
