/** The head of a request as signing sees it: header values by name in order of arrival, path and query exactly as sent. */
import { fail } from '@thingkeep/wire/errors.ts';

export interface SignedHead {
  readonly method: string;
  /** Raw path and raw query (without `?`). */
  readonly path: string;
  readonly query: string;
  /** Lower-case name -> every value, in order. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** Address of this server on which it came; absent for a head that came by no connection. */
  readonly arrivedAt?: string;
}

/** Headers that decide who is asking and for what; two of one would let two readers disagree. */
const ONCE = ['host', 'authorization', 'x-amz-date', 'x-amz-security-token', 'x-amz-content-sha256', 'content-length'];

export function signedHead(method: string, target: string, rawHeaders: readonly string[], arrivedAt?: string): SignedHead {
  const mark = target.indexOf('?');
  const headers = new Map<string, string[]>();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    const value = rawHeaders[at + 1] ?? '';
    const values = headers.get(name);
    if (values) values.push(value);
    else headers.set(name, [value]);
  }
  for (const name of ONCE) {
    if ((headers.get(name)?.length ?? 0) > 1) fail('InvalidRequestException', `Header '${name}' is given more than once`);
  }
  const path = mark < 0 ? target : target.slice(0, mark);
  return { method, path, query: mark < 0 ? '' : target.slice(mark + 1), headers, arrivedAt };
}

export const headerOf = (head: SignedHead, name: string): string | undefined => head.headers.get(name)?.join(',');
