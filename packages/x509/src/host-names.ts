/** What a server certificate is made out to: host names and addresses, told apart without the network's modules. */

const FOUR = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;
/** A leading star is a wildcard (RFC 6125); underscores are no host name, but container networks use them. */
const HOST_NAME = /^(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/i;
const LONGEST = 253;

function sixteenBytes(address: string): Buffer | undefined {
  // The URL parser reads every way to write an address, and gives the shortest one. A zone is of one machine only.
  const url = address.length > 45 || address.includes('%') ? null : URL.parse(`http://[${address}]`);
  if (url === null) return undefined;
  const [head = '', tail = ''] = url.hostname.slice(1, -1).split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const zeros = Array<string>(8 - groups(head).length - groups(tail).length).fill('0');
  const words = [...groups(head), ...zeros, ...groups(tail)].map((group) => Number.parseInt(group, 16));
  return Buffer.from(words.flatMap((word) => [word >> 8, word & 0xff]));
}

/** The 4 or 16 bytes of an address; undefined for what is none. */
export function addressBytes(text: string): Buffer | undefined {
  if (text.includes(':')) return sixteenBytes(text);
  const bytes = FOUR.exec(text)?.slice(1).map(Number);
  return bytes?.every((byte) => byte < 256) ? Buffer.from(bytes) : undefined;
}

/** Whether a certificate can be made out to it. */
export const isHostName = (text: string): boolean =>
  addressBytes(text) !== undefined || (text.length <= LONGEST && HOST_NAME.test(text) && !FOUR.test(text));
