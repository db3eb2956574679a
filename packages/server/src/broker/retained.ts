/**
 * Retained messages: one per topic, stored before they are acknowledged, and sent to a new subscription whose filter is
 * exactly the topic (AWS IoT matches no wildcard here: developer guide, page mqtt, "MQTT retained messages").
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import { collection, type Store } from '../store/contract.ts';

export interface RetainedRecord {
  readonly accountId: string;
  readonly topic: string;
  /** Base64. */
  readonly payload: string;
  readonly qos: number;
  /** Encoded MQTT 5 properties with their length, base64; absent when there are none. */
  readonly properties?: string;
  /** Milliseconds since the epoch. */
  readonly lastModifiedAt: number;
}

export const retainedMessages = collection<RetainedRecord>('retained-messages', (m) => [m.accountId, m.topic]);

export class Retained {
  readonly #inRegion: (region: string) => Store;

  constructor(inRegion: (region: string) => Store) {
    this.#inRegion = inRegion;
  }

  /** Keeps the message; an empty payload removes what was kept [MQTT-3.3.1-10]. */
  async set(region: string, record: RetainedRecord): Promise<void> {
    await this.#inRegion(region).write(async (tx) => {
      if (record.payload === '') await tx.delete(retainedMessages, [record.accountId, record.topic]);
      else await tx.put(retainedMessages, record);
    });
  }

  async get({ accountId, region }: Place, topic: string): Promise<RetainedRecord | undefined> {
    return this.#inRegion(region).read((tx) => tx.get(retainedMessages, [accountId, topic]));
  }
}
