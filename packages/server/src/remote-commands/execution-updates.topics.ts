/**
 * Reports of devices on `.../executions/{executionId}/response/{json|cbor}` (developer guide, page reserved-topics, commands). Answers
 * go to the requester, subscribed or not.
 */
import { iotArn, placeOf } from '@thingkeep/wire/arn.ts';
import { type TopicAnswer, type TopicRequest, topicService, type TopicService } from '../broker/messaging.ts';
import { PAYLOAD_FORMATS, PayloadFault, type PayloadFormat, readMembers, writePayload } from '../payloads/payloads.ts';
import type { Refusal } from '../refusals/refusals.ts';
import { isDiskRefusal } from '../runtime/disk-failure.ts';
import type { Logger } from '../runtime/log.ts';
import { executionReport, type ExecutionUpdateDeps, updateExecution, UpdateRejection, updateToken } from './execution-updates.ts';

interface TopicDeps extends ExecutionUpdateDeps {
  readonly log: Logger;
  /** Whether free disk is below the floor: then nothing is kept that a device causes. */
  readonly disk: { readonly low: boolean };
  readonly refuse: (refusal: Refusal) => void;
}

type ReportRequest = TopicRequest<'kind' | 'name' | 'executionId'>;

/** Bytes of a report: ours. */
const MAX_REPORT = 32 * 1024;

const TYPES: ReadonlyMap<string, 'thing' | 'client'> = new Map([
  ['things', 'thing'],
  ['clients', 'client'],
] as const);

const unstored = (cause?: unknown): UpdateRejection =>
  new UpdateRejection('InternalError', 'The update could not be stored: try again', cause);

function rejectionFor(error: unknown): UpdateRejection {
  if (error instanceof UpdateRejection) return error;
  if (error instanceof PayloadFault) return new UpdateRejection('InvalidRequest', `The payload is invalid: ${error.message}`);
  return unstored(error);
}

/** Logs a failure of the server; a report that can't succeed as it is, is among the refusals of the account. */
function record({ log, refuse }: TopicDeps, { topic, place, requester }: ReportRequest, rejection: UpdateRejection): void {
  const { code, message, cause } = rejection;
  const { clientId, principal, sourceIp } = requester;
  if (cause !== undefined && !isDiskRefusal(cause))
    log.error({ err: cause, topic, clientId }, 'an update of a command execution failed');
  const reason = `${topic}: ${message}`;
  if (code === 'InvalidRequest')
    refuse({ check: 'protocol', protocol: 'mqtt', ...placeOf(place), clientId, principal, sourceIp, reason });
}

async function answer(deps: TopicDeps, request: ReportRequest, format: PayloadFormat): Promise<readonly TopicAnswer[]> {
  const { place, topic, parts, payload } = request;
  const { kind, name, executionId } = parts;
  const base = topic.slice(0, topic.length - format.length);
  let clientToken: string | undefined;
  try {
    if (payload.length > MAX_REPORT)
      throw new UpdateRejection('InvalidRequest', `The payload is larger than ${MAX_REPORT} bytes`);
    const members = readMembers(payload, format);
    clientToken = updateToken(members);
    const report = executionReport(members);
    const type = TYPES.get(kind);
    if (type === undefined) throw new UpdateRejection('ResourceNotFound', `There are no targets of the kind ${kind}`);
    if (deps.disk.low) throw unstored();
    await updateExecution(deps, place, { executionId, targetArn: iotArn(place, type, name) }, report);
    const accepted = writePayload({ executionId, clientToken }, format);
    return [{ topic: `${base}accepted/${format}`, payload: accepted, to: 'requester' }];
  } catch (error) {
    const rejection = rejectionFor(error);
    record(deps, request, rejection);
    const { code, message } = rejection;
    const rejected = writePayload({ clientToken, executionId, error: code, errorMessage: message }, format);
    return [{ topic: `${base}rejected/${format}`, payload: rejected, to: 'requester' }];
  }
}

export const executionUpdateTopics = (deps: TopicDeps): readonly TopicService[] =>
  PAYLOAD_FORMATS.map((format) =>
    topicService(`$aws/commands/{kind}/{name}/executions/{executionId}/response/${format}`, (request) =>
      answer(deps, request, format),
    ),
  );
