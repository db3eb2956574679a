/** Refusals as messages for those who watch: `$thingkeep/events/refusals/{clientId}`, or `.../-` for peers without one. */
import type { Place } from '@thingkeep/wire/arn.ts';
import { topicFault } from '@thingkeep/wire/topics.ts';
import type { RecordedRefusal, Refusals } from './refusals.ts';

/** Publishes a message of the server's own. */
export type PublishEvent = (place: Place, topic: string, payload: Buffer) => void;

const ROOT = '$thingkeep/events/refusals';

/** A client id may hold what a topic level can't; such a client is announced under `-`. */
const topicOf = ({ clientId }: RecordedRefusal): string => {
  const topic = `${ROOT}/${clientId}`;
  return clientId === undefined || clientId.includes('/') || topicFault(topic) !== undefined ? `${ROOT}/-` : topic;
};

/**
 * Follows refusals with events. One about an event's own delivery is not announced: it would announce itself for ever.
 */
export const announceRefusals = (refusals: Refusals, publish: PublishEvent): (() => void) =>
  refusals.on((refusal) => {
    const { accountId, region } = refusal;
    if (accountId === undefined || region === undefined || refusal.action === 'iot:Receive') return;
    publish({ accountId, region }, topicOf(refusal), Buffer.from(JSON.stringify(refusal)));
  });
