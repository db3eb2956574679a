/** Pages of another origin, which a browser lets use the reader's certificate. */
import { type HttpHead, singleHeader } from './http-head.ts';

/**
 * A page of another origin can open a WebSocket, or post, with a certificate that its browser adds by itself; with nothing
 * but a certificate to show, the origin (RFC 6454 section 7) must therefore be the server itself. Devices send none.
 */
export function isForeignOrigin(head: HttpHead): boolean {
  const origin = head.headers.get('origin');
  if (origin === undefined) return false;
  const host = singleHeader(head, 'host')?.toLowerCase();
  return origin.length !== 1 || host === undefined || !sameHost(origin[0] ?? '', host);
}

function sameHost(origin: string, host: string): boolean {
  const url = URL.parse(origin);
  const own = URL.parse(`${url?.protocol}//${host}`);
  return url !== null && own !== null && url.host !== '' && url.host === own.host;
}
