/** MQTT 3.1.1 packets of the load generator, made once and sent often. Apart from the server's codec on purpose. */

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 0xff), bytes]);
};

const packet = (first: number, ...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  const length: number[] = [];
  let left = body.length;
  do {
    length.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
    left >>>= 7;
  } while (left > 0);
  return Buffer.concat([Buffer.of(first, ...length), body]);
};

export const connectPacket = (clientId: string): Buffer => packet(0x10, text('MQTT'), Buffer.of(4, 2, 4, 0xb0), text(clientId));
export const subscribePacket = (filters: readonly string[], qos: number): Buffer =>
  packet(0x82, Buffer.of(0, 1), ...filters.map((filter) => Buffer.concat([text(filter), Buffer.of(qos)])));

/** One PUBLISH, of a payload or of so many bytes; `idAt` is where its packet identifier is (QoS 1). */
export function publishPacket(topic: string, payload: number | string, qos: number): { bytes: Buffer; idAt: number } {
  const name = text(topic);
  const id = qos === 1 ? Buffer.of(0, 1) : Buffer.alloc(0);
  const body = typeof payload === 'string' ? Buffer.from(payload) : Buffer.alloc(payload, 0x61);
  const bytes = packet(0x30 | (qos << 1), name, id, body);
  return { bytes, idAt: bytes.length - body.length - 2 };
}
