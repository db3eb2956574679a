/**
 * Jobs' requests over MQTT. Answers go to the requesting connection alone, subscribed or not (developer guide, page
 * reserved-topics).
 */
import type { JsonObject } from '@thingkeep/wire/api/parse-json.ts';
import { placeKey } from '@thingkeep/wire/arn.ts';
import { defined } from '@thingkeep/wire/defined.ts';
import { type TopicAnswer, type TopicRequest, topicService, type TopicService } from '../broker/messaging.ts';
import type { Refusal } from '../refusals/refusals.ts';
import type { Clock } from '../runtime/clock.ts';
import { asRefusal, DISK_LOW, isDiskRefusal } from '../runtime/disk-failure.ts';
import type { Logger } from '../runtime/log.ts';
import { RepeatLimiter } from '../runtime/repeat-limiter.ts';
import { type DescribedExecution, type DeviceJobs, JobRejection, type JobRejectionCode, NEXT } from './device-jobs.ts';
import { checkToken, clientTokenOf, readRequestBody, readDescribe, readStart, readReport } from './device-requests.ts';
import { compactJson, seconds, withMember } from './payloads.ts';

export interface JobTopicsOptions {
  readonly clock: Clock;
  readonly devices: DeviceJobs;
  readonly refuse: (refusal: Refusal) => void;
  readonly log: Pick<Logger, 'error'>;
}

/** Rejections that a device's owner has to find. */
const CHECKS: ReadonlyMap<JobRejectionCode, Refusal['check']> = new Map([
  ['InvalidJson', 'protocol'],
  ['InvalidRequest', 'protocol'],
  ['RequestThrottled', 'rate'],
]);
/** Records of one client's requests that are beyond the rate, or that the disk has no room for. */
const THROTTLED = { max: 1, perMs: 10_000 };

const JOB_ID = /^[a-zA-Z0-9_-]{1,64}$/;

function checkJobId(jobId: string, mayBeNext: boolean): void {
  if (!JOB_ID.test(jobId) && !(mayBeNext && jobId === NEXT)) throw new JobRejection('InvalidRequest', `${jobId} is no job id`);
}

/** JSON of a whole execution, its document the object that was given. */
const executionJson = ({ execution, document }: DescribedExecution): string =>
  withMember(execution, 'jobDocument', document === undefined ? undefined : compactJson(document));

/** Puts JSON texts under names, before what every answer has. */
function answerJson(members: readonly (readonly [name: string, json: string | undefined])[], tail: object): string {
  const given = members.flatMap(([name, json]) => (json === undefined ? [] : [`${JSON.stringify(name)}:${json}`]));
  return given.length === 0 ? JSON.stringify(tail) : `{${given.join(',')},${JSON.stringify(tail).slice(1)}`;
}

type Serve = (request: TopicRequest, body: JsonObject) => Promise<readonly (readonly [string, string | undefined])[]>;

export function jobTopics({ clock, devices, refuse, log }: JobTopicsOptions): readonly TopicService[] {
  /** The rejection for a failure: the service's own, or InternalError. */
  const rejectionOf = (thrown: unknown, { topic }: TopicRequest): JobRejection => {
    if (thrown instanceof JobRejection) return thrown;
    const error = asRefusal(thrown);
    if (!isDiskRefusal(error)) log.error({ err: error, topic }, 'a request of jobs failed');
    return new JobRejection('InternalError', 'The request could not be processed');
  };

  const throttled = new RepeatLimiter(clock, THROTTLED);

  /** Records a request that is malformed, as other packets that are, and one that there is no rate or no room for. */
  const record = ({ topic, place, requester }: TopicRequest, { code, message }: JobRejection): void => {
    const check = message === DISK_LOW ? 'limit' : CHECKS.get(code);
    if (check === undefined) return;
    const { clientId, principal, sourceIp } = requester;
    const reason = `${topic}: ${code}: ${message}`;
    if (check !== 'protocol' && throttled.admit(`${placeKey(place)}/${clientId ?? principal}`) === undefined) return;
    refuse({ check, protocol: 'mqtt', ...place, ...defined({ clientId, principal, sourceIp }), reason });
  };

  async function answer(request: TopicRequest, serve: Serve): Promise<readonly TopicAnswer[]> {
    const { topic, payload } = request;
    let clientToken: string | undefined;
    const tail = () => ({ timestamp: seconds(clock.now()), clientToken });
    try {
      const body = readRequestBody(payload);
      clientToken = clientTokenOf(body);
      checkToken(body);
      const members = await serve(request, body);
      return [{ topic: `${topic}/accepted`, payload: Buffer.from(answerJson(members, tail())), to: 'requester' }];
    } catch (error) {
      const rejection = rejectionOf(error, request);
      record(request, rejection);
      const { code, message, executionState } = rejection;
      const rejected = { code, message, ...tail(), executionState };
      return [{ topic: `${topic}/rejected`, payload: Buffer.from(JSON.stringify(rejected)), to: 'requester' }];
    }
  }

  const BASE = '$aws/things/{thingName}/jobs';
  return [
    topicService(`${BASE}/get`, (request) =>
      answer(request, async ({ place, parts: { thingName = '' } }) => {
        const { inProgressJobs, queuedJobs } = await devices.pending(place, thingName);
        return [
          ['inProgressJobs', JSON.stringify(inProgressJobs)],
          ['queuedJobs', JSON.stringify(queuedJobs)],
        ];
      }),
    ),
    topicService(`${BASE}/start-next`, (request) =>
      answer(request, async ({ place, parts: { thingName = '' } }, body) => {
        const started = await devices.startNext(place, thingName, readStart(body));
        return [['execution', started === undefined ? undefined : executionJson(started)]];
      }),
    ),
    topicService(`${BASE}/{jobId}/get`, (request) =>
      answer(request, async ({ place, parts: { thingName = '', jobId = '' } }, body) => {
        checkJobId(jobId, true);
        const described = await devices.describe(place, thingName, jobId, readDescribe(body));
        return [['execution', described === undefined ? undefined : executionJson(described)]];
      }),
    ),
    topicService(`${BASE}/{jobId}/update`, (request) =>
      answer(request, async ({ place, parts: { thingName = '', jobId = '' } }, body) => {
        checkJobId(jobId, false);
        const { executionState, document } = await devices.update(place, thingName, jobId, readReport(body));
        return [
          ['executionState', executionState === undefined ? undefined : JSON.stringify(executionState)],
          ['jobDocument', document === undefined ? undefined : compactJson(document)],
        ];
      }),
    ),
  ];
}
