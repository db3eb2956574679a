/** A bus of this machine, `/dev/i2c-N` of Linux's i2c-dev, whose calls are made in the process of native code. */
import { setTimeout as pause } from 'node:timers/promises';
import { ElementError } from '../elements/contract.ts';
import { Turns } from '../elements/turns.ts';
import { NativeFault } from '../native/native-fault.ts';
import { NativeProcess } from '../native/native-process.ts';
import { BusError, type I2cBus } from './contract.ts';

/** Names of errno that drivers of adapters give where a chip does not acknowledge (Documentation/i2c/fault-codes.rst). */
const NACK: readonly (number | string)[] = ['ENXIO', 'EREMOTEIO', 'EIO', 'ETIMEDOUT'];
const MAX_TRANSFER = 4096;

/** What the operating system says of opening a bus, to its user. */
function openFault(error: NativeFault, path: string): ElementError {
  const of = (message: string, hint: string): ElementError => new ElementError('communication', message, { hint, cause: error });
  if (error.code === 'ENOENT')
    return of(
      `there is no bus ${path}`,
      'modprobe i2c-dev; on a Raspberry Pi switch I2C on first (raspi-config, Interface Options)',
    );
  if (error.code === 'EACCES' || error.code === 'EPERM')
    return of(`${path} may not be opened by this user (${error.code})`, 'usermod -aG i2c USER, and log in again');
  return of(`${path} can not be opened: ${error.message}`, 'is it a bus?');
}

function transferFault(error: unknown, path: string, address: number): unknown {
  if (error instanceof ElementError && error.code === 'communication')
    return new BusError('failed', error.message, { cause: error });
  if (!(error instanceof NativeFault)) return error;
  if (NACK.includes(error.code))
    return new BusError('nack', `no chip answers at address 0x${address.toString(16)} of ${path} (${error.code})`, {
      cause: error,
    });
  if (error.code === 'ENOTTY') return new BusError('failed', `${path} is no I2C bus (ENOTTY)`, { cause: error });
  if (error.code === 'EBUSY')
    return new BusError('failed', `a driver of the kernel has address 0x${address.toString(16)} of ${path} (EBUSY)`, {
      cause: error,
    });
  return new BusError('failed', `${path}: ${error.message}`, { cause: error });
}

/** Opens the bus. Throws ElementError `communication`, and `missing-library` where koffi is not installed. */
export async function openLinuxBus(path: string, native = new NativeProcess()): Promise<I2cBus> {
  const turns = new Turns();
  let generation = -1;
  /** The process may have ended since the last transfer, and the bus with it. */
  const opened = async (): Promise<void> => {
    if (native.generation === generation) return;
    try {
      await native.call('openBus', path);
    } catch (error) {
      throw error instanceof NativeFault ? openFault(error, path) : error;
    }
    generation = native.generation;
  };
  const transfer = <T>(address: number, call: () => Promise<T>): Promise<T> =>
    turns.take(async () => {
      try {
        await opened();
        return await call();
      } catch (error) {
        throw transferFault(error, path, address);
      }
    });
  const checked = (length: number): void => {
    if (length < 1 || length > MAX_TRANSFER)
      throw new BusError('failed', `a transfer has 1 to ${MAX_TRANSFER} bytes, not ${length}`);
  };
  try {
    await opened();
  } catch (error) {
    await native[Symbol.asyncDispose]();
    throw error;
  }
  return {
    async write(address, bytes) {
      checked(bytes.length);
      await transfer(address, () => native.call('writeBus', address, bytes));
    },
    async read(address, length) {
      checked(length);
      return transfer(address, () => native.call('readBus', address, length));
    },
    async pause(milliseconds) {
      await pause(milliseconds);
    },
    async [Symbol.asyncDispose]() {
      await native[Symbol.asyncDispose]();
    },
  };
}
