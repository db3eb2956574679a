/** The broker's part of the data plane API: publishing over HTTP (API reference, iot-data Publish). */
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotDataOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { LIMITS } from '@thingkeep/wire/limits.ts';
import { ignoresRetain, topicFault, TOPIC_FAULT_TEXT } from '@thingkeep/wire/topics.ts';
import { encodeProperties } from '../mqtt/properties.ts';
import type { Broker } from './broker.ts';
import { unservedFault } from './connection/handlers/report-unserved.ts';
import { storageViolation } from './connection/storage-quota.ts';
import { type MessageInput, propertiesOf } from './message-input.ts';
import { connectionOperations } from './connections.operations.ts';
import { retainedOperations } from './retained-messages.operations.ts';
import { refuseRequest } from './throttled-request.ts';

export type PublishInput = IotDataOperations['Publish']['input'];

/** Publishes for a caller who has been authorized. Resolves once what must be stored is stored. */
export type PublishMessage = (caller: Caller, input: PublishInput) => Promise<void>;

const bad = (message: string): never => fail('InvalidRequestException', message);

export const publisher =
  (broker: Broker): PublishMessage =>
  async (caller, input) => {
    const { accountId, region } = caller;
    const { topic: name = '', qos = 0, payload } = input;
    const retain = (input.retain ?? false) && !ignoresRetain(name);
    const fault = topicFault(name);
    if (fault !== undefined) bad(`The topic is not valid: ${TOPIC_FAULT_TEXT[fault]}`);
    const bytes = payload === undefined ? Buffer.alloc(0) : Buffer.from(payload);
    if (bytes.length > LIMITS.payload) bad('The payload exceeds the maximum size of 128 KB');
    if (retain && name.startsWith('$')) bad('A message on a reserved topic can not be retained');
    const account = broker.account(accountId, region);
    const topic = account.topic(name);
    if (!topic.clientMayPublish) bad(`Clients may not publish on ${name}`);
    const properties = propertiesOf(input as MessageInput);
    const { messageExpiryInterval: expiry } = properties;
    const tooMuch = account.throttle?.refusesMessage(name, retain);
    if (tooMuch !== undefined) refuseRequest(broker, account, caller, tooMuch);
    const violation = storageViolation(broker.services, account, topic, qos, retain && bytes.length > 0);
    if (violation !== undefined) fail('ThrottlingException', violation);
    const message = {
      topic,
      payload: bytes,
      qos,
      retain,
      properties: encodeProperties(properties),
      expiry,
    };
    const use = { place: account.place, who: caller.arn, action: 'iot:Publish', topicOrFilter: name } as const;
    const unserved = name.startsWith('$') ? unservedFault(broker.services, use) : undefined;
    if (unserved !== undefined)
      broker.refuse({ protocol: 'https', sourceIp: caller.sourceIp, ...account.place, principal: caller.arn, ...unserved });
    await broker.publishing.publishMessage(account, message, undefined, { principal: caller.userId, sourceIp: caller.sourceIp });
  };

type Served =
  | 'Publish'
  | 'GetRetainedMessage'
  | 'ListRetainedMessages'
  | 'DeleteConnection'
  | 'GetConnection'
  | 'ListSubscriptions'
  | 'SendDirectMessage';

export const dataPlaneOperations = (broker: Broker, publish: PublishMessage): Handlers<Pick<IotDataOperations, Served>> => ({
  async Publish(input, caller) {
    await publish(caller, input);
    return {};
  },
  ...retainedOperations(broker.retained),
  ...connectionOperations(broker),
});
