/**
 * The addresses of the internet: globally reachable unicast by the IANA registries of special-purpose addresses for IPv4
 * and IPv6 (RFC 6890 and its updates), without reserved addresses and those that embed another one.
 */
import { inRange, type IpAddress, type IpRange, parseIpAddress, parseIpRange } from '../policies/ip-address.ts';

type RangeRows = readonly (readonly [range: string, name: string])[];

/**
 * Ranges that are not globally reachable, multicast, or reserved. 192.31.196.0/24, 192.52.193.0/24 and 192.175.48.0/24 are
 * registered as globally reachable, and are no rows.
 */
const IPV4: RangeRows = [
  ['0.0.0.0/8', 'this network, RFC 791'],
  ['10.0.0.0/8', 'private use, RFC 1918'],
  ['100.64.0.0/10', 'shared address space, RFC 6598'],
  ['127.0.0.0/8', 'loopback, RFC 1122'],
  ['169.254.0.0/16', 'link-local, RFC 3927'],
  ['172.16.0.0/12', 'private use, RFC 1918'],
  ['192.0.0.0/24', 'IETF protocol assignments, RFC 6890'],
  ['192.0.2.0/24', 'documentation, RFC 5737'],
  ['192.88.99.0/24', '6to4 relay anycast, RFC 7526'],
  ['192.168.0.0/16', 'private use, RFC 1918'],
  ['198.18.0.0/15', 'benchmarking, RFC 2544'],
  ['198.51.100.0/24', 'documentation, RFC 5737'],
  ['203.0.113.0/24', 'documentation, RFC 5737'],
  ['224.0.0.0/4', 'multicast, RFC 5771'],
  ['240.0.0.0/4', 'reserved, RFC 1112'],
];

/** Ranges within global unicast (2000::/3) that are not globally reachable, or that embed another address. */
const IPV6: RangeRows = [
  ['2001::/23', 'IETF protocol assignments and Teredo, RFC 2928, RFC 4380'],
  ['2001:db8::/32', 'documentation, RFC 3849'],
  ['2002::/16', '6to4, RFC 3056'],
  ['3fff::/20', 'documentation, RFC 9637'],
];

/** Ranges outside global unicast that have a name of their own in refusals. */
const IPV6_NAMED: RangeRows = [
  ['::/128', 'unspecified, RFC 4291'],
  ['::1/128', 'loopback, RFC 4291'],
  ['64:ff9b:1::/48', 'local IPv4 to IPv6 translation, RFC 8215'],
  ['100::/64', 'discard-only, RFC 6666'],
  ['100:0:0:1::/64', 'dummy prefix, RFC 9780'],
  ['5f00::/16', 'segment routing, RFC 9602'],
  ['fc00::/7', 'unique local, RFC 4193'],
  ['fe80::/10', 'link-local, RFC 4291'],
  ['ff00::/8', 'multicast, RFC 4291'],
];

interface NamedRange {
  readonly range: IpRange;
  readonly name: string;
}

/** The ranges of a table above. */
const rangesOf = (rows: RangeRows): readonly NamedRange[] =>
  rows.flatMap(([text, name]) => {
    const range = parseIpRange(text);
    return range === undefined ? [] : [{ range, name }];
  });

const IPV4_RANGES = rangesOf(IPV4);
const IPV6_RANGES = rangesOf([...IPV6, ...IPV6_NAMED]);
const [GLOBAL_UNICAST, NAT64] = [parseIpRange('2000::/3'), parseIpRange('64:ff9b::/96')];

const inNamed = (address: IpAddress, ranges: readonly NamedRange[]): string | undefined =>
  ranges.find(({ range }) => inRange(address, range))?.name;

/**
 * The address that a connection reaches; undefined for any other text, and for an address with a zone. An IPv4-mapped
 * address is the IPv4 address in it, and so is one of the well-known prefix of translators (RFC 6052).
 */
export function endAddress(text: string): IpAddress | undefined {
  const address = text.includes('%') ? undefined : parseIpAddress(text);
  if (address === undefined || NAT64 === undefined || !inRange(address, NAT64)) return address;
  return { bits: 32, value: address.value & 0xffffffffn };
}

function fault(address: IpAddress): string | undefined {
  if (address.bits === 32) return inNamed(address, IPV4_RANGES);
  const named = inNamed(address, IPV6_RANGES);
  if (named !== undefined) return named;
  return GLOBAL_UNICAST !== undefined && inRange(address, GLOBAL_UNICAST) ? undefined : 'not global unicast, RFC 4291';
}

/** The reason why a text is no globally reachable unicast address; undefined when it is one. */
export function specialPurpose(text: string): string | undefined {
  const address = endAddress(text);
  return address === undefined ? 'no address without a zone' : fault(address);
}
