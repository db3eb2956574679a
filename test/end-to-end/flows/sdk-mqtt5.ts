/** The SDK's MQTT 5 client. */
import { defined } from '@thingkeep/wire/defined.ts';
import { once } from 'node:events';
import { auth, iot, mqtt5 } from 'aws-iot-device-sdk-v2';
import type {
  ConnectOptions,
  End,
  FlowClient,
  Incoming,
  MessageProperties,
  Outgoing,
  Qos,
  Transport,
  Welcome,
} from './client.ts';
import { Queue } from './queue.ts';

export interface SdkTarget {
  readonly transport: Transport;
  readonly port: number;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** An empty payload comes as a detached buffer, which nothing can be made of. */
export const text = (bytes: unknown): string =>
  (bytes as ArrayBuffer).byteLength === 0 ? '' : Buffer.from(bytes as ArrayBuffer).toString();

function builderFor({ transport, port, ca, cert, key }: SdkTarget): iot.AwsIotMqtt5ClientConfigBuilder {
  const { AWS_ACCESS_KEY_ID: id = '', AWS_SECRET_ACCESS_KEY: secret = '' } = process.env;
  const builder =
    transport === 'sigv4'
      ? iot.AwsIotMqtt5ClientConfigBuilder.newWebsocketMqttBuilderWithSigv4Auth('localhost', {
          credentialsProvider: auth.AwsCredentialsProvider.newStatic(id, secret),
          // Otherwise read off a host name of AWS's.
          region: 'us-east-1',
        })
      : iot.AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithMtlsFromPath('localhost', cert, key);
  return builder.withCertificateAuthorityFromPath(undefined, ca).withPort(port);
}

/** Members without those that are not set: the native half takes `undefined` for a value of the wrong type. */
const set = <T extends object>(members: { readonly [K in keyof T]: T[K] | undefined }): T =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T;

const packetOf = (message: Outgoing): mqtt5.PublishPacket => {
  const { topic, payload, qos = 0, retain = false, properties = {}, topicAlias } = message;
  const { userProperties, contentType, responseTopic, correlationData, payloadFormat, expiry } = properties;
  return set<mqtt5.PublishPacket>({
    topicName: topic,
    payload,
    qos,
    retain,
    contentType,
    responseTopic,
    payloadFormat,
    topicAlias,
    correlationData: correlationData === undefined ? undefined : Buffer.from(correlationData),
    userProperties: userProperties?.map(([name, value]) => ({ name, value })),
    messageExpiryIntervalSeconds: expiry,
  });
};

const propertiesOf = (message: mqtt5.PublishPacket): MessageProperties =>
  set<MessageProperties>({
    userProperties: message.userProperties?.map(({ name, value }) => [name, value] as const),
    contentType: message.contentType,
    responseTopic: message.responseTopic,
    correlationData: message.correlationData === undefined ? undefined : text(message.correlationData),
    payloadFormat: message.payloadFormat,
    expiry: message.messageExpiryIntervalSeconds,
  });

class Sdk5Client implements FlowClient {
  welcome: Welcome = {};
  readonly #client: mqtt5.Mqtt5Client;
  readonly #messages = new Queue<Incoming>();
  readonly #ended = Promise.withResolvers<End>();
  /** By alias, the topic that it was set with: the SDK wants both, and leaves the topic out by itself. */
  readonly #aliases = new Map<number, string>();

  constructor(client: mqtt5.Mqtt5Client) {
    this.#client = client;
    client.on('messageReceived', ({ message }) =>
      this.#messages.add({
        topic: message.topicName,
        payload: message.payload === undefined ? '' : text(message.payload),
        qos: message.qos,
        retain: message.retain ?? false,
        properties: propertiesOf(message),
      }),
    );
    client.on('disconnection', ({ disconnect }) =>
      this.#ended.resolve(disconnect === undefined ? {} : { reason: disconnect.reasonCode }),
    );
  }

  async connected(): Promise<this> {
    const failed = once(this.#client, 'connectionFailure').then(([{ error }]) => {
      this.#client.stop();
      throw error as Error;
    });
    const succeeded = once(this.#client, 'connectionSuccess') as Promise<[mqtt5.ConnectionSuccessEvent]>;
    this.#client.start();
    const [{ connack, settings }] = await Promise.race([succeeded, failed]);
    failed.catch(() => undefined);
    this.welcome = set<Welcome>({
      sessionPresent: connack.sessionPresent,
      assignedClientId: settings.clientId,
      sessionExpiry: settings.sessionExpiryInterval,
    });
    return this;
  }

  async subscribe(filter: string, qos: Qos): Promise<number> {
    const { reasonCodes } = await this.#client.subscribe({ subscriptions: [{ topicFilter: filter, qos }] });
    return reasonCodes[0] ?? -1;
  }

  async unsubscribe(filter: string): Promise<void> {
    await this.#client.unsubscribe({ topicFilters: [filter] });
  }

  async publish(message: Outgoing): Promise<number> {
    const { topicAlias = 0 } = message;
    const topic = message.topic || (this.#aliases.get(topicAlias) ?? '');
    this.#aliases.set(topicAlias, topic);
    const result = await this.#client.publish(packetOf({ ...message, topic }));
    return (result as mqtt5.PubackPacket | undefined)?.reasonCode ?? 0;
  }

  next(): Promise<Incoming> {
    return this.#messages.next();
  }

  ping(): Promise<void> {
    return Promise.reject(new Error('the SDK pings when it wants to'));
  }

  ended(): Promise<End> {
    return this.#ended.promise;
  }

  async #stop(packet?: mqtt5.DisconnectPacket): Promise<void> {
    const stopped = once(this.#client, 'stopped');
    this.#client.stop(packet);
    await stopped;
  }

  disconnect({ sessionExpiry }: { sessionExpiry?: number } = {}): Promise<void> {
    return this.#stop({
      reasonCode: mqtt5.DisconnectReasonCode.NormalDisconnection,
      ...defined({ sessionExpiryIntervalSeconds: sessionExpiry }),
    });
  }

  /** Without a packet to send, it only closes. */
  drop(): Promise<void> {
    return this.#stop();
  }
}

export function connectSdk5(target: SdkTarget, options: ConnectOptions): Promise<FlowClient> {
  const { clientId, clean = true, sessionExpiry, keepAlive = 60, will } = options;
  const builder = builderFor(target)
    .withConnectProperties(
      set<Partial<mqtt5.ConnectPacket>>({
        clientId: clientId === '' ? undefined : clientId,
        keepAliveIntervalSeconds: keepAlive,
        ...defined({ sessionExpiryIntervalSeconds: sessionExpiry }),
        will: will === undefined ? undefined : packetOf(will),
      }) as mqtt5.ConnectPacket,
    )
    .withSessionBehavior(clean ? mqtt5.ClientSessionBehavior.Clean : mqtt5.ClientSessionBehavior.RejoinAlways)
    // No connection anew while a test lasts.
    .withMinReconnectDelayMs(100_000)
    .withMaxReconnectDelayMs(100_000)
    .withRetryJitterMode(mqtt5.RetryJitterType.None)
    .withTopicAliasingOptions({ outboundBehavior: mqtt5.OutboundTopicAliasBehaviorType.Manual });
  return new Sdk5Client(new mqtt5.Mqtt5Client(builder.build())).connected();
}
