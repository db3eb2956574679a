/**
 * One ATECC on its bus: wakes it, hands it commands, takes its answers, and begins again where something on the way was lost or
 * damaged (ATECC508A datasheet, sections I/O groups and synchronisation; cryptoauthlib, calib_execution).
 */
import { BusError, type I2cBus } from '../../buses/contract.ts';
import { ElementError } from '../contract.ts';
import { ANSWER_FRAME, type AteccCommand, decodeAnswer, encodeCommand, MAX_ANSWER, WORD_ADDRESS } from './packets.ts';

/** What the chip says of a command in the place of a result. */
export const STATUS = {
  done: 0x00,
  mismatch: 0x01,
  parseError: 0x03,
  eccFault: 0x05,
  selfTest: 0x07,
  randomHealth: 0x08,
  executionError: 0x0f,
  woken: 0x11,
  watchdog: 0xee,
  damaged: 0xff,
} as const;

/** A status with which the chip refuses a command that has reached it whole. */
export class AteccStatusError extends Error {
  override readonly name = 'AteccStatusError';
  readonly status: number;

  constructor(command: string, status: number) {
    super(`${command} was answered with status 0x${status.toString(16).padStart(2, '0')}`);
    this.status = status;
  }
}

/** An exchange that went wrong on its way, and may go right the next time. */
class GlitchError extends Error {
  override readonly name = 'GlitchError';
}

/** Statuses of a command that was not executed, and may be sent again. */
const AGAIN: readonly number[] = [STATUS.woken, STATUS.watchdog, STATUS.damaged];
const WOKEN = Buffer.of(0x04, 0x11, 0x33, 0x43);
/** What the chip, or the library's constant for it, says after a failed self-test. */
const SELF_TEST_FAILED = [Buffer.of(0x04, 0x07, 0xc4, 0x40), Buffer.of(0x04, 0x07, 0x40, 0xc2)];
const GENERAL_CALL = 0;
/** Milliseconds from the wake condition until the chip can be talked to. */
const WAKE_DELAY = 1.6;
const WAKE_TRIES = 14;
/** Longest pause between two tries to wake; all together are longer than the watchdog. */
const MAX_WAKE_PAUSE = 250;
const POLL_FIRST = 1;
const POLL_EVERY = 2;
/** Milliseconds after which no answer comes any more: the watchdog has put the chip to sleep. */
const POLL_LIMIT = 1400;
const TRIES = 8;

export class AteccLink {
  readonly #bus: I2cBus;
  #address: number;

  constructor(bus: I2cBus, address: number) {
    this.#bus = bus;
    this.#address = address;
  }

  get address(): number {
    return this.#address;
  }

  /** From now on the chip answers elsewhere: at `next` after it has slept, and until then where it was. */
  async moveTo(next: number): Promise<void> {
    const before = this.#address;
    for (let time = 0; time < TRIES; time += 1)
      for (const address of time % 2 === 0 ? [before, next] : [next, before]) {
        this.#address = address;
        await this.sleep();
        this.#address = next;
        if (await this.#answersTo(next)) return;
      }
    this.#address = before;
    throw new ElementError('communication', `the chip does not answer at its new address 0x${next.toString(16)}`);
  }

  async #answersTo(address: number): Promise<boolean> {
    const answer = await this.#wakeOnce(address);
    if (answer?.equals(WOKEN)) await this.idle();
    return answer?.equals(WOKEN) ?? false;
  }

  /** Puts the chip to sleep; what it holds in TempKey is gone. A chip that rests hears nothing, and is woken first. */
  async sleep(): Promise<void> {
    await this.#wakeOnce(this.#address);
    await this.#tell(WORD_ADDRESS.sleep);
  }

  /** Lets the chip rest; it keeps TempKey. */
  async idle(): Promise<void> {
    await this.#tell(WORD_ADDRESS.idle);
  }

  /** A byte that may get lost: what comes next begins with waking the chip. */
  async #tell(word: number): Promise<void> {
    try {
      await this.#bus.write(this.#address, Buffer.of(word));
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
    }
  }

  async #wakeOnce(address: number): Promise<Buffer | undefined> {
    try {
      // A chip that sleeps acknowledges nothing: the low level of the line is what wakes it.
      await this.#bus.write(GENERAL_CALL, Buffer.of(0)).catch((error: unknown) => {
        if (!(error instanceof BusError) || error.code !== 'nack') throw error;
      });
      await this.#bus.pause(WAKE_DELAY);
      return await this.#bus.read(address, WOKEN.length);
    } catch (error) {
      if (error instanceof BusError) return undefined;
      throw error;
    }
  }

  async #wake(): Promise<void> {
    let heard = false;
    for (let time = 0; time < WAKE_TRIES; time += 1) {
      const answer = await this.#wakeOnce(this.#address);
      if (answer?.equals(WOKEN)) return;
      heard ||= answer !== undefined;
      if (SELF_TEST_FAILED.some((each) => answer?.equals(each)) && time > 1)
        throw new ElementError('element-fault', 'the chip reports that its self-test has failed');
      // It may be awake still, and hold an older answer; or busy, or rest for the first time.
      await this.idle();
      await this.#bus.pause(Math.min(2 ** time, MAX_WAKE_PAUSE));
    }
    const at = `0x${this.#address.toString(16)}`;
    if (heard) throw new ElementError('communication', `the chip at address ${at} does not wake up as it should`);
    throw new ElementError('communication', `no chip answers at address ${at}`, {
      hint: 'with the Zero Touch configuration it is at 0x58: ?address=0x58; else look at wires, power and the bus',
    });
  }

  /** The answer's content: waits while the chip is busy. */
  async #answer({ name }: AteccCommand): Promise<Buffer> {
    await this.#bus.pause(POLL_FIRST);
    for (let waited = POLL_FIRST; ; waited += POLL_EVERY) {
      try {
        await this.#bus.write(this.#address, Buffer.of(WORD_ADDRESS.resetPointer));
        break;
      } catch (error) {
        if (!(error instanceof BusError) || error.code !== 'nack') throw error;
        if (waited > POLL_LIMIT) throw new GlitchError(`${name} was not answered in time`);
        await this.#bus.pause(POLL_EVERY);
      }
    }
    const head = await this.#bus.read(this.#address, 1);
    const length = head[0] ?? 0;
    if (length < ANSWER_FRAME + 1 || length > MAX_ANSWER) throw new GlitchError(`${name} was answered with ${length} bytes`);
    const content = decodeAnswer(Buffer.concat([head, await this.#bus.read(this.#address, length - 1)]));
    if (content === undefined) throw new GlitchError(`the answer to ${name} is damaged`);
    return content;
  }

  async #attempt(command: AteccCommand): Promise<Buffer> {
    await this.#bus.write(this.#address, encodeCommand(command));
    const content = await this.#answer(command);
    await this.idle();
    if (content.length === 1 && command.answer !== 1) {
      const [status = STATUS.damaged] = content;
      // A mismatch is an answer to Verify alone.
      const isStray = status === STATUS.mismatch && command.name !== 'Verify';
      if (AGAIN.includes(status) || isStray) throw new GlitchError(`${command.name} did not reach the chip (status ${status})`);
      if (status !== STATUS.done) throw new AteccStatusError(command.name, status);
      if (command.answer !== 0) throw new GlitchError(`${command.name} was answered with a status in the place of data`);
      return Buffer.alloc(0);
    }
    if (content.length !== command.answer) throw new GlitchError(`${command.name} was answered with ${content.length} bytes`);
    return content;
  }

  /**
   * The data of the answer, empty where the status is all. Throws AteccStatusError where the chip refuses, asked twice;
   * ElementError `communication` where no try of several got through. With `isOnce` the command is sent one time: what can't be
   * done twice.
   */
  async execute(command: AteccCommand, { isOnce = false } = {}): Promise<Buffer> {
    let last: unknown;
    let refusal: AteccStatusError | undefined;
    for (let time = 0; time < (isOnce ? 1 : TRIES); time += 1) {
      await this.#wake();
      try {
        return await this.#attempt(command);
      } catch (error) {
        if (error instanceof AteccStatusError) {
          if (isOnce || refusal !== undefined || error.status === STATUS.mismatch) throw refusal ?? error;
          refusal = error;
        } else if (!(error instanceof BusError) && !(error instanceof GlitchError)) throw error;
        last = error;
        // Whatever it does, it rests before it is woken: its next answer is to the next command.
        await this.idle();
      }
    }
    throw new ElementError('communication', `the chip can't be reached: ${(last as Error).message}`, { cause: last });
  }

  async close(): Promise<void> {
    await this.sleep();
    await this.#bus[Symbol.asyncDispose]();
  }
}
