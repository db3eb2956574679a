/** What a client may do and until when: its permissions of now, and when they are to be asked for again. */
import { policyRefusal } from '../../refusals/policy-refusal.ts';
import type { Decision } from '@thingkeep/wire/api/authorization.ts';
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import type { Connect } from '../../mqtt/connect.ts';
import type { Refusal } from '../../refusals/refusals.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Admission, ConnectAuthorizer, DisconnectReason, MessageAction, MessagePermissions } from '../contract.ts';
import type { TopicEntry } from '../message/topic-entry.ts';
import type { AccountSpace } from '../routing/account.ts';
import type { ClientState, Session } from '../session/session.ts';
import type { ConnectionIdentity } from './connection-identity.ts';
import type { Reading } from './reading.ts';

/** A connection, as its permissions know it. */
export interface Permitted {
  readonly identity: ConnectionIdentity;
  readonly reading: Reading;
  readonly state: ClientState;
  readonly account: AccountSpace | undefined;
  readonly session: Session | undefined;
  readonly broker: { readonly clock: Clock };
  refuse(refusal: Omit<Refusal, 'protocol' | 'sourceIp'>): void;
  close(why: DisconnectReason, reason?: number): void;
}

const NONE: MessagePermissions = { volatile: false, decide: () => ({ effect: 'IMPLICIT_DENY' }) };

const NOT_ASKED = { topic: undefined, generation: -1, answer: false };

export class ConnectionPermissions {
  readonly #client: Permitted;
  readonly #authorizer: ConnectAuthorizer;
  #current: MessagePermissions = NONE;
  #generation = 0;
  #reauthorizeAt: number | undefined;
  #endsAt: number | undefined;
  #endsWhy: DisconnectReason = 'SERVER_INITIATED_DISCONNECT';
  #authorization = 0;
  /** What was answered last: messages of one topic come in rows. */
  #asked: { topic: TopicEntry | undefined; generation: number; answer: boolean } = NOT_ASKED;

  constructor(client: Permitted, authorizer: ConnectAuthorizer) {
    this.#client = client;
    this.#authorizer = authorizer;
  }

  /** The permissions of now. */
  get current(): MessagePermissions {
    return this.#current;
  }

  /** Rises when the permissions change: answers remembered before are stale. */
  get generation(): number {
    return this.#generation;
  }

  decide(action: MessageAction, resource: string): Decision {
    return this.#current.decide(action, resource);
  }

  /** Whether the client may have messages of the topic now; a refusal is recorded. */
  mayReceive(topic: TopicEntry): boolean {
    if (this.#asked.topic === topic && this.#asked.generation === this.#generation) return this.#asked.answer;
    const answer = this.#askReceive(topic);
    this.#asked = { topic, generation: this.#generation, answer };
    return answer;
  }

  /** Takes what the CONNECT was admitted with. */
  admit(admission: Admission): void {
    const { permissions, endsAfter } = admission;
    this.#current = permissions;
    this.#authorizedUntil(admission);
    if (endsAfter === undefined) return;
    this.#endsAt = this.#client.reading.since + endsAfter.seconds * 1000;
    this.#endsWhy = endsAfter.why;
  }

  /** Takes other permissions. */
  replace(permissions: MessagePermissions): void {
    const { account, session } = this.#client;
    this.#current = permissions;
    this.#generation += 1;
    // Routes hold who may receive: those that lead here are looked up anew.
    if (account !== undefined && (session?.subscriptions.size ?? 0) > 0) account.routesChanged();
  }

  /** Takes all permissions away. */
  revoke(): void {
    this.replace(NONE);
  }

  /** Authenticates the CONNECT by which the client came. */
  authenticate(connect: Connect): ReturnType<ConnectAuthorizer> {
    return this.#authorizer(connect);
  }

  /**
   * Authorizes the client anew with the CONNECT that it came with: it gets its new permissions, or is closed. Calls may
   * overlap, and end in another order than they began: only the newest counts.
   */
  async reauthorize(): Promise<void> {
    const client = this.#client;
    const { connect } = client.identity;
    if (connect === undefined) return;
    this.#reauthorizeAt = undefined;
    this.#authorization += 1;
    const turn = this.#authorization;
    const answer = await this.#authorizer(connect);
    if (this.#authorization !== turn) return;
    if ('refused' in answer) {
      // A will is authorized by the permissions of the moment when it is published: there are none left.
      this.revoke();
      if (client.state !== 'connected') return;
      client.refuse(answer.refused);
      client.close('AUTH_ERROR', REASON.NOT_AUTHORIZED);
      return;
    }
    client.identity.admit(answer, connect);
    this.#authorizedUntil(answer);
    this.replace(answer.permissions);
  }

  /** Asks anew what changes with time. */
  refresh(): void {
    if (this.#current.volatile) this.replace(this.#current);
  }

  /** Ends the connection when its time is over, and authorizes it anew when that is due. */
  check(now: number): void {
    if (this.#endsAt !== undefined && now >= this.#endsAt) this.#client.close(this.#endsWhy, REASON.ADMINISTRATIVE_ACTION);
    else if (this.#reauthorizeAt !== undefined && now >= this.#reauthorizeAt) void this.reauthorize();
  }

  #authorizedUntil({ reauthorizeAfter }: Admission): void {
    this.#reauthorizeAt =
      reauthorizeAfter === undefined ? undefined : this.#client.broker.clock.monotonic() + reauthorizeAfter * 1000;
  }

  #askReceive(topic: TopicEntry): boolean {
    const decision = this.#current.decide('iot:Receive', topic.arn);
    if (decision.effect === 'ALLOWED') return true;
    this.#client.refuse(policyRefusal({ action: 'iot:Receive', resource: topic.arn, what: `on ${topic.name}` }, decision));
    return false;
  }
}
