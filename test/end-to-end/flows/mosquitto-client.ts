/**
 * mosquitto_sub and mosquitto_pub as one client: what it has subscribed to is the command line of a mosquitto_sub, made anew
 * with each filter, and each message goes by a mosquitto_pub with an id of its own.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { plainEnvironment, run } from '../run-command.ts';
import { within } from '../until.ts';
import type {
  ConnectOptions,
  Driver,
  Driving,
  End,
  FlowClient,
  Incoming,
  Level,
  MessageProperties,
  Outgoing,
  Place,
  Qos,
  Welcome,
} from './client.ts';
import { Queue } from './queue.ts';

/** mosquitto_sub pings no sooner. */
const SHORTEST_KEEP_ALIVE = 5;
/** Between the fields of a line; none of them has it. */
const TAB = '\t';
const FORMAT = ['message:%t', '%q', '%r', '%p', '%C', '%R', '%D', '%F', '%E', '%P'].join(TAB);

const propertyFlags = (command: 'publish' | 'will', { properties = {}, topicAlias }: Outgoing): string[] => {
  const { userProperties = [], contentType, responseTopic, correlationData, payloadFormat, expiry } = properties;
  const given = {
    'content-type': contentType,
    'response-topic': responseTopic,
    'correlation-data': correlationData,
    'payload-format-indicator': payloadFormat,
    'message-expiry-interval': expiry,
    'topic-alias': topicAlias,
  };
  return [
    ...Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : ['-D', command, name, `${value}`])),
    ...userProperties.flatMap(([name, value]) => ['-D', command, 'user-property', name, value]),
  ];
};

/** A line that FORMAT made. User properties are `name:value`, one after the other. */
function readMessage(line: string): Incoming {
  const [topic = '', qos = '', retain, payload = '', ...rest] = line.slice('message:'.length).split(TAB);
  const [contentType, responseTopic, correlationData, payloadFormat, expiry, users = ''] = rest;
  const properties: MessageProperties = {
    userProperties:
      users === '' ? undefined : users.split(' ').map((pair) => pair.split(':') as unknown as readonly [string, string]),
    contentType: contentType ? contentType : undefined,
    responseTopic: responseTopic ? responseTopic : undefined,
    correlationData: correlationData ? correlationData : undefined,
    payloadFormat: payloadFormat ? (Number(payloadFormat) as 0 | 1) : undefined,
    expiry: expiry ? Number(expiry) : undefined,
  };
  return { topic, payload, qos: Number(qos), retain: retain === '1', properties };
}

/** A test that is ended from outside takes its clients with it. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

let publishers = 0;

class MosquittoClient implements FlowClient {
  readonly welcome: Welcome = {};
  readonly #base: readonly string[];
  readonly #options: ConnectOptions;
  readonly #filters: string[] = [];
  readonly #messages = new Queue<Incoming>();
  #pings = new Queue<void>();
  #ended = Promise.withResolvers<End>();
  #child: ChildProcess | undefined;
  /** A message that sets a topic alias: it goes with the next one, since an alias is for one connection. */
  #held: Outgoing | undefined;
  #qos: Qos = 1;

  constructor(base: readonly string[], options: ConnectOptions) {
    this.#base = base;
    this.#options = options;
  }

  /** Starts with all filters; gives the code of the last one. */
  async start(): Promise<number> {
    await this.drop();
    const { clientId, clean = true, sessionExpiry, keepAlive = 60, will } = this.#options;
    const args = [
      ...['-oL', 'mosquitto_sub', ...this.#base, '-d', '-F', FORMAT, '-k', `${Math.max(keepAlive, SHORTEST_KEEP_ALIVE)}`],
      ...(clientId === '' ? [] : ['-i', clientId]),
      ...(clean ? [] : ['-c']),
      ...(sessionExpiry === undefined ? [] : ['-x', `${sessionExpiry}`]),
      ...(will === undefined
        ? []
        : ['--will-topic', will.topic, '--will-payload', will.payload, '--will-qos', `${will.qos ?? 0}`]),
      // It wants one at least; the last one's answer is asked for.
      ...[
        '-q',
        `${this.#qos}`,
        '-t',
        `nothing/for/${clientId || 'whoever'}`,
        ...this.#filters.flatMap((filter) => ['-t', filter]),
      ],
    ];
    const child = spawn('stdbuf', args, { env: plainEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] });
    const said: string[] = [];
    const granted = Promise.withResolvers<number>();
    const ended = Promise.withResolvers<End>();
    this.#child = child;
    running.add(child);
    this.#ended = ended;
    let reason: number | undefined;
    const onLine = (line: string): void => {
      said.push(line);
      const code = /^Subscribed \(mid: \d+\): (?:.*, )?(\d+)$/.exec(line)?.[1];
      const disconnect = /received DISCONNECT \((\d+)\)/i.exec(line)?.[1];
      if (line.startsWith('message:')) this.#messages.add(readMessage(line));
      else if (code !== undefined) granted.resolve(Number(code));
      else if (disconnect !== undefined) {
        reason = Number(disconnect);
        // Without this it connects again.
        child.kill('SIGKILL');
      } else if (/received PINGRESP/i.test(line)) this.#pings.add();
    };
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', onLine);
    child.once('close', (code) => {
      running.delete(child);
      granted.reject(new Error(`mosquitto_sub ended with ${code}: ${said.join('\n')}`));
      ended.resolve(reason === undefined ? {} : { reason });
    });
    return within('SUBACK to mosquitto_sub', granted.promise);
  }

  /** One QoS is for all filters: the last one's. */
  subscribe(filter: string, qos: Qos): Promise<number> {
    this.#filters.push(filter);
    this.#qos = qos;
    return this.start();
  }

  unsubscribe(): Promise<void> {
    return Promise.reject(new Error('mosquitto_sub unsubscribes only as it begins'));
  }

  publish(message: Outgoing): Promise<number> {
    const held = this.#held;
    if (message.topicAlias === undefined) return this.#send(message, [message.payload]);
    this.#held = held === undefined ? message : undefined;
    // Of a message for each line, mosquitto_pub names the topic in the first alone.
    return held === undefined ? Promise.resolve(0) : this.#send(held, [held.payload, message.payload]);
  }

  async #send(message: Outgoing, payloads: readonly string[]): Promise<number> {
    const { topic, qos = 0, retain = false } = message;
    publishers += 1;
    const args = [
      ...[...this.#base, '-d', '-i', `publisher-${publishers}`, '-q', `${qos}`, '-t', topic],
      ...(payloads[0] === '' ? ['-n'] : payloads.length > 1 ? ['-l'] : ['-m', payloads[0] ?? '']),
      ...(retain ? ['-r'] : []),
      ...propertyFlags('publish', message),
    ];
    const input = payloads.length > 1 ? `${payloads.join('\n')}\n` : '';
    const { code, stdout, stderr } = await run('mosquitto_pub', args, { input });
    if (code !== 0) throw new Error(`mosquitto_pub ended with ${code}: ${stdout}${stderr}`);
    return 0;
  }

  next(): Promise<Incoming> {
    return within('a message', this.#messages.next());
  }

  /** By itself, once the keep-alive is over. */
  ping(): Promise<void> {
    return within('PINGRESP', this.#pings.next());
  }

  ended(): Promise<End> {
    return within('the end of the connection', this.#ended.promise);
  }

  /** It ends politely only for a signal, and then may lock itself up in the signal's handler. */
  disconnect(): Promise<void> {
    return this.drop();
  }

  async drop(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  }
}

const CANNOT_BOTH = {
  'subscribe and unsubscribe': 'mosquitto_sub unsubscribes only as it begins',
  'shared subscription left': 'mosquitto_sub unsubscribes only as it begins',
  'will withdrawn': 'mosquitto_sub says DISCONNECT only when it gets a signal, and then may lock itself up',
  'denied publish': 'mosquitto_pub publishes on a connection of its own, which has nothing else to do',
};
const CANNOT = {
  4: {
    ...CANNOT_BOTH,
    'take-over': 'mosquitto_sub connects again at once, and does not say that it was closed',
    'denied subscribe': 'mosquitto_sub connects again at once, and does not say that it was closed',
  },
  5: {
    ...CANNOT_BOTH,
    'keep-alive ping': 'it pings as often as CONNACK asks for, and that is 30 seconds at least',
    'assigned client id': 'neither program shows what CONNACK says',
    'session expiry': 'neither program shows what CONNACK says',
  },
} as const;

export const mosquitto = (level: Level, transport: 'tls' | 'alpn'): Driver => ({
  name: 'mosquitto_pub and mosquitto_sub',
  level,
  transport,
  cannot: CANNOT[level],
  open: async ({ server, device }: Place): Promise<Driving> => {
    const port = transport === 'tls' ? server.ports.mqtt : server.ports.https;
    const base = [
      ...['-h', 'localhost', '-p', `${port}`, '--cafile', server.rootCa, '--cert', device.cert, '--key', device.key],
      ...['-V', level === 5 ? 'mqttv5' : 'mqttv311', ...(transport === 'alpn' ? ['--tls-alpn', 'x-amzn-mqtt-ca'] : [])],
    ];
    const open: MosquittoClient[] = [];
    return {
      connect: async (options) => {
        const client = new MosquittoClient(base, options);
        open.push(client);
        await client.start();
        return client;
      },
      [Symbol.asyncDispose]: async () => {
        await Promise.all(open.map((client) => client.drop()));
      },
    };
  },
});
