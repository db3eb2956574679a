/**
 * The small language inside a policy's strings: wildcards, `${variables}` and the escapes `${*}`, `${?}`, `${$}`.
 * Source: developer guide, page iot-policy-variables; IAM user guide, page reference_policies_variables.
 */

export type PolicyToken =
  | { readonly kind: 'text'; readonly text: string }
  /** `*`: any run of characters, slashes too. */
  | { readonly kind: 'run' }
  /** `?`: exactly one character. */
  | { readonly kind: 'one' }
  | { readonly kind: 'variable'; readonly name: string };

const ESCAPES = new Map([
  ['*', '*'],
  ['?', '?'],
  ['$', '$'],
]);

/**
 * Tokens of a policy string, or undefined when a variable is empty or does not end. Version 2008-10-17 knows no
 * variables: there, `${` is text like any other.
 */
export function parsePolicyText(text: string, withVariables: boolean): readonly PolicyToken[] | undefined {
  const tokens: PolicyToken[] = [];
  let literal = '';
  const flush = (): void => {
    if (literal !== '') tokens.push({ kind: 'text', text: literal });
    literal = '';
  };
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (withVariables && character === '$' && text[at + 1] === '{') {
      const end = text.indexOf('}', at + 2);
      if (end <= at + 2) return undefined;
      const name = text.slice(at + 2, end);
      const escaped = ESCAPES.get(name);
      if (escaped === undefined) {
        flush();
        tokens.push({ kind: 'variable', name });
      } else literal += escaped;
      at = end;
    } else if (character === '*' || character === '?') {
      flush();
      tokens.push({ kind: character === '*' ? 'run' : 'one' });
    } else literal += character;
  }
  flush();
  return tokens;
}

/** Splits at the colons of the text, never inside a variable: the colon of `${iot:ClientId}` parts nothing. */
export function splitAtColons(tokens: readonly PolicyToken[], parts: number): readonly (readonly PolicyToken[])[] {
  const segments: PolicyToken[][] = [[]];
  for (const token of tokens) {
    if (token.kind !== 'text') {
      segments.at(-1)?.push(token);
      continue;
    }
    const pieces = token.text.split(':');
    while (segments.length + pieces.length - 1 > parts) {
      const last = pieces.pop() ?? '';
      pieces.push(`${pieces.pop() ?? ''}:${last}`);
    }
    pieces.forEach((piece, index) => {
      if (index > 0) segments.push([]);
      if (piece !== '') segments.at(-1)?.push({ kind: 'text', text: piece });
    });
  }
  return segments;
}

const ARN_PARTS = 6;

/**
 * The six parts of an ARN pattern, or undefined when it is none. As in IAM, an ARN that stops early with `*` goes on
 * with `*` in the parts that it leaves out; one that stops early without is refused, since that is a slip.
 * A wildcard stays within its part: IAM user guide, page reference_policies_elements_resource.
 */
export function arnParts(tokens: readonly PolicyToken[]): readonly (readonly PolicyToken[])[] | undefined {
  const parts = splitAtColons(tokens, ARN_PARTS);
  const [scheme] = parts;
  if (parts.length < 2 || scheme?.length !== 1 || scheme[0]?.kind !== 'text' || scheme[0].text !== 'arn') return undefined;
  if (parts.length < ARN_PARTS && parts.at(-1)?.at(-1)?.kind !== 'run') return undefined;
  if (parts.length === ARN_PARTS && parts.at(-1)?.length === 0) return undefined;
  return [...parts, ...Array.from({ length: ARN_PARTS - parts.length }, () => [{ kind: 'run' } as const])];
}
