/** Connections of the AWS IoT device SDK, over MQTT 3.1.1 and 5. */
import { iot, mqtt, mqtt5 } from 'aws-iot-device-sdk-v2';

/** A device as its files are. */
export interface SdkDevice {
  readonly clientId: string;
  readonly port: number;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export async function connect311({ clientId, port, ca, cert, key }: SdkDevice): Promise<mqtt.MqttClientConnection> {
  const config = iot.AwsIotMqttConnectionConfigBuilder.new_mtls_builder_from_path(cert, key)
    .with_certificate_authority_from_path(undefined, ca)
    .with_endpoint('localhost')
    .with_port(port)
    .with_client_id(clientId)
    .with_clean_session(true)
    .build();
  const connection = new mqtt.MqttClient().new_connection(config);
  await connection.connect();
  return connection;
}

export async function connect5({ clientId, port, ca, cert, key }: SdkDevice): Promise<mqtt5.Mqtt5Client> {
  const builder = iot.AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithMtlsFromPath('localhost', cert, key)
    .withCertificateAuthorityFromPath(undefined, ca)
    .withPort(port)
    .withConnectProperties({ clientId, keepAliveIntervalSeconds: 60 });
  const client = new mqtt5.Mqtt5Client(builder.build());
  const connected = new Promise((resolve) => client.once('connectionSuccess', resolve));
  client.start();
  await connected;
  return client;
}

type Handler<T> = (error?: Error, response?: T) => void;

/**
 * An answer to a client of the first generation, which has a subscription for each outcome. Fails with what the service says
 * where it refuses.
 */
export async function answered<T>(
  subscribe: (accepted: Handler<T>, rejected: Handler<object>) => Promise<unknown>,
  publish: () => Promise<unknown>,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const asked = async (): Promise<void> => {
    await subscribe(
      (error, response) => (response === undefined ? reject(error) : resolve(response)),
      (error, response) => reject(response ?? error),
    );
    await publish();
  };
  const [answer] = await Promise.all([promise, asked()]);
  return answer;
}

/** What a service's client of the second generation is made by. */
interface SecondGeneration<T> {
  newFromMqtt311(connection: mqtt.MqttClientConnection, options: object): T;
  newFromMqtt5(client: mqtt5.Mqtt5Client, options: object): T;
}

/** A client of the second generation, over MQTT 5 where `version` is 5, and over 3.1.1 otherwise. */
export async function secondGeneration<T>(version: string, device: SdkDevice, service: SecondGeneration<T>): Promise<T> {
  const options = { maxRequestResponseSubscriptions: 6, maxStreamingSubscriptions: 4, operationTimeoutInSeconds: 30 };
  return version === '5'
    ? service.newFromMqtt5(await connect5(device), options)
    : service.newFromMqtt311(await connect311(device), options);
}
