/** Publishes refusals on `$thingkeep/events/refusals/{clientId}`, or `.../-` for peers without a client id. */
import type { Place } from '@thingkeep/wire/arn.ts';
import { topicFault } from '@thingkeep/wire/topics.ts';
import type { RecordedRefusal, Refusals } from './refusals.ts';

/** Publishes a message of the server's own. */
export type PublishEvent = (place: Place, topic: string, payload: Buffer) => void;

const ROOT = '$thingkeep/events/refusals';

/** The topic of a refusal; `-` stands for a client id that is no topic level. */
const topicOf = ({ clientId }: RecordedRefusal): string => {
  const topic = `${ROOT}/${clientId}`;
  return clientId === undefined || clientId.includes('/') || topicFault(topic) !== undefined ? `${ROOT}/-` : topic;
};

/**
 * Publishes a message for each refusal. A refused delivery of such a message is not announced, nor is the failure of a rule on
 * it: that would never end. Rules announce their failures themselves.
 */
export const announceRefusals = (refusals: Refusals, publish: PublishEvent): (() => void) =>
  refusals.on((refusal) => {
    const { accountId, region } = refusal;
    if (accountId === undefined || region === undefined || refusal.action === 'iot:Receive') return;
    if (refusal.protocol === 'rule') return;
    publish({ accountId, region }, topicOf(refusal), Buffer.from(JSON.stringify(refusal)));
  });
