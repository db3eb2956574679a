/** Which keys and variables the statements of an action ask for that the request does not have. */
import type { PolicyToken } from '@thingkeep/wire/documents/policy-text.ts';
import { appliesTo, type CompiledPolicies } from './compile.ts';
import { lookupIn, normalizeKey, type PolicyContext } from './context.ts';

const variables = (tokens: readonly PolicyToken[]): readonly string[] =>
  tokens.flatMap((token) => (token.kind === 'variable' ? [token.name] : []));

export function missingKeys(compiled: CompiledPolicies, context: PolicyContext, action: string): string[] {
  const lookup = lookupIn(context.connectKeys, context.keys);
  const missing = new Map<string, string>();
  const ask = (name: string): void => {
    const key = normalizeKey(name);
    if ((lookup(key) ?? []).length === 0 && !missing.has(key)) missing.set(key, name);
  };
  for (const statement of compiled.statements) {
    if (!appliesTo(statement, action.toLowerCase())) continue;
    for (const template of statement.resources) {
      if (template !== '*') for (const part of template) variables(part).forEach(ask);
    }
    for (const condition of statement.conditions) {
      ask(condition.name);
      for (const value of condition.values) variables(value).forEach(ask);
    }
  }
  return [...missing.values()];
}
