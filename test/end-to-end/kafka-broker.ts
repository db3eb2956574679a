/**
 * One broker of a Kafka cluster, as far as producers see it: versions, metadata, and records taken and checked by the
 * protocol's own rules (Apache Kafka protocol guide: ApiVersions 3, Metadata 8, Produce 3; record batches of magic 2).
 */
import { createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

export interface KafkaRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: string | undefined;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
}

const API = { produce: 0, metadata: 3, versions: 18 };
const NONE = 0;
const UNKNOWN_TOPIC = 3;

class Reader {
  at = 0;
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  int8 = (): number => this.take(1).readInt8(0);
  int16 = (): number => this.take(2).readInt16BE(0);
  int32 = (): number => this.take(4).readInt32BE(0);

  skip = (bytes: number): void => {
    this.at += bytes;
  };

  take = (bytes: number): Buffer => {
    this.at += bytes;
    return this.bytes.subarray(this.at - bytes, this.at);
  };

  string = (): string | undefined => this.#sized(this.int16());
  array = <T>(read: () => T): T[] => Array.from({ length: Math.max(0, this.int32()) }, read);

  /** Zigzag, as in protocol buffers. */
  varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes[this.at++] as number;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1);
    }
  };

  text = (): string | undefined => this.#sized(this.varint());

  #sized = (length: number): string | undefined => (length < 0 ? undefined : this.take(length).toString());
}

const int16 = (value: number): Buffer => Buffer.from(Uint8Array.of((value >> 8) & 0xff, value & 0xff));
const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const int64 = (value: number): Buffer => Buffer.concat([int32(0), int32(value)]);
const string = (text: string): Buffer => Buffer.concat([int16(Buffer.byteLength(text)), Buffer.from(text)]);
const array = (items: readonly Buffer[]): Buffer => Buffer.concat([int32(items.length), ...items]);

/** CRC-32C (RFC 3720, appendix B.4), bit by bit. */
function crc32c(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

export class KafkaBroker implements AsyncDisposable {
  readonly records: KafkaRecord[] = [];
  /** Topics that are there, with their partitions. */
  readonly topics = new Map<string, number>();
  /** What its metadata call it, instead of its own address. */
  named: string | undefined;
  readonly #server = createServer((socket) => this.#serve(socket));
  readonly #sockets = new Set<Socket>();

  static async open(): Promise<KafkaBroker> {
    const broker = new KafkaBroker();
    broker.#server.listen(0, '127.0.0.1');
    await once(broker.#server, 'listening');
    return broker;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined);
    let rest = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
        const end = 4 + rest.readInt32BE(0);
        const answer = this.#answer(new Reader(rest.subarray(4, end)));
        rest = rest.subarray(end);
        if (answer === undefined) socket.destroy();
        else socket.write(Buffer.concat([int32(answer.length), answer]));
      }
    });
  }

  #answer(request: Reader): Buffer | undefined {
    const [api, version, correlation] = [request.int16(), request.int16(), request.int32()];
    request.string();
    const body = this.#body(api, version, request);
    return body === undefined ? undefined : Buffer.concat([int32(correlation), body]);
  }

  #body(api: number, version: number, request: Reader): Buffer | undefined {
    if (api === API.versions) return versions();
    if (api === API.metadata && version === 8) return this.#metadata(request.array(() => request.string() ?? ''));
    if (api === API.produce && version === 3) return this.#produce(request);
    return undefined;
  }

  #metadata(asked: readonly string[]): Buffer {
    const [host = '', port = ''] = (this.named ?? this.address).split(':');
    const partition = (i: number): Buffer =>
      Buffer.concat([int16(NONE), int32(i), int32(1), int32(0), array([int32(1)]), array([int32(1)]), array([])]);
    // A broker that has lost its mind: for what a client does then.
    if (asked.includes('mad')) return Buffer.concat([int32(0), array([]), int16(-1), int32(1), array([]), int32(0)]);
    const topics = asked.map((name) => {
      const count = this.topics.get(name) ?? 0;
      const partitions = array(Array.from({ length: count }, (_, i) => partition(i)));
      return Buffer.concat([int16(count > 0 ? NONE : UNKNOWN_TOPIC), string(name), Buffer.of(0), partitions, int32(0)]);
    });
    const broker = Buffer.concat([int32(1), string(host), int32(Number(port)), int16(-1)]);
    return Buffer.concat([int32(0), array([broker]), string('cluster'), int32(1), array(topics), int32(0)]);
  }

  #produce(request: Reader): Buffer {
    request.string();
    request.skip(2 + 4);
    const topics = request.array(() => {
      const name = request.string() ?? '';
      const partitions = request.array(() => {
        const partition = request.int32();
        const batch = request.take(request.int32());
        const known = this.topics.has(name) && this.#take(name, partition, batch);
        return Buffer.concat([int32(partition), int16(known ? NONE : UNKNOWN_TOPIC), int64(0), int64(0)]);
      });
      return Buffer.concat([string(name), array(partitions)]);
    });
    return Buffer.concat([array(topics), int32(0)]);
  }

  /** False when the batch is not as it must be. */
  #take(topic: string, partition: number, batch: Buffer): boolean {
    // Base offset, length, leader epoch, magic, CRC; the CRC covers what follows it.
    if (batch.readInt8(16) !== 2 || batch.readUInt32BE(17) !== crc32c(batch.subarray(21))) return false;
    const reader = new Reader(batch.subarray(57));
    const records = reader.array((): KafkaRecord => {
      reader.varint();
      reader.int8();
      reader.varint();
      reader.varint();
      const [key, value = ''] = [reader.text(), reader.text()];
      const headers = Array.from({ length: reader.varint() }, () => [reader.text(), reader.text()] as const);
      return { topic, partition, key, value, headers: Object.fromEntries(headers) };
    });
    this.records.push(...records);
    return true;
  }
}

/** Compact arrays and tags: this answer alone is of a flexible version. */
function versions(): Buffer {
  const row = (api: number, least: number, most: number): Buffer =>
    Buffer.concat([int16(api), int16(least), int16(most), Buffer.of(0)]);
  const rows = [row(API.produce, 3, 3), row(API.metadata, 8, 8), row(API.versions, 3, 3)];
  return Buffer.concat([int16(NONE), Buffer.of(rows.length + 1), ...rows, int32(0), Buffer.of(0)]);
}
