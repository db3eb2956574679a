/** CONNECT: the life of a connection begins. The steps, in order: parse, check shape, admit, check the will, take over, greet. */
import { randomUUID } from 'node:crypto';
import { LIMITS } from '@thingkeep/wire/limits.ts';
import { holdsControl } from '@thingkeep/wire/mqtt/characters.ts';
import { REASON, RETURN_CODE } from '@thingkeep/wire/mqtt/reason-codes.ts';
import { clientMayPublish, topicFault } from '@thingkeep/wire/topics.ts';
import { type Connect, encodeConnack, parseConnect } from '../../../mqtt/connect.ts';
import { MqttError } from '../../../mqtt/mqtt-error.ts';
import type { Properties } from '../../../mqtt/properties.ts';
import { DISK_LOW } from '../../../runtime/disk-failure.ts';
import type { AccountSpace } from '../../routing/account.ts';
import type { Client } from '../client.ts';
import type { Admission, ConnectRefusal, MessageAction } from '../../contract.ts';
import type { Decision } from '@thingkeep/wire/api/authorization.ts';
import type { Session, SessionOwner } from '../../session/session.ts';
import { expiryOf } from '../../routing/sessions.ts';
import { reasonOf } from '../../routing/account-throttle.ts';
import { ConnectionThrottle } from '../connection-throttle.ts';
import { closeForFailure } from '../fault.ts';
import { checkProperties, checkUserProperties } from '../../message/message-properties.ts';

export function connect(client: Client, bytes: Buffer, body: number, next: number): void {
  if (client.state !== 'awaiting-connect') throw new MqttError(REASON.PROTOCOL_ERROR, 'a second CONNECT'); // [MQTT-3.1.0-2]
  const sent = parseConnect(bytes, body, next);
  client.identity.setLevel(sent.level);
  if (!validateConnect(client, sent)) return;
  const assigned = sent.clientId === '';
  const asked = assigned ? { ...sent, clientId: randomUUID() } : sent;
  client.beginAdmission(asked.clientId);
  client.permissions
    .authenticate(asked)
    .then((answer) => {
      if (client.state !== 'admitting') return;
      if ('refused' in answer) refuseConnect(client, REASON.NOT_AUTHORIZED, answer.refused);
      else acceptConnect(client, asked, answer, assigned);
    })
    .catch((error: unknown) => {
      client.broker.log.error({ err: error, clientId: client.clientId }, 'a CONNECT could not be handled');
      client.close('SERVER_ERROR', REASON.UNSPECIFIED);
    });
}

/** Refuses a CONNECT as AWS IoT does: MQTT 5 gets a CONNACK with a reason code, MQTT 3.1.1 is closed without one. */
function refuseConnect(client: Client, reason: number, refusal: ConnectRefusal): void {
  client.refuse(refusal);
  if (client.level === 5) client.output.append(encodeConnack(5, reason, false));
  client.close('AUTH_ERROR');
  client.broker.connectFailed(client, refusal);
}

/** Limits and features that need no identity. Refuses, and says no, when one is broken. */
function validateConnect(client: Client, asked: Connect): boolean {
  const { clientId, level, will } = asked;
  const fault = connectViolation(asked);
  if (fault !== undefined) {
    // By way of bytes: a slice of a string keeps the whole of it in memory, for as long as the refusal is remembered.
    client.identity.setClientId(Buffer.from(clientId.slice(0, LIMITS.clientId)).toString());
    // [MQTT-3.1.3-8; MQTT311 3.2.2.3]
    if (level === 4 && fault.code !== undefined) client.output.append(encodeConnack(4, fault.code, false));
    refuseConnect(client, fault.reason, { check: fault.check, reason: fault.text });
    return false;
  }
  checkUserProperties(asked.properties);
  if (level === 5 && will !== undefined) checkProperties(will.properties);
  return true;
}

interface ConnectViolation {
  readonly check: 'client-id' | 'limit' | 'topic' | 'protocol';
  readonly reason: number;
  /** What MQTT 3.1.1 is told; it is closed without a word where there is none. */
  readonly code?: number;
  readonly text: string;
}

const clientIdViolation = (text: string): ConnectViolation => ({
  check: 'client-id',
  reason: REASON.CLIENT_IDENTIFIER_NOT_VALID,
  code: RETURN_CODE.IDENTIFIER_REJECTED,
  text,
});

function connectViolation({ clientId, level, clean, properties, will, userName }: Connect): ConnectViolation | undefined {
  if (Buffer.byteLength(clientId) > LIMITS.clientId)
    return clientIdViolation(`a client identifier over ${LIMITS.clientId} bytes`);
  if (clientId.startsWith('$')) return clientIdViolation('a client identifier that begins with $');
  if (holdsControl(clientId)) return clientIdViolation('a client identifier with a control character');
  if (clientId === '' && level === 4 && !clean) return clientIdViolation('no client identifier, and no clean session');
  if (userName !== undefined && holdsControl(userName))
    return {
      check: 'protocol',
      reason: REASON.BAD_USER_NAME_OR_PASSWORD,
      code: RETURN_CODE.BAD_USER_NAME_OR_PASSWORD,
      text: 'a user name with a control character',
    };
  const { maximumPacketSize } = properties;
  if (maximumPacketSize !== undefined && maximumPacketSize < LIMITS.smallestMaximumPacketSize)
    return {
      check: 'limit',
      reason: REASON.QUOTA_EXCEEDED,
      text: `a Maximum Packet Size under ${LIMITS.smallestMaximumPacketSize} bytes`,
    };
  if (will?.qos === 2) return { check: 'protocol', reason: REASON.QOS_NOT_SUPPORTED, text: 'the will QoS is 2' }; // [MQTT-3.2.2-12]
  if (properties.authenticationMethod !== undefined)
    return { check: 'protocol', reason: REASON.UNSPECIFIED, text: 'enhanced authentication is not supported' };
  if (will !== undefined && topicFault(will.topic) !== undefined)
    return {
      check: 'topic',
      reason: REASON.TOPIC_NAME_INVALID,
      text: `a will topic that is not valid: ${topicFault(will.topic)}`,
    };
  return undefined;
}

function acceptConnect(client: Client, asked: Connect, admission: Admission, assigned: boolean): void {
  const { broker } = client;
  const account = broker.account(admission.accountId, admission.region);
  if (!willIsAllowed(client, asked, admission)) return;
  if (!hasRoom(client, account, asked, admission) || !mayPersist(client, account, asked, admission)) return;
  const keepAlive = clampKeepAlive(asked.keepAlive);
  const throttle =
    account.throttle === undefined ? undefined : new ConnectionThrottle(account.throttle, client, broker.rateLimited);
  client.admitted({ admission, account, connect: asked, keepAlive, throttle });
  broker.takeOver(client, account);
  const { session, present } = broker.sessions.open(client, account, asked, ownerOf(client, admission));
  client.bindSession(session, broker.register.enter(client, account.place));
  const sendConnack = (): void => {
    if (client.state !== 'admitting') return;
    client.output.append(
      encodeConnack(
        asked.level,
        0,
        present,
        asked.level === 5 ? connackProperties(asked, session, account, assigned, keepAlive) : {},
      ),
    );
    client.connected(session, account);
  };
  // Session and connection are on disk before the client hears of them. A disk that takes nothing keeps clean sessions out
  // of nothing but the register.
  broker.journal.after(sendConnack, (error) => (session.persistent ? closeForFailure(client, error) : sendConnack()));
}

/** The owner of the session. A certificate that was merely shown, beside another way of logging in, has no say. */
function ownerOf(client: Client, { principal, principalId }: Admission): Omit<SessionOwner, 'expiry'> {
  const { certificateId } = client.identity.peer;
  return { principal, certificateId: principalId === certificateId ? certificateId : undefined };
}

/** A will is a publish ahead of time: judged at CONNECT as one, and again when it fires. */
function willIsAllowed(client: Client, { will }: Connect, admission: Admission): boolean {
  if (will === undefined) return true;
  const { accountId, region, principal } = admission;
  const who = { accountId, region, principal };
  const { arn } = client.broker.account(accountId, region).topic(will.topic);
  const actions: MessageAction[] = will.retain ? ['iot:Publish', 'iot:RetainPublish'] : ['iot:Publish'];
  for (const action of actions) {
    const decision: Decision = admission.rights.decide(action, arn);
    if (decision.effect === 'ALLOWED') continue;
    const { effect, ...statement } = decision;
    refuseConnect(client, REASON.NOT_AUTHORIZED, {
      ...who,
      check: 'policy',
      reason: `${action} on the will topic ${will.topic} is not allowed`,
      action,
      resource: arn,
      decision: effect,
      ...statement,
    });
    return false;
  }
  if (clientMayPublish(will.topic) && !(will.retain && will.topic.startsWith('$'))) return true;
  refuseConnect(client, REASON.NOT_AUTHORIZED, {
    ...who,
    check: 'reserved-topic',
    reason: `clients may not publish on ${will.topic}`,
    resource: arn,
  });
  return false;
}

/**
 * The account's connections and its rate of CONNECTs. MQTT 5 is told that a quota is exceeded; MQTT 3.1.1, which has no
 * code for it, is closed without a word.
 */
function hasRoom(client: Client, account: AccountSpace, { will }: Connect, { accountId, region, principal }: Admission): boolean {
  const { broker, clientId } = client;
  const { clients, limits, throttle } = account;
  const who = { accountId, region: region ?? account.place.region, principal };
  if (clients.size >= limits.connections && !clients.has(clientId))
    client.refuse({ ...who, check: 'limit', reason: `more than ${limits.connections} connections of the account` });
  else if (!broker.wills.fits(will))
    client.refuse({ ...who, check: 'limit', reason: 'the wills of all connections take the memory that there is for them' });
  else if (throttle !== undefined && !throttle.mayConnect(clientId)) {
    broker.counters.throttled += 1;
    if (throttle.records('connect', clientId)) client.refuse({ ...who, check: 'rate', reason: reasonOf('connect') });
  } else return true;
  if (client.level === 5) client.output.append(encodeConnack(5, REASON.QUOTA_EXCEEDED, false));
  client.close('THROTTLED');
  return false;
}

/** Whether the session that the CONNECT would make can be kept: the account's budget of persistent ones, and the disk. */
function mayPersist(client: Client, account: AccountSpace, asked: Connect, { accountId, region, principal }: Admission): boolean {
  const { broker, clientId } = client;
  const { limits, queues, sessions } = account;
  if (expiryOf(asked, account) === 0 || sessions.get(clientId)?.persistent === true) return true;
  const isFull = queues.sessions >= limits.persistentSessions;
  if (!isFull && !broker.disk.low) return true;
  client.refuse({
    accountId,
    region: region ?? account.place.region,
    principal,
    check: 'limit',
    reason: isFull ? `more than ${limits.persistentSessions} persistent sessions of the account` : DISK_LOW,
  });
  if (client.level === 5) client.output.append(encodeConnack(5, REASON.QUOTA_EXCEEDED, false));
  client.close('THROTTLED');
  return false;
}

/** AWS serves 30 to 1200 seconds; 0 means the most (General Reference, keep-alive quota). */
const clampKeepAlive = (seconds: number): number =>
  seconds === 0 ? LIMITS.keepAliveMost : Math.min(Math.max(seconds, LIMITS.keepAliveLeast), LIMITS.keepAliveMost);

function connackProperties(
  asked: Connect,
  { clientId, lifetime: { expiry } }: Session,
  account: AccountSpace,
  assigned: boolean,
  keepAlive: number,
): Properties {
  const { sessionExpiryInterval = 0 } = asked.properties;
  return {
    // Said when it is not what the client asked for [MQTT5 3.2.2.3.2].
    sessionExpiryInterval: sessionExpiryInterval === expiry ? undefined : expiry,
    receiveMaximum: account.limits.inFlight,
    maximumQoS: 1,
    retainAvailable: 1,
    maximumPacketSize: LIMITS.packet,
    topicAliasMaximum: LIMITS.topicAliases,
    wildcardSubscriptionAvailable: 1,
    subscriptionIdentifierAvailable: 0,
    sharedSubscriptionAvailable: 1,
    assignedClientIdentifier: assigned ? clientId : undefined,
    serverKeepAlive: keepAlive === asked.keepAlive ? undefined : keepAlive,
  };
}
