/**
 * The names of this server: a signature counts only for a request whose Host is one of them. A request that was signed for
 * another host, and sent on to this server by its receiver, proves nothing here.
 */
import { fail } from '@thingkeep/wire/errors.ts';

/** Whether a host name, in lower case and without port, is a name of the server. */
export type IsOwnName = (host: string) => boolean;

/** The names of `--endpoint`, and those of domain configurations. */
export function ownNames(endpoints: readonly string[], isDomain: IsOwnName): IsOwnName {
  const names = new Set(endpoints.map((name) => hostOf(name)));
  return (host) => names.has(host) || isDomain(host);
}

/** The bucket whose name stands before a name of the server; undefined where none does. */
function bucketOfHost(host: string, isOwnName: IsOwnName): string | undefined {
  const isOwn = (name: string): boolean => name === 'localhost' || isOwnName(name);
  if (isOwn(host)) return undefined;
  for (let dot = host.indexOf('.'); dot > 0; dot = host.indexOf('.', dot + 1))
    if (isOwn(host.slice(dot + 1))) return host.slice(0, dot);
  return undefined;
}

/** Names of the server, and those with a bucket before them. */
export const withBuckets =
  (isOwnName: IsOwnName): IsOwnName =>
  (host) =>
    isOwnName(host) || bucketOfHost(host, isOwnName) !== undefined;

/** The bucket that the Host of a request names: the same to who checks a signature and to who serves the request. */
export const hostedBucket = (value: string | undefined, isOwnName: IsOwnName): string | undefined => {
  const host = value === undefined ? undefined : hostOf(value.trim());
  return host === undefined ? undefined : bucketOfHost(host, isOwnName);
};

/** Characters of a host name (RFC 1035 section 2.3.4). */
const LONGEST = 253;

/** Name or address of a Host header's value, in the form that URLs have it; undefined for what is neither. */
function hostOf(value: string): string | undefined {
  // A Host is a name or an address with at most a port (RFC 9110 section 7.2); a URL's other parts are none.
  if (!/^(?:\[[0-9a-f:.]+\]|[\w.-]+)(?::\d{1,5})?$/i.test(value)) return undefined;
  return URL.parse(`http://${value}/`)?.hostname;
}

/**
 * An address as a URL has it. A socket of both families puts a prefix before an IPv4 address, and a zone behind a link-local
 * one.
 */
function addressHost(address: string): string | undefined {
  const [plain = ''] = address.replace(/^::ffff:(?=\d+\.)/i, '').split('%', 1);
  return URL.parse(`http://${plain.includes(':') ? `[${plain}]` : plain}/`)?.hostname;
}

/**
 * Fails with AccessDeniedException unless the Host is a name of the server, `localhost`, or the address on which the request
 * arrived. Any port goes, since the port that a client sees may be mapped to another one.
 */
export function checkHost(value: string | undefined, arrivedAt: string | undefined, isOwnName: IsOwnName): void {
  const host = value === undefined ? undefined : hostOf(value.trim());
  if (host !== undefined) {
    if (host === 'localhost' || isOwnName(host)) return;
    if (arrivedAt !== undefined && host === addressHost(arrivedAt)) return;
  }
  const shown = JSON.stringify((host ?? value ?? '').slice(0, LONGEST));
  const name = host === undefined || host.length > LONGEST ? 'NAME' : host;
  fail(
    'AccessDeniedException',
    `The signed Host ${shown} is no name of this server. If it is one, name it behind the endpoints that there are: --endpoint FIRST --endpoint ${name}`,
  );
}
