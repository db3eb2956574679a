/**
 * Malformed MQTT from a seed: valid packets of both versions, bent in the ways that peers bend them (cut, spliced, a
 * length that lies, a flag that must not be, a property where it does not belong) and, now and then, plain noise.
 */
import { generate, type Packet } from 'mqtt-packet';

export type Random = () => number;

/** Numbers from 0 up to 1 from a seed: the same run again from the same seed (mulberry32, public domain). */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export const below = (random: Random, bound: number): number => Math.floor(random() * bound);
export const pick = <T>(random: Random, from: readonly T[]): T => from[below(random, from.length)] as T;

export type Level = 4 | 5;

const TOPICS = [
  'fuzz/a',
  'fuzz/b/c',
  'a',
  '/',
  'sensor/é/🌡',
  '$aws/events/x',
  '$aws/things/t/shadow/update',
  '$share/g/t',
  'x'.repeat(256),
  '__proto__',
  '$'.concat('{iot:ClientId}'),
  '*',
];
const FILTERS = [
  'fuzz/#',
  '+',
  '#',
  '+/+/#',
  'a/+/b',
  '$aws/#',
  '$share/g/fuzz/#',
  '/',
  'fuzz/a',
  'constructor/#',
  'x/'.repeat(9),
];
const PAYLOADS = [
  Buffer.alloc(0),
  Buffer.from('hello'),
  Buffer.alloc(300, 0x30),
  Buffer.alloc(20_000, 0xff),
  Buffer.from('{"a":1}'),
];

const properties = (random: Random): object =>
  pick(random, [
    {},
    { payloadFormatIndicator: true, contentType: 'text/plain' },
    { messageExpiryInterval: 0, userProperties: { __proto__x: '1', k: ['a', 'b'] } },
    { topicAlias: 1 + below(random, 9) },
    { responseTopic: 'a/b', correlationData: Buffer.from('id') },
  ]);

function connectPacket(random: Random, level: Level, clientId: string): Packet {
  const will = {
    topic: pick(random, TOPICS),
    payload: pick(random, PAYLOADS),
    qos: below(random, 2) as 0 | 1,
    retain: random() < 0.3,
  };
  return {
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: level,
    clientId,
    clean: clientId === '' || random() < 0.8,
    keepalive: pick(random, [0, 1, 60, 65_535]),
    will: random() < 0.3 ? will : undefined,
    ...(random() < 0.3 ? { username: 'u', password: Buffer.from('p') } : {}),
    properties:
      level === 5 && random() < 0.5
        ? { sessionExpiryInterval: 5, receiveMaximum: 1 + below(random, 9), maximumPacketSize: 600 }
        : undefined,
  } as Packet;
}

const MAKERS: readonly ((random: Random, level: Level) => Packet)[] = [
  (random, level) => connectPacket(random, level, pick(random, ['', 'fuzz-x', 'c/+#', 'é'.repeat(64)])),
  (random, level) =>
    ({
      cmd: 'publish',
      topic: pick(random, TOPICS),
      payload: pick(random, PAYLOADS),
      qos: below(random, 3),
      retain: random() < 0.1,
      dup: false,
      messageId: 1 + below(random, 65_535),
      properties: level === 5 ? properties(random) : undefined,
    }) as Packet,
  (random) =>
    ({
      cmd: 'subscribe',
      messageId: 1 + below(random, 65_535),
      subscriptions: Array.from({ length: 1 + below(random, 9) }, () => ({
        topic: pick(random, FILTERS),
        qos: below(random, 3),
        nl: random() < 0.2,
        rh: below(random, 3),
      })),
    }) as Packet,
  (random) => ({ cmd: 'unsubscribe', messageId: 1 + below(random, 65_535), unsubscriptions: [pick(random, FILTERS)] }) as Packet,
  (random) => ({ cmd: 'puback', messageId: below(random, 200), reasonCode: 0 }) as Packet,
  () => ({ cmd: 'pingreq' }),
  () => ({ cmd: 'disconnect', reasonCode: 0 }) as Packet,
  (random) => ({ cmd: pick(random, ['pubrec', 'pubrel', 'pubcomp']), messageId: 1, reasonCode: 0 }) as Packet,
  () => ({ cmd: 'connack', returnCode: 0, reasonCode: 0, sessionPresent: false }) as Packet,
  () => ({ cmd: 'suback', messageId: 1, granted: [0] }) as Packet,
  () => ({ cmd: 'pingresp' }),
];

const valid = (random: Random, level: Level): Buffer => {
  // Twice as often what has the most to it.
  const maker = MAKERS[random() < 0.5 ? below(random, 4) : below(random, MAKERS.length)] as (typeof MAKERS)[number];
  return generate(maker(random, level), { protocolVersion: level });
};

const INTERESTING = [0x00, 0x01, 0x7f, 0x80, 0xff, 0x10, 0x20, 0x30, 0x82, 0xe0, 0xf0, 0x2b, 0x23, 0x24];

type Mutation = (random: Random, packet: Buffer) => Buffer;

const splice = (packet: Buffer, at: number, removed: number, added: Uint8Array): Buffer =>
  Buffer.concat([packet.subarray(0, at), added, packet.subarray(at + removed)]);

const noise = (random: Random, length: number): Buffer => Buffer.from(Array.from({ length }, () => below(random, 256)));

/** Length of the fixed header. */
const headerOf = (packet: Buffer): number => {
  let at = 1;
  while (at < 5 && at < packet.length && (packet[at] as number) >= 0x80) at += 1;
  return Math.min(at + 1, packet.length);
};

export function encodeLength(length: number): Buffer {
  const out: number[] = [];
  for (let left = length; ; left = Math.floor(left / 128)) {
    if (left < 128) return Buffer.from([...out, left]);
    out.push((left % 128) | 0x80);
  }
}

/** Writes the true remaining length again, so that what was bent inside reaches the parser of the packet. */
const repaired = (packet: Buffer): Buffer => {
  const header = headerOf(packet);
  return Buffer.concat([packet.subarray(0, 1), encodeLength(packet.length - header), packet.subarray(header)]);
};

const MUTATIONS: readonly Mutation[] = [
  (random, packet) => {
    const out = Buffer.from(packet);
    for (let flips = 1 + below(random, 4); flips > 0; flips -= 1)
      out[below(random, out.length)] = (out[0] as number) ^ (1 << below(random, 8));
    return out;
  },
  (random, packet) => {
    const out = Buffer.from(packet);
    for (let times = 1 + below(random, 3); times > 0; times -= 1)
      out[below(random, Math.min(out.length, 64))] = pick(random, INTERESTING);
    return out;
  },
  (random, packet) => packet.subarray(0, 1 + below(random, packet.length)),
  (random, packet) => repaired(packet.subarray(0, 2 + below(random, packet.length))),
  (random, packet) =>
    repaired(
      splice(packet, headerOf(packet) + below(random, Math.max(1, packet.length - 2)), 0, noise(random, 1 + below(random, 8))),
    ),
  (random, packet) =>
    repaired(
      splice(packet, headerOf(packet) + below(random, Math.max(1, packet.length - 2)), 1 + below(random, 4), Buffer.alloc(0)),
    ),
  // A length that lies: too small, too large, longer than it needs to be, endless.
  (random, packet) =>
    Buffer.concat([
      packet.subarray(0, 1),
      pick(random, [
        encodeLength(below(random, 400)),
        encodeLength(268_435_455),
        Buffer.of(0xff, 0xff, 0xff, 0xff),
        Buffer.of(0x80, 0x00),
        Buffer.of(0x80, 0x80, 0x80, 0x80, 0x01),
      ]),
      packet.subarray(headerOf(packet)),
    ]),
  // A two-byte length inside the packet that reaches beyond it.
  (random, packet) => {
    const out = Buffer.from(packet);
    const at = headerOf(out) + below(random, Math.max(1, Math.min(40, out.length - 2)));
    if (at + 1 < out.length) out.writeUInt16BE(pick(random, [0, 1, 0x7fff, 0xffff, out.length]), at);
    return out;
  },
  (random, packet) => Buffer.concat([Buffer.of(below(random, 256)), packet.subarray(1)]),
  (random, packet) => Buffer.concat([packet, noise(random, 1 + below(random, 20))]),
  (random) => noise(random, 1 + below(random, 200)),
  (_random, packet) => Buffer.concat([packet, packet]),
];

export interface FuzzInput {
  /** Whether it comes on a connection that has been let in. */
  readonly afterConnect: boolean;
  readonly level: Level;
  readonly bytes: Buffer;
}

/** The input of this number in the run of this seed. */
export function fuzzInput(seed: number, index: number): FuzzInput {
  const random = randomFrom(Math.imul(seed, 0x9e3779b1) ^ index);
  random();
  const level: Level = random() < 0.5 ? 4 : 5;
  const afterConnect = random() < 0.7;
  let bytes =
    !afterConnect && random() < 0.6
      ? generate(connectPacket(random, level, `fuzz-${below(random, 50)}`), { protocolVersion: level })
      : valid(random, level);
  for (let times = 1 + below(random, 3); times > 0 && bytes.length > 0; times -= 1)
    bytes = Buffer.from(pick(random, MUTATIONS)(random, bytes));
  return { afterConnect, level, bytes };
}

export const fuzzConnect = (level: Level, clientId: string): Buffer =>
  generate({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: level, clientId, clean: true, keepalive: 60 } as Packet, {
    protocolVersion: level,
  });
