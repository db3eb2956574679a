/**
 * Wills: published for a client that went without saying so, at once or after its delay, if it may still publish there at
 * that moment [MQTT5 3.1.2.5, 3.1.3.2.2].
 */
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import { encodeProperties } from '../mqtt/properties.ts';
import type { Broker } from './broker.ts';
import type { Client } from './client.ts';
import { clampExpiry } from './handlers/publish.ts';
import type { Session } from './session.ts';

interface Pending {
  readonly client: Client;
  /** Monotonic milliseconds. */
  readonly at: number;
}

export class Wills {
  readonly #broker: Broker;
  readonly #pending = new Map<Session, Pending>();

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /** A client has gone without taking its will back. */
  leftBehind(client: Client): void {
    const { session, connect } = client;
    if (connect?.will === undefined || client.willPrevented) return;
    const delay = connect.will.properties.willDelayInterval ?? 0;
    // The will comes when its delay or the session ends, whichever is first [MQTT-3.1.3-9].
    if (delay === 0 || session === undefined || session.ended || session.client !== undefined) this.#fire(client);
    else this.#pending.set(session, { client, at: this.#broker.clock.monotonic() + delay * 1000 });
  }

  /** The client has come back in time. */
  forget(session: Session): void {
    this.#pending.delete(session);
  }

  sessionEnded(session: Session): void {
    const pending = this.#pending.get(session);
    if (pending === undefined) return;
    this.#pending.delete(session);
    this.#fire(pending.client);
  }

  /** Clients of a certificate whose will is still to come: their rights are followed until then. */
  clientsOf(certificateId: string): Client[] {
    return [...this.#pending.values()].flatMap(({ client }) => (client.peer.certificateId === certificateId ? [client] : []));
  }

  sweep(now: number): void {
    for (const [session, { client, at }] of this.#pending) {
      if (at > now) continue;
      this.#pending.delete(session);
      this.#fire(client);
    }
  }

  /** Nobody would be there to publish them later. */
  serverEnds(): void {
    this.sweep(Number.POSITIVE_INFINITY);
  }

  #fire(client: Client): void {
    const { account, connect } = client;
    const will = connect?.will;
    if (account === undefined || will === undefined) return;
    const topic = account.topic(will.topic);
    for (const action of will.retain ? (['iot:Publish', 'iot:RetainPublish'] as const) : (['iot:Publish'] as const)) {
      const { effect, ...statement } = client.rights.decide(action, topic.arn);
      if (effect === 'ALLOWED') continue;
      client.refuse({
        check: 'policy',
        reason: `${action} on the will topic ${will.topic} is no longer allowed`,
        action,
        resource: topic.arn,
        decision: effect,
        ...statement,
      });
      return;
    }
    const { willDelayInterval: _, ...properties } = will.properties;
    clampExpiry(properties);
    const message = {
      ...{ topic, payload: will.payload, qos: will.qos, retain: will.retain },
      properties: encodeProperties(properties),
      ...(properties.messageExpiryInterval === undefined ? {} : { expiry: properties.messageExpiryInterval }),
    };
    const stored = this.#broker.publishMessage(account, message, undefined, client.origin);
    stored?.catch((error: unknown) => {
      if (error instanceof ThingkeepError && error.code === 'ThrottlingException')
        client.refuse({ check: 'limit', reason: `the will was not retained: ${error.message}` });
      else this.#broker.log.error({ err: error }, 'a will could not be stored');
    });
  }
}
