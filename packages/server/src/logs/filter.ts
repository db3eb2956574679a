/**
 * Filter patterns over text: terms that must all occur, `-term` that must not, `?term` of which one suffices, phrases in
 * double quotes. Source: CloudWatch Logs user guide, page FilterAndPatternSyntax. Patterns of JSON and of columns are refused.
 */
import { fail } from '@thingkeep/wire/errors.ts';

const TERM = /([-?]?)(?:"([^"]*)"|(\S+))/g;

/** Reads a pattern; returns whether a message matches it. Case counts. */
export function readFilter(pattern: string): (message: string) => boolean {
  const text = pattern.trim();
  if (/^[{[%]/.test(text))
    fail(
      'InvalidParameterException',
      'Only patterns of terms can be used here: not those of JSON, of columns or of regular expressions.',
    );
  const terms = [...text.matchAll(TERM)].map(([, sign = '', phrase, word = '']) => ({ sign, term: phrase ?? word }));
  const all = terms.filter(({ sign }) => sign === '');
  const none = terms.filter(({ sign }) => sign === '-');
  const any = terms.filter(({ sign }) => sign === '?');
  return (message) => {
    const holds = ({ term }: { term: string }): boolean => message.includes(term);
    // `?` terms beside others have no effect, as on AWS.
    return all.every(holds) && !none.some(holds) && (any.length === 0 || all.length > 0 || any.some(holds));
  };
}
