/**
 * Registers of an OPTIGA on its bus (IFX I2C Protocol 2.03, chapter 3): a write of the register's number and its content, or a
 * write of the number and then a read. All values are big endian. A chip that is not ready does not acknowledge its address.
 */
import { BusError, type I2cBus } from '../../buses/contract.ts';
import { LinkError } from './frame.ts';

const IFX_REGISTER = { data: 0x80, dataLength: 0x81, state: 0x82, softReset: 0x88 } as const;

/** Longest frame that is asked for: what the vendor's library asks a Trust M for. */
const MAX_FRAME = 0x0115;
/** Shortest longest frame that a chip may have. */
const MIN_FRAME = 16;

/** Milliseconds between two tries, and how often one is made. */
const RETRY_PAUSE = 1;
const MAX_TRIES = 100;
/** Milliseconds after a reset in which the chip does not answer, and how often its state is asked for after that. */
const STARTUP = 15;
const RESET_POLLS = 50;

/** The register I2C_STATE. */
export interface IfxState {
  readonly isBusy: boolean;
  readonly isResponseReady: boolean;
  /** Bytes that can be read from DATA. */
  readonly length: number;
}

export class PhysicalLayer {
  readonly #bus: I2cBus;
  readonly #address: number;
  #frameLength = MAX_FRAME;

  constructor(bus: I2cBus, address: number) {
    this.#bus = bus;
    this.#address = address;
  }

  /** Longest frame, as agreed with the chip. */
  get frameLength(): number {
    return this.#frameLength;
  }

  pause(milliseconds: number): Promise<void> {
    return this.#bus.pause(milliseconds);
  }

  /** One transfer, again while the chip does not acknowledge. Throws LinkError. */
  async #transfer<T>(transfer: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await transfer();
      } catch (error) {
        if (!(error instanceof BusError)) throw error;
        if (error.code === 'failed') throw new LinkError(error.message, { cause: error });
        if (tries === MAX_TRIES)
          throw new LinkError(`no chip answers at address 0x${this.#address.toString(16)}`, { cause: error });
      }
      await this.pause(RETRY_PAUSE);
    }
  }

  async #write(register: number, content: Buffer): Promise<void> {
    const bytes = Buffer.concat([Buffer.of(register), content]);
    await this.#transfer(() => this.#bus.write(this.#address, bytes));
  }

  async #read(register: number, length: number): Promise<Buffer> {
    await this.#transfer(() => this.#bus.write(this.#address, Buffer.of(register)));
    const bytes = await this.#transfer(() => this.#bus.read(this.#address, length));
    if (bytes.length !== length) throw new LinkError(`the bus gave ${bytes.length} bytes instead of ${length}`);
    return bytes;
  }

  async state(): Promise<IfxState> {
    const bytes = await this.#read(IFX_REGISTER.state, 4);
    const flags = bytes[0] ?? 0;
    return { isBusy: (flags & 0x80) !== 0, isResponseReady: (flags & 0x40) !== 0, length: bytes.readUInt16BE(2) };
  }

  writeFrame(frame: Buffer): Promise<void> {
    return this.#write(IFX_REGISTER.data, frame);
  }

  readFrame(length: number): Promise<Buffer> {
    return this.#read(IFX_REGISTER.data, length);
  }

  /** Restarts the chip, and waits until it has nothing to say. Throws LinkError. */
  async reset(): Promise<void> {
    await this.#write(IFX_REGISTER.softReset, Buffer.alloc(2));
    await this.pause(STARTUP);
    for (let polls = 0; polls < RESET_POLLS; polls += 1) {
      const { isBusy, isResponseReady, length } = await this.state();
      if (!isBusy && !isResponseReady && length === 0) return;
      await this.pause(RETRY_PAUSE);
    }
    throw new LinkError('the chip does not restart');
  }

  /** Asks for frames as long as they may be; the chip says how long they are. Throws LinkError. */
  async negotiate(): Promise<void> {
    const wanted = Buffer.alloc(2);
    wanted.writeUInt16BE(MAX_FRAME);
    let before = -1;
    for (let tries = 0; tries < 4; tries += 1) {
      await this.#write(IFX_REGISTER.dataLength, wanted);
      const given = (await this.#read(IFX_REGISTER.dataLength, 2)).readUInt16BE();
      // A length below the one that was asked for counts when the chip says it twice: once may be a damaged byte.
      if (given === MAX_FRAME || (given === before && given >= MIN_FRAME && given < MAX_FRAME)) {
        this.#frameLength = given;
        return;
      }
      before = given;
    }
    throw new LinkError('the chip does not say how long frames may be');
  }
}
