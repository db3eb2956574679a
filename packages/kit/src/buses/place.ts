/** Opens the bus that a place names: `/dev/i2c-N`, `socket:PATH`, or `virtual:FILE` with the chip in this process. */
import { ElementError } from '../elements/contract.ts';
import type { VirtualChip } from '../virtual-chips/contract.ts';
import { BusError, type I2cBus } from './contract.ts';
import { openLinuxBus } from './linux-bus.ts';
import { openSocketBus } from './socket-bus.ts';
import { virtualBus } from './virtual-bus.ts';

/** Makes the virtual chip whose state is in a file. */
export type OpenVirtualChip = (path: string) => VirtualChip;

/** Throws ElementError: `invalid` where the text names no place, `communication` where nothing is there. */
export async function openBus(place: string, openVirtualChip: OpenVirtualChip): Promise<I2cBus> {
  if (place.startsWith('/dev/')) return openLinuxBus(place);
  const [, kind = '', path = ''] = /^(virtual|socket):(.+)$/s.exec(place) ?? [];
  try {
    if (kind === 'virtual') return virtualBus(openVirtualChip(path));
    if (kind === 'socket') return await openSocketBus(path);
  } catch (error) {
    if (error instanceof BusError) throw new ElementError('communication', error.message, { cause: error });
    throw error;
  }
  throw new ElementError('invalid', `${place} is no place of a chip`, { hint: '/dev/i2c-1, virtual:chip.json or socket:PATH' });
}
