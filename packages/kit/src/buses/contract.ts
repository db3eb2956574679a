/** An I2C bus with one master, as drivers of chips use it: real, over a socket, or with a virtual chip behind it. */

/** A transfer that did not happen. */
export class BusError extends Error {
  override readonly name = 'BusError';
  /** `nack`: the chip did not answer to its address, as it does while it is busy or asleep; `failed`: anything else. */
  readonly code: 'nack' | 'failed';

  constructor(code: 'nack' | 'failed', message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Addresses have 7 bits. Each call is one transfer with its own start and stop condition. Throws BusError. */
export interface I2cBus extends AsyncDisposable {
  write(address: number, bytes: Buffer): Promise<void>;
  /** Exactly `length` bytes, 1 to 4096. */
  read(address: number, length: number): Promise<Buffer>;
  /**
   * Waits. With a virtual chip in this process it returns at once and moves the chip's clock by so much, so that tests of time
   * limits take no time.
   */
  pause(milliseconds: number): Promise<void>;
}
