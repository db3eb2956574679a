/** Addresses and ranges of IPv4 and IPv6 as numbers. RFC 4291 section 2.2, RFC 4632 section 3.1. */

export interface IpAddress {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

const OCTET = /^(?:0|[1-9]\d{0,2})$/;
const GROUP = /^[0-9a-f]{1,4}$/i;
/** ::ffff:0:0/96, RFC 4291 section 2.5.5.2: an IPv4 peer of a dual-stack socket. */
const MAPPED = 0xffffn << 32n;

function parseV4(text: string): bigint | undefined {
  const octets = text.split('.', 5);
  if (octets.length !== 4) return undefined;
  let value = 0n;
  for (const octet of octets) {
    if (!OCTET.test(octet) || Number(octet) > 255) return undefined;
    value = (value << 8n) | BigInt(octet);
  }
  return value;
}

/** Groups of one side of `::`; at the end of the address a dotted quad may stand for two. */
function parseGroups(text: string, atEnd: boolean): readonly bigint[] | undefined {
  if (text === '') return [];
  const groups: bigint[] = [];
  const parts = text.split(':', 9);
  for (const [index, part] of parts.entries()) {
    if (GROUP.test(part)) groups.push(BigInt(`0x${part}`));
    else {
      const quad = atEnd && index === parts.length - 1 ? parseV4(part) : undefined;
      if (quad === undefined) return undefined;
      groups.push(quad >> 16n, quad & 0xffffn);
    }
  }
  return groups;
}

function parseV6(text: string): bigint | undefined {
  const sides = text.split('::', 3);
  if (sides.length > 2) return undefined;
  const head = parseGroups(sides[0] ?? '', sides.length === 1);
  const tail = sides.length === 2 ? parseGroups(sides[1] ?? '', true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (sides.length === 2 ? missing < 1 : missing !== 0) return undefined;
  return [...head, ...Array.from({ length: missing }, () => 0n), ...tail].reduce((value, group) => (value << 16n) | group, 0n);
}

/** The address, with an IPv4-mapped one as IPv4; undefined when `text` is none. */
export function parseIpAddress(text: string): IpAddress | undefined {
  const zone = text.indexOf('%');
  const plain = zone < 0 ? text : text.slice(0, zone);
  const v4 = parseV4(plain);
  if (v4 !== undefined) return { bits: 32, value: v4 };
  const v6 = plain.length <= 45 ? parseV6(plain) : undefined;
  if (v6 === undefined) return undefined;
  return v6 >> 32n === MAPPED >> 32n ? { bits: 32, value: v6 & 0xffffffffn } : { bits: 128, value: v6 };
}

export interface IpRange {
  readonly address: IpAddress;
  readonly prefix: number;
}

/** A range in CIDR form, or one address; undefined when `text` is neither. */
export function parseIpRange(text: string): IpRange | undefined {
  const slash = text.indexOf('/');
  const base = slash < 0 ? text : text.slice(0, slash);
  const address = parseIpAddress(base);
  if (address === undefined) return undefined;
  if (slash < 0) return { address, prefix: address.bits };
  const written = text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(written)) return undefined;
  // A mapped range counts its prefix in 128 bits.
  const prefix = Number(written) - (address.bits === 32 && base.includes(':') ? 96 : 0);
  return prefix >= 0 && prefix <= address.bits ? { address, prefix } : undefined;
}

export function inRange(address: IpAddress, range: IpRange): boolean {
  if (address.bits !== range.address.bits) return false;
  const shift = BigInt(address.bits - range.prefix);
  return address.value >> shift === range.address.value >> shift;
}
