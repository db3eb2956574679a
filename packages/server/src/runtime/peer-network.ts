/** The network of a peer's address, as the key of a limit that a host with many addresses is not to get round. Pure. */
import { isIPv6 } from 'node:net';

const groupsOf = (text: string): string[] => (text === '' ? [] : text.split(':'));

/** An IPv6 address gives its first 64 bits, as one host may have all addresses of such a network; others stay as they are. */
export function networkOf(address: string): string {
  // RFC 4291, section 2.5.5.2: an IPv4 peer of a socket for both.
  if (!isIPv6(address) || /^::ffff:\d+\./i.test(address)) return address;
  const [head = '', tail] = address.split('::');
  const [before, after] = [groupsOf(head), groupsOf(tail ?? '')];
  // A dotted quad at the end stands for two groups.
  const missing = tail === undefined ? 0 : 8 - before.length - after.length - (tail.includes('.') ? 1 : 0);
  return `${[...before, ...Array.from({ length: missing }, () => '0'), ...after].slice(0, 4).join(':')}::/64`;
}
