/** Writes of jobs: each is a unit, and what it says is published after its commit, in the order of its account's commits. */
import { type Place, placeKey } from '@thingkeep/wire/arn.ts';
import type { Messaging } from '../broker/messaging.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import { RepeatLimiter } from '../runtime/repeat-limiter.ts';
import type { Store } from '../store/contract.ts';
import type { DocumentUrls } from './document-urls.ts';
import { compactJson, notifyNextPayload } from './payloads.ts';
import type { JobEventKind } from './job-events.ts';
import { type Audience, JobUnit } from './job-unit.ts';
import { settleJobs } from './lifecycle.ts';
import { type JobMessage, Outboxes, type Turn } from './outbox.ts';

export interface JobWriterOptions {
  readonly clock: Clock;
  readonly log: Pick<Logger, 'warn'>;
  readonly inRegion: (region: string) => Store;
  readonly messaging: Pick<Messaging, 'publish' | 'stored' | 'hasReceivers'>;
  readonly urls: Pick<DocumentUrls, 'resolve'>;
  readonly enabled: { of(place: Place): ReadonlySet<string> };
}

interface Said {
  readonly place: Place;
  readonly messages: readonly JobMessage[];
}

/** Lines of the log about messages of an account that were not stored. */
const REPORTED = { max: 1, perMs: 60_000 };

export class JobWriter {
  readonly #options: JobWriterOptions;
  readonly #outboxes: Outboxes<Said>;
  readonly #audience: Audience;
  readonly #limiter: RepeatLimiter;

  constructor(options: JobWriterOptions) {
    this.#options = options;
    this.#limiter = new RepeatLimiter(options.clock, REPORTED);
    this.#outboxes = new Outboxes(({ place, messages }) => this.#publish(place, messages));
    this.#audience = {
      hears: (place, topic) => options.messaging.hasReceivers(place, topic),
      wants: (place, kind: JobEventKind) => options.enabled.of(place).has(kind),
    };
  }

  /** Does a unit of changes; resolves once it is stored and what it says is published. */
  async write<R>(place: Place, work: (unit: JobUnit) => Promise<R>): Promise<R> {
    const { clock, inRegion } = this.#options;
    let turn: Turn<Said> | undefined;
    try {
      const { result, messages } = await inRegion(place.region).write(async (tx) => {
        // The engine may run this again: what the run before has to say is void.
        turn?.drop();
        turn = this.#outboxes.turn(placeKey(place));
        const unit = new JobUnit(tx, place, clock.now(), this.#audience);
        const done = await work(unit);
        await settleJobs(unit);
        return { result: done, messages: await unit.finish() };
      });
      turn?.send({ place, messages: await this.#signed(place, messages) });
      return result;
    } catch (error) {
      turn?.drop();
      throw error;
    }
  }

  /**
   * Signs the URLs in the documents of messages. A document whose URLs can't be signed is left out of its message; a message
   * on a topic without subscribers is left out.
   */
  async #signed(place: Place, messages: readonly JobMessage[]): Promise<readonly JobMessage[]> {
    if (!messages.some(({ unsigned }) => unsigned !== undefined)) return messages;
    const { urls, messaging } = this.#options;
    const signed: JobMessage[] = [];
    for (const message of messages)
      if (message.unsigned === undefined) signed.push(message);
      else if (messaging.hasReceivers(place, message.topic)) {
        const { execution, document, now } = message.unsigned;
        const text = await urls.resolve(place, document, execution).catch(() => undefined);
        const json = text === undefined ? undefined : compactJson(text);
        signed.push({ topic: message.topic, payload: notifyNextPayload(execution, json, now) });
      }
    return signed;
  }

  #publish(place: Place, messages: readonly JobMessage[]): void {
    const { messaging } = this.#options;
    for (const { topic, payload } of messages) {
      if (!messaging.hasReceivers(place, topic)) continue;
      messaging.stored(messaging.publish(place, topic, Buffer.from(payload), 1))?.catch((error: unknown) => {
        const leftOut = this.#limiter.admit(`${place.region}/${place.accountId}`);
        if (leftOut !== undefined)
          this.#options.log.warn(
            { err: error, event: 'job-message-dropped', ...place, leftOut },
            'a message of a job was not stored',
          );
      });
    }
  }
}
