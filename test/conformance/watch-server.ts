/**
 * Watches a server while something is done to it: a pair of well-formed clients that talk without a pause, the health page,
 * the event loop and the resident memory.
 */
import assert from 'node:assert/strict';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import type { ConnectionOptions } from 'node:tls';
import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import type { TestServer } from '../end-to-end/test-core.ts';

export interface Watched {
  /** Round trips of the pair, and the slowest in milliseconds. */
  readonly roundTrips: number;
  readonly slowest: number;
  /** Milliseconds of the slowest answer of /health and of the event loop's longest delay. */
  readonly slowestHealth: number;
  readonly longestDelay: number;
  /** The longest delay of this process's own event loop: what the machine, not the server, is to blame for. */
  readonly ownDelay: number;
  /** Bytes: after the first quarter, and the most after that. */
  readonly warm: number;
  readonly most: number;
}

async function control(tls: ConnectionOptions, clientId: string): Promise<MqttClient> {
  const client = connect({
    ...tls,
    protocol: 'mqtts',
    clientId,
    clean: true,
    reconnectPeriod: 0,
    protocolVersion: 5,
  } as unknown as IClientOptions);
  await new Promise<void>((resolve, reject) => {
    client.once('connect', () => resolve());
    client.once('error', reject);
  });
  return client;
}

/** Metrics by their name; the values of one that has labels are added up. */
export async function metricsOf({ metrics: url }: Pick<TestServer, 'metrics'>): Promise<Record<string, number>> {
  const text = await (await fetch(url)).text();
  const found: Record<string, number> = {};
  for (const [, name = '', value] of text.matchAll(/^(\w+)(?:\{.*\})? (\S+)$/gm))
    found[name] = (found[name] ?? 0) + Number(value);
  return found;
}

/** Does the work and watches; a message of the pair that does not come within two seconds fails it. */
export async function watched<T>(
  server: Pick<TestServer, 'url' | 'metrics'>,
  tls: ConnectionOptions,
  work: () => Promise<T>,
): Promise<{ result: T; seen: Watched }> {
  const [sender, receiver] = await Promise.all([control(tls, 'control-sender'), control(tls, 'control-receiver')]);
  await receiver.subscribeAsync('control/pair', { qos: 1 });
  let [roundTrips, slowest, slowestHealth, longestDelay] = [0, 0, 0, 0];
  const memory: number[] = [];
  const own = monitorEventLoopDelay({ resolution: 10 });
  own.enable();
  let done = false;
  let arrived: (payload: string) => void = () => {};
  receiver.on('message', (_topic, payload) => arrived(payload.toString()));
  const talk = async (): Promise<void> => {
    while (!done) {
      const { promise, resolve } = Promise.withResolvers<string>();
      arrived = resolve;
      const began = performance.now();
      const sent = sender.publishAsync('control/pair', String(roundTrips), { qos: 1 });
      const got = await Promise.race([
        Promise.all([promise, sent]).then(([payload]) => payload),
        setTimeout(2_000, 'nothing within two seconds', { ref: false }),
      ]);
      assert.equal(got, String(roundTrips), 'the pair of well-formed clients is served');
      slowest = Math.max(slowest, performance.now() - began);
      roundTrips += 1;
      await setTimeout(10);
    }
  };
  const look = async (): Promise<void> => {
    await metricsOf(server);
    while (!done) {
      const began = performance.now();
      assert.equal((await fetch(`${server.url}/health`)).status, 200);
      slowestHealth = Math.max(slowestHealth, performance.now() - began);
      const metrics = await metricsOf(server);
      memory.push(metrics.process_resident_memory_bytes ?? 0);
      longestDelay = Math.max(longestDelay, 1000 * (metrics.thingkeep_event_loop_delay_max_seconds ?? 0));
      await setTimeout(100);
    }
  };
  try {
    const [result] = await Promise.all([
      work().finally(() => {
        done = true;
      }),
      talk(),
      look(),
    ]);
    const quarter = Math.floor(memory.length / 4);
    return {
      result,
      seen: {
        roundTrips,
        slowest,
        slowestHealth,
        longestDelay,
        ownDelay: own.max / 1e6,
        warm: memory[quarter] ?? 0,
        most: Math.max(0, ...memory.slice(quarter)),
      },
    };
  } finally {
    done = true;
    own.disable();
    sender.end(true);
    receiver.end(true);
  }
}
