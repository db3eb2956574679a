/** The load of the soak: small messages, QoS 1 to those who are there and to those who visit, connections that come and go. */
import type { Endpoint } from '../lib/connection.ts';
import { Client, type ClientOptions } from './client.ts';
import { connectCrowd, leaveSessions } from './crowd.ts';
import { pace, pause } from './pace.ts';
import { numberOf, stamped } from './packets.ts';
import { Publisher } from './publisher.ts';

const DEVICES = 400;
const LISTENERS = 10;
const VISITORS = 20;
/** A second, all together: about half of what two cores stand with the generator on one of them. */
const QOS0 = 8_000;
const QOS1 = 500;
const COMINGS = 40;
/** Milliseconds between visits, and of a visit. */
const VISIT_EVERY = 1_000;
const VISIT = 500;
/** Milliseconds between two pings of those who only listen. */
const PING_EVERY = 60_000;

/** Numbers of messages that were sent and have not come. */
class Outstanding {
  readonly #numbers = new Set<number>();
  sent = 0;
  /** Came again, or was never sent. */
  unexpected = 0;

  next(): number {
    this.sent += 1;
    this.#numbers.add(this.sent);
    return this.sent;
  }

  came(number: number): void {
    if (!this.#numbers.delete(number)) this.unexpected += 1;
  }

  get count(): number {
    return this.#numbers.size;
  }
}

export class SoakLoad {
  readonly qos0 = { sent: 0, received: 0 };
  /** QoS 1 to a subscriber that is there, and to persistent sessions that come now and then. */
  readonly present = new Outstanding();
  readonly visited = new Outstanding();
  comings = 0;
  readonly failures: string[] = [];
  readonly #endpoint: Endpoint;
  readonly #stops: (() => void)[] = [];
  readonly #listeners: Client[] = [];

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  async start(): Promise<void> {
    await this.#talk();
    await this.#publish();
    this.#stops.push(pace(COMINGS, () => void this.#comeAndGo()));
    let visitor = 0;
    const timer = setInterval(() => void this.#visit(visitor++ % VISITORS), VISIT_EVERY);
    this.#stops.push(() => clearInterval(timer));
    const pings = setInterval(() => this.#listeners.forEach((client) => void client.ping()), PING_EVERY);
    this.#stops.push(() => clearInterval(pings));
  }

  /** Listeners that are not there any more. */
  get left(): number {
    return this.#listeners.filter(({ closed }) => closed).length;
  }

  /** Ends the load and lets everything arrive that is on its way. */
  async end(): Promise<void> {
    for (const stop of this.#stops) stop();
    await pause(2 * VISIT);
    await Promise.all(Array.from({ length: VISITORS }, (_, i) => this.#visit(i, 2_000)));
  }

  /** Devices that each say little, at QoS 0. */
  async #talk(): Promise<void> {
    const onMessage = (): void => {
      this.qos0.received += 1;
    };
    const listeners = await connectCrowd(this.#endpoint, LISTENERS, (i) => ({ clientId: `sub-${i}`, onMessage }));
    await Promise.all(listeners.map((client, i) => client.subscribe([`bench/${i}/+`], 0)));
    this.#listeners.push(...listeners);
    const devices = await connectCrowd(this.#endpoint, DEVICES, (i) => ({ clientId: `pub-${i}` }), LISTENERS);
    const stop = pace(QOS0, () => {
      const i = this.qos0.sent % DEVICES;
      devices[i]?.publish(`bench/${i % LISTENERS}/${i}`, stamped(0, 0));
      this.qos0.sent += 1;
    });
    this.#stops.push(stop);
  }

  /** QoS 1, half of it to who is there, half to who is away for a while. */
  async #publish(): Promise<void> {
    await leaveSessions(
      this.#endpoint,
      VISITORS,
      (i) => this.#visitor(i),
      (i) => [`bench/visited/${i}`],
    );
    const onMessage = (bytes: Buffer, end: number): void => this.present.came(numberOf(bytes, end));
    const listener = await Client.connect(this.#endpoint, 0, { clientId: 'sub-present', onMessage });
    await listener.subscribe(['bench/present'], 1);
    this.#listeners.push(listener);
    const publisher = new Publisher(await Client.connect(this.#endpoint, 1, { clientId: 'pub-present' }));
    let turn = 0;
    const stop = pace(QOS1, () => {
      turn += 1;
      if (!publisher.hasRoom) return;
      if (turn % 2 === 0) publisher.send('bench/present', this.present.next());
      else publisher.send(`bench/visited/${turn % VISITORS}`, this.visited.next());
      // The numbers are kept elsewhere, and a soak is long.
      publisher.acknowledged.length = publisher.delays.length = 0;
    });
    this.#stops.push(stop);
  }

  #visitor(i: number): ClientOptions {
    const onMessage = (bytes: Buffer, end: number): void => this.visited.came(numberOf(bytes, end));
    return { clientId: `sub-visitor-${i}`, clean: false, onMessage };
  }

  async #visit(i: number, ms = VISIT): Promise<void> {
    await this.#connected(this.#visitor(i), i, (client) => pause(ms).then(() => client.leave()));
  }

  /** Half say goodbye, half vanish. */
  async #comeAndGo(): Promise<void> {
    this.comings += 1;
    const n = this.comings;
    await this.#connected({ clientId: `idle-${n % 1_000}` }, n, async (client) => (n % 2 === 0 ? client.leave() : client.drop()));
  }

  async #connected(options: ClientOptions, n: number, then: (client: Client) => Promise<void>): Promise<void> {
    try {
      await then(await Client.connect(this.#endpoint, n, options));
    } catch (error) {
      this.failures.push(String(error));
    }
  }
}
