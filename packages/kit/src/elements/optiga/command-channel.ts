/**
 * Commands and answers (OPTIGA Trust M, Solution Reference Manual 3.70, chapter on the enabler APIs): a command is
 * `Cmd | Param | InLen | InData`, an answer `Sta | UnDef | OutLen | OutData`, lengths of two bytes. Where the link fails, the
 * chip is restarted, its application is opened again, and the command is sent again: no answer to an older one can be left.
 */
import type { I2cBus } from '../../buses/contract.ts';
import { ElementError } from '../contract.ts';
import { optigaError, isLinkLost } from './chip-errors.ts';
import { DataLink } from './data-link.ts';
import { LinkError } from './frame.ts';
import { LAST_ERROR } from './object-ids.ts';
import { PhysicalLayer } from './physical-layer.ts';
import { receiveMessage, sendMessage } from './transport.ts';

export const OPTIGA_COMMAND = {
  getDataObject: 0x01,
  setDataObject: 0x02,
  getRandom: 0x0c,
  calcHash: 0x30,
  calcSign: 0x31,
  verifySign: 0x32,
  calcSharedSecret: 0x33,
  generateKeyPair: 0x38,
  openApplication: 0x70,
} as const;

/** Bit of a command that clears the last error first. */
const CLEARS_ERROR = 0x80;
/** The unique id of the application: an issuer's number, and a name. */
const APPLICATION = Buffer.concat([Buffer.from('d276000004', 'hex'), Buffer.from('GenAuthAppl', 'latin1')]);

const DONE = 0x00;
const FAILED = 0xff;
const ANSWER_HEAD = 4;
const MAX_TRIES = 3;

interface Answer {
  readonly isDone: boolean;
  readonly data: Buffer;
}

export interface OptigaCommand {
  readonly command: number;
  readonly parameter: number;
  readonly data: Buffer;
  /** What is done, for messages. */
  readonly doing: string;
}

/** An object id as two bytes. */
export function idBytes(id: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(id);
  return bytes;
}

export class CommandChannel {
  readonly #physical: PhysicalLayer;
  readonly #link: DataLink;
  #isOpen = false;

  constructor(bus: I2cBus, address: number) {
    this.#physical = new PhysicalLayer(bus, address);
    this.#link = new DataLink(this.#physical);
  }

  async #exchange(command: number, parameter: number, data: Buffer): Promise<Answer> {
    const head = Buffer.of(command, parameter, 0, 0);
    head.writeUInt16BE(data.length, 2);
    await sendMessage(this.#link, Buffer.concat([head, data]));
    const answer = await receiveMessage(this.#link);
    const status = answer[0];
    if (answer.length < ANSWER_HEAD || answer.readUInt16BE(2) !== answer.length - ANSWER_HEAD)
      throw new LinkError('the answer has another length than it says');
    if (status !== DONE && status !== FAILED) throw new LinkError('the answer has no status');
    return { isDone: status === DONE, data: answer.subarray(ANSWER_HEAD) };
  }

  /** Restarts the chip and opens its application. */
  async #open(): Promise<void> {
    await this.#physical.reset();
    await this.#physical.negotiate();
    this.#link.restart();
    const { isDone, data } = await this.#exchange(OPTIGA_COMMAND.openApplication, 0, APPLICATION);
    if (!isDone || data.length > 0) throw new LinkError('the chip does not open its application');
    this.#isOpen = true;
  }

  /** Has the link begin anew after a failure; what fails in it fails again when the command is sent. */
  async #giveUp(): Promise<void> {
    this.#isOpen = false;
    try {
      await this.#link.resync();
    } catch (error) {
      if (!(error instanceof LinkError)) throw error;
    }
  }

  /** The code of the last error; 0 where the chip has none. */
  async #lastError(): Promise<number> {
    const { isDone, data } = await this.#exchange(
      OPTIGA_COMMAND.getDataObject,
      0,
      Buffer.concat([idBytes(LAST_ERROR), Buffer.of(0, 0, 0, 1)]),
    );
    if (!isDone || data.length !== 1) throw new LinkError('the chip does not say what went wrong');
    return data[0] ?? 0;
  }

  /** Runs a command to its end. Throws ElementError. */
  async run({ command, parameter, data, doing }: OptigaCommand): Promise<Buffer> {
    let cause: unknown;
    for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
      try {
        if (!this.#isOpen) await this.#open();
        const answer = await this.#exchange(command | CLEARS_ERROR, parameter, data);
        if (answer.isDone) return answer.data;
        const code = await this.#lastError();
        // Another program has restarted the chip meanwhile, or its last error is gone with a restart of ours.
        if (code !== 0 && !(isLinkLost(code) && tries < MAX_TRIES)) throw optigaError(doing, code);
        cause = optigaError(doing, code);
        this.#isOpen = false;
      } catch (error) {
        if (!(error instanceof LinkError)) throw error;
        cause = error;
        await this.#giveUp();
      }
    }
    const why = cause instanceof Error ? cause.message : 'no answer';
    throw new ElementError('communication', `${doing}: ${why}, ${MAX_TRIES} times`, {
      hint: 'is the chip on this bus and at this address, and does nobody else use it?',
      cause,
    });
  }
}
