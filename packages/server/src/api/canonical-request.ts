/** The canonical request of Signature Version 4 (IAM user guide, page "Create a signed AWS API request"). */
import { createHash } from 'node:crypto';
import { percentDecode, percentEncode } from '@thingkeep/wire/api/percent.ts';
import type { SignedHead } from './signed-request.ts';

/** The path without dot segments and doubled slashes, escaped once more than it was sent. */
export function canonicalPath(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') kept.pop();
    else kept.push(percentEncode(segment.toWellFormed()));
  }
  return `/${kept.join('/')}${kept.length > 0 && path.endsWith('/') ? '/' : ''}`;
}

/** The path as S3 signs it: escaped once, and every segment kept. */
export const canonicalObjectPath = (path: string): string =>
  path
    .split('/')
    .map((segment) => percentEncode((percentDecode(segment) ?? segment).toWellFormed()))
    .join('/');

const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Sorted by name, then by value, as escaped. `leaveOut` names parameters that the signature does not cover. */
export function canonicalQuery(query: string, leaveOut: ReadonlySet<string>): string {
  const pairs: [string, string][] = [];
  for (const part of query.split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const [name, value] = equals < 0 ? [part, ''] : [part.slice(0, equals), part.slice(equals + 1)];
    const plain = percentDecode(name) ?? name;
    if (!leaveOut.has(plain)) pairs.push([percentEncode(plain), percentEncode(percentDecode(value) ?? value)]);
  }
  pairs.sort((a, b) => byCodeUnit(a[0], b[0]) || byCodeUnit(a[1], b[1]));
  return pairs.map(([name, value]) => `${name}=${value}`).join('&');
}

/** Node hands header bytes over as Latin-1; signers saw them as UTF-8. */
const asSigned = (value: string): string =>
  /[\u0080-\uffff]/.test(value) ? Buffer.from(value, 'latin1').toString('utf8') : value;

/** Trimmed, runs of spaces made one, several of a name joined by commas. */
const canonicalHeader = (name: string, values: readonly string[]): string =>
  `${name}:${values.map((value) => asSigned(value).trim().replace(/ {2,}/g, ' ')).join(',')}\n`;

export function canonicalRequest(
  head: SignedHead,
  signedHeaders: readonly string[],
  payloadHash: string,
  leaveOut: ReadonlySet<string>,
  pathOf = canonicalPath,
): string {
  const headers = signedHeaders.map((name) => canonicalHeader(name, head.headers.get(name) ?? [])).join('');
  const query = canonicalQuery(head.query, leaveOut);
  return [head.method, pathOf(head.path), query, headers, signedHeaders.join(';'), payloadHash].join('\n');
}

export const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');
