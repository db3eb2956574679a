/** The token that a page of a search ends with: the last document's number, and which query it belongs to. */
import { createHash } from 'node:crypto';
import { fail } from '@thingkeep/wire/errors.ts';

const markOf = (index: string, query: string): string =>
  createHash('sha256').update(`${index} ${query}`).digest('base64url').slice(0, 16);

export const pageToken = (index: string, query: string, last: number): string =>
  Buffer.from(`${last}.${markOf(index, query)}`).toString('base64');

/** The number of the document behind which the next page begins; a token of another query fails with InvalidRequestException. */
export function placeOfToken(index: string, query: string, token: string | undefined): number {
  if (token === undefined) return 0;
  const [, last, mark] = /^(\d{1,15})\.(.+)$/.exec(Buffer.from(token, 'base64').toString()) ?? [];
  if (last === undefined || mark !== markOf(index, query))
    fail('InvalidRequestException', 'The nextToken is none of this query.');
  return Number(last);
}
