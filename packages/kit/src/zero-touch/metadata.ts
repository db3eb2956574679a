/**
 * What the Zero Touch kit keeps in slot 8 besides its certificates: Wi-Fi and host. 240 bytes, little endian: flags (low half
 * 0x72B0 where Wi-Fi is set, high half 0xF309 where the host is), then a length of four bytes and a field for each.
 */
import { ElementError } from '../elements/contract.ts';

export interface BoardSettings {
  readonly wifi: { readonly ssid: string; readonly password: string } | undefined;
  readonly hostName: string | undefined;
}

export const NO_SETTINGS: BoardSettings = { wifi: undefined, hostName: undefined };

/** Bytes of the fields: the longest text of each. */
export const SETTING_SIZES = { ssid: 32, password: 64, hostName: 128 } as const;
const WIFI_SET = 0x72b0;
const HOST_SET = 0xf309;
const FLAGS = 4;
const LENGTH = 4;

type FieldName = keyof typeof SETTING_SIZES;
const ORDER = ['ssid', 'password', 'hostName'] as const satisfies readonly FieldName[];

export const SETTINGS_LENGTH = FLAGS + ORDER.reduce((sum, name) => sum + LENGTH + SETTING_SIZES[name], 0);

function field(name: FieldName, text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length > SETTING_SIZES[name])
    throw new ElementError('invalid', `${name} has ${bytes.length} bytes, and the kit keeps ${SETTING_SIZES[name]}`);
  const whole = Buffer.alloc(LENGTH + SETTING_SIZES[name]);
  whole.writeUInt32LE(bytes.length);
  bytes.copy(whole, LENGTH);
  return whole;
}

/** Throws ElementError `invalid` where a text is too long. */
export function packSettings({ wifi, hostName }: BoardSettings): Buffer {
  const flags = Buffer.alloc(FLAGS);
  if (wifi !== undefined) flags.writeUInt16LE(WIFI_SET, 0);
  if (hostName !== undefined) flags.writeUInt16LE(HOST_SET, 2);
  return Buffer.concat([
    flags,
    field('ssid', wifi?.ssid ?? ''),
    field('password', wifi?.password ?? ''),
    field('hostName', hostName ?? ''),
  ]);
}

/** What a slot holds; settings whose flag is not set, or whose length is none, are absent. */
export function unpackSettings(slot: Buffer): BoardSettings {
  if (slot.length < SETTINGS_LENGTH) return NO_SETTINGS;
  let at = FLAGS;
  const texts = new Map<FieldName, string | undefined>();
  for (const name of ORDER) {
    const length = slot.readUInt32LE(at);
    const start = at + LENGTH;
    texts.set(name, length > SETTING_SIZES[name] ? undefined : slot.subarray(start, start + length).toString('utf8'));
    at = start + SETTING_SIZES[name];
  }
  const [ssid, password, hostName] = ORDER.map((name) => texts.get(name));
  return {
    wifi: slot.readUInt16LE(0) === WIFI_SET && ssid !== undefined && password !== undefined ? { ssid, password } : undefined,
    hostName: slot.readUInt16LE(2) === HOST_SET ? hostName : undefined,
  };
}
