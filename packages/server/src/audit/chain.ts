/**
 * The chain of audit lines. A line is a JSON text whose last member `mac` is the HMAC-SHA256 of the line's other text
 * behind the MAC of the line before: with the key, a changed, removed or moved line is found.
 */
import { createHmac } from 'node:crypto';
import { escapeText } from '../runtime/escape-text.ts';

/** Number and MAC of a line. The line before the first one has number 0. */
export interface ChainLink {
  readonly number: number;
  /** 64 hexadecimal digits. */
  readonly mac: string;
}

export const ORIGIN: ChainLink = { number: 0, mac: '0'.repeat(64) };

const MAC_MEMBER = /,"mac":"([0-9a-f]{64})"\}$/;
const NUMBER_MEMBER = /^\{"number":(\d{1,15}),/;

const macOf = (key: Uint8Array, previous: string, text: string): string =>
  createHmac('sha256', key).update(previous).update('\n').update(text).digest('hex');

/** Makes the line that follows `previous`, without its line feed. */
export function makeLine(
  key: Uint8Array,
  previous: ChainLink,
  members: object,
): { readonly line: string; readonly link: ChainLink } {
  const number = previous.number + 1;
  // Control characters are escaped, so that a line can be printed.
  const text = escapeText(JSON.stringify({ number, ...members }));
  const mac = macOf(key, previous.mac, text);
  return { line: `${text.slice(0, -1)},"mac":"${mac}"}`, link: { number, mac } };
}

/** Number and MAC that a line claims; undefined for a text that is no line. */
export function readLink(line: string): ChainLink | undefined {
  const [, mac = ''] = MAC_MEMBER.exec(line) ?? [];
  const [, number = ''] = NUMBER_MEMBER.exec(line) ?? [];
  return mac === '' || number === '' ? undefined : { number: Number(number), mac };
}

/** Whether the line follows a line of this MAC. */
export function follows(key: Uint8Array, previousMac: string, line: string): boolean {
  const link = readLink(line);
  return link !== undefined && macOf(key, previousMac, line.replace(MAC_MEMBER, '}')) === link.mac;
}
