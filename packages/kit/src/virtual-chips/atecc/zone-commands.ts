/** Commands of a virtual ATECC on its zones: Read, Write, Lock, UpdateExtra, Counter, Info (ATECC508A datasheet, commands). */
import { packetChecksum } from './checksum.ts';
import { executionError, parseError, require, type AteccSession } from './session.ts';
import { type AteccSilicon, bytesOfSlot, SLOT_COUNT } from './silicon.ts';
import { rulesOfSlot } from './slot-rules.ts';

/** A command as it has come in. */
export interface ReceivedCommand {
  readonly opcode: number;
  readonly mode: number;
  readonly param: number;
  readonly data: Buffer;
}

/** Data of the answer, or a status. */
export type Outcome = Buffer | number;

const BLOCK_BYTES = 32;
const WORD_BYTES = 4;
const COUNTER_END = 2_097_151;
const DONE = 0;

/** Where Read and Write point to. */
interface Target {
  readonly zone: number;
  readonly slot: number;
  readonly offset: number;
  readonly length: number;
  readonly bytes: Buffer;
}

function targetOf(silicon: AteccSilicon, { mode, param }: ReceivedCommand): Target {
  const zone = mode & 0x03;
  const isBlock = (mode & 0x80) !== 0;
  const isData = zone === 2;
  const slot = isData ? (param >> 3) & 0x0f : 0;
  const block = isData ? param >> 8 : param >> 3;
  const word = isBlock ? 0 : param & 7;
  require(zone <= 2 && (mode & 0x3c) === 0 && (isData ? (param & 0x80) === 0 : param < 0x100), parseError);
  const bytes = isData ? silicon.slot(slot) : zone === 0 ? silicon.config : silicon.otp;
  const offset = block * BLOCK_BYTES + word * WORD_BYTES;
  // A whole block may stand over the end of a slot, whose last block is short.
  require(offset < bytes.length, parseError);
  return { zone, slot, offset, length: isBlock ? BLOCK_BYTES : WORD_BYTES, bytes };
}

export function read(silicon: AteccSilicon, command: ReceivedCommand): Outcome {
  require(command.data.length === 0 && (command.mode & 0x40) === 0, parseError);
  const { zone, slot, offset, length, bytes } = targetOf(silicon, command);
  if (zone === 1) require(silicon.isDataLocked, executionError);
  if (zone === 2) require(rulesOfSlot(silicon, slot).mayReadClear, executionError);
  const answer = Buffer.alloc(length);
  bytes.copy(answer, 0, offset, Math.min(offset + length, bytes.length));
  return answer;
}

export function write(silicon: AteccSilicon, command: ReceivedCommand): Outcome {
  const isEncrypted = (command.mode & 0x40) !== 0;
  const { zone, slot, offset, length, bytes } = targetOf(silicon, { ...command, mode: command.mode & ~0x40 });
  require(command.data.length === length + (isEncrypted ? BLOCK_BYTES : 0), parseError);
  require(!isEncrypted, executionError);
  if (zone === 0) {
    require(!silicon.isConfigLocked, executionError);
    // The maker's bytes, and those that UpdateExtra and Lock alone change.
    require(offset >= 16 && !(offset < 88 && offset + length > 84), executionError);
  } else {
    require(silicon.isConfigLocked, executionError);
    if (zone === 1) require(!silicon.isDataLocked, executionError);
    else require(rulesOfSlot(silicon, slot).mayWriteClear, executionError);
    if (!silicon.isDataLocked) require(length === BLOCK_BYTES, executionError);
  }
  command.data.copy(bytes, offset, 0, Math.min(length, bytes.length - offset));
  silicon.save();
  return DONE;
}

export function lock(silicon: AteccSilicon, { mode, param, data }: ReceivedCommand): Outcome {
  require(data.length === 0, parseError);
  const isChecked = (mode & 0x80) === 0;
  const what = mode & 0x03;
  require(what <= 2 && (what === 2 || (mode & 0x7c) === 0) && (mode & 0x40) === 0, parseError);
  if (what === 2) {
    const slot = (mode >> 2) & 0x0f;
    require(silicon.isConfigLocked && !silicon.isSlotLocked(slot) && rulesOfSlot(silicon, slot).mayLock, executionError);
    silicon.config.writeUInt16LE(silicon.config.readUInt16LE(88) & ~(1 << slot) & 0xffff, 88);
  } else {
    const at = what === 0 ? 87 : 86;
    require(silicon.config[at] === 0x55 && (what === 0 || silicon.isConfigLocked), executionError);
    const content = what === 0 ? silicon.config : Buffer.concat([...silicon.slots, silicon.otp]);
    require(!isChecked || packetChecksum(content) === param, executionError);
    silicon.config[at] = 0;
  }
  silicon.save();
  return DONE;
}

export function updateExtra(silicon: AteccSilicon, { mode, param, data }: ReceivedCommand): Outcome {
  require(data.length === 0 && mode <= 1 && param <= 0xff, parseError);
  const at = 84 + mode;
  require(silicon.config[at] === 0, executionError);
  if (param === 0) return DONE;
  silicon.config[at] = param;
  silicon.save();
  return DONE;
}

export function counter(silicon: AteccSilicon, { mode, param, data }: ReceivedCommand): Outcome {
  require(data.length === 0 && mode <= 1 && param <= 1, parseError);
  let value = silicon.counters[param] ?? 0;
  if (mode === 1) {
    require(value < COUNTER_END, executionError);
    value += 1;
    silicon.counters[param] = value;
    silicon.save();
  }
  const answer = Buffer.alloc(4);
  answer.writeUInt32LE(value);
  return answer;
}

/** Revision, or what the chip holds for now (bit 7 of the second byte: TempKey is valid). */
export function info(silicon: AteccSilicon, session: AteccSession, { mode, data }: ReceivedCommand): Outcome {
  require(data.length === 0 && (mode === 0 || mode === 2), parseError);
  if (mode === 0) return Buffer.from(silicon.config.subarray(4, 8));
  return Buffer.of(0, session.hasTempKey ? 0x80 : 0, 0, 0);
}

/** The public key in a slot of 72 bytes, X and Y; undefined for a slot that has no room for one. */
export function storedPoint(silicon: AteccSilicon, slot: number): Buffer | undefined {
  if (slot >= SLOT_COUNT || bytesOfSlot(slot) < 72) return undefined;
  const bytes = silicon.slot(slot);
  return Buffer.concat([bytes.subarray(4, 36), bytes.subarray(40, 72)]);
}
