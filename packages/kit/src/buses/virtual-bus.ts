/** The bus of one virtual chip in this process. */
import type { VirtualChip } from '../virtual-chips/contract.ts';
import type { I2cBus } from './contract.ts';

/** Milliseconds of the chip's clock that each transfer takes. */
const TRANSFER = 0.1;

export const virtualBus = (chip: VirtualChip): I2cBus => ({
  async write(address, bytes) {
    chip.elapse(TRANSFER);
    chip.write(address, bytes);
  },
  async read(address, length) {
    chip.elapse(TRANSFER);
    return chip.read(address, length);
  },
  async pause(milliseconds) {
    chip.elapse(milliseconds);
  },
  async [Symbol.asyncDispose]() {},
});
