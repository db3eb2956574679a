/** Texts of policies as the words of a refusal quote them. */
import type { PolicyToken } from '@thingkeep/wire/documents/policy-text.ts';
import type { ResourceTemplate } from '../compile.ts';

/** Characters of a quoted text. */
const LONGEST_QUOTE = 160;

export const shortened = (text: string): string => (text.length <= LONGEST_QUOTE ? text : `${text.slice(0, LONGEST_QUOTE)}...`);

/** The text that the tokens were read from; an escaped wildcard is written as its escape. */
export const tokensText = (tokens: readonly PolicyToken[]): string =>
  tokens
    .map((token) => {
      if (token.kind === 'run') return '*';
      if (token.kind === 'one') return '?';
      return token.kind === 'variable' ? `\${${token.name}}` : token.text.replace(/[*?]/g, '${$&}');
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

/** Whether two texts differ by one or two characters, of six or more, that were left out, put in, changed or exchanged. */
export function isMisspelt(text: string, meant: string): boolean {
  if (text === meant || text.length > 64 || meant.length > 64 || Math.abs(text.length - meant.length) > 2) return false;
  let before: number[] = [];
  let row = Array.from({ length: meant.length + 1 }, (_, column) => column);
  for (let line = 1; line <= text.length; line += 1) {
    const next = [line];
    for (let column = 1; column <= meant.length; column += 1) {
      const same = text[line - 1] === meant[column - 1];
      let least = Math.min((row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1, (row[column - 1] ?? 0) + (same ? 0 : 1));
      if (line > 1 && column > 1 && text[line - 1] === meant[column - 2] && text[line - 2] === meant[column - 1])
        least = Math.min(least, (before[column - 2] ?? 0) + 1);
      next.push(least);
    }
    [before, row] = [row, next];
  }
  return (row[meant.length] ?? 0) <= Math.min(2, Math.floor(meant.length / 3));
}
