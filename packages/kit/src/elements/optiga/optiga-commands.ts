/** The commands of an OPTIGA that the kit uses, one function each; all throw ElementError. */
import { ElementError } from '../contract.ts';
import { type OptigaCommand, OPTIGA_COMMAND, type CommandChannel, idBytes } from './command-channel.ts';
import { LinkError } from './frame.ts';
import { nameOfId } from './object-ids.ts';
import { type ObjectMetadata, parseMetadata } from './metadata.ts';
import { onlyValue, pointValue, signatureOfValue, signatureValue, spkiOfValue, tlv } from './tlv.ts';

/** P-256, as an algorithm of keys. */
const P256 = 0x03;
const SHA256 = 0xe2;
const ECDSA = 0x11;
const ECDH = 0x01;

/** Bytes of an object in one command: a message has to fit into the communication buffer (object 0xE0C6). */
const PART = 1024;
/** Bytes of random numbers in one command. */
const MIN_RANDOM = 8;
const MAX_RANDOM = 256;
/** Bytes of what is hashed in one command. */
const HASH_PART = 1024;

const number = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
};

/** What an answer that has passed its check sum, and is none all the same, is to a caller. */
function read<T>(doing: string, reading: () => T): T {
  try {
    return reading();
  } catch (cause) {
    if (cause instanceof LinkError) throw new ElementError('communication', `${doing}: ${cause.message}`, { cause });
    throw cause;
  }
}

export class OptigaCommands {
  readonly #channel: CommandChannel;

  constructor(channel: CommandChannel) {
    this.#channel = channel;
  }

  #run(command: OptigaCommand): Promise<Buffer> {
    return this.#channel.run(command);
  }

  async metadata(id: number): Promise<ObjectMetadata> {
    const doing = `read the metadata of ${nameOfId(id)}`;
    const data = await this.#run({ command: OPTIGA_COMMAND.getDataObject, parameter: 1, data: idBytes(id), doing });
    return read(doing, () => parseMetadata(data));
  }

  async setMetadata(id: number, metadata: Buffer): Promise<void> {
    const data = Buffer.concat([idBytes(id), number(0), metadata]);
    await this.#run({ command: OPTIGA_COMMAND.setDataObject, parameter: 1, data, doing: `set the metadata of ${nameOfId(id)}` });
  }

  /** `length` bytes of an object from its beginning. */
  async readData(id: number, length: number): Promise<Buffer> {
    const doing = `read ${nameOfId(id)}`;
    const parts: Buffer[] = [];
    for (let at = 0; at < length; at += PART) {
      const wanted = Math.min(PART, length - at);
      const data = Buffer.concat([idBytes(id), number(at), number(wanted)]);
      const part = await this.#run({ command: OPTIGA_COMMAND.getDataObject, parameter: 0, data, doing });
      if (part.length !== wanted)
        throw new ElementError('communication', `${doing}: ${part.length} bytes instead of ${wanted}`, {
          hint: 'another program may have written it meanwhile',
        });
      parts.push(part);
    }
    return Buffer.concat(parts);
  }

  /** Replaces an object's content: the first part is written with "erase and write". */
  async writeData(id: number, content: Buffer): Promise<void> {
    for (let at = 0; at < content.length; at += PART) {
      const data = Buffer.concat([idBytes(id), number(at), content.subarray(at, at + PART)]);
      const parameter = at === 0 ? 0x40 : 0x00;
      await this.#run({ command: OPTIGA_COMMAND.setDataObject, parameter, data, doing: `write ${nameOfId(id)}` });
    }
  }

  async random(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let left = length; left > 0; left -= MAX_RANDOM) {
      const wanted = Math.min(Math.max(left, MIN_RANDOM), MAX_RANDOM);
      const doing = 'get random bytes';
      const part = await this.#run({ command: OPTIGA_COMMAND.getRandom, parameter: 0, data: number(wanted), doing });
      if (part.length !== wanted) throw new ElementError('communication', `${doing}: ${part.length} instead of ${wanted}`);
      parts.push(part.subarray(0, left));
    }
    return Buffer.concat(parts);
  }

  /** Makes a P-256 key pair for these uses; its SubjectPublicKeyInfo. */
  async generateKeyPair(key: number, usage: number): Promise<Buffer> {
    const doing = `make a key in ${nameOfId(key)}`;
    const data = Buffer.concat([tlv(0x01, idBytes(key)), tlv(0x02, Buffer.of(usage))]);
    const answer = await this.#run({ command: OPTIGA_COMMAND.generateKeyPair, parameter: P256, data, doing });
    return read(doing, () => spkiOfValue(onlyValue(answer, 0x02)));
  }

  /** r and s of a digest. */
  async sign(key: number, digest: Buffer): Promise<Buffer> {
    const doing = `sign with ${nameOfId(key)}`;
    const data = Buffer.concat([tlv(0x01, digest), tlv(0x03, idBytes(key))]);
    const answer = await this.#run({ command: OPTIGA_COMMAND.calcSign, parameter: ECDSA, data, doing });
    return read(doing, () => signatureOfValue(answer));
  }

  /** Whether the chip finds r and s to be those of the digest under a public point. */
  async verify(point: Buffer, digest: Buffer, signature: Buffer): Promise<boolean> {
    const key = [tlv(0x05, Buffer.of(P256)), tlv(0x06, pointValue(point))];
    const data = Buffer.concat([tlv(0x01, digest), tlv(0x02, signatureValue(signature)), ...key]);
    try {
      await this.#run({ command: OPTIGA_COMMAND.verifySign, parameter: ECDSA, data, doing: 'verify a signature' });
      return true;
    } catch (error) {
      if (error instanceof ElementError && error.code === 'verification') return false;
      throw error;
    }
  }

  /** The x coordinate of ECDH with a peer's point. */
  async agree(key: number, peer: Buffer): Promise<Buffer> {
    const doing = `agree with ${nameOfId(key)}`;
    const own = tlv(0x01, idBytes(key));
    const data = Buffer.concat([own, tlv(0x05, Buffer.of(P256)), tlv(0x06, pointValue(peer)), tlv(0x07, Buffer.alloc(0))]);
    const secret = await this.#run({ command: OPTIGA_COMMAND.calcSharedSecret, parameter: ECDH, data, doing });
    if (secret.length !== 32) throw new ElementError('communication', `${doing}: ${secret.length} bytes instead of 32`);
    return secret;
  }

  /** SHA-256, calculated by the chip. */
  async hash(content: Buffer): Promise<Buffer> {
    const doing = 'calculate a hash';
    const run = (tag: number, part: Buffer) =>
      this.#run({ command: OPTIGA_COMMAND.calcHash, parameter: SHA256, data: tlv(tag, part), doing });
    // Parts: 01 the only one, 00 first, 02 further, 03 last.
    let answer = Buffer.alloc(0);
    for (let at = 0; at === 0 || at < content.length; at += HASH_PART) {
      const isLast = at + HASH_PART >= content.length;
      const tag = at === 0 ? (isLast ? 0x01 : 0x00) : isLast ? 0x03 : 0x02;
      answer = Buffer.from(await run(tag, content.subarray(at, at + HASH_PART)));
    }
    const digest = read(doing, () => onlyValue(answer, 0x01));
    if (digest.length !== 32) throw new ElementError('communication', `${doing}: ${digest.length} bytes instead of 32`);
    return digest;
  }
}
