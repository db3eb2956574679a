/** The topics of a shadow, and the messages that a change of it publishes. */
import type { TopicAnswer } from '../broker/messaging.ts';
import type { ShadowAddress, UpdateMessages } from './shadows.ts';

/** `$aws/things/{thing}/shadow`, and `/name/{shadow}` behind it for a named one. */
export const topicPrefix = ({ thingName, shadowName }: Pick<ShadowAddress, 'thingName' | 'shadowName'>): string =>
  `$aws/things/${thingName}/shadow${shadowName === undefined ? '' : `/name/${shadowName}`}`;

/**
 * What an update publishes. The delta comes first: device SDKs drop one whose version they have seen in an answer already
 * (aws-iot-device-sdk-embedded-C, issue 32). It is of QoS 1, so that a persistent session of a device that is away keeps it.
 */
export function updateAnswers(prefix: string, { accepted, delta, documents }: UpdateMessages): TopicAnswer[] {
  const topic = `${prefix}/update`;
  return [
    ...(delta === undefined ? [] : [toSubscribers(`${topic}/delta`, delta)]),
    { topic: `${topic}/accepted`, payload: Buffer.from(accepted), to: 'both' },
    toSubscribers(`${topic}/documents`, documents),
  ];
}

const toSubscribers = (topic: string, json: string): TopicAnswer => ({
  topic,
  payload: Buffer.from(json),
  to: 'subscribers',
  qos: 1,
});
