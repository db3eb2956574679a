/** Connections over the API (API reference, iot-data DeleteConnection, GetConnection, ListSubscriptions, SendDirectMessage). */
import { defined } from '@thingkeep/wire/defined.ts';
import { randomUUID } from 'node:crypto';
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotDataOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { LIMITS } from '@thingkeep/wire/limits.ts';
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import { holdsControl } from '@thingkeep/wire/mqtt/characters.ts';
import { topicFault, TOPIC_FAULT_TEXT } from '@thingkeep/wire/topics.ts';
import { encodeProperties } from '../mqtt/properties.ts';
import { startDeadline } from '../runtime/deadline.ts';
import type { Broker } from './broker.ts';
import type { Client } from './connection/client.ts';
import { batchOfOne } from './message/message.ts';
import { type MessageInput, propertiesOf } from './message-input.ts';
import type { AccountSpace } from './routing/account.ts';
import type { Session } from './session/session.ts';
import { refuseRequest } from './throttled-request.ts';

type Operations = Pick<IotDataOperations, 'DeleteConnection' | 'GetConnection' | 'ListSubscriptions' | 'SendDirectMessage'>;
type DirectInput = IotDataOperations['SendDirectMessage']['input'];

/** Entries of a page, and seconds to wait for an acknowledgement, when the caller does not say. */
const PAGE = 20;
const CONFIRMATION = 5;

export const connectionOperations = (broker: Broker): Handlers<Operations> => ({
  async DeleteConnection({ clientId = '', cleanSession = false, preventWillMessage = false }, caller) {
    const { session, client } = lookUp(broker, caller, clientId);
    if (client !== undefined) {
      if (preventWillMessage) broker.wills.prevent(client);
      if (cleanSession) session.lifetime.expireAfter(0);
      client.close('API_INITIATED_DISCONNECT', REASON.ADMINISTRATIVE_ACTION);
    } else if (cleanSession) broker.sessions.end(session);
    await stored(broker);
    return {};
  },

  async GetConnection({ clientId = '', includeSocketInformation = false }, caller) {
    const { session, client } = lookUp(broker, caller, clientId);
    const { expiry, leftAt, leftWhy } = session.lifetime;
    const known = { clientId, cleanSession: !session.persistent, sessionExpiry: expiry };
    if (client?.state !== 'connected')
      return {
        ...known,
        connected: false,
        ...defined({
          disconnectedSince: leftAt,
          disconnectReason: leftAt === undefined ? undefined : leftWhy,
        }),
      };
    const { admission, connectedAt, peer } = client.identity;
    const { sourceIp, sourcePort } = peer;
    return {
      ...known,
      connected: true,
      thingName: admission?.thingName,
      keepAliveDuration: client.reading.keepAlive,
      connectedSince: connectedAt,
      ...defined({
        sourceIp: includeSocketInformation ? sourceIp : undefined,
        sourcePort: includeSocketInformation ? sourcePort : undefined,
      }),
    };
  },

  async ListSubscriptions({ clientId = '', nextToken = '', maxResults = PAGE }, caller) {
    const { session } = lookUp(broker, caller, clientId);
    const from = offsetOf(nextToken);
    const all = [...session.subscriptions.values()];
    const page = all.slice(from, from + maxResults);
    return {
      subscriptions: page.map(({ filter, qos }) => ({ topicFilter: filter, qos })),
      nextToken: from + maxResults < all.length ? Buffer.from(String(from + maxResults)).toString('base64') : undefined,
    };
  },

  async SendDirectMessage(input, caller) {
    await sendDirect(broker, connectedClient(broker, caller, input), input);
    return { message: 'OK', traceId: randomUUID() };
  },
});

interface Found {
  readonly account: AccountSpace;
  readonly session: Session;
  readonly client: Client | undefined;
}

interface Connected extends Found {
  readonly client: Client;
}

function lookUp(broker: Broker, caller: Caller, clientId: string): Found {
  if (clientId.startsWith('$')) fail('InvalidRequestException', 'A client id does not begin with $');
  if (holdsControl(clientId)) fail('InvalidRequestException', 'A client id holds no control characters');
  const account = broker.account(caller.accountId, caller.region);
  if (account.throttle?.mayRequest(clientId) === false) refuseRequest(broker, account, caller, 'request');
  const session = account.sessions.get(clientId);
  if (session === undefined)
    return fail('ResourceNotFoundException', `There is no connection and no session of the client ${clientId}`);
  return { account, session, client: session.client === undefined ? undefined : broker.connections.clientOf(account, clientId) };
}

function connectedClient(broker: Broker, caller: Caller, { clientId = '' }: DirectInput): Connected {
  const { account, session, client } = lookUp(broker, caller, clientId);
  if (client?.state === 'connected') return { account, session, client };
  return fail('ResourceNotFoundException', `The client ${clientId} is not connected`);
}

async function stored(broker: Broker): Promise<void> {
  await broker.journal.committed();
}

function offsetOf(token: string): number {
  if (token === '') return 0;
  const text = Buffer.from(token, 'base64').toString();
  return /^\d{1,6}$/.test(text) ? Number(text) : fail('InvalidRequestException', 'The pagination token is invalid.');
}

/** Past subscriptions, rules, queues and retained messages, to one client that may receive the topic (page direct-messaging). */
async function sendDirect(broker: Broker, { account, session, client }: Connected, input: DirectInput): Promise<void> {
  const { topic: name = '', confirmation = false, timeout = CONFIRMATION, payload } = input;
  const bytes = payload === undefined ? Buffer.alloc(0) : Buffer.from(payload);
  if (bytes.length > LIMITS.payload) fail('RequestEntityTooLargeException', 'The payload exceeds the maximum size of 128 KB');
  const fault = topicFault(name);
  if (fault !== undefined) fail('InvalidRequestException', `The topic is not valid: ${TOPIC_FAULT_TEXT[fault]}`);
  if (name.startsWith('$')) fail('InvalidRequestException', 'A direct message is not sent on a reserved topic');
  const properties = encodeProperties(propertiesOf(input as MessageInput));
  const topic = account.topic(name);
  if (!client.permissions.mayReceive(topic)) fail('ForbiddenException', `The client may not receive messages on ${name}`);
  const qos = confirmation ? 1 : 0;
  const batch = batchOfOne({ topic, payload: bytes, qos, retain: false, properties }, broker.clock.now());
  const acknowledged = Promise.withResolvers<boolean>();
  const giveUp = session.delivery.sendDirect(batch.encode(client.level, qos), topic, qos, () => acknowledged.resolve(true));
  if (giveUp === undefined) fail('ThrottlingException', 'The client has too many messages that it has not acknowledged');
  if (!confirmation) return;
  const cancel = startDeadline(timeout * 1000, () => acknowledged.resolve(false));
  const confirmed = await acknowledged.promise;
  cancel();
  if (confirmed) return;
  giveUp?.();
  fail('GatewayTimeoutException', `The client has not acknowledged the message within ${timeout} seconds`);
}
