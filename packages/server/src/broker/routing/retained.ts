/**
 * Retained messages: one per topic, stored before they are acknowledged, and sent to a new subscription whose filter is
 * exactly the topic (AWS IoT matches no wildcard here: developer guide, page mqtt, "MQTT retained messages").
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import { Cursor } from '../../mqtt/cursor.ts';
import { encodeProperties, readProperties } from '../../mqtt/properties.ts';
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import { LIMITS } from '@thingkeep/wire/limits.ts';
import type { Page, Store } from '../../store/contract.ts';
import type { Message } from '../message/message.ts';
import { type RetainedRecord, retainedMessages } from './retained-record.ts';
import { putRetained, type RetainedLimits } from './retained-usage.ts';
import type { TopicEntry } from '../message/topic-entry.ts';

/** A retained message as it is at `now` (milliseconds since the epoch); undefined when it has expired [MQTT-3.3.2-5, 3.3.2-6]. */
export function retainedMessage<Topic extends TopicEntry>(
  record: RetainedRecord,
  topic: Topic,
  now: number,
): Message<Topic> | undefined {
  const message = { topic, payload: Buffer.from(record.payload, 'base64'), qos: record.qos, retain: true };
  if (record.properties === undefined) return message;
  const bytes = Buffer.from(record.properties, 'base64');
  const properties = readProperties(new Cursor(bytes, 0, bytes.length), 'PUBLISH');
  if (properties.messageExpiryInterval === undefined) return { ...message, properties: bytes };
  const left = properties.messageExpiryInterval - Math.floor((now - record.lastModifiedAt) / 1000);
  if (left <= 0) return undefined;
  return { ...message, properties: encodeProperties({ ...properties, messageExpiryInterval: left }), expiry: left };
}

/**
 * Records of one transaction; more wait for the next turn of the event loop, so that a flood of them leaves time for other
 * work.
 */
const LARGEST_BATCH = 128;

export const RETAINED_FULL = 'the account holds as many retained messages, or bytes of them, as it may';

interface Waiting {
  readonly region: string;
  /** The newest message of the topic: it alone is stored, and publishers of earlier ones wait for it. */
  record: RetainedRecord;
  readonly stored: PromiseWithResolvers<void>;
}

interface Asked {
  readonly region: string;
  readonly accountId: string;
  readonly topic: string;
  readonly resolve: (record: RetainedRecord | undefined) => void;
  readonly reject: (error: unknown) => void;
}

const nameOf = (region: string, accountId: string, topic: string): string => `${region}/${accountId}/${topic}`;

export class Retained {
  readonly #inRegion: (region: string) => Store;
  readonly #limitsOf: (accountId: string) => Partial<RetainedLimits>;
  readonly #waiting = new Map<string, Waiting>();
  /** Records that are being stored: readers see them already. */
  #underWay = new Map<string, Waiting>();
  #scheduled = false;
  readonly #asked: Asked[] = [];

  /** `limitsOf` gives what differs from the default limits. */
  constructor(inRegion: (region: string) => Store, limitsOf: (accountId: string) => Partial<RetainedLimits> = () => ({})) {
    this.#inRegion = inRegion;
    this.#limitsOf = limitsOf;
  }

  /**
   * Keeps the message; an empty payload removes what was kept [MQTT-3.3.1-10]. Resolves once that is stored; fails with
   * ThrottlingException when the account keeps as many as it may.
   */
  set(region: string, record: RetainedRecord): Promise<void> {
    const name = nameOf(region, record.accountId, record.topic);
    const known = this.#waiting.get(name);
    if (known !== undefined) {
      known.record = record;
      return known.stored.promise;
    }
    const stored = Promise.withResolvers<void>();
    this.#waiting.set(name, { region, record, stored });
    this.#schedule();
    return stored.promise;
  }

  /** Keeps a message that has been authorized, as of `now` (milliseconds since the epoch); as {@link set}. */
  keep({ accountId, region }: Place, { topic, payload, qos, properties }: Message, now: number): Promise<void> {
    const hasProperties = properties !== undefined && properties.length > 1;
    return this.set(region, {
      accountId,
      topic: topic.name,
      payload: payload.toString('base64'),
      qos,
      properties: hasProperties ? properties.toString('base64') : undefined,
      lastModifiedAt: now,
    });
  }

  async get({ accountId, region }: Place, topic: string): Promise<RetainedRecord | undefined> {
    const name = nameOf(region, accountId, topic);
    const fresh = (this.#waiting.get(name) ?? this.#underWay.get(name))?.record;
    if (fresh !== undefined) return fresh.payload === '' ? undefined : fresh;
    const { promise, resolve, reject } = Promise.withResolvers<RetainedRecord | undefined>();
    this.#asked.push({ region, accountId, topic, resolve, reject });
    if (this.#asked.length === 1) setImmediate(this.#answerBatch);
    return promise;
  }

  /** Retained messages of an account, in the order of their topics. */
  async list({ accountId, region }: Place, page: { limit: number; after?: string }): Promise<Page<RetainedRecord>> {
    // What was sent before is in the list: a client may ask for it as soon as it has its PUBACK.
    await Promise.all(
      [...this.#waiting.values(), ...this.#underWay.values()].map(({ stored }) => stored.promise.catch(() => {})),
    );
    return this.#inRegion(region).read((tx) => tx.scan(retainedMessages, { skipDamaged: true, prefix: [accountId], ...page }));
  }

  /** Looks up what was asked for, a bounded part in each turn of the event loop: subscribing comes in storms. */
  readonly #answerBatch = (): void => {
    for (const { region, accountId, topic, resolve, reject } of this.#asked.splice(0, LARGEST_BATCH)) {
      this.#inRegion(region)
        .read((tx) => tx.get(retainedMessages, [accountId, topic]))
        .then(resolve, reject);
    }
    if (this.#asked.length > 0) setImmediate(this.#answerBatch);
  };

  #schedule(): void {
    if (this.#scheduled || this.#waiting.size === 0) return;
    this.#scheduled = true;
    setImmediate(() => void this.#storeBatch());
  }

  async #storeBatch(): Promise<void> {
    const regions = new Map<string, Waiting[]>();
    for (const [name, waiting] of this.#waiting) {
      if (this.#underWay.size === LARGEST_BATCH) break;
      this.#waiting.delete(name);
      this.#underWay.set(name, waiting);
      const same = regions.get(waiting.region);
      if (same === undefined) regions.set(waiting.region, [waiting]);
      else same.push(waiting);
    }
    await Promise.all([...regions].map(([region, list]) => this.#store(region, list)));
    this.#underWay = new Map();
    this.#scheduled = false;
    this.#schedule();
  }

  async #store(region: string, list: readonly Waiting[]): Promise<void> {
    try {
      const kept = await this.#inRegion(region).write(async (tx) => {
        const done = new Set<Waiting>();
        for (const waiting of list) {
          const { record } = waiting;
          if (await putRetained(tx, region, record, { ...LIMITS, ...this.#limitsOf(record.accountId) })) done.add(waiting);
        }
        return done;
      });
      for (const waiting of list) {
        if (kept.has(waiting)) waiting.stored.resolve();
        else waiting.stored.reject(new ThingkeepError('ThrottlingException', RETAINED_FULL));
      }
    } catch (error) {
      for (const { stored } of list) stored.reject(error);
    }
  }
}
