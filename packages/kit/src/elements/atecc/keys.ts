/** Work with an ATECC's keys, command by command, in the order of Microchip's host library. */
import { ElementError } from '../contract.ts';
import type { AteccCommands, AteccKind } from './commands.ts';
import { type AteccLink, AteccStatusError, STATUS } from './link.ts';

/** Digests are of 32 bytes, points (X and Y) and signatures (r and s) of 64. */
export class AteccKeys {
  readonly #link: AteccLink;
  readonly #commands: AteccCommands;
  readonly #kind: AteccKind;

  constructor(link: AteccLink, commands: AteccCommands, kind: AteccKind) {
    this.#link = link;
    this.#commands = commands;
    this.#kind = kind;
  }

  /** Makes a key pair in a slot; its point. */
  generate(slot: number): Promise<Buffer> {
    return this.#link.execute(this.#commands.generateKey(slot));
  }

  /** The point of a slot's private key. */
  point(slot: number): Promise<Buffer> {
    return this.#link.execute(this.#commands.publicKey(slot));
  }

  /** Signs a digest: stirs the random numbers, loads the digest, signs. The signature is not verified here. */
  async sign(slot: number, digest: Buffer): Promise<Buffer> {
    await this.#link.execute(this.#commands.random());
    await this.#link.execute(this.#commands.loadDigest(digest));
    return this.#link.execute(this.#commands.sign(slot));
  }

  /** Whether the chip finds that a signature is that of a digest under a point. */
  async verifyExternal(digest: Buffer, signature: Buffer, point: Buffer): Promise<boolean> {
    await this.#link.execute(this.#commands.loadDigest(digest));
    try {
      await this.#link.execute(this.#commands.verify(signature, point));
      return true;
    } catch (error) {
      if (error instanceof AteccStatusError && error.status === STATUS.mismatch) return false;
      throw error;
    }
  }

  /** ECDH of a slot's key with a point. */
  agree(slot: number, point: Buffer): Promise<Buffer> {
    return this.#link.execute(this.#commands.agree(slot, point));
  }

  /** Makes a key that lasts until the chip sleeps; its point. An ATECC608 alone has it. */
  generateEphemeral(): Promise<Buffer> {
    return this.#onlyOf608(() => this.#link.execute(this.#commands.generateEphemeralKey()));
  }

  /** ECDH of that key with a point. */
  agreeEphemeral(point: Buffer): Promise<Buffer> {
    return this.#onlyOf608(() => this.#link.execute(this.#commands.agreeEphemeral(point)));
  }

  async #onlyOf608(work: () => Promise<Buffer>): Promise<Buffer> {
    if (this.#kind !== 'atecc608') throw new ElementError('not-supported', 'an ATECC508A has no keys that are kept in TempKey');
    return work();
  }
}
