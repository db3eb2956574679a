/** MQTT.js as the flows drive it, in this process. */
import { defined } from '@thingkeep/wire/defined.ts';
import { readFileSync } from 'node:fs';
import mqtt from 'mqtt';
import { presign } from '../presign.ts';
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
  Transport,
  Welcome,
} from './client.ts';
import { Queue } from './queue.ts';

/** Properties as MQTT.js has them: a name with several values has an array. */
const toMqttJs = ({ userProperties, payloadFormat, correlationData, expiry, ...rest }: MessageProperties) => {
  const users: Record<string, string[]> = {};
  for (const [name, value] of userProperties ?? []) users[name] = [...(users[name] ?? []), value];
  return {
    ...rest,
    ...defined({ userProperties: userProperties === undefined ? undefined : users }),
    ...defined({ payloadFormatIndicator: payloadFormat === undefined ? undefined : payloadFormat === 1 }),
    ...defined({ correlationData: correlationData === undefined ? undefined : Buffer.from(correlationData) }),
    ...defined({ messageExpiryInterval: expiry }),
  };
};

const fromMqttJs = (properties: NonNullable<mqtt.IPublishPacket['properties']>): MessageProperties => {
  const { userProperties, payloadFormatIndicator, correlationData, messageExpiryInterval, contentType, responseTopic } =
    properties;
  return {
    userProperties:
      userProperties === undefined
        ? undefined
        : Object.entries(userProperties).flatMap(([name, values]) => [values].flat().map((value) => [name, value] as const)),
    contentType,
    responseTopic,
    correlationData: correlationData === undefined ? undefined : correlationData.toString(),
    payloadFormat: payloadFormatIndicator === undefined ? undefined : payloadFormatIndicator ? 1 : 0,
    expiry: messageExpiryInterval,
  };
};

/** A refused QoS 1 PUBLISH, or SUBSCRIBE, rejects with its reason code. */
const codeOf = (error: unknown): number => {
  const { code, packet } = error as { code?: unknown; packet?: { granted?: readonly number[] } };
  const found = packet?.granted?.[0] ?? code;
  if (typeof found !== 'number') throw error;
  return found;
};

class MqttJsClient implements FlowClient {
  welcome: Welcome = {};
  readonly #client: mqtt.MqttClient;
  readonly #messages = new Queue<Incoming>();
  readonly #ended = Promise.withResolvers<End>();

  constructor(client: mqtt.MqttClient) {
    this.#client = client;
    let reason: number | undefined;
    client.on('message', (topic, payload, { qos, retain, properties }) =>
      this.#messages.add({
        topic,
        payload: payload.toString(),
        qos,
        retain,
        properties: properties === undefined ? undefined : fromMqttJs(properties),
      }),
    );
    client.on('disconnect', (packet) => {
      reason = packet.reasonCode;
    });
    client.on('error', () => undefined);
    client.on('close', () => {
      this.#ended.resolve(reason === undefined ? {} : { reason });
      this.#messages.fail(new Error('the connection is closed'));
    });
  }

  async connected(): Promise<this> {
    const connack = await within(
      'CONNACK',
      Promise.race([
        new Promise<mqtt.IConnackPacket>((resolve) => this.#client.once('connect', resolve)),
        this.#ended.promise.then(() => Promise.reject(new Error('closed before CONNACK'))),
      ]),
    );
    const { assignedClientIdentifier, sessionExpiryInterval } = connack.properties ?? {};
    this.welcome = {
      sessionPresent: connack.sessionPresent,
      assignedClientId: assignedClientIdentifier,
      sessionExpiry: sessionExpiryInterval,
    };
    return this;
  }

  async subscribe(filter: string, qos: Qos): Promise<number> {
    try {
      const [granted] = await this.#client.subscribeAsync(filter, { qos });
      return granted?.qos ?? -1;
    } catch (error) {
      return codeOf(error);
    }
  }

  async unsubscribe(filter: string): Promise<void> {
    await this.#client.unsubscribeAsync(filter);
  }

  async publish({ topic, payload, qos = 0, retain = false, properties, topicAlias }: Outgoing): Promise<number> {
    const all = { ...toMqttJs(properties ?? {}), ...defined({ topicAlias }) };
    try {
      await this.#client.publishAsync(topic, payload, { qos, retain, properties: all });
      return 0;
    } catch (error) {
      return codeOf(error);
    }
  }

  next(): Promise<Incoming> {
    return within('a message', this.#messages.next());
  }

  async ping(): Promise<void> {
    const answered = new Promise<void>((resolve) =>
      this.#client.on('packetreceive', ({ cmd }) => {
        if (cmd === 'pingresp') resolve();
      }),
    );
    this.#client.sendPing();
    await within('PINGRESP', answered);
  }

  ended(): Promise<End> {
    return within('the end of the connection', this.#ended.promise);
  }

  async disconnect({ sessionExpiry }: { sessionExpiry?: number } = {}): Promise<void> {
    const properties = sessionExpiry === undefined ? {} : { properties: { sessionExpiryInterval: sessionExpiry } };
    await this.#client.endAsync(false, { reasonCode: 0, ...properties } as object);
  }

  async drop(): Promise<void> {
    await this.#client.endAsync(true);
  }
}

async function urlOf({ server }: Place, transport: Transport): Promise<string> {
  switch (transport) {
    case 'tls':
      return `mqtts://localhost:${server.ports.mqtt}`;
    case 'alpn':
      return `mqtts://localhost:${server.ports.https}`;
    case 'wss':
      return `wss://localhost:${server.ports.https}/mqtt`;
    case 'sigv4':
      return presign(`wss://localhost:${server.ports.https}`, server.credentials());
  }
}

export const mqttJs = (level: Level, transport: Transport): Driver => ({
  name: 'MQTT.js',
  level,
  transport,
  cannot: {},
  open: async (place): Promise<Driving> => {
    const ca = readFileSync(place.server.rootCa);
    const proof = transport === 'sigv4' ? {} : { cert: place.device.certPem, key: place.device.keyPem };
    const alpn = transport === 'alpn' ? { ALPNProtocols: ['x-amzn-mqtt-ca'] } : {};
    const open = new Set<mqtt.MqttClient>();
    return {
      connect: async ({ clientId, clean = true, sessionExpiry, keepAlive = 60, will }: ConnectOptions) => {
        const client = mqtt.connect(await urlOf(place, transport), {
          ca,
          ...proof,
          ...alpn,
          clientId,
          clean,
          protocolVersion: level,
          keepalive: keepAlive,
          reconnectPeriod: 0,
          resubscribe: false,
          properties: sessionExpiry === undefined ? undefined : { sessionExpiryInterval: sessionExpiry },
          will:
            will === undefined
              ? undefined
              : { topic: will.topic, payload: Buffer.from(will.payload), qos: will.qos ?? 0, retain: false },
        });
        open.add(client);
        return new MqttJsClient(client).connected();
      },
      [Symbol.asyncDispose]: async () => {
        for (const client of open) await client.endAsync(true);
      },
    };
  },
});
