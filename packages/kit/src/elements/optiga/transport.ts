/**
 * The transport (IFX I2C Protocol 2.03, chapter 5): a message is one packet, or a chain of them, each with one byte in front
 * that says which part it is. All parts but the last fill their frames.
 */
import type { DataLink } from './data-link.ts';
import { LinkError } from './frame.ts';

const CHAIN = { single: 0, first: 1, intermediate: 2, last: 4 } as const;
const CHAIN_MASK = 0x07;
const PRESENTATION_LAYER = 0x08;

/** Longest message that is taken: more than a chip's communication buffer (object 0xE0C6: 0x0615). */
const MAX_MESSAGE = 2048;

export async function sendMessage(link: DataLink, message: Buffer): Promise<void> {
  const room = link.packetLength - 1;
  for (let at = 0; at < message.length; at += room) {
    const isFirst = at === 0;
    const isLast = at + room >= message.length;
    const part = isFirst ? (isLast ? CHAIN.single : CHAIN.first) : isLast ? CHAIN.last : CHAIN.intermediate;
    await link.send(Buffer.concat([Buffer.of(part), message.subarray(at, at + room)]));
  }
}

/** The chip's message, put together. Throws LinkError. */
export async function receiveMessage(link: DataLink): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for (;;) {
    const packet = await link.receive();
    const control = packet[0] ?? 0;
    if ((control & PRESENTATION_LAYER) !== 0) throw new LinkError('the chip answers protected, and nothing was agreed on');
    const part = control & CHAIN_MASK;
    const isBegin = part === CHAIN.single || part === CHAIN.first;
    const isKnown = isBegin || part === CHAIN.intermediate || part === CHAIN.last;
    if (!isKnown || isBegin !== (parts.length === 0)) throw new LinkError('the parts of the answer are in no order');
    parts.push(packet.subarray(1));
    length += packet.length - 1;
    if (length > MAX_MESSAGE) throw new LinkError('the answer is too long');
    if (part === CHAIN.single || part === CHAIN.last) return Buffer.concat(parts);
  }
}
