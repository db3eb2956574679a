/**
 * Streams over MQTT: describe and get, each in JSON and CBOR (developer guide, page mqtt-based-file-delivery-in-devices). Answers go
 * to the requesting connection alone, a message for each block.
 */
import { placeOf } from '@thingkeep/wire/arn.ts';
import { type TopicAnswer, type TopicRequest, topicService, type TopicService } from '../broker/messaging.ts';
import { type Members, PAYLOAD_FORMATS, type PayloadFormat, writePayload } from '../payloads/payloads.ts';
import type { Refusal } from '../refusals/refusals.ts';
import type { Logger } from '../runtime/log.ts';
import type { DeviceStreams } from './device-streams.ts';
import { type StreamRejection, type StreamRejectionCode, streamRejectionOf } from './rejections.ts';
import { blockRequest, readStreamRequest, tokenOf } from './requests.ts';

type StreamRequest = TopicRequest<'thingName' | 'streamId'>;

interface TopicDeps {
  readonly devices: DeviceStreams;
  readonly log: Logger;
  readonly refuse: (refusal: Refusal) => void;
}

/** Rejections that the owner of the account finds among the refusals: those of requests that can't succeed as they are. */
const RECORDED: ReadonlyMap<StreamRejectionCode, Refusal['check']> = new Map([
  ['InvalidJson', 'protocol'],
  ['InvalidCbor', 'protocol'],
  ['InvalidRequest', 'protocol'],
  ['BlockSizeOutOfBounds', 'protocol'],
  ['OffsetOutOfBounds', 'protocol'],
  ['BlockCountLimitExceeded', 'protocol'],
  ['BlockBitmapLimitExceeded', 'protocol'],
  ['Unauthorized', 'policy'],
]);

function record({ refuse, log }: TopicDeps, request: StreamRequest, { code, message, cause }: StreamRejection): void {
  const { topic, place, requester } = request;
  const { clientId, principal, sourceIp } = requester;
  if (cause !== undefined) log.error({ err: cause, topic, clientId }, 'a file of a stream could not be read');
  const check = RECORDED.get(code);
  if (check === undefined) return;
  refuse({ check, protocol: 'mqtt', ...placeOf(place), clientId, principal, sourceIp, reason: `${topic}: ${message}` });
}

/** Answers of one request: what `answers` gives, or a rejection where that fails. */
async function* answered(
  deps: TopicDeps,
  request: StreamRequest,
  format: PayloadFormat,
  answers: (members: Members, token: string | undefined) => AsyncIterable<TopicAnswer>,
): AsyncGenerator<TopicAnswer, void, undefined> {
  const { parts, payload, requester } = request;
  // Nobody else gets the answers: without a connection there is nothing to be done.
  if (requester.clientId === undefined) return;
  let token: string | undefined;
  try {
    const members = readStreamRequest(payload, format);
    token = tokenOf(members);
    yield* answers(members, token);
  } catch (error) {
    const rejection = streamRejectionOf(error);
    record(deps, request, rejection);
    const { code, message } = rejection;
    yield {
      topic: answerTopic(parts, `rejected/${format}`),
      payload: writePayload({ o: code, m: message, c: token }, format),
      to: 'requester',
    };
  }
}

const answerTopic = ({ thingName, streamId }: StreamRequest['parts'], end: string): string =>
  `$aws/things/${thingName}/streams/${streamId}/${end}`;

export const deviceStreamTopics = (deps: TopicDeps): readonly TopicService[] =>
  PAYLOAD_FORMATS.flatMap((format) => [
    topicService(`$aws/things/{thingName}/streams/{streamId}/describe/${format}`, (request) =>
      answered(deps, request, format, async function* (_members, c) {
        const { place, parts } = request;
        const payload = writePayload({ c, ...(await deps.devices.describe(place, parts.streamId)) }, format);
        yield { topic: answerTopic(parts, `description/${format}`), payload, to: 'requester' };
      }),
    ),
    topicService(`$aws/things/{thingName}/streams/{streamId}/get/${format}`, (request) =>
      answered(deps, request, format, async function* (members, token) {
        const { place, parts } = request;
        const topic = answerTopic(parts, `data/${format}`);
        for await (const payload of deps.devices.blocks(place, parts.streamId, blockRequest(members), { token, format }))
          yield { topic, payload, to: 'requester' };
      }),
    ),
  ]);
