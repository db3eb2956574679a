/** The two known configurations of ATECCs in the field, and how one is written. */
import { ElementError } from '../contract.ts';
import type { AteccLink } from './link.ts';
import { AteccStatusError, STATUS } from './link.ts';
import { isSameConfig, locksOfConfig } from './locks.ts';
import { type AteccZones, agreedReading, CONFIG_LENGTH, MAKERS_BYTES } from './zones.ts';

/** Bytes 16 to 127 of the configuration zone, by name. */
const CONFIGURATIONS = {
  /** Microchip's AWS Zero Touch kit: keys in 0, 2, 3 and 7, certificates in 10 to 12 and 14, address 0x58. */
  'zero-touch':
    'b000aa008f20c444872087208f0fc4369f0f82200f0fc4440f0f0f0f0f0f0f0f0f0f0f0fffffffff00000000ffffffff0000000000000000' +
    '00000000000000000000000000000000ffff00000000000033001c00130013007c001c003c0033003c003c003c0030003c003c003c003000',
  /** ArduinoECCX08, the default for TLS: keys in 0 to 4, data in 8 to 14, address 0x60. */
  arduino:
    'c0005500832087208720872f872f8f8f9f8faf8f0000000000000000000000000000af8fffffffff00000000ffffffff00000000ffffffff' +
    'ffffffffffffffffffffffff00005555ffff000000000000330033003300330033001c001c001c003c003c003c003c003c003c003c001c00',
} as const;

export type ConfigurationName = keyof typeof CONFIGURATIONS;
export const CONFIGURATION_NAMES = Object.keys(CONFIGURATIONS) as readonly ConfigurationName[];

const I2C_ADDRESS = 16;
const LOCKS_AND_EXTRA = [84, 88] as const;
const TRIES = 4;

/** The 128 bytes that a chip with this configuration holds; the maker's bytes and the lock bytes are those of `present`. */
export function configurationOn(name: ConfigurationName, present: Buffer): Buffer {
  const config = Buffer.concat([present.subarray(0, MAKERS_BYTES), Buffer.from(CONFIGURATIONS[name], 'hex')]);
  present.copy(config, LOCKS_AND_EXTRA[0] + 2, LOCKS_AND_EXTRA[0] + 2, LOCKS_AND_EXTRA[1]);
  return config;
}

/** The name of the configuration that a chip has; undefined where it is none of the known ones. */
export const nameOfConfiguration = (present: Buffer): ConfigurationName | undefined =>
  CONFIGURATION_NAMES.find((name) => isSameConfig(configurationOn(name, present), present));

/** 7-bit address that a configuration gives to the chip. */
export const addressOfConfiguration = (config: Buffer): number => (config[I2C_ADDRESS] ?? 0) >> 1;

/**
 * Writes a configuration (128 bytes, of which the maker's and the lock bytes are left alone), reads it back, and follows the
 * chip to its new address. Throws ElementError: `not-permitted` where the zone is locked, `verification` where the chip does
 * not hold it afterwards.
 */
export async function writeConfiguration(link: AteccLink, zones: AteccZones, config: Buffer): Promise<void> {
  if (config.length !== CONFIG_LENGTH)
    throw new ElementError('invalid', `a configuration has ${CONFIG_LENGTH} bytes, not ${config.length}`);
  const next = addressOfConfiguration(config);
  if (next < 0x08 || next > 0x77)
    throw new ElementError('invalid', `0x${next.toString(16)} is no address of a chip (byte 16 of the configuration)`);
  const present = await agreedReading(() => zones.readConfig());
  if (locksOfConfig(present).config) {
    if (isSameConfig(present, config)) return;
    throw new ElementError('not-permitted', 'the configuration zone is locked, and stays as it is');
  }
  if (!(await isWritten(link, zones, config, next)))
    throw new ElementError('verification', 'the chip does not hold the configuration that was written');
}

async function isWritten(link: AteccLink, zones: AteccZones, config: Buffer, next: number): Promise<boolean> {
  for (let time = 0; time < TRIES; time += 1) {
    try {
      await zones.writeConfig(config);
    } catch (error) {
      // UserExtra and Selector are set once: what they hold is compared below. A chip that slept may be elsewhere.
      const isRefused = error instanceof AteccStatusError && error.status === STATUS.executionError;
      const isLost = error instanceof ElementError && error.code === 'communication';
      if (!isRefused && !(isLost && next !== link.address)) throw error;
    }
    if (next !== link.address) await link.moveTo(next);
    if (isSameConfig(await agreedReading(() => zones.readConfig()), config)) return true;
  }
  return false;
}
