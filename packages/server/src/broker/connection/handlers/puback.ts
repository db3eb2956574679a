/** PUBACK: a QoS 1 message has arrived; the window moves on [MQTT311 4.3.2]. */
import { parsePuback } from '../../../mqtt/acknowledge.ts';
import type { Client } from '../client.ts';

export function puback(client: Client, bytes: Buffer, body: number, next: number): void {
  // The form that nearly all have, without an object.
  if (next - body === 2 && (bytes[body] !== 0 || bytes[body + 1] !== 0))
    client.session?.delivery.acknowledged(((bytes[body] as number) << 8) | (bytes[body + 1] as number));
  else client.session?.delivery.acknowledged(parsePuback(client.level, bytes, body, next).packetId);
}
