/**
 * Wills: published for a client that went without saying so, at once or after its delay, if it may still publish there at
 * that moment [MQTT5 3.1.2.5, 3.1.3.2.2]. A will that waits is on disk, and goes with the commit that holds its message.
 */
import { policyRefusal } from '../../refusals/policy-refusal.ts';
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import type { Will } from '../../mqtt/connect.ts';
import { encodeProperties } from '../../mqtt/properties.ts';
import type { Refusal } from '../../refusals/refusals.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/log.ts';
import { MEMORY } from '../../runtime/memory.ts';
import type { AccountSpace } from '../routing/account.ts';
import type { Client } from './client.ts';
import { connectionFacts, type WillRecord, willSize } from './connection-record.ts';
import type { ConnectionRegister } from './connection-register.ts';
import type { MessagePermissions } from '../contract.ts';
import { clampExpiry } from '../message/message-properties.ts';
import type { Message } from '../message/message.ts';
import type { Retained } from '../routing/retained.ts';
import type { RoutedTopic } from '../routing/routed-topic.ts';
import type { Session } from '../session/session.ts';
import type { Origin } from '../messaging.ts';

/** A client that has gone, as its will needs it: of this run of the server, or of one before. */
export interface Departed {
  readonly account: AccountSpace;
  readonly will: Will;
  readonly origin: Origin;
  /** Present in the run of the server that it was connected to. */
  readonly client?: Client;
  /** Its permissions of now; undefined when it would not be let in any more, which has been recorded then. */
  permissions(): MessagePermissions | undefined | Promise<MessagePermissions | undefined>;
  refuse(refusal: Omit<Refusal, 'protocol' | 'sourceIp'>): void;
  record(dueAt: number, delivered: boolean): WillRecord;
}

/** What wills need of the broker. */
export interface WillServices {
  readonly clock: Clock;
  readonly log: Logger;
  readonly register: ConnectionRegister;
  readonly retained: Retained;
  storeBeforeSending(work: () => void): void;
  publishMessage(
    account: AccountSpace,
    message: Message<RoutedTopic>,
    source: undefined,
    origin: Origin,
  ): Promise<void> | undefined;
}

interface Pending {
  readonly departed: Departed;
  /** Monotonic milliseconds. */
  readonly at: number;
}

const messageOf = (account: AccountSpace, will: Will): Message<RoutedTopic> => {
  const { willDelayInterval: _, ...properties } = will.properties;
  clampExpiry(properties);
  return {
    topic: account.topic(will.topic),
    payload: will.payload,
    qos: will.qos,
    retain: will.retain,
    properties: encodeProperties(properties),
    expiry: properties.messageExpiryInterval,
  };
};

export class Wills {
  readonly #services: WillServices;
  readonly #max: number;
  readonly #pending = new Map<Session, Pending>();
  /** Wills that wait for their client's permissions. */
  readonly #underWay = new Set<Promise<void>>();
  /** Clients whose will is not to be published. */
  readonly #prevented = new WeakSet<Client>();
  /** Wills that have a record. */
  readonly #stored = new WeakSet<Departed>();

  constructor(services: WillServices, max: number = MEMORY.wills) {
    this.#services = services;
    this.#max = max;
  }

  /** Whether there is memory for a will. */
  fits(will: Will | undefined): boolean {
    return will === undefined || this.#services.register.willBytes + willSize(will) <= this.#max;
  }

  /** The will of this client is not to be published, whatever ends its connection. */
  prevent(client: Client): void {
    this.#prevented.add(client);
  }

  /** A client has gone without a DISCONNECT that takes its will back. */
  onUngracefulClose(client: Client): void {
    const { account, session } = client;
    const { connect } = client.identity;
    if (account === undefined || connect?.will === undefined || this.#prevented.has(client)) return;
    const delay = connect.will.properties.willDelayInterval ?? 0;
    const departed = departedOf(client, account, connect.will);
    // The will comes when its delay or the session ends, whichever is first [MQTT-3.1.3-9].
    if (delay === 0 || session === undefined || session.client !== undefined) this.#fire(departed);
    else this.wait(session, departed, delay * 1000);
  }

  /** Publishes a will after so many milliseconds, or with the end of the session. */
  wait(session: Session, departed: Departed, milliseconds: number): void {
    if (session.ended) {
      this.#fire(departed);
      return;
    }
    const { clock } = this.#services;
    this.#put(departed, clock.now() + milliseconds, false);
    this.#services.register.addWillBytes(willSize(departed.will));
    this.#pending.set(session, { departed, at: clock.monotonic() + milliseconds });
  }

  /** Drops the will that waits: its client has come back in time. */
  cancel(session: Session): void {
    const pending = this.#take(session);
    if (pending !== undefined) this.#drop(pending.departed);
  }

  sessionEnded(session: Session): void {
    const pending = this.#take(session);
    if (pending !== undefined) this.#fire(pending.departed);
  }

  /** Certificates of clients whose will is still to come. */
  certificates(): string[] {
    return [...this.#pending.values()].flatMap(({ departed: { client } }) => client?.identity.peer.certificateId ?? []);
  }

  /** Clients of a certificate whose will is still to come: their permissions are followed until then. */
  clientsOf(certificateId: string): Client[] {
    return [...this.#pending.values()].flatMap(({ departed: { client } }) =>
      client?.identity.peer.certificateId === certificateId ? [client] : [],
    );
  }

  sweep(now: number): void {
    for (const [session, { departed, at }] of this.#pending) {
      if (at > now) continue;
      this.#take(session);
      this.#fire(departed);
    }
  }

  /** Publishes all that wait, whatever their delay: the server ends. */
  async publishAll(): Promise<void> {
    this.sweep(Number.POSITIVE_INFINITY);
    await Promise.all(this.#underWay);
  }

  /** Publishes a will, if its client's permissions of now allow it. Its record, if it has one, goes with the same commit. */
  publish(departed: Departed, permissions: MessagePermissions | undefined): void {
    const { account, will } = departed;
    if (permissions === undefined || !isAllowed(departed, permissions)) {
      this.#drop(departed);
      return;
    }
    const message = { ...messageOf(account, will), retain: false };
    this.#services.storeBeforeSending(() => {
      this.#services.publishMessage(account, message, undefined, departed.origin)?.catch((error: unknown) => {
        this.#services.log.error({ err: error }, 'a will could not be stored');
      });
    });
    if (will.retain) {
      this.#put(departed, 0, true);
      this.retain(departed);
    } else this.#drop(departed);
  }

  /** Retains a will whose message was delivered. */
  retain(departed: Departed): void {
    const { account, will } = departed;
    const { retained, clock, log } = this.#services;
    retained.keep(account.place, messageOf(account, will), clock.now()).then(
      () => this.#drop(departed),
      (error: unknown) => {
        if (error instanceof ThingkeepError && error.code === 'ThrottlingException') {
          departed.refuse({ check: 'limit', reason: `the will was not retained: ${error.message}` });
          this.#drop(departed);
        } else log.error({ err: error }, 'a will could not be stored');
      },
    );
  }

  /** A will that an earlier run of the server has stored. */
  restore(departed: Departed): void {
    this.#stored.add(departed);
  }

  #put(departed: Departed, dueAt: number, delivered: boolean): void {
    this.#stored.add(departed);
    this.#services.register.putWill(departed.record(dueAt, delivered));
  }

  #drop(departed: Departed): void {
    if (this.#stored.has(departed)) this.#services.register.deleteWill(departed.record(0, false));
  }

  #take(session: Session): Pending | undefined {
    const pending = this.#pending.get(session);
    if (pending === undefined) return undefined;
    this.#pending.delete(session);
    this.#services.register.addWillBytes(-willSize(pending.departed.will));
    return pending;
  }

  #fire(departed: Departed): void {
    const permissions = departed.permissions();
    if (!(permissions instanceof Promise)) {
      this.publish(departed, permissions);
      return;
    }
    const work = permissions.then((known) => this.publish(departed, known));
    this.#underWay.add(work);
    void work
      .catch((error: unknown) => this.#services.log.error({ err: error }, 'a will could not be published'))
      .finally(() => this.#underWay.delete(work));
  }
}

/** Whether the permissions let the will go out; a refusal is recorded. */
function isAllowed(departed: Departed, permissions: MessagePermissions): boolean {
  const { account, will } = departed;
  const { arn } = account.topic(will.topic);
  for (const action of will.retain ? (['iot:Publish', 'iot:RetainPublish'] as const) : (['iot:Publish'] as const)) {
    const decision = permissions.decide(action, arn);
    if (decision.effect === 'ALLOWED') continue;
    departed.refuse(
      policyRefusal(
        { action, resource: arn, what: `on the will topic ${will.topic} (checked when the will was published)` },
        decision,
      ),
    );
    return false;
  }
  return true;
}

function departedOf(client: Client, account: AccountSpace, will: Will): Departed {
  const { accountId, region } = account.place;
  return {
    account,
    will,
    client,
    origin: { ...client.identity.origin, isWill: true },
    permissions: () => client.permissions.current,
    refuse: client.refuse.bind(client),
    record: (dueAt, delivered) => ({
      region,
      accountId,
      clientId: client.clientId,
      connection: connectionFacts(client),
      dueAt,
      delivered,
    }),
  };
}
