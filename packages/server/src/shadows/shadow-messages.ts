/** The topics of a shadow, and the messages that a change of it publishes. */
import { type Messaging, NOTHING_PENDING, type PendingStorage, type TopicAnswer } from '../broker/messaging.ts';
import type { ShadowAddress, Shadows, UpdateMessages } from './shadows.ts';

export type PublishingMessaging = Pick<Messaging, 'publish' | 'stored' | 'hasReceivers'>;

/** `$aws/things/{thing}/shadow`, and `/name/{shadow}` behind it for a named one. */
const topicPrefix = ({ thingName, shadowName }: Pick<ShadowAddress, 'thingName' | 'shadowName'>): string =>
  `$aws/things/${thingName}/shadow${shadowName === undefined ? '' : `/name/${shadowName}`}`;

/**
 * What an update publishes. The delta comes first: device SDKs drop one whose version they have seen in an answer already
 * (aws-iot-device-sdk-embedded-C, issue 32). It is of QoS 1, so that a persistent session of a device that is away keeps it.
 */
export function updateAnswers(
  messaging: Pick<Messaging, 'hasReceivers'>,
  address: ShadowAddress,
  { accepted, delta, documents }: UpdateMessages,
): TopicAnswer[] {
  const prefix = topicPrefix(address);
  const toSubscribers = (topic: string, write: (() => string) | undefined): TopicAnswer[] =>
    write === undefined || !messaging.hasReceivers(address.place, topic)
      ? []
      : [{ topic, payload: Buffer.from(write()), to: 'subscribers', qos: 1 }];
  return [
    ...toSubscribers(`${prefix}/update/delta`, delta),
    { topic: `${prefix}/update/accepted`, payload: Buffer.from(accepted), to: 'both' },
    ...toSubscribers(`${prefix}/update/documents`, documents),
  ];
}

/** Deletes a shadow where no topic has asked for it; done once what it publishes is stored. */
export async function publishedDeletion(
  { shadows, messaging }: { readonly shadows: Pick<Shadows, 'delete'>; readonly messaging: PublishingMessaging },
  address: ShadowAddress,
): Promise<string> {
  let pending: PendingStorage = NOTHING_PENDING;
  const accepted = await shadows.delete(address, undefined, (said) => {
    pending = messaging.publish(address.place, `${topicPrefix(address)}/delete/accepted`, Buffer.from(said), 1);
  });
  await messaging.stored(pending);
  return accepted;
}

/** Updates a shadow where no topic has asked for it; done once what it publishes is stored. */
export async function publishedUpdate(
  { shadows, messaging }: { readonly shadows: Pick<Shadows, 'update'>; readonly messaging: PublishingMessaging },
  address: ShadowAddress,
  payload: Uint8Array,
): Promise<UpdateMessages> {
  const pending: PendingStorage[] = [];
  const messages = await shadows.update(address, payload, (said) => {
    for (const { topic, payload: content } of updateAnswers(messaging, address, said))
      pending.push(messaging.publish(address.place, topic, content, 1));
  });
  await Promise.all(pending.map((each) => messaging.stored(each)));
  return messages;
}
