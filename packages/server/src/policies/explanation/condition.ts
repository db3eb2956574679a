/** In what a condition of a statement differs from a request. */
import type { CompiledCondition } from '../condition.ts';
import type { Lookup } from '../context.ts';
import { variableValue } from '../substitute.ts';
import { oneOf, tokensText } from './quote.ts';
import { explainVariable } from './variable.ts';

/** Words for a condition that holds, in a Deny. */
export function explainHolding({ name, key, operator, values }: CompiledCondition, lookup: Lookup): string {
  const present = lookup(key) ?? [];
  const given = present.length === 0 ? `no ${name}` : oneOf(present);
  return `its condition ${operator} ${name} ${oneOf(values.map(tokensText))} holds, as the request has ${given}`;
}

/** Words for a condition that does not hold. */
export function explainCondition({ name, key, operator, values, unknown }: CompiledCondition, lookup: Lookup): string {
  const present = lookup(key) ?? [];
  const head = `its condition ${operator} ${name} wants ${oneOf(values.map(tokensText))}`;
  if (unknown && present.length === 0) return `${head}, and no request has the key ${name} here`;
  const unresolved = values
    .flat()
    .flatMap((token) => (token.kind === 'variable' && variableValue(token.name, lookup) === undefined ? [token.name] : []))[0];
  if (unresolved !== undefined) return `${head}, and ${explainVariable(unresolved, lookup)}`;
  return present.length === 0 ? `${head}, and the request has no ${name}` : `${head}, and the request has ${oneOf(present)}`;
}
