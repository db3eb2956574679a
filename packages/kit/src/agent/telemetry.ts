/** Messages that go out by themselves: the environment message of the Arduino tutorial, or those of a source, at an interval. */
import { setTimeout as pause } from 'node:timers/promises';
import type { DeviceConnection } from './device-connection.ts';

/** Readings of an environment: numbers, degrees Celsius and percent. */
export interface Environment {
  readonly temperature: number;
  readonly humidity: number;
}

export const environmentTopic = (clientId: string): string => `things/${clientId}/environment`;

/** Payload with JSON numbers. */
export const environmentMessage = ({ temperature, humidity }: Environment): string => JSON.stringify({ temperature, humidity });

/** A made-up environment for devices without sensors: a day's swing of temperature, at `milliseconds` since the epoch. */
export function simulatedEnvironment(milliseconds: number): Environment {
  const angle = ((milliseconds % 86_400_000) / 86_400_000) * 2 * Math.PI;
  const rounded = (value: number): number => Math.round(value * 100) / 100;
  return { temperature: rounded(20 - 5 * Math.cos(angle)), humidity: rounded(50 + 10 * Math.cos(angle)) };
}

export interface PublishingOptions {
  readonly topic: string;
  /** Messages in order; it ends with them. */
  readonly messages: AsyncIterable<string | Buffer> | Iterable<string | Buffer>;
  /** Milliseconds between two. */
  readonly interval: number;
  readonly qos?: 0 | 1;
  readonly signal: AbortSignal;
  readonly onPublished?: (count: number) => void;
}

/** Publishes until the messages end or `signal` is aborted; how many were published. Throws AgentError. */
export async function publishMessages(connection: DeviceConnection, options: PublishingOptions): Promise<number> {
  const { topic, messages, interval, qos = 1, signal, onPublished = () => undefined } = options;
  let count = 0;
  for await (const message of messages) {
    if (count > 0 && interval > 0) await pause(interval, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) break;
    await connection.publish(topic, message, qos);
    count += 1;
    onPublished(count);
  }
  return count;
}

/** A message as often as asked for; without a number without end. */
export function* repeated(make: (count: number) => string, times = Number.POSITIVE_INFINITY): Generator<string> {
  for (let count = 1; count <= times; count += 1) yield make(count);
}
