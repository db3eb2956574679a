/** Many clients at once. */
import type { Endpoint } from '../lib/connection.ts';
import { Client, type ClientOptions } from './client.ts';
import { pace, pause } from './pace.ts';
import { Publisher } from './publisher.ts';

/** Handshakes under way where the pace does not matter. */
const AT_A_TIME = 16;

/** Connects `count` clients, some at a time; the first failure fails it. Certificates are those from `first` on. */
export async function connectCrowd(
  endpoint: Endpoint,
  count: number,
  options: (i: number) => ClientOptions,
  first = 0,
): Promise<Client[]> {
  const clients = new Array<Client>(count);
  let next = 0;
  const one = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) clients[i] = await Client.connect(endpoint, first + i, options(i));
  };
  await Promise.all(Array.from({ length: Math.min(AT_A_TIME, count) }, one));
  return clients;
}

/** Publishers of QoS 1, named pub-0 and on. */
export const connectPublishers = async (endpoint: Endpoint, count: number, prefix = 'pub'): Promise<Publisher[]> =>
  (await connectCrowd(endpoint, count, (i) => ({ clientId: `${prefix}-${i}` }))).map((client) => new Publisher(client));

export interface Arrivals {
  readonly clients: (Client | undefined)[];
  /** Milliseconds from the start of TCP to the CONNACK. */
  readonly delays: number[];
  readonly failures: string[];
}

/** Connects clients at a rate that does not wait for anybody: one that is slow does not slow down the others. */
export async function connectAt(
  endpoint: Endpoint,
  count: number,
  perSecond: number,
  options: (i: number) => ClientOptions,
): Promise<Arrivals> {
  const arrivals: Arrivals = { clients: new Array(count), delays: [], failures: [] };
  const all: Promise<void>[] = [];
  const one = async (i: number): Promise<void> => {
    const begin = performance.now();
    try {
      arrivals.clients[i] = await Client.connect(endpoint, i, options(i));
      arrivals.delays.push(performance.now() - begin);
    } catch (error) {
      arrivals.failures.push(String(error));
    }
  };
  const stop = pace(perSecond, () => {
    if (all.length < count) all.push(one(all.length));
  });
  while (all.length < count) await pause(10);
  stop();
  await Promise.all(all);
  return arrivals;
}

/** Sessions with their subscriptions (of QoS 1), whose clients have then left. */
export async function leaveSessions(
  endpoint: Endpoint,
  count: number,
  options: (i: number) => ClientOptions,
  filters: (i: number) => readonly string[],
): Promise<void> {
  const clients = await connectCrowd(endpoint, count, options);
  await Promise.all(clients.map((client, i) => client.subscribe(filters(i), 1)));
  for (const client of clients) client.leave();
  await Promise.all(clients.map((client) => new Promise((resolve) => client.socket.once('close', resolve))));
}
