/** What an error action gets (developer guide, pages rule-error-handling and http_batching). */
import type { OriginalMessage } from './actions/contract.ts';
import type { Failure } from './action-results.ts';

/** A message, and what failed of its actions. */
export interface FailedMessage {
  readonly message: OriginalMessage;
  readonly failures: readonly Failure[];
}

const origin = ({ traceId, clientId, sourceIp, payload }: OriginalMessage): object => ({
  cloudwatchTraceId: traceId,
  clientId: clientId ?? 'N/A',
  sourceIp,
  base64OriginalPayload: payload.toString('base64'),
});

export const errorDocument = (ruleName: string, { message, failures }: FailedMessage): object => ({
  ruleName,
  topic: message.topic,
  ...origin(message),
  failures,
});

/** For messages whose orders failed as one batch. `byTopic`: all are of one topic. */
export function batchErrorDocument(ruleName: string, failed: readonly FailedMessage[], byTopic: boolean): object {
  const topic = failed[0]?.message.topic;
  const failures = new Map<string, Failure & { readonly affectedIds: number[] }>();
  for (const [i, { failures: own }] of failed.entries())
    for (const failure of own) {
      const key = JSON.stringify(failure);
      const known = failures.get(key) ?? { affectedIds: [], ...failure };
      known.affectedIds.push(i + 1);
      failures.set(key, known);
    }
  return {
    ...(byTopic ? { ruleName, topic } : { ruleName }),
    payloadsWithMetadata: failed.map(({ message }, i) => ({
      ...(byTopic ? { id: i + 1 } : { id: i + 1, topic: message.topic }),
      ...origin(message),
    })),
    failures: [...failures.values()],
  };
}
