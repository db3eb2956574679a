/**
 * Whether there is room for what a publisher asks to be kept: queued messages of persistent sessions and retained
 * messages, within the account's budgets and above the floor of free disk. A client that is refused gets its answer from here.
 */
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import { encodePuback } from '../../mqtt/acknowledge.ts';
import { DISK_LOW } from '../../runtime/disk-failure.ts';
import type { AccountSpace } from '../routing/account.ts';
import type { Client } from './client.ts';
import type { RoutedTopic } from '../routing/routed-topic.ts';
import type { BrokerServices } from './services.ts';

/** Milliseconds between two recorded refusals of one client. */
const RECORD_EVERY = 10_000;

const recordedAt = new WeakMap<Client, number>();

/** Why messages of this QoS on the topic can't be kept; undefined when they can, or need not be. */
export function storageViolation(
  broker: Pick<BrokerServices<Client>, 'disk' | 'mustStore'>,
  account: AccountSpace,
  topic: RoutedTopic,
  qos: number,
  retains: boolean,
): string | undefined {
  const { low } = broker.disk;
  if (low && retains) return DISK_LOW;
  if (qos === 0 || (!low && !account.queues.full) || !broker.mustStore(account, topic, low)) return undefined;
  if (low) return DISK_LOW;
  const { accountQueuedMessages, accountQueuedBytes } = account.limits;
  return `the persistent sessions of the account hold ${accountQueuedMessages} messages or ${accountQueuedBytes} bytes: no more are queued`;
}

/**
 * Refuses messages of a client: MQTT 5 is told by PUBACK that a quota is exceeded, MQTT 3.1.1, which has no word for it,
 * by the end of its connection. QoS 0 is dropped.
 */
export function refuseToStore(client: Client, reason: string, qos: number, packetIds: readonly number[]): void {
  const { broker, level } = client;
  const last = recordedAt.get(client);
  if (last === undefined || broker.now - last >= RECORD_EVERY) {
    recordedAt.set(client, broker.now);
    client.refuse({ check: 'limit', reason });
  }
  if (client.state !== 'connected' || qos === 0) return;
  if (level !== 5) client.close('THROTTLED', REASON.QUOTA_EXCEEDED);
  else client.publisher.acknowledge(Buffer.concat(packetIds.map((id) => encodePuback(5, id, REASON.QUOTA_EXCEEDED))));
}
