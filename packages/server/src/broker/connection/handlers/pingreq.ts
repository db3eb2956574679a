/** PINGREQ [MQTT311 3.12]. */
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import { PINGRESP } from '../../../mqtt/acknowledge.ts';
import { MqttError } from '../../../mqtt/mqtt-error.ts';
import type { Client } from '../client.ts';

export function pingreq(client: Client, _bytes: Buffer, body: number, next: number): void {
  if (body !== next) throw new MqttError(REASON.MALFORMED_PACKET, 'a PINGREQ with a body');
  client.output.append(PINGRESP);
}
