/**
 * Publishes `disconnected` events and wills of the connections that stood when the process died. The record of a connection
 * is removed in the commit that holds these messages: a crash before that commit repeats them at the next start, a crash
 * after it does not.
 */
import type { Broker } from './broker.ts';
import {
  type ConnectionFacts,
  type LostConnection,
  storedConnect,
  type WillFacts,
  type WillRecord,
} from './connection/connection-record.ts';
import type { ConnectAuthorizer, MessagePermissions } from './contract.ts';
import type { Departed } from './connection/wills.ts';

/** Makes the authorizer of a client that an earlier run of the server has admitted. */
export type StoredClientAuthorizer = (will: WillFacts) => ConnectAuthorizer;

/** Ends of connections in one commit. */
const PAGE = 200;

/** A stored will that waits for its session, or is due. */
interface Kept {
  readonly record: Pick<LostConnection, 'region' | 'accountId' | 'clientId'>;
  readonly connection: ConnectionFacts;
  readonly will: WillFacts;
}

/** Tells the ends of all lost connections; to be awaited before the first connection, once rules and events are there. */
export async function publishLostConnections(broker: Broker, authorizerOf: StoredClientAuthorizer): Promise<void> {
  const { register, log } = broker;
  const { lost, wills } = register.takeRecovered();
  for (let i = 0; i < wills.length; i += PAGE) await takeUp(broker, authorizerOf, wills.slice(i, i + PAGE));
  for (let i = 0; i < lost.length; i += PAGE) {
    const page = lost.slice(i, i + PAGE);
    const ready = await Promise.all(page.map((record) => prepared(broker, authorizerOf, record)));
    // One turn, so one commit.
    for (const tell of ready) tell();
    await broker.journal.committed().catch((error: unknown) => {
      log.error({ err: error }, 'the ends of lost connections could not be stored: the next start tells them again');
      for (const record of page) register.restore(record);
    });
  }
  if (lost.length > 0)
    log.info({ event: 'lost-connections-published', connections: lost.length }, 'ends of lost connections are told');
}

/** Asks for the permissions of a connection's will, and gives what tells its end then. */
async function prepared(broker: Broker, authorizerOf: StoredClientAuthorizer, record: LostConnection): Promise<() => void> {
  const { connection } = record;
  const { will } = connection;
  const departed = will === undefined ? undefined : departedOf(broker, authorizerOf, { record, connection, will });
  const session = departed?.account.sessions.get(record.clientId);
  const delay = session?.ended === false ? (departed?.will.properties.willDelayInterval ?? 0) * 1000 : 0;
  const permissions = delay === 0 ? await departed?.permissions() : undefined;
  return () => {
    broker.register.leaveLost(record);
    broker.connections.lost(record);
    if (departed === undefined) return;
    if (delay > 0 && session !== undefined) broker.wills.wait(session, departed, delay);
    else broker.wills.publish(departed, permissions);
  };
}

/** Waits on, or publishes, wills that were waiting when the process died. */
async function takeUp(broker: Broker, authorizerOf: StoredClientAuthorizer, page: readonly WillRecord[]): Promise<void> {
  const { wills, clock } = broker;
  const ready = await Promise.all(
    page.map(async (record) => {
      const { connection, delivered, dueAt } = record;
      const departed =
        connection.will === undefined
          ? undefined
          : departedOf(broker, authorizerOf, { record, connection, will: connection.will });
      if (departed === undefined) return () => broker.register.deleteWill(record);
      wills.restore(departed);
      if (delivered) return () => wills.retain(departed);
      const session = departed.account.sessions.get(record.clientId);
      // A wall clock that was set back must not make it wait for longer than it was to.
      const max = (departed.will.properties.willDelayInterval ?? 0) * 1000;
      const left = Math.min(dueAt - clock.now(), max);
      if (session?.ended === false && left > 0) return () => wills.wait(session, departed, left);
      const permissions = await departed.permissions();
      return () => wills.publish(departed, permissions);
    }),
  );
  for (const act of ready) act();
  await broker.journal.committed().catch((error: unknown) => broker.log.error({ err: error }, 'wills could not be stored'));
}

/** The stored will; undefined where it can't be read. The `disconnected` event is published all the same. */
function departedOf(
  broker: Broker,
  authorizerOf: StoredClientAuthorizer,
  { record, connection, will }: Kept,
): Departed | undefined {
  const { region, accountId, clientId } = record;
  const { sourceIp, certificateId } = will.peer;
  const account = broker.account(accountId, region);
  const refuse: Departed['refuse'] = (refusal) =>
    broker.refuse({
      protocol: 'mqtt',
      sourceIp,
      certificateId,
      clientId,
      ...account.place,
      principal: will.principal,
      ...refusal,
    });
  try {
    const connect = storedConnect(clientId, will);
    return {
      account,
      will: connect.will,
      origin: { clientId, principal: connection.principalId, sourceIp, isWill: true },
      refuse,
      permissions: async (): Promise<MessagePermissions | undefined> => {
        const answer = await authorizerOf(will)(connect);
        if ('refused' in answer) {
          refuse(answer.refused);
          return undefined;
        }
        // The certificate may have been moved to another account.
        if (answer.accountId === accountId && (answer.region ?? region) === region) return answer.permissions;
        refuse({ check: 'policy', reason: 'the client belongs to another account now: its will is not published' });
        return undefined;
      },
      record: (dueAt, delivered) => ({ region, accountId, clientId, connection, dueAt, delivered }),
    };
  } catch (error) {
    broker.log.error({ err: error, clientId }, 'a stored will can not be read');
    return undefined;
  }
}
