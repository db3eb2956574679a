/**
 * The chip's side of the data link and the transport: takes frames that the host writes, gives frames that the host may read.
 * A frame that is damaged is answered with a NAK, one that was there before with its acknowledgement, and what the host did not
 * acknowledge is offered again after a while.
 */
import { crcKermit } from './crc.ts';

/** Numbers of both sides before the first frame. */
const NONE = 3;
const following = (number: number): number => (number + 1) % 4;

const KIND = { control: 0x80, nak: 0x20, resync: 0x40 } as const;
/** Chaining of packets. */
const CHAIN = { single: 0, first: 1, intermediate: 2, last: 4, error: 7 } as const;
/** Bytes of a frame that are no payload: control byte, length, packet's control byte, check sum. */
const OVERHEAD = 6;
/** Longest command: the communication buffer (object 0xE0C6). */
const LONGEST_COMMAND = 0x0615;
/** Milliseconds until a frame that is not acknowledged is offered again, and how often it is. */
const ACK_WAIT = 60;
const MAX_OFFERS = 4;

/** Adds the check sum, high byte first. */
function sealed(control: number, packet: Buffer): Buffer {
  const body = Buffer.concat([Buffer.of(control, packet.length >> 8, packet.length & 0xff), packet]);
  const sum = crcKermit(body);
  return Buffer.concat([body, Buffer.of(sum >> 8, sum & 0xff)]);
}

const isWhole = (frame: Buffer): boolean =>
  frame.length >= 5 &&
  frame.readUInt16BE(1) === frame.length - 5 &&
  crcKermit(frame.subarray(0, frame.length - 2)) === frame.readUInt16BE(frame.length - 2);

/** An answer on its way: packets that are not acknowledged yet, the first of them in a frame. */
interface Outgoing {
  readonly packets: readonly Buffer[];
  readonly frame: Buffer;
  isOffered: boolean;
  offers: number;
  waited: number;
}

export class LinkSide {
  readonly #onCommand: (command: Buffer) => void;
  #received = NONE;
  #sent = NONE;
  #control: Buffer | undefined;
  #outgoing: Outgoing | undefined;
  #parts: Buffer[] = [];

  constructor(onCommand: (command: Buffer) => void) {
    this.#onCommand = onCommand;
  }

  /** The frame that the host may read now. */
  get offered(): Buffer | undefined {
    return this.#control ?? (this.#outgoing?.isOffered ? this.#outgoing.frame : undefined);
  }

  /** The host has read what was offered. */
  taken(): void {
    if (this.#control !== undefined) this.#control = undefined;
    else if (this.#outgoing !== undefined) {
      this.#outgoing.isOffered = false;
      this.#outgoing.waited = 0;
    }
  }

  elapse(milliseconds: number): void {
    const outgoing = this.#outgoing;
    if (outgoing === undefined || outgoing.isOffered || outgoing.offers >= MAX_OFFERS) return;
    outgoing.waited += milliseconds;
    if (outgoing.waited >= ACK_WAIT) this.#offerAgain(outgoing);
  }

  #offerAgain(outgoing: Outgoing): void {
    outgoing.isOffered = true;
    outgoing.offers += 1;
  }

  /** Offers an answer, in as many packets as frames of this length need. */
  answer(message: Buffer, frameLength: number): void {
    const room = frameLength - OVERHEAD;
    const count = Math.max(1, Math.ceil(message.length / room));
    const packets = Array.from({ length: count }, (_, index) => {
      const isLast = index === count - 1;
      const chain = index === 0 ? (isLast ? CHAIN.single : CHAIN.first) : isLast ? CHAIN.last : CHAIN.intermediate;
      return Buffer.concat([Buffer.of(chain), message.subarray(index * room, (index + 1) * room)]);
    });
    this.#offer(packets);
  }

  #offer(packets: readonly Buffer[]): void {
    const [packet] = packets;
    if (packet === undefined) {
      this.#outgoing = undefined;
      return;
    }
    this.#sent = following(this.#sent);
    const frame = sealed((this.#sent << 2) | this.#received, packet);
    this.#outgoing = { packets, frame, isOffered: true, offers: 1, waited: 0 };
  }

  /** A frame that the host wrote; while the chip is busy it takes no new command. */
  write(frame: Buffer, isBusy: boolean, frameLength: number): void {
    if (!isWhole(frame)) {
      this.#control = sealed(KIND.control | KIND.nak | following(this.#received), Buffer.alloc(0));
      return;
    }
    const head = frame.readUInt8(0);
    if ((head & KIND.control) !== 0) this.#takeControl(head, frame.length === 5);
    else if (frame.length > 5) this.#takeData(head, frame.subarray(3, frame.length - 2), isBusy, frameLength);
  }

  #takeControl(head: number, isEmpty: boolean): void {
    if (!isEmpty) return;
    const kind = head & 0x60;
    if (kind === KIND.resync) {
      this.#received = NONE;
      this.#sent = NONE;
      this.#control = undefined;
      this.#outgoing = undefined;
      this.#parts = [];
    } else if (kind === KIND.nak || kind === 0) this.#takeAcknowledgement(kind === 0, head & 3);
  }

  /** What the host says of the frame that was sent last. */
  #takeAcknowledgement(isPositive: boolean, number: number): void {
    const outgoing = this.#outgoing;
    if (outgoing === undefined || number !== this.#sent) return;
    if (isPositive) this.#offer(outgoing.packets.slice(1));
    else if (outgoing.offers < MAX_OFFERS) this.#offerAgain(outgoing);
  }

  #takeData(head: number, packet: Buffer, isBusy: boolean, frameLength: number): void {
    const number = (head >> 2) & 3;
    if ((head & 0x60) === 0) this.#takeAcknowledgement(true, head & 3);
    const isNew = number === following(this.#received);
    if (isNew && isBusy) return;
    if (isNew) {
      this.#received = number;
      // An answer that the host did not take gives way to its next command.
      this.#outgoing = undefined;
    }
    this.#control = sealed(KIND.control | this.#received, Buffer.alloc(0));
    if (isNew) this.#takePacket(packet, frameLength);
  }

  #takePacket(packet: Buffer, frameLength: number): void {
    const chain = packet.readUInt8(0);
    const isBegin = chain === CHAIN.single || chain === CHAIN.first;
    const isEnd = chain === CHAIN.single || chain === CHAIN.last;
    const isFull = packet.length - 1 === frameLength - OVERHEAD;
    const isKnown = isBegin || isEnd || chain === CHAIN.intermediate;
    if (isBegin) this.#parts = [];
    const length = this.#parts.reduce((sum, part) => sum + part.length, packet.length - 1);
    if (!isKnown || (!isEnd && !isFull) || (!isBegin && this.#parts.length === 0) || length > LONGEST_COMMAND) {
      this.#parts = [];
      this.#offer([Buffer.of(CHAIN.error)]);
      return;
    }
    this.#parts.push(packet.subarray(1));
    if (!isEnd) return;
    const command = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#onCommand(command);
  }
}
