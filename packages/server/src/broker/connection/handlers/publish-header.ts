/**
 * The header of one PUBLISH, as places in the read buffer. One object is read into for every message: none is made for
 * each, and nothing keeps it.
 */
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import { MqttError } from '../../../mqtt/mqtt-error.ts';

const FLAG = { RETAIN: 0x01, QOS: 0x06, DUP: 0x08 } as const;

export class PublishHeader {
  bytes: Buffer = Buffer.alloc(0);
  /** Where the packet begins, and where the next one does. */
  start = 0;
  next = 0;
  topicAt = 0;
  topicEnd = 0;
  /** Where properties (MQTT 5) or payload (3.1.1) begin. */
  bodyAt = 0;
  qos = 0;
  retain = false;
  dup = false;

  /** Reads the packet from `start` to `next`, whose variable header begins at `body`. */
  read(bytes: Buffer, start: number, body: number, next: number): void {
    const first = bytes[start] as number;
    const qos = (first & FLAG.QOS) >> 1;
    const dup = (first & FLAG.DUP) !== 0;
    const topicAt = body + 2;
    const topicEnd = topicAt > next ? next + 1 : topicAt + (((bytes[body] as number) << 8) | (bytes[body + 1] as number));
    const bodyAt = qos === 0 ? topicEnd : topicEnd + 2;
    if (bodyAt > next) throw new MqttError(REASON.MALFORMED_PACKET, 'a PUBLISH ends inside its header');
    if (qos > 1)
      throw new MqttError(
        qos === 3 ? REASON.MALFORMED_PACKET : REASON.QOS_NOT_SUPPORTED,
        `a PUBLISH of QoS ${qos}${qos === 2 ? ': use QoS 0 or 1, as on AWS' : ''}`,
      ); // [MQTT-3.3.1-4]
    if (qos === 0 && dup) throw new MqttError(REASON.MALFORMED_PACKET, 'a PUBLISH of QoS 0 with DUP'); // [MQTT-3.3.1-2]
    if (qos === 1 && bytes[bodyAt - 2] === 0 && bytes[bodyAt - 1] === 0)
      throw new MqttError(REASON.MALFORMED_PACKET, 'packet identifier 0');
    this.bytes = bytes;
    this.start = start;
    this.next = next;
    this.topicAt = topicAt;
    this.topicEnd = topicEnd;
    this.bodyAt = bodyAt;
    this.qos = qos;
    this.retain = (first & FLAG.RETAIN) !== 0;
    this.dup = dup;
  }

  /** 0 for QoS 0. */
  get packetId(): number {
    return this.qos === 0 ? 0 : this.bytes.readUInt16BE(this.bodyAt - 2);
  }

  /** Whether it can be sent on as it came, side by side with others. */
  get isPlain(): boolean {
    return !this.retain && !this.dup;
  }
}
