/**
 * The AWS IoT device SDK's jobs client, second generation, as a device uses it, in a process of its own: its native threads outlive
 * its clients. Arguments: 4 (MQTT 3.1.1) or 5, port, CA file, certificate and key file, thing. Does the one job that the thing has,
 * is refused once, and prints what it got in one line of JSON.
 */
import { iot, iotjobs, mqtt, mqtt5 } from 'aws-iot-device-sdk-v2';

const [version = '', port = '', ca = '', cert = '', key = '', thingName = ''] = process.argv.slice(2);
const clientId = `${thingName}-${version}`;
const OPTIONS = { maxRequestResponseSubscriptions: 6, maxStreamingSubscriptions: 2, operationTimeoutInSeconds: 30 };

async function over311(): Promise<iotjobs.IotJobsClientv2> {
  const config = iot.AwsIotMqttConnectionConfigBuilder.new_mtls_builder_from_path(cert, key)
    .with_certificate_authority_from_path(undefined, ca)
    .with_endpoint('localhost')
    .with_port(Number(port))
    .with_client_id(clientId)
    .with_clean_session(true)
    .build();
  const connection = new mqtt.MqttClient().new_connection(config);
  await connection.connect();
  return iotjobs.IotJobsClientv2.newFromMqtt311(connection, OPTIONS);
}

async function over5(): Promise<iotjobs.IotJobsClientv2> {
  const builder = iot.AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithMtlsFromPath('localhost', cert, key)
    .withCertificateAuthorityFromPath(undefined, ca)
    .withPort(Number(port))
    .withConnectProperties({ clientId, keepAliveIntervalSeconds: 60 });
  const client = new mqtt5.Mqtt5Client(builder.build());
  const connected = new Promise((resolve) => client.once('connectionSuccess', resolve));
  client.start();
  await connected;
  return iotjobs.IotJobsClientv2.newFromMqtt5(client, OPTIONS);
}

const client = version === '5' ? await over5() : await over311();
const changed = client.createJobExecutionsChangedStream({ thingName });
const next = client.createNextJobExecutionChangedStream({ thingName });
const emptied = new Promise<object>((resolve) => changed.on('incomingPublish', ({ message }) => resolve(message)));
const ended = new Promise<object>((resolve) => next.on('incomingPublish', ({ message }) => resolve(message)));
const subscribed = [changed, next].map((stream) => new Promise((resolve) => stream.once('subscriptionStatus', resolve)));
for (const stream of [changed, next]) stream.open();
await Promise.all(subscribed);

const pending = await client.getPendingJobExecutions({ thingName });
const { execution: started } = await client.startNextPendingJobExecution({ thingName, statusDetails: { step: 'begun' } });
const jobId = started?.jobId ?? '';
const described = await client.describeJobExecution({ thingName, jobId, includeJobDocument: true });
const going = await client.updateJobExecution({
  thingName,
  jobId,
  status: iotjobs.model.JobStatus.IN_PROGRESS,
  expectedVersion: 2,
  includeJobExecutionState: true,
});
await client.updateJobExecution({ thingName, jobId, status: iotjobs.model.JobStatus.SUCCEEDED });
const refused = await client.updateJobExecution({ thingName, jobId, status: iotjobs.model.JobStatus.SUCCEEDED }).then(
  () => undefined,
  (error: { modeledError?: object }) => error.modeledError,
);
const told = { pending, started, described, going, refused, emptied: await emptied, ended: await ended };
process.stdout.write(`${JSON.stringify(told)}\n`);
client.close();
process.exit();
