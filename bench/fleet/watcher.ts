/**
 * A bystander, a process of its own: a pair of clients whose round trips it times, and fresh clients that connect and
 * leave. Started by bystander.ts; orders and answers come as messages between processes.
 */
import type { Endpoint } from '../lib/connection.ts';
import { Client } from './client.ts';
import { pace, wallClock } from './pace.ts';
import { stamped, stampOf } from './packets.ts';

export interface WatcherOrder {
  readonly endpoint: Endpoint;
  /** Round trips and fresh connections per second; 0 for none. */
  readonly roundTrips: number;
  readonly connects: number;
}

/** What was seen since the last time. Times are pairs: when it began (ms since the epoch), and how long it took (ms). */
export interface Watched {
  readonly roundTrips: [at: number, ms: number][];
  readonly connects: [at: number, ms: number][];
  /** Round trips under way for more than a second, and connections that failed. */
  readonly overdue: number;
  readonly failures: string[];
}

const TOPIC = 'bench/watched';
const OVERDUE = 1_000;

let watched: Watched = { roundTrips: [], connects: [], overdue: 0, failures: [] };
const underWay = new Set<number>();

async function watchRoundTrips(endpoint: Endpoint, perSecond: number): Promise<void> {
  const onMessage = (bytes: Buffer, end: number): void => {
    const at = stampOf(bytes, end);
    if (underWay.delete(at)) watched.roundTrips.push([at, wallClock() - at]);
  };
  const subscriber = await Client.connect(endpoint, 0, { clientId: 'sub-watched', onMessage });
  await subscriber.subscribe([TOPIC], 0);
  const publisher = await Client.connect(endpoint, 1, { clientId: 'pub-watched' });
  pace(perSecond, () => {
    const at = wallClock();
    underWay.add(at);
    publisher.publish(TOPIC, stamped(at, 0));
  });
}

let connected = 0;

async function connectFresh(endpoint: Endpoint): Promise<void> {
  const at = wallClock();
  try {
    connected += 1;
    const client = await Client.connect(endpoint, connected, { clientId: `idle-fresh-${connected}` });
    watched.connects.push([at, wallClock() - at]);
    client.leave();
  } catch (error) {
    watched.failures.push(String(error));
  }
}

process.on('disconnect', () => process.exit(0));
process.on('message', async (order: WatcherOrder | 'take') => {
  if (order === 'take') {
    const late = wallClock() - OVERDUE;
    process.send?.({ ...watched, overdue: [...underWay].filter((at) => at < late).length } satisfies Watched);
    watched = { roundTrips: [], connects: [], overdue: 0, failures: [] };
    return;
  }
  if (order.roundTrips > 0) await watchRoundTrips(order.endpoint, order.roundTrips);
  if (order.connects > 0) pace(order.connects, () => void connectFresh(order.endpoint));
  process.send?.('watching');
});
