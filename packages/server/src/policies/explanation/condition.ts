/** In what a condition of a statement differs from a request. */
import { type CompiledCondition, conditionHolds } from '../condition.ts';
import type { Lookup } from '../context.ts';
import { explainVariable } from './variable.ts';
import { oneOf, tokensText } from './quote.ts';
import { variableValue } from '../substitute.ts';

/** Words for a condition that does not hold in an Allow; undefined when it holds. */
export function conditionDifference(condition: CompiledCondition, lookup: Lookup): string | undefined {
  if (conditionHolds(condition, lookup, false)) return undefined;
  const { name, key, operator, values } = condition;
  const wanted = oneOf(values.map(tokensText));
  const present = lookup(key) ?? [];
  const head = `its condition ${operator} ${name} wants ${wanted}`;
  if (condition.unknown && present.length === 0) return `${head}, and no request has the key ${name} here`;
  const unresolved = values.flat().find((token) => token.kind === 'variable' && variableValue(token.name, lookup) === undefined);
  if (unresolved?.kind === 'variable') return `${head}, and ${explainVariable(unresolved.name, lookup)}`;
  return present.length === 0 ? `${head}, and the request has no ${name}` : `${head}, and the request has ${oneOf(present)}`;
}
