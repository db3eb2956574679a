/** Metadata inside a virtual chip: values by tag, in the order in which they stand, and access conditions evaluated. */

/** A fault that a command ends with: the code that the chip keeps as its last error. */
export class ChipFault extends Error {
  override readonly name = 'ChipFault';
  readonly code: number;

  constructor(code: number) {
    super(`error ${code.toString(16)}`);
    this.code = code;
  }
}

export const FAULT = {
  invalidOid: 0x01,
  invalidParameter: 0x03,
  invalidLength: 0x04,
  invalidData: 0x05,
  accessCondition: 0x07,
  boundary: 0x08,
  truncatedMetadata: 0x09,
  invalidCommand: 0x0a,
  outOfSequence: 0x0b,
  invalidMetadata: 0x11,
  signature: 0x2c,
} as const;

const ALL = 0x20;
const LONGEST = 44;

type MetadataValues = ReadonlyMap<number, Buffer>;

/** Throws ChipFault. */
export function metadataValues(bytes: Buffer): Map<number, Buffer> {
  if (bytes.length < 2 || bytes[0] !== ALL) throw new ChipFault(FAULT.invalidMetadata);
  if (bytes[1] !== bytes.length - 2) throw new ChipFault(FAULT.truncatedMetadata);
  const values = new Map<number, Buffer>();
  let rest = bytes.subarray(2);
  while (rest.length > 0) {
    const size = rest[1];
    if (size === undefined || rest.length < size + 2) throw new ChipFault(FAULT.truncatedMetadata);
    values.set(rest.readUInt8(0), rest.subarray(2, size + 2));
    rest = rest.subarray(size + 2);
  }
  return values;
}

/** Throws ChipFault where there is more than the chip can keep. */
export function metadataBytes(values: MetadataValues): Buffer {
  const content = Buffer.concat([...values].flatMap(([tag, value]) => [Buffer.of(tag, value.length), value]));
  if (content.length + 2 > LONGEST) throw new ChipFault(FAULT.invalidMetadata);
  return Buffer.concat([Buffer.of(ALL, content.length), content]);
}

/** Life cycles that conditions are about. */
interface LifeCycles {
  readonly object: number;
  readonly application: number;
  readonly global: number;
}

const SECURE = new Set([0x20, 0x21, 0x23, 0x40]);

/** Whether one term holds, and what follows it. Without a shielded connection nothing that asks for one holds. */
function evaluateTerm(bytes: Buffer, states: LifeCycles): { holds: boolean; rest: Buffer } {
  const id = bytes[0];
  if (id === 0x00 || id === 0xff) return { holds: id === 0x00, rest: bytes.subarray(1) };
  if (id === undefined || bytes.length < 3) throw new ChipFault(FAULT.invalidMetadata);
  const rest = bytes.subarray(3);
  if (SECURE.has(id)) return { holds: false, rest };
  const state = new Map([
    [0xe1, states.object],
    [0xe0, states.application],
    [0x70, states.global],
    [0x10, 0],
    [0x90, 0],
  ]).get(id);
  const value = bytes.readUInt8(2);
  if (state === undefined) throw new ChipFault(FAULT.invalidMetadata);
  switch (bytes[1]) {
    case 0xfa:
      return { holds: state === value, rest };
    case 0xfb:
      return { holds: state > value, rest };
    case 0xfc:
      return { holds: state < value, rest };
    default:
      throw new ChipFault(FAULT.invalidMetadata);
  }
}

/** Whether a condition holds; a missing one never does. "And" binds more strongly than "or". */
export function conditionHolds(condition: Buffer | undefined, states: LifeCycles): boolean {
  if (condition === undefined || condition.length === 0) return false;
  let rest = condition;
  let any = false;
  let all = true;
  for (;;) {
    const term = evaluateTerm(rest, states);
    all &&= term.holds;
    if (term.rest.length === 0) return any || all;
    const operator = term.rest[0];
    if (operator === 0xfe) {
      any ||= all;
      all = true;
    } else if (operator !== 0xfd) throw new ChipFault(FAULT.invalidMetadata);
    rest = term.rest.subarray(1);
  }
}
