/** The SDK's MQTT 3.1.1 client. */
import { auth, io, iot, mqtt } from 'aws-iot-device-sdk-v2';
import type { ConnectOptions, End, FlowClient, Incoming, Outgoing, Qos, Welcome } from './client.ts';
import { Queue } from './queue.ts';
import { type SdkTarget, text } from './sdk-mqtt5.ts';

function builderFor({ transport, port, ca, cert, key }: SdkTarget): iot.AwsIotMqttConnectionConfigBuilder {
  const { AWS_ACCESS_KEY_ID: id = '', AWS_SECRET_ACCESS_KEY: secret = '' } = process.env;
  const builder =
    transport === 'sigv4'
      ? iot.AwsIotMqttConnectionConfigBuilder.new_with_websockets({
          region: 'us-east-1',
          credentials_provider: auth.AwsCredentialsProvider.newStatic(id, secret),
        })
      : iot.AwsIotMqttConnectionConfigBuilder.new_mtls_builder_from_path(cert, key);
  return builder.with_certificate_authority_from_path(undefined, ca).with_endpoint('localhost').with_port(port);
}

class Sdk311Client implements FlowClient {
  welcome: Welcome = {};
  readonly #connection: mqtt.MqttClientConnection;
  readonly #messages = new Queue<Incoming>();
  readonly #ended = Promise.withResolvers<End>();

  constructor(connection: mqtt.MqttClientConnection) {
    this.#connection = connection;
    connection.on('message', (topic, payload, _dup, qos, retain) =>
      this.#messages.add({ topic, payload: text(payload), qos, retain }),
    );
    connection.on('error', () => undefined);
    connection.on('interrupt', () => this.#ended.resolve({}));
  }

  async connected(): Promise<this> {
    this.welcome = { sessionPresent: await this.#connection.connect() };
    return this;
  }

  async subscribe(filter: string, qos: Qos): Promise<number> {
    const { qos: granted, error_code } = await this.#connection.subscribe(filter, qos);
    return error_code === undefined || error_code === 0 ? granted : 0x80;
  }

  async unsubscribe(filter: string): Promise<void> {
    await this.#connection.unsubscribe(filter);
  }

  async publish({ topic, payload, qos = 0, retain = false }: Outgoing): Promise<number> {
    await this.#connection.publish(topic, payload, qos, retain);
    return 0;
  }

  next(): Promise<Incoming> {
    return this.#messages.next();
  }

  /** It pings by itself; that it was answered is in its log alone. */
  async ping(): Promise<void> {
    io.enable_logging(io.LogLevel.TRACE);
  }

  ended(): Promise<End> {
    return this.#ended.promise;
  }

  async disconnect(): Promise<void> {
    await this.#connection.disconnect();
  }

  drop(): Promise<void> {
    return Promise.reject(new Error('the SDK knows no end without DISCONNECT'));
  }
}

export function connectSdk311(target: SdkTarget, options: ConnectOptions): Promise<FlowClient> {
  const { clientId, clean = true, keepAlive = 60, will } = options;
  const builder = builderFor(target)
    .with_client_id(clientId)
    .with_clean_session(clean)
    .with_keep_alive_seconds(keepAlive)
    // Not while a test lasts.
    .with_reconnect_min_sec(100)
    .with_reconnect_max_sec(100);
  if (will !== undefined) builder.with_will({ topic: will.topic, payload: will.payload, qos: will.qos ?? 0, retain: false });
  return new Sdk311Client(new mqtt.MqttClient().new_connection(builder.build())).connected();
}
