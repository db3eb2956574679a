/** A bus of Linux's i2c-dev (Documentation/i2c/dev-interface.rst): the address by ioctl(2), transfers by read(2) and write(2). */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import type * as Koffi from 'koffi';
import { NativeFault } from './native-fault.ts';

/** linux/i2c-dev.h */
const I2C_SLAVE = 0x0703;

const systemFault = (error: unknown, call: string): NativeFault => {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return new NativeFault('system', `${call}: ${message}`, code);
};

export class I2cDevice {
  readonly #file: number;
  readonly #koffi: typeof Koffi;
  readonly #ioctl: (file: number, request: number, value: number) => number;
  #address: number | undefined;

  /** Throws NativeFault `system`. */
  constructor(koffi: typeof Koffi, path: string) {
    this.#koffi = koffi;
    this.#ioctl = koffi.load(null).func('ioctl', 'int', ['int', 'ulong', 'long']);
    try {
      this.#file = openSync(path, 'r+');
    } catch (error) {
      throw systemFault(error, 'open');
    }
  }

  /** Sets the 7-bit address of the chip that the next transfers are for. */
  #select(address: number): void {
    if (this.#address === address) return;
    if (this.#ioctl(this.#file, I2C_SLAVE, address) < 0) {
      const number = this.#koffi.errno();
      const [name = `errno ${number}`] = Object.entries(this.#koffi.os.errno).find(([, each]) => each === number) ?? [];
      throw new NativeFault('system', `ioctl: ${name}`, name);
    }
    this.#address = address;
  }

  write(address: number, bytes: Buffer): void {
    this.#select(address);
    try {
      const written = writeSync(this.#file, bytes);
      if (written !== bytes.length) throw new NativeFault('failed', `${written} bytes instead of ${bytes.length} were written`);
    } catch (error) {
      throw error instanceof NativeFault ? error : systemFault(error, 'write');
    }
  }

  read(address: number, length: number): Buffer {
    this.#select(address);
    const bytes = Buffer.alloc(length);
    try {
      const read = readSync(this.#file, bytes, 0, length, null);
      if (read !== length) throw new NativeFault('failed', `${read} bytes instead of ${length} were read`);
    } catch (error) {
      throw error instanceof NativeFault ? error : systemFault(error, 'read');
    }
    return bytes;
  }

  close(): void {
    closeSync(this.#file);
  }
}
