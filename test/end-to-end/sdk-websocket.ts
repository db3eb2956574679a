/**
 * One message to itself with the AWS IoT device SDK over a WebSocket that it signs. Arguments: port, CA file, topic; keys
 * by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. A process of its own: the SDK's native threads outlive its clients.
 */
import { once } from 'node:events';
import { auth, iot, mqtt5 } from 'aws-iot-device-sdk-v2';

const [port = '', ca = '', topic = ''] = process.argv.slice(2);
const { AWS_ACCESS_KEY_ID: id = '', AWS_SECRET_ACCESS_KEY: secret = '' } = process.env;
const builder = iot.AwsIotMqtt5ClientConfigBuilder.newWebsocketMqttBuilderWithSigv4Auth('localhost', {
  credentialsProvider: auth.AwsCredentialsProvider.newStatic(id, secret),
  // Otherwise read off a host name of AWS's.
  region: 'us-east-1',
});
builder.withCertificateAuthorityFromPath(undefined, ca);
builder.withPort(Number(port));
builder.withConnectProperties({ clientId: 'sdk', keepAliveIntervalSeconds: 30 });
const client = new mqtt5.Mqtt5Client(builder.build());
const connected = once(client, 'connectionSuccess');
client.start();
await connected;
const got = once(client, 'messageReceived');
await client.subscribe({ subscriptions: [{ topicFilter: topic, qos: mqtt5.QoS.AtLeastOnce }] });
await client.publish({ topicName: topic, qos: mqtt5.QoS.AtLeastOnce, payload: 'by the SDK' });
const [{ message }] = (await got) as [{ message: mqtt5.PublishPacket }];
const stopped = once(client, 'stopped');
client.stop();
await stopped;
process.stdout.write(`${message.topicName} ${Buffer.from(message.payload as ArrayBuffer)}\n`, () => process.exit(0));
