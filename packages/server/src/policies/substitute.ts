/**
 * Puts values in the place of variables. A value is always literal text: nothing in it becomes a wildcard, a colon of
 * an ARN or another variable.
 */
import type { PolicyToken } from '@thingkeep/wire/documents/policy-text.ts';
import { type Lookup, normalizeKey } from './context.ts';
import type { PatternToken } from './pattern.ts';

/**
 * Values that are not substituted: developer guide, page use-policy-variables, limits of certificate variables. Held
 * for every variable here, since a client id of `+` would else turn `topicfilter/my/${iot:ClientId}` into a wildcard.
 */
const NOT_SUBSTITUTED = /[*$+?#]/;
const LONGEST_VALUE = 1024;

/** The value that stands for a variable, or undefined when it stays unresolved. */
export function variableValue(name: string, lookup: Lookup): string | undefined {
  const values = lookup(normalizeKey(name));
  const [value] = values ?? [];
  if (value === undefined || value === '' || values?.length !== 1) return undefined;
  return value.length > LONGEST_VALUE || NOT_SUBSTITUTED.test(value) ? undefined : value;
}

/**
 * The meaning of an unresolved variable. AWS leaves `${...}` in place, so that the pattern matches nothing. That grants
 * nothing in an Allow, but it would lift a Deny, or widen an Allow by NotResource: there it stands for anything.
 */
export type Unresolved = 'nothing' | 'anything';

/** The tokens with variables replaced; undefined when one is unresolved and stands for nothing. */
export function substitute(
  tokens: readonly PolicyToken[],
  lookup: Lookup,
  unresolved: Unresolved,
): readonly PatternToken[] | undefined {
  const replaced: PatternToken[] = [];
  for (const token of tokens) {
    if (token.kind !== 'variable') {
      replaced.push(token);
      continue;
    }
    const text = variableValue(token.name, lookup);
    if (text !== undefined) replaced.push({ kind: 'text', text });
    else if (unresolved === 'anything') replaced.push({ kind: 'run' });
    else return undefined;
  }
  return replaced;
}
