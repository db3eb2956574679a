/**
 * Lines between the Zero Touch kit's programs and its board: `target:command(data)` and `SS(DATA)`, a status of two digits.
 * As the firmware does, only first letters are looked at. Commands of the application carry JSON in hexadecimal.
 */

/** Status of an answer. */
export const KIT_STATUS = {
  success: 0x00,
  failure: 0x01,
  notValid: 0x03,
  notSupported: 0x04,
  communication: 0xf0,
} as const;

export type KitLine =
  | { readonly kind: 'application'; readonly data: Buffer }
  | { readonly kind: 'version' | 'firmware' | 'device' | 'wake' | 'idle' | 'sleep' | 'select' }
  | { readonly kind: 'talk'; readonly data: Buffer }
  | { readonly kind: 'refused'; readonly status: number };

const refused = (status: number): KitLine => ({ kind: 'refused', status });
const HEX = /^(?:[0-9a-f]{2})*$/i;

function withData(kind: 'application' | 'talk', text: string): KitLine {
  return HEX.test(text) ? { kind, data: Buffer.from(text, 'hex') } : refused(KIT_STATUS.notValid);
}

function boardLine(command: string, data: string): KitLine {
  switch (command[0]) {
    case 'a':
      return withData('application', data);
    case 'v':
      return { kind: 'version' };
    case 'f':
      return { kind: 'firmware' };
    case 'd':
      return command.startsWith('de') ? { kind: 'device' } : refused(KIT_STATUS.notSupported);
    case 'g':
    case 'l':
      return refused(KIT_STATUS.notSupported);
    default:
      return refused(KIT_STATUS.notValid);
  }
}

function deviceLine(command: string, data: string): KitLine {
  switch (command[0]) {
    case 'p':
      return { kind: 'select' };
    case 'i':
      return { kind: 'idle' };
    case 'w':
      return { kind: 'wake' };
    case 't':
      return withData('talk', data);
    case 's':
      return command.startsWith('sl') ? { kind: 'sleep' } : refused(KIT_STATUS.notSupported);
    case 'r':
      return refused(KIT_STATUS.notSupported);
    default:
      return refused(KIT_STATUS.notValid);
  }
}

/** What a line asks for. */
export function parseKitLine(line: string): KitLine {
  const [, target = '', command = '', data = ''] = /^([a-z]\w*)(?:\(\w*\))?:([a-z][\w:]*)\(([^)]*)\)/i.exec(line) ?? [];
  switch (target[0]?.toLowerCase()) {
    case 'b':
      return boardLine(command.toLowerCase(), data);
    // The names of older chips' kits stand for the device.
    case 'd':
    case 'a':
    case 'e':
    case 's':
      return deviceLine(command.toLowerCase(), data);
    default:
      return refused(KIT_STATUS.notValid);
  }
}

const twoDigits = (status: number): string => status.toString(16).toUpperCase().padStart(2, '0');

/** An answer with bytes, in upper case: the kit's programs read nothing else. */
export const kitAnswer = (status: number, data: Buffer = Buffer.alloc(0)): string =>
  `${twoDigits(status)}(${data.toString('hex').toUpperCase()})`;
