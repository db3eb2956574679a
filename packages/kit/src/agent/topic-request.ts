/**
 * Requests over topics, as shadows, jobs and fleet provisioning have them: a JSON object on a topic, and the answer on the same
 * topic with `/accepted` or `/rejected` behind it.
 */
import { randomUUID } from 'node:crypto';
import { AgentError } from './agent-error.ts';
import type { DeviceConnection, DeviceMessage } from './device-connection.ts';

export type JsonObject = { readonly [name: string]: unknown };

/** Milliseconds that an answer may take. */
const PATIENCE = 30_000;

/** A JSON object. Throws AgentError `content`. */
export function readJsonObject({ topic, payload }: DeviceMessage): JsonObject {
  try {
    const value: unknown = JSON.parse(payload.toString());
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  } catch {
    // Said below.
  }
  throw new AgentError('content', `what came on ${topic} is no JSON object`);
}

export interface TopicRequestOptions {
  /** Whether the answers have to be subscribed to; those of jobs come without. */
  readonly isSubscribed?: boolean;
  /** Whether the answer has the clientToken of the request; those of fleet provisioning have none. */
  readonly hasToken?: boolean;
  readonly patience?: number;
}

/** Asks, and gives the answer. Throws AgentError `refused` with what the service says, `timeout` where it says nothing. */
export async function requestOnTopic(
  connection: DeviceConnection,
  topic: string,
  body: JsonObject,
  { isSubscribed = true, hasToken = true, patience = PATIENCE }: TopicRequestOptions = {},
): Promise<JsonObject> {
  const clientToken = randomUUID();
  const { promise, resolve, reject } = Promise.withResolvers<JsonObject>();
  promise.catch(() => undefined);
  const take = (message: DeviceMessage): void => {
    try {
      const answer = readJsonObject(message);
      if (hasToken && answer.clientToken !== clientToken) return;
      if (message.topic.endsWith('/accepted')) resolve(answer);
      else
        reject(
          new AgentError(
            'refused',
            `${topic}: ${String(answer.message ?? answer.errorMessage ?? answer.code)} (${String(answer.code ?? answer.errorCode ?? answer.statusCode)})`,
          ),
        );
    } catch (error) {
      reject(error);
    }
  };
  const filters = [`${topic}/accepted`, `${topic}/rejected`];
  const stops: (() => void)[] = [];
  const timer = setTimeout(
    () => reject(new AgentError('timeout', `no answer on ${topic} within ${patience / 1000} s`)),
    patience,
  );
  try {
    for (const filter of filters) {
      if (isSubscribed) stops.push(await connection.subscribe(filter, take));
      else stops.push(connection.hear(filter, take));
    }
    await connection.publish(topic, JSON.stringify(hasToken ? { ...body, clientToken } : body));
    return await promise;
  } finally {
    clearTimeout(timer);
    for (const stop of stops) stop();
  }
}
