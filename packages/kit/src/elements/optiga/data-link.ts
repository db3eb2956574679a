/**
 * The data link (IFX I2C Protocol 2.03, chapter 4): each data frame is acknowledged before the next, by a control frame or by
 * the other side's next data frame. A frame that is damaged is asked for again, one that gets no answer is sent again.
 */
import {
  BEFORE_FIRST,
  controlFrame,
  dataFrame,
  decodeFrame,
  type LinkFrame,
  FRAME_OVERHEAD,
  LinkError,
  nextNumber,
} from './frame.ts';
import type { PhysicalLayer } from './physical-layer.ts';

/** How often a frame is sent again, and asked for again. */
const REPEATS = 3;
/** Milliseconds in which a frame is acknowledged. */
const ACK_PATIENCE = 10;
/** Milliseconds that an answer may take while the chip says that it is busy, and while it does not. */
const BUSY_PATIENCE = 5000;
const IDLE_PATIENCE = 150;
/** Milliseconds between two looks at the state: short at first, since most commands are. */
const SHORT_POLL = 1;
const SHORT_POLLS = 40;
const LONG_POLL = 5;
/** Frames that are none of those that are waited for, in a row. */
const MAX_STRAY = 8;

export class DataLink {
  readonly #physical: PhysicalLayer;
  #sent = BEFORE_FIRST;
  #received = BEFORE_FIRST;
  /** An answer that came in the place of an acknowledgement. */
  #early: LinkFrame | undefined;

  constructor(physical: PhysicalLayer) {
    this.#physical = physical;
  }

  /** Longest packet. */
  get packetLength(): number {
    return this.#physical.frameLength - FRAME_OVERHEAD;
  }

  /** Begins anew, as the chip does after a reset. */
  restart(): void {
    this.#sent = BEFORE_FIRST;
    this.#received = BEFORE_FIRST;
    this.#early = undefined;
  }

  /** Tells the chip to begin anew too. */
  async resync(): Promise<void> {
    this.restart();
    await this.#physical.writeFrame(controlFrame('resync', 0));
  }

  /** The next frame; `damaged` where it is none, undefined where none comes in time. */
  async #frame(idlePatience: number, busyPatience: number): Promise<LinkFrame | 'damaged' | undefined> {
    let idle = 0;
    let waited = 0;
    for (let polls = 0; ; polls += 1) {
      const { isBusy, isResponseReady, length } = await this.#physical.state();
      if (isResponseReady && length >= FRAME_OVERHEAD && length <= this.#physical.frameLength)
        return decodeFrame(await this.#physical.readFrame(length)) ?? 'damaged';
      if (!isBusy && idle >= idlePatience) return undefined;
      if (waited >= busyPatience) return undefined;
      const pause = polls < SHORT_POLLS ? SHORT_POLL : LONG_POLL;
      await this.#physical.pause(pause);
      waited += pause;
      idle = isBusy ? 0 : idle + pause;
    }
  }

  /** Whether the frame answers the one that was sent last, and is the next of the chip's own. */
  #isNext({ number, acknowledged, control }: LinkFrame): boolean {
    return control === 'ack' && number === nextNumber(this.#received) && acknowledged === this.#sent;
  }

  /** Waits for the acknowledgement of the last frame: whether it came. */
  async #isAcknowledged(): Promise<boolean> {
    for (let stray = 0; stray < MAX_STRAY; stray += 1) {
      const frame = await this.#frame(ACK_PATIENCE, ACK_PATIENCE);
      if (frame === undefined || frame === 'damaged') return false;
      if (frame.isControl && frame.acknowledged === this.#sent && frame.control !== 'resync') return frame.control === 'ack';
      if (!frame.isControl && this.#isNext(frame)) {
        this.#early = frame;
        return true;
      }
      await this.#acknowledgeAgain(frame);
    }
    return false;
  }

  /** A data frame that is there already is acknowledged once more: the chip did not see that. */
  async #acknowledgeAgain(frame: LinkFrame): Promise<void> {
    if (!frame.isControl && frame.number === this.#received) await this.#physical.writeFrame(controlFrame('ack', this.#received));
  }

  /** Sends a packet until it is acknowledged. Throws LinkError. */
  async send(packet: Buffer): Promise<void> {
    this.#sent = nextNumber(this.#sent);
    const frame = dataFrame(this.#sent, this.#received, packet);
    for (let repeats = 0; repeats <= REPEATS; repeats += 1) {
      await this.#physical.writeFrame(frame);
      if (await this.#isAcknowledged()) return;
    }
    throw new LinkError('the chip acknowledges no frame');
  }

  /** The chip's next packet. Throws LinkError. */
  async receive(): Promise<Buffer> {
    let damaged = 0;
    for (let stray = 0; stray < MAX_STRAY; stray += 1) {
      const frame = this.#early ?? (await this.#frame(IDLE_PATIENCE, BUSY_PATIENCE));
      this.#early = undefined;
      if (frame === undefined) break;
      if (frame === 'damaged') {
        damaged += 1;
        if (damaged > REPEATS) throw new LinkError("the chip's answers stay damaged");
        await this.#physical.writeFrame(controlFrame('nak', nextNumber(this.#received)));
      } else if (!frame.isControl && this.#isNext(frame)) {
        this.#received = frame.number;
        await this.#physical.writeFrame(controlFrame('ack', frame.number));
        return frame.packet;
      } else await this.#acknowledgeAgain(frame);
    }
    throw new LinkError('the chip does not answer');
  }
}
