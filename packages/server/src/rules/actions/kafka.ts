/** The kafka action: a record for a topic of a cluster (developer guide, page apache-kafka-rule-action). */
import { createHash } from 'node:crypto';
import { fail } from '@thingkeep/wire/errors.ts';
import { ActionError } from './action-error.ts';
import type { ActionTools, ActionType, Order, ParametersOf } from './contract.ts';
import { numberOf } from './json-payload.ts';
import { KafkaWorker, type ProducerConfig } from './kafka-worker.ts';

type Kafka = ParametersOf<'kafka'>;
type KafkaProperties = Readonly<Record<string, string>>;

const PROTOCOLS = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'];
const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'];
const COMPRESSIONS = ['none', 'gzip', 'lz4', 'snappy', 'zstd'];
const ACKS: Readonly<Record<string, number>> = { '0': 0, '1': 1, all: -1, '-1': -1 };
/**
 * Properties that AWS lists, and of these the ones that take a Java key store or Kerberos, which there is not here: the rule
 * may be made, its orders fail.
 */
const FOREIGN = [
  ...['ssl.truststore', 'ssl.truststore.password', 'ssl.keystore', 'ssl.keystore.password', 'ssl.key.password'],
  ...['sasl.kerberos.keytab', 'sasl.kerberos.service.name', 'sasl.kerberos.krb5.kdc', 'sasl.kerberos.krb5.realm'],
  'sasl.kerberos.principal',
];
const KNOWN = new Set([
  ...['acks', 'bootstrap.servers', 'compression.type', 'security.protocol', 'key.serializer', 'value.serializer'],
  ...['sasl.mechanism', 'sasl.plain.username', 'sasl.plain.password', 'sasl.scram.username', 'sasl.scram.password'],
  ...FOREIGN,
]);

const bad = (message: string): never => fail('InvalidRequestException', message);

function oneOf(properties: KafkaProperties, name: string, fallback: string, allowed: readonly string[]): string {
  const value = properties[name] ?? fallback;
  return allowed.includes(value) || value.includes('${') ? value : bad(`${name} is none of ${allowed.join(', ')}`);
}

function check({ clientProperties = {}, destinationArn = '' }: Kafka): void {
  const unknown = Object.keys(clientProperties).find((name) => !KNOWN.has(name));
  if (unknown !== undefined) bad(`The Kafka client knows no property ${unknown}`);
  if (!clientProperties['bootstrap.servers']) bad('clientProperties lack bootstrap.servers');
  if (!/:ruledestination\/vpc\//.test(destinationArn)) bad('destinationArn is no VPC destination of topic rules');
  oneOf(clientProperties, 'security.protocol', 'SSL', PROTOCOLS);
  oneOf(clientProperties, 'acks', '1', Object.keys(ACKS));
  oneOf(clientProperties, 'compression.type', 'none', COMPRESSIONS);
}

/** The brokers, which the operator must have named: a rule does not choose where the server connects to. */
function brokersOf(properties: KafkaProperties, { aws }: ActionTools): string[] {
  const wanted = (properties['bootstrap.servers'] ?? '').split(',').map((part) => part.trim());
  const known = aws.endpoints('kafka');
  const stranger = wanted.find((broker) => !known.includes(broker));
  if (stranger === undefined) return wanted;
  throw new ActionError(`the broker ${stranger} is none of those that the server may use: see --action-endpoints kafka=`, false);
}

function saslOf(properties: KafkaProperties) {
  if (!(properties['security.protocol'] ?? 'SSL').startsWith('SASL_')) return {};
  const mechanism = properties['sasl.mechanism'] ?? 'PLAIN';
  if (!MECHANISMS.includes(mechanism)) throw new ActionError(`sasl.mechanism is none of ${MECHANISMS.join(', ')}`, false);
  const kind = mechanism === 'PLAIN' ? 'plain' : 'scram';
  const username = properties[`sasl.${kind}.username`] ?? '';
  const password = properties[`sasl.${kind}.password`] ?? '';
  return { sasl: { mechanism, username, password } };
}

/** One worker for each server: several may live in one process. */
const workers = new WeakMap<object, KafkaWorker>();

function workerOf({ aws, egress, closing }: ActionTools): KafkaWorker {
  const known = workers.get(aws);
  if (known !== undefined) return known;
  const fresh = new KafkaWorker(() => ({ plan: egress.plan, named: aws.endpoints('kafka') }));
  workers.set(aws, fresh);
  closing.addEventListener('abort', () => fresh.close(), { once: true });
  return fresh;
}

function configOf(properties: KafkaProperties, tools: ActionTools): ProducerConfig {
  const { place } = tools;
  return {
    // Passwords are among the properties: a name made of them is not to be read.
    name: createHash('sha256')
      .update(JSON.stringify([place, Object.entries(properties).sort()]))
      .digest('hex'),
    bootstrapBrokers: brokersOf(properties, tools),
    tls: /SSL$/.test(properties['security.protocol'] ?? 'SSL'),
    ...saslOf(properties),
  };
}

async function produce([order]: readonly [Order<Kafka>, ...unknown[]], tools: ActionTools): Promise<void> {
  const { destinationArn = '', topic = '', key, partition, clientProperties = {}, headers = [] } = order.parameters;
  if (!tools.destinations.isEnabled(tools.place, destinationArn))
    throw new ActionError('the destination is not there, or not ENABLED', false);
  const foreign = FOREIGN.find((name) => name in clientProperties);
  if (foreign !== undefined) throw new ActionError(`the server's Kafka client can not use ${foreign}`, false);
  const compression = clientProperties['compression.type'] ?? 'none';
  const fault = await workerOf(tools).produce({
    producer: configOf(clientProperties, tools),
    topic,
    value: order.payload,
    acks: ACKS[clientProperties.acks ?? '1'] ?? 1,
    compression: compression === 'none' ? undefined : compression,
    key,
    partition: partition === undefined ? undefined : numberOf(partition, 'partition'),
    headers: headers.map(({ key: name = '', value = '' }) => [name, value]),
  });
  if (fault !== undefined) throw new ActionError(`the record was not taken: ${fault}`, !FOR_GOOD.test(fault));
}

/** What the broker says no to for good: no such topic, no right, too large (Apache Kafka protocol, error codes). */
const FOR_GOOD =
  /--outgoing-allow|UNKNOWN_TOPIC|Unknown topic|AUTHORIZATION_FAILED|TOO_LARGE|INVALID_|UNSUPPORTED|AUTHENTICATION/;

export const kafka: ActionType<Kafka> = {
  name: 'KafkaAction',
  resource: ({ topic = '' }) => topic,
  // The cluster's own credentials are among the properties; the role is that of the VPC destination.
  permissions: () => [],
  literal: ['destinationArn', 'bootstrap.servers'],
  check,
  run: produce,
};
