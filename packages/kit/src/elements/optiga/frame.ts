/**
 * Frames of the IFX I2C data link (Infineon, IFX I2C Protocol 2.03, chapter 4): `FCTR | LEN | packet | FCS`, with LEN and FCS
 * of two bytes, the high one first. The protocol's text has the FCS low byte first; chips and the vendor's host library do not.
 */

/** A frame that a link can't use, or a chip that does not answer: what the layers above repeat. */
export class LinkError extends Error {
  override readonly name = 'LinkError';
}

/** What the sequence control bits of a frame say. */
type SequenceControl = 'ack' | 'nak' | 'resync';

export interface LinkFrame {
  readonly isControl: boolean;
  readonly control: SequenceControl;
  /** Number of a data frame, 0 to 3; 0 in control frames. */
  readonly number: number;
  /** Number of the other side's frame that is acknowledged, or asked for again. */
  readonly acknowledged: number;
  /** Empty in control frames. */
  readonly packet: Buffer;
}

/** Bytes around a packet. */
export const FRAME_OVERHEAD = 5;
/** Numbers of frames go round at four. */
export const nextNumber = (number: number): number => (number + 1) & 3;
/** Both counters begin here, so that the first frame is number 0. */
export const BEFORE_FIRST = 3;

const CONTROL = 0x80;
const CONTROLS: Readonly<Record<SequenceControl, number>> = { ack: 0x00, nak: 0x20, resync: 0x40 };
const CONTROL_MASK = 0x60;

/** Reflected polynomial of CRC-16/KERMIT, which begins with 0. */
const POLYNOMIAL = 0x8408;
const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = (value & 1) === 0 ? value >> 1 : (value >> 1) ^ POLYNOMIAL;
  return value;
});

/** LinkFrame check sequence. */
export function frameCheck(bytes: Buffer): number {
  let value = 0;
  for (const byte of bytes) value = (value >> 8) ^ (TABLE[(value ^ byte) & 0xff] ?? 0);
  return value;
}

function encodeFrame({ isControl, control, number, acknowledged, packet }: LinkFrame): Buffer {
  const frame = Buffer.alloc(packet.length + FRAME_OVERHEAD);
  frame[0] = (isControl ? CONTROL : 0) | CONTROLS[control] | (number << 2) | acknowledged;
  frame.writeUInt16BE(packet.length, 1);
  packet.copy(frame, 3);
  frame.writeUInt16BE(frameCheck(frame.subarray(0, -2)), frame.length - 2);
  return frame;
}

export const dataFrame = (number: number, acknowledged: number, packet: Buffer): Buffer =>
  encodeFrame({ isControl: false, control: 'ack', number, acknowledged, packet });

export const controlFrame = (control: SequenceControl, acknowledged: number): Buffer =>
  encodeFrame({ isControl: true, control, number: 0, acknowledged, packet: Buffer.alloc(0) });

/** The frame that these bytes are; undefined where they are damaged. */
export function decodeFrame(bytes: Buffer): LinkFrame | undefined {
  if (bytes.length < FRAME_OVERHEAD || bytes.readUInt16BE(1) !== bytes.length - FRAME_OVERHEAD) return undefined;
  if (frameCheck(bytes.subarray(0, -2)) !== bytes.readUInt16BE(bytes.length - 2)) return undefined;
  const head = bytes[0] ?? 0;
  const isControl = (head & CONTROL) !== 0;
  const [control] = (['ack', 'nak', 'resync'] as const).filter((each) => CONTROLS[each] === (head & CONTROL_MASK));
  const packet = bytes.subarray(3, -2);
  if (control === undefined || isControl !== (packet.length === 0) || (!isControl && control === 'resync')) return undefined;
  return { isControl, control, number: (head >> 2) & 3, acknowledged: head & 3, packet };
}
