/** What a flow is, and what flows have in common. */
import assert from 'node:assert/strict';
import type { ConnectOptions, Driving, FlowClient, Incoming, Level, Outgoing, Transport } from './client.ts';

export interface Run {
  readonly level: Level;
  readonly transport: Transport;
  /** A topic, and beginning of client ids, that no other run has. */
  readonly own: string;
  readonly driving: Driving;
  connect(name: string, options?: Partial<ConnectOptions>): Promise<FlowClient>;
}

export interface Flow {
  readonly name: string;
  /** The only version that has it. */
  readonly level?: Level;
  /** Where AWS or MQTT says so. */
  readonly source: string;
  run(run: Run): Promise<void>;
}

/** What is published after all else: what did not come before it does not come. */
const END = 'that is all';
export const sendEnd = (client: FlowClient, topic: string): Promise<void> => published(client, { topic, payload: END, qos: 1 });

/** Publishes what must be taken. */
export async function published(client: FlowClient, message: Outgoing): Promise<void> {
  const code = await client.publish(message);
  assert.ok(code === 0 || code === null, `PUBACK ${code}`);
}

export async function untilEnd(client: FlowClient): Promise<Incoming[]> {
  const got: Incoming[] = [];
  for (;;) {
    const message = await client.next();
    if (message.payload === END) return got;
    got.push(message);
  }
}
export const payloadsUntilEnd = async (client: FlowClient): Promise<string[]> =>
  (await untilEnd(client)).map(({ payload }) => payload);

/** Options of a session that is kept, in either version. */
export const kept = (level: Level, clean = false): Partial<ConnectOptions> =>
  level === 5 ? { clean, sessionExpiry: 600 } : { clean: false };

/** Whether the client shows the Session Present flag, it says this. */
export const sessionIs = (present: boolean, { welcome }: FlowClient): void => {
  if (welcome.sessionPresent !== undefined) assert.equal(welcome.sessionPresent, present, 'session present');
};
