/** Texts of policies as the words of a refusal quote them. */
import type { PolicyToken } from '@thingkeep/wire/documents/policy-text.ts';
import type { ResourceTemplate } from '../compile.ts';

/** Characters of a quoted text. */
const LONGEST_QUOTE = 160;

export const shortened = (text: string): string => (text.length <= LONGEST_QUOTE ? text : `${text.slice(0, LONGEST_QUOTE)}...`);

/** The text that the tokens were read from; an escaped character is written as its escape. */
export const tokensText = (tokens: readonly PolicyToken[]): string =>
  tokens
    .map((token) => {
      if (token.kind === 'run') return '*';
      if (token.kind === 'one') return '?';
      return token.kind === 'variable' ? `\${${token.name}}` : token.text.replace(/[*?]|\$(?=\{)/g, '${$&}');
    })
    .join('');

export const resourceText = (template: ResourceTemplate): string => (template === '*' ? '*' : template.map(tokensText).join(':'));

/** Texts of a list that are quoted. */
const QUOTED = 4;

function joined(texts: readonly string[], word: string): string {
  const some = texts.slice(0, QUOTED).map(shortened);
  if (texts.length > QUOTED) return `${some.join(', ')} ${word} ${texts.length - QUOTED} more`;
  const last = some.pop() ?? 'nothing';
  return some.length === 0 ? last : `${some.join(', ')} ${word} ${last}`;
}

/** The texts, shortened, as one: `a, b or c`. */
export const oneOf = (texts: readonly string[]): string => joined(texts, 'or');

/** The texts, shortened, as one: `a, b and c`. */
export const listed = (texts: readonly string[]): string => joined(texts, 'and');
