/**
 * Requests on shadows over MQTT (developer guide, page device-shadow-mqtt). Answers are messages as any other, which rules
 * and all subscribers see; the requester gets its own whether it has subscribed or not.
 */
import { placeKey } from '@thingkeep/wire/arn.ts';
import {
  type Messaging,
  type PublishAnswer,
  type TopicAnswer,
  type TopicRequest,
  topicService,
  type TopicService,
} from '../broker/messaging.ts';
import type { Refusal } from '../refusals/refusals.ts';
import type { Clock } from '../runtime/clock.ts';
import { isDiskRefusal } from '../runtime/disk-failure.ts';
import { RepeatLimiter } from '../runtime/repeat-limiter.ts';
import type { Logger } from '../runtime/log.ts';
import { rejected } from './answers.ts';
import { internalFailure, invalidName, ShadowRejection } from './rejections.ts';
import { updateAnswers } from './shadow-messages.ts';
import { clientTokenIn } from './shadow-request.ts';
import type { ShadowAddress, Shadows } from './shadows.ts';

interface TopicDeps {
  readonly shadows: Shadows;
  readonly messaging: Pick<Messaging, 'hasReceivers'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly refuse: (refusal: Refusal) => void;
}

/** Names of things and shadows (API reference, patterns of UpdateThingShadow). */
const THING_NAME = /^[a-zA-Z0-9:_-]{1,128}$/;
const SHADOW_NAME = /^[$a-zA-Z0-9:_-]{1,64}$/;

/** Rejections that the owner of the account finds among the refusals: what the device or the account has to do otherwise. */
const RECORDED: ReadonlyMap<number, Refusal['check']> = new Map([
  [400, 'protocol'],
  [413, 'limit'],
  [415, 'protocol'],
  [429, 'rate'],
  [503, 'limit'],
]);

/** Rejections for a rate that are recorded of one client. */
const RATE_RECORDS = { max: 1, perMs: 10_000 };

function record(
  { refuse }: TopicDeps,
  repeats: RepeatLimiter,
  { place, topic, requester }: TopicRequest,
  { code, message }: ShadowRejection,
): void {
  const check = RECORDED.get(code);
  if (check === undefined) return;
  const { clientId, principal, sourceIp } = requester;
  if (check === 'rate' && repeats.admit(`${placeKey(place)}/${clientId ?? principal}`) === undefined) return;
  refuse({ check, protocol: 'mqtt', ...place, clientId, principal, sourceIp, reason: `${topic}: ${message}` });
}

/** A failure as the requester is told it. */
function rejectionOf({ log }: TopicDeps, { topic, requester }: TopicRequest, error: unknown): ShadowRejection {
  if (error instanceof ShadowRejection) return error;
  if (!isDiskRefusal(error)) log.error({ err: error, topic, clientId: requester.clientId }, 'a request on a shadow failed');
  return internalFailure();
}

type Serve = (address: ShadowAddress, request: TopicRequest, publish: PublishAnswer) => Promise<readonly TopicAnswer[]>;

const VERBS = ['get', 'update', 'delete'] as const;

const servedBy = ({ shadows, messaging }: TopicDeps): Readonly<Record<(typeof VERBS)[number], Serve>> => ({
  async get(address, { topic, payload }) {
    const accepted = await shadows.get(address, clientTokenIn(payload));
    return [{ topic: `${topic}/accepted`, payload: Buffer.from(accepted), to: 'both' }];
  },
  async update(address, { payload }, publish) {
    await shadows.update(address, payload, (messages) => updateAnswers(messaging, address, messages).forEach(publish));
    return [];
  },
  async delete(address, { topic, payload }, publish) {
    await shadows.delete(address, clientTokenIn(payload), (accepted) =>
      publish({ topic: `${topic}/accepted`, payload: Buffer.from(accepted), to: 'both' }),
    );
    return [];
  },
});

export function shadowTopics(deps: TopicDeps): readonly TopicService[] {
  const served = servedBy(deps);
  const repeats = new RepeatLimiter(deps.clock, RATE_RECORDS);
  const answer = async (
    request: TopicRequest,
    serve: Serve,
    { thingName, shadowName }: Pick<ShadowAddress, 'thingName' | 'shadowName'>,
    publish: PublishAnswer,
  ): Promise<readonly TopicAnswer[]> => {
    const { place, topic, payload } = request;
    try {
      if (!THING_NAME.test(thingName)) throw invalidName('thing');
      if (shadowName !== undefined && !SHADOW_NAME.test(shadowName)) throw invalidName('shadow');
      return await serve({ place, thingName, shadowName }, request, publish);
    } catch (error) {
      const rejection = rejectionOf(deps, request, error);
      record(deps, repeats, request, rejection);
      const { code, message } = rejection;
      const json = rejected(code, message, Math.floor(deps.clock.now() / 1000), clientTokenIn(payload));
      return [{ topic: `${topic}/rejected`, payload: Buffer.from(json), to: 'both' }];
    }
  };
  return VERBS.flatMap((verb) => [
    topicService(`$aws/things/{thingName}/shadow/${verb}`, (request, publish) =>
      answer(request, served[verb], { thingName: request.parts.thingName, shadowName: undefined }, publish),
    ),
    topicService(`$aws/things/{thingName}/shadow/name/{shadowName}/${verb}`, (request, publish) =>
      answer(request, served[verb], request.parts, publish),
    ),
  ]);
}
