/** A message as rules see it: where it lies in a batch, read only as far as a query asks. */
import { randomUUID } from 'node:crypto';
import type { Origin } from '../broker/messaging.ts';
import { Cursor, ownCopy } from '../mqtt/cursor.ts';
import { type Properties, readProperties } from '../mqtt/properties.ts';
import type { OriginalMessage } from './actions/contract.ts';
import type { RuleMessage } from './sql/contract.ts';
import type { ParsedPayload } from './sql/payload.ts';

export class RuleInput implements RuleMessage {
  readonly topic: string;
  readonly receivedAt: number;
  readonly origin: Origin | undefined;
  payload: Buffer;
  parsed?: ParsedPayload;
  /** The MQTT 5 properties' bytes; undefined for a message of MQTT 3. */
  #properties: Buffer | undefined;
  #read: Properties | undefined;
  #traceId: string | undefined;
  #original: OriginalMessage | undefined;

  constructor(topic: string, payload: Buffer, properties: Buffer | undefined, receivedAt: number, origin: Origin | undefined) {
    this.topic = topic;
    this.payload = payload;
    this.#properties = properties;
    this.receivedAt = receivedAt;
    this.origin = origin;
  }

  get clientId(): string | undefined {
    return this.origin?.clientId;
  }

  get principal(): string | undefined {
    return this.origin?.principal;
  }

  get sourceIp(): string | undefined {
    return this.origin?.sourceIp;
  }

  /** Of messages that came over MQTT (developer guide, function traceid). */
  get traceId(): string | undefined {
    return this.clientId === undefined ? undefined : this.trace;
  }

  get properties(): Properties | undefined {
    if (this.#properties === undefined) return undefined;
    this.#read ??= readProperties(new Cursor(this.#properties, 0, this.#properties.length), 'PUBLISH');
    return this.#read;
  }

  /** Names the message in what is told of it, wherever it came from. */
  get trace(): string {
    this.#traceId ??= randomUUID();
    return this.#traceId;
  }

  /** Makes its bytes its own: they lie in a read buffer, which is somebody else's when the turn is over. */
  keep(): OriginalMessage {
    if (this.#original !== undefined) return this.#original;
    this.payload = ownCopy(this.payload);
    if (this.#properties !== undefined) this.#properties = ownCopy(this.#properties);
    const { clientId, principal, sourceIp } = this;
    const chain = this.origin?.chain;
    const properties = this.#properties;
    this.#original = {
      topic: this.topic,
      payload: this.payload,
      receivedAt: this.receivedAt,
      traceId: this.trace,
      clientId,
      principal,
      sourceIp,
      chain,
      properties,
    };
    return this.#original;
  }

  /** A message that was kept, for what is still to be told of it. */
  static again(original: OriginalMessage): RuleInput {
    const { topic, payload, receivedAt, clientId, principal, sourceIp, chain, properties } = original;
    const origin = {
      clientId,
      principal,
      sourceIp,
      chain,
    };
    const message = new RuleInput(topic, payload, properties, receivedAt, origin);
    message.#original = original;
    message.#traceId = original.traceId;
    return message;
  }
}
