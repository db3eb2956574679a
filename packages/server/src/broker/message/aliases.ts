/**
 * Topic aliases towards one client (MQTT 5, 3.3.2.3.4): the first topics that it is sent get a number, as many as it allows,
 * and are left out of every later packet.
 */
import { encodeVarint, varintAt, varintEnd } from '../../mqtt/varint.ts';
import { headerEnd } from './publish-batch.ts';
import type { TopicEntry } from './topic-entry.ts';

const TOPIC_ALIAS = 0x23;

export class Aliases {
  readonly #max: number;
  readonly #known = new Map<TopicEntry, number>();

  constructor(max: number) {
    this.#max = max;
  }

  /** The PUBLISH (of MQTT 5) at `start`, with an alias where the topic has one or can get one. */
  apply(bytes: Buffer, start: number, end: number, topic: TopicEntry): Buffer {
    let alias = this.#known.get(topic);
    const known = alias !== undefined;
    if (alias === undefined) {
      if (this.#known.size >= this.#max) return bytes.subarray(start, end);
      alias = this.#known.size + 1;
      this.#known.set(topic, alias);
    }
    const first = bytes[start] as number;
    const idAt = headerEnd(bytes, start) + 2 + topic.bytes.length;
    const propertiesAt = idAt + ((first & 0x06) === 0 ? 0 : 2);
    const length = varintAt(bytes, propertiesAt);
    const from = varintEnd(bytes, propertiesAt);
    const name = known ? Buffer.of(0, 0) : bytes.subarray(idAt - topic.bytes.length - 2, idAt);
    const rest = [
      name,
      bytes.subarray(idAt, propertiesAt),
      encodeVarint(length + 3),
      Buffer.of(TOPIC_ALIAS, alias >> 8, alias & 0xff),
      bytes.subarray(from, end),
    ];
    const size = rest.reduce((sum, part) => sum + part.length, 0);
    return Buffer.concat([Buffer.of(first), encodeVarint(size), ...rest]);
  }
}
