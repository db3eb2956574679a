/**
 * Topics that one client publishes on, with the answers of its policies: found by the bytes of the name, without making a
 * string.
 */
import { decodeText } from '../../mqtt/cursor.ts';
import type { RoutedTopic } from '../routing/routed-topic.ts';

export interface PublishSlot {
  readonly topic: RoutedTopic;
  allowed: boolean;
  retainAllowed: boolean | undefined;
  /** Permissions generation of the answer. */
  generation: number;
}

/** Topics whose answer one client remembers. */
const MAX_SLOTS = 256;

export class PublishSlots {
  #byName: Map<string, PublishSlot> | undefined;
  #last: PublishSlot | undefined;

  find(bytes: Buffer, start: number, end: number, topics: { topic(name: string): RoutedTopic }): PublishSlot {
    const last = this.#last;
    if (last !== undefined && sameBytes(last.topic.bytes, bytes, start, end)) return last;
    // latin1 is a faithful key for any bytes, and quicker to make than the text.
    const key = bytes.toString('latin1', start, end);
    if (this.#byName === undefined || this.#byName.size >= MAX_SLOTS) this.#byName = new Map();
    let slot = this.#byName.get(key);
    if (slot === undefined) {
      slot = { topic: topics.topic(decodeText(bytes, start, end)), allowed: false, retainAllowed: undefined, generation: -1 };
      this.#byName.set(key, slot);
    }
    this.#last = slot;
    return slot;
  }
}

function sameBytes(name: Buffer, bytes: Buffer, start: number, end: number): boolean {
  const length = name.length;
  if (end - start !== length) return false;
  // From the end: topics of one fleet differ there.
  for (let i = length - 1, j = end - 1; i >= 0; i -= 1, j -= 1) if (name[i] !== bytes[j]) return false;
  return true;
}
