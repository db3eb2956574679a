/**
 * The framing `aws-chunked` of a body (S3 API reference, pages sigv4-streaming and sigv4-streaming-trailers): chunks of a
 * size in hexadecimal, each perhaps with a signature, and behind the last one, which is empty, lines of a trailer.
 */
import { createHash } from 'node:crypto';
import type { ChunkSigner } from '../../api/payload.ts';
import { objectFault } from '../contract.ts';

/** Bytes of a chunk's first line, and of a trailer. */
const MAX_LINE = 4096;
const CRLF = Buffer.from('\r\n');

const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');

const malformed = (): never =>
  objectFault('IncompleteBody', 'The request body does not have the framing aws-chunked, or ends early.');

/** Reads a source line by line and piece by piece. */
class Reader {
  readonly #source: AsyncIterator<Uint8Array>;
  #held: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** A line without its end; undefined at the end of the source. */
  async line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#held.indexOf(CRLF);
      if (end >= 0) {
        const line = this.#held.subarray(0, end).toString('latin1');
        this.#held = this.#held.subarray(end + 2);
        return line;
      }
      if (this.#held.length > MAX_LINE) return malformed();
      if (!(await this.#more())) return this.#held.length === 0 ? undefined : malformed();
    }
  }

  /** At most as many bytes as are asked for, and at least one. */
  async some(most: number): Promise<Buffer> {
    while (this.#held.length === 0) if (!(await this.#more())) return malformed();
    const taken = this.#held.subarray(0, most);
    this.#held = this.#held.subarray(taken.length);
    return taken;
  }

  async #more(): Promise<boolean> {
    const { value, done = false } = await this.#source.next();
    if (done) return false;
    this.#held = this.#held.length === 0 ? Buffer.from(value) : Buffer.concat([this.#held, value]);
    return true;
  }
}

interface ChunkHead {
  readonly size: number;
  readonly signature: string | undefined;
}

function chunkHead(line: string | undefined): ChunkHead {
  const [, size, signature] = /^([0-9a-fA-F]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line ?? '') ?? [];
  return size === undefined ? malformed() : { size: Number.parseInt(size, 16), signature };
}

const refuseSignature = (): never =>
  objectFault('SignatureDoesNotMatch', 'The signature of a chunk does not match: check the secret access key.');

export class ChunkedBody {
  readonly #reader: Reader;
  readonly #signer: ChunkSigner | undefined;
  /** Names in lower case; complete once the content has been read. */
  readonly trailer = new Map<string, string>();

  constructor(source: AsyncIterable<Uint8Array>, signer: ChunkSigner | undefined) {
    this.#reader = new Reader(source);
    this.#signer = signer;
  }

  /** The bytes of all chunks; a chunk whose signature is wrong ends them with a failure, behind its own bytes. */
  async *content(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const head = chunkHead(await this.#reader.line());
      yield* this.#signer === undefined ? this.#unsigned(head) : this.#signed(head, this.#signer);
      if (head.size === 0) break;
      if ((await this.#reader.line()) !== '') malformed();
    }
    await this.#readTrailer();
  }

  async *#unsigned({ size }: ChunkHead): AsyncGenerator<Uint8Array, void, undefined> {
    for (let left = size; left > 0; ) {
      const bytes = await this.#reader.some(left);
      left -= bytes.length;
      yield bytes;
    }
  }

  async *#signed(head: ChunkHead, signer: ChunkSigner): AsyncGenerator<Uint8Array, void, undefined> {
    const hash = createHash('sha256');
    for await (const bytes of this.#unsigned(head)) {
      hash.update(bytes);
      yield bytes;
    }
    if (signer.chunk(hash.digest('hex')) !== head.signature) refuseSignature();
  }

  async #readTrailer(): Promise<void> {
    const lines: string[] = [];
    let signature: string | undefined;
    for (let line = await this.#reader.line(); line !== undefined && line !== ''; line = await this.#reader.line()) {
      const colon = line.indexOf(':');
      if (colon <= 0 || lines.length > 10) malformed();
      const [name, value] = [line.slice(0, colon).toLowerCase().trim(), line.slice(colon + 1).trim()];
      if (name === 'x-amz-trailer-signature') signature = value;
      else {
        lines.push(`${name}:${value}\n`);
        this.trailer.set(name, value);
      }
    }
    if (this.#signer !== undefined && lines.length > 0 && this.#signer.trailer(sha256(lines.join(''))) !== signature)
      refuseSignature();
  }
}
