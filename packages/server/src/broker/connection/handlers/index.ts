/** What a connected client may send, packet by packet. PUBLISH is not here: the hot path calls it by name. */
import { PACKET } from '@thingkeep/wire/mqtt/packets.ts';
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import { MqttError } from '../../../mqtt/mqtt-error.ts';
import type { Client } from '../client.ts';
import { connect } from './connect.ts';
import { disconnect } from './disconnect.ts';
import { pingreq } from './pingreq.ts';
import { puback } from './puback.ts';
import { subscribe } from './subscribe.ts';
import { unsubscribe } from './unsubscribe.ts';

/** Handles the packet whose body is the bytes from `body` to `next`. */
export type PacketHandler = (client: Client, bytes: Buffer, body: number, next: number) => void;

const refuse =
  (reason: number, text: string): PacketHandler =>
  () => {
    throw new MqttError(reason, text);
  };

const fromServerOnly = refuse(REASON.PROTOCOL_ERROR, 'a packet that only a server sends');
const qos2 = refuse(REASON.QOS_NOT_SUPPORTED, 'a packet of QoS 2');
const badFlags = refuse(REASON.MALFORMED_PACKET, 'the flags of a packet are not those of its type');

/** By packet type: the flags that it must have [MQTT-2.2.2-1] and its handler. */
const HANDLERS: readonly { readonly flags: number; readonly handle: PacketHandler }[] = Array.from({ length: 16 }, (_, type) => {
  switch (type) {
    case PACKET.CONNECT:
      return { flags: 0, handle: connect };
    case PACKET.PUBACK:
      return { flags: 0, handle: puback };
    case PACKET.SUBSCRIBE:
      return { flags: 2, handle: subscribe };
    case PACKET.UNSUBSCRIBE:
      return { flags: 2, handle: unsubscribe };
    case PACKET.PINGREQ:
      return { flags: 0, handle: pingreq };
    case PACKET.DISCONNECT:
      return { flags: 0, handle: disconnect };
    case PACKET.PUBREC:
    case PACKET.PUBCOMP:
      return { flags: 0, handle: qos2 };
    case PACKET.PUBREL:
      return { flags: 2, handle: qos2 };
    case PACKET.AUTH:
      return { flags: 0, handle: refuse(REASON.PROTOCOL_ERROR, 'enhanced authentication is not supported') };
    case 0:
      return { flags: 0, handle: refuse(REASON.MALFORMED_PACKET, 'packet type 0') };
    default:
      return { flags: 0, handle: fromServerOnly };
  }
});

export function handlerFor(first: number): PacketHandler {
  const row = HANDLERS[first >> 4] as (typeof HANDLERS)[number];
  return (first & 0x0f) === row.flags ? row.handle : badFlags;
}
