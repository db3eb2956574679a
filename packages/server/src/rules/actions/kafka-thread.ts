/** The thread of kafka-worker.ts: producers by name, and what they say to each record. */
import { parentPort, workerData } from 'node:worker_threads';
import { Producer, type SASLMechanismValue } from '@platformatic/kafka';
import { Egress } from '../../outgoing/egress.ts';
import { guardSockets } from '../../outgoing/guard-sockets.ts';
import type { KafkaAnswer, KafkaOrder, KafkaReach, ProducerConfig } from './kafka-worker.ts';

// A cluster answers with the names of its brokers, and the client connects to those.
const { plan, named } = workerData as KafkaReach;
const egress = new Egress({
  homeAccountId: '',
  allowed: plan.allowed,
  ports: () => plan.ports,
  isOwnName: () => false,
});
guardSockets(egress, (host, port) => named.includes(`${host}:${port}`));

type KafkaProducer = Producer<Buffer, Buffer, Buffer, Buffer>;

/** Connections to clusters that are kept at most. */
const MOST = 32;
const producers = new Map<string, KafkaProducer>();

function producerOf({ name, bootstrapBrokers, tls, sasl }: ProducerConfig): KafkaProducer {
  const known = producers.get(name);
  if (known !== undefined) return known;
  const [[oldest, idle] = []] = producers;
  if (producers.size >= MOST && oldest !== undefined) {
    producers.delete(oldest);
    void idle?.close(true).catch(() => undefined);
  }
  const producer: KafkaProducer = new Producer({
    clientId: 'thingkeep',
    bootstrapBrokers: [...bootstrapBrokers],
    retries: 0,
    autocreateTopics: false,
    connectTimeout: 4000,
    requestTimeout: 8000,
    tls: tls ? {} : undefined,
    sasl: sasl === undefined ? undefined : { ...sasl, mechanism: sasl.mechanism as SASLMechanismValue },
  });
  producers.set(name, producer);
  return producer;
}

/** All that the client has to say of a failure, innermost last. */
function said(error: unknown): string {
  const found: string[] = [];
  const gather = (fault: unknown): void => {
    if (!(fault instanceof Error)) return;
    const { apiId } = fault as { apiId?: string };
    found.push(apiId === undefined ? fault.message : `${apiId}: ${fault.message}`);
    for (const inner of (fault as AggregateError).errors ?? []) gather(inner);
    gather(fault.cause);
  };
  gather(error);
  return [...new Set(found)].join('; ').slice(0, 500);
}

async function produce({ producer, topic, value, key, partition, headers, acks, compression }: KafkaOrder): Promise<void> {
  await producerOf(producer).send({
    acks,
    compression: compression as 'gzip' | undefined,
    messages: [
      {
        topic,
        value: Buffer.from(value),
        key: key === undefined ? undefined : Buffer.from(key),
        partition,
        headers: new Map(headers.map(([name, text]) => [Buffer.from(name), Buffer.from(text)])),
      },
    ],
  });
}

parentPort?.on('message', (order: KafkaOrder) => {
  const { id } = order;
  produce(order).then(
    () => parentPort?.postMessage({ id } satisfies KafkaAnswer),
    (error: unknown) => parentPort?.postMessage({ id, fault: said(error) } satisfies KafkaAnswer),
  );
});
