/**
 * The codec against another one: mqtt-packet, which MQTT.js is built on. What it generates we read alike, what we generate it
 * reads alike; and a bent packet that we take, it takes and reads alike too. Seeded: a run can be had again
 * (THINGKEEP_FUZZ_SEED). THINGKEEP_CODEC_PACKETS makes it a long run: 5,000,000 take some minutes.
 */
import { defined } from '@thingkeep/wire/defined.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generate, type Packet, parser } from 'mqtt-packet';
import { batchOfOne } from '../../packages/server/src/broker/message/message.ts';
import { TopicEntry } from '../../packages/server/src/broker/message/topic-entry.ts';
import { encodeDisconnect, encodePuback, parseDisconnect, parsePuback } from '../../packages/server/src/mqtt/acknowledge.ts';
import { encodeConnack, parseConnect } from '../../packages/server/src/mqtt/connect.ts';
import { Cursor } from '../../packages/server/src/mqtt/cursor.ts';
import { MqttError } from '../../packages/server/src/mqtt/mqtt-error.ts';
import { encodeProperties, type Properties, readProperties } from '../../packages/server/src/mqtt/properties.ts';
import { encodeSuback, encodeUnsuback, parseSubscribe, parseUnsubscribe } from '../../packages/server/src/mqtt/subscribe.ts';
import { below, type Level, pick, type Random, randomFrom } from './mqtt-fuzz-inputs.ts';

const SEED = Number(process.env.THINGKEEP_FUZZ_SEED ?? Date.now() % 1_000_000);
const PACKETS = Number(process.env.THINGKEEP_CODEC_PACKETS ?? 210_000);
const BENT = Math.ceil((PACKETS * 2) / 7);
const GENERATED = Math.ceil(PACKETS / 35);

const ALPHABET = [...'abc/+#$ xyz_-.:', 'é', 'ß', '温', '🌡', '\u007f', '\ufeff'];
const text = (random: Random, most = 12): string =>
  Array.from({ length: below(random, most + 1) }, () => pick(random, ALPHABET)).join('');
const name = (random: Random, most = 12): string => pick(random, ['a', 'b', '$']) + text(random, most);
const bytes = (random: Random, most = 40): Buffer =>
  Buffer.from(Array.from({ length: below(random, most + 1) }, () => below(random, 256)));
const id = (random: Random): number => 1 + below(random, 65_535);
const bit = (random: Random): boolean => random() < 0.5;
const uint32 = (random: Random): number => pick(random, [0, 1, 255, 65_536, 0xffffffff, below(random, 0xffffffff)]);

type Plain = Record<string, unknown>;
const some = (random: Random, makers: Record<string, () => unknown>): Plain => {
  const found: Plain = {};
  for (const [key, make] of Object.entries(makers)) if (random() < 0.4) found[key] = make();
  return found;
};
const userProperties = (random: Random): Plain =>
  Object.fromEntries(
    Array.from({ length: 1 + below(random, 3) }, (_, i) => [
      `${i}${text(random)}`,
      bit(random) ? text(random) : [name(random), text(random)],
    ]),
  );

const messageProperties = (random: Random) => ({
  payloadFormatIndicator: () => bit(random),
  messageExpiryInterval: () => uint32(random),
  contentType: () => text(random),
  responseTopic: () => text(random),
  correlationData: () => bytes(random),
  userProperties: () => userProperties(random),
});

/** Our properties under the other codec's names and forms. */
function theirs(properties: Properties): Plain {
  const { userProperty, payloadFormatIndicator, requestProblemInformation, requestResponseInformation, ...rest } = properties;
  const users: Record<string, string | string[]> = {};
  for (const [key, value] of userProperty ?? []) {
    const known = users[key];
    // The other codec forgets an empty value when another of the same name comes behind it.
    users[key] = known === undefined || known === '' ? value : [known, value].flat();
  }
  const truth = { payloadFormatIndicator, requestProblemInformation, requestResponseInformation };
  return {
    ...rest,
    ...Object.fromEntries(Object.entries(truth).flatMap(([key, value]) => (value === undefined ? [] : [[key, value === 1]]))),
    ...defined({ userProperties: userProperty === undefined ? undefined : users }),
  };
}

/** Nothing but own members, prototypes apart, absent where undefined. */
const plain = (value: unknown): unknown => {
  if (Buffer.isBuffer(value) || typeof value !== 'object' || value === null)
    return Buffer.isBuffer(value) ? value.toString('hex') : value;
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([key, member]) => [key, plain(member)])
      .sort(),
  );
};
const alike = (ours: unknown, other: unknown, label: () => string): void => {
  const [a, b] = [JSON.stringify(plain(ours)), JSON.stringify(plain(other))];
  if (a !== b) assert.deepEqual(plain(ours), plain(other), label());
};

/** What the other codec reads, or why it does not. */
function read(level: Level, wire: Buffer): Plain | Error {
  const reader = parser({ protocolVersion: level });
  let found: Plain | Error = new Error('nothing');
  reader.on('packet', (packet) => {
    found = packet as unknown as Plain;
  });
  reader.on('error', (error) => {
    found = error as Error;
  });
  reader.parse(wire);
  return found;
}

const bodyAt = (wire: Buffer): number => {
  let at = 1;
  while ((wire[at] as number) >= 0x80) at += 1;
  return at + 1;
};

interface Kind {
  make(random: Random, level: Level): Packet | Plain;
  /** The same members by our codec, in the other's names. */
  ours(level: Level, wire: Buffer): Plain;
  /** The members to compare of what the other codec read. */
  other(packet: Plain, level: Level): Plain;
}

const FIVE = (level: Level, properties: Plain): Plain => (level === 5 ? { properties } : {});
const propertiesOf = (packet: Plain): unknown => packet.properties ?? {};

const KINDS: Readonly<Record<string, Kind>> = {
  connect: {
    make: (random, level) => ({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: level,
      clientId: name(random),
      clean: bit(random),
      keepalive: below(random, 65_536),
      will: bit(random)
        ? {
            topic: name(random),
            payload: bytes(random),
            qos: below(random, 3),
            retain: bit(random),
            ...FIVE(level, some(random, { ...messageProperties(random), willDelayInterval: () => uint32(random) })),
          }
        : undefined,
      ...(bit(random)
        ? { username: name(random), password: bit(random) ? Buffer.concat([Buffer.of(1), bytes(random)]) : undefined }
        : {}),
      ...FIVE(
        level,
        some(random, {
          sessionExpiryInterval: () => uint32(random),
          receiveMaximum: () => id(random),
          maximumPacketSize: () => 1 + below(random, 0xfffffffe),
          topicAliasMaximum: () => below(random, 65_536),
          requestResponseInformation: () => bit(random),
          requestProblemInformation: () => bit(random),
          userProperties: () => userProperties(random),
          authenticationMethod: () => name(random),
        }),
      ),
    }),
    ours: (_level, wire) => {
      const { level, clean, keepAlive, clientId, will, userName, password, properties } = parseConnect(
        wire,
        bodyAt(wire),
        wire.length,
      );
      return {
        protocolVersion: level,
        clean,
        keepalive: keepAlive,
        clientId,
        username: userName,
        password,
        properties: theirs(properties),
        will: will && { ...will, properties: theirs(will.properties) },
      };
    },
    other: (packet) => {
      const { protocolVersion, clean, keepalive, clientId, username, password } = packet;
      const will = packet.will as Plain | undefined;
      return {
        protocolVersion,
        clean,
        keepalive,
        clientId,
        username,
        password,
        properties: propertiesOf(packet),
        will: will && {
          topic: will.topic,
          payload: will.payload,
          qos: will.qos,
          retain: will.retain,
          properties: propertiesOf(will),
        },
      };
    },
  },
  subscribe: {
    make: (random, level) => ({
      cmd: 'subscribe',
      messageId: id(random),
      subscriptions: Array.from({ length: 1 + below(random, 9) }, () => ({
        topic: name(random),
        qos: below(random, 3),
        nl: level === 5 ? bit(random) : undefined,
        rap: level === 5 ? bit(random) : undefined,
        rh: level === 5 ? below(random, 3) : undefined,
      })),
      ...FIVE(
        level,
        some(random, {
          subscriptionIdentifier: () => 1 + below(random, 268_435_455),
          userProperties: () => userProperties(random),
        }),
      ),
    }),
    ours: (level, wire) => {
      const { packetId, entries, properties } = parseSubscribe(level, wire, bodyAt(wire), wire.length);
      return {
        messageId: packetId,
        properties: theirs(properties),
        subscriptions: entries.map(({ filter, qos, noLocal, retainAsPublished, retainHandling }) => ({
          topic: filter,
          qos,
          nl: level === 5 ? noLocal : undefined,
          rap: level === 5 ? retainAsPublished : undefined,
          rh: level === 5 ? retainHandling : undefined,
        })),
      };
    },
    other: ({ messageId, subscriptions, ...packet }) => ({ messageId, properties: propertiesOf(packet), subscriptions }),
  },
  unsubscribe: {
    make: (random, level) => ({
      cmd: 'unsubscribe',
      messageId: id(random),
      unsubscriptions: Array.from({ length: 1 + below(random, 9) }, () => name(random)),
      ...FIVE(level, some(random, { userProperties: () => userProperties(random) })),
    }),
    ours: (level, wire) => {
      const { packetId, filters } = parseUnsubscribe(level, wire, bodyAt(wire), wire.length);
      return { messageId: packetId, unsubscriptions: filters };
    },
    other: ({ messageId, unsubscriptions }) => ({ messageId, unsubscriptions }),
  },
  puback: {
    make: (random, level) => ({
      cmd: 'puback',
      messageId: id(random),
      reasonCode: level === 5 ? pick(random, [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]) : undefined,
      properties: level === 5 ? some(random, { reasonString: () => text(random) }) : undefined,
    }),
    ours: (level, wire) => {
      const { packetId, reason } = parsePuback(level, wire, bodyAt(wire), wire.length);
      return { messageId: packetId, reasonCode: reason };
    },
    other: ({ messageId, reasonCode }) => ({ messageId, reasonCode: reasonCode ?? 0 }),
  },
  disconnect: {
    make: (random, level) => ({
      cmd: 'disconnect',
      reasonCode: level === 5 ? pick(random, [0x00, 0x04, 0x80, 0x81, 0x82, 0x90, 0x93, 0x95, 0x97, 0x99]) : undefined,
      properties:
        level === 5
          ? some(random, {
              sessionExpiryInterval: () => uint32(random),
              reasonString: () => text(random),
              userProperties: () => userProperties(random),
            })
          : undefined,
    }),
    ours: (level, wire) => {
      const { reason, properties } = parseDisconnect(level, wire, bodyAt(wire), wire.length);
      return { reasonCode: reason, properties: theirs(properties) };
    },
    other: (packet) => ({ reasonCode: packet.reasonCode ?? 0, properties: propertiesOf(packet) }),
  },
  publish: {
    make: (random, level) => ({
      cmd: 'publish',
      topic: name(random).replaceAll(/[+#]/g, '_'),
      payload: bytes(random, pick(random, [0, 10, 200])),
      qos: below(random, 2),
      retain: bit(random),
      dup: false,
      messageId: id(random),
      ...FIVE(level, some(random, { ...messageProperties(random), topicAlias: () => id(random) })),
    }),
    ours: (level, wire) => {
      const cursor = new Cursor(wire, bodyAt(wire), wire.length);
      const topic = cursor.text();
      const qos = ((wire[0] as number) >> 1) & 3;
      const messageId = qos === 0 ? undefined : cursor.uint16();
      const properties = level === 5 ? readProperties(cursor, 'PUBLISH') : {};
      return {
        topic,
        qos,
        messageId,
        retain: ((wire[0] as number) & 1) === 1,
        properties: theirs(properties),
        payload: wire.subarray(cursor.at),
      };
    },
    other: ({ topic, qos, messageId, retain, payload, ...packet }) => ({
      topic,
      qos,
      messageId: qos === 0 ? undefined : messageId,
      retain,
      properties: propertiesOf(packet),
      payload,
    }),
  },
};

test(`what mqtt-packet generates is read alike, ${PACKETS} packets (seed ${SEED})`, () => {
  const random = randomFrom(SEED);
  const kinds = Object.entries(KINDS);
  for (let n = 0; n < PACKETS; n += 1) {
    const level: Level = bit(random) ? 4 : 5;
    const [cmd, kind] = kinds[n % kinds.length] as [string, Kind];
    const made = kind.make(random, level) as Plain;
    const wire = generate(made as unknown as Packet, { protocolVersion: level });
    // Read by both for one packet in eight; compared with what it was made of for all.
    const label = (): string => `seed ${SEED}, packet ${n}: v${level} ${cmd} ${wire.toString('hex')}`;
    let ours: Plain;
    try {
      ours = kind.ours(level, wire);
    } catch (error) {
      assert.fail(`${label()}: ${error}`);
    }
    alike(ours, kind.other(made, level), label);
    if (n % 48 < kinds.length) alike(ours, kind.other(read(level, wire) as Plain, level), label);
  }
});

test(`a bent packet that we take is taken and read alike by mqtt-packet (seed ${SEED})`, (t) => {
  const random = randomFrom(SEED + 1);
  const kinds = Object.entries(KINDS);
  let taken = 0;
  for (let n = 0; n < BENT; n += 1) {
    const level: Level = bit(random) ? 4 : 5;
    const [cmd, kind] = kinds[n % kinds.length] as [string, Kind];
    const wire = Buffer.from(generate(kind.make(random, level) as unknown as Packet, { protocolVersion: level }));
    const body = bodyAt(wire);
    if (wire.length === body) continue;
    for (let bends = 1 + below(random, 2); bends > 0; bends -= 1)
      wire[body + below(random, wire.length - body)] = bit(random) ? below(random, 256) : below(random, 4);
    let ours: Plain;
    try {
      ours = kind.ours(level, wire);
    } catch (error) {
      assert.ok(error instanceof MqttError, `seed ${SEED}, packet ${n}: ${error}`);
      continue;
    }
    const other = read(level, wire);
    if (other instanceof Error) {
      // The other codec knows by name the reason codes that it takes; we take any.
      assert.match(
        other.message,
        /reason code|protocol version/i,
        `seed ${SEED}, packet ${n}: v${level} ${cmd} ${wire.toString('hex')}`,
      );
      continue;
    }
    taken += 1;
    alike(
      ours,
      kind.other(other, (other.protocolVersion as Level | undefined) ?? level),
      () => `seed ${SEED}, packet ${n}: v${level} ${cmd} ${wire.toString('hex')}`,
    );
  }
  t.diagnostic(`${taken} of ${BENT} were taken`);
});

test(`what we generate is read by mqtt-packet as it was meant (seed ${SEED})`, () => {
  const random = randomFrom(SEED + 2);
  for (let n = 0; n < GENERATED; n += 1) {
    const level: Level = bit(random) ? 4 : 5;
    const packetId = id(random);
    const reason = pick(random, [0x00, 0x80, 0x87, 0x97]);
    const codes = Array.from({ length: 1 + below(random, 8) }, () =>
      pick(random, level === 5 ? [0, 1, 0x80, 0x87, 0x8f, 0x97] : [0, 1, 0x80]),
    );
    const label = (): string => `seed ${SEED}, packet ${n}`;
    const seen = (wire: Buffer): Plain => {
      const packet = read(level, wire);
      assert.ok(!(packet instanceof Error), `${label()}: ${packet} ${wire.toString('hex')}`);
      return packet;
    };
    const puback = seen(encodePuback(level, packetId, level === 5 ? reason : 0));
    alike([puback.messageId, puback.reasonCode ?? 0], [packetId, level === 5 ? reason : 0], label);
    const suback = seen(encodeSuback(level, packetId, codes));
    alike([suback.messageId, suback.granted], [packetId, codes], label);
    const unsubscribed = codes.map(() => pick(random, [0, 0x11]));
    const unsuback = seen(encodeUnsuback(level, packetId, unsubscribed));
    alike(
      [unsuback.messageId, ...(level === 5 ? [unsuback.granted] : [])],
      [packetId, ...(level === 5 ? [unsubscribed] : [])],
      label,
    );
    if (level === 5) {
      const why = name(random);
      const disconnect = seen(encodeDisconnect(0x97, why));
      alike([disconnect.reasonCode, propertiesOf(disconnect)], [0x97, { reasonString: why }], label);
      const greeting = {
        receiveMaximum: id(random),
        maximumQoS: 1,
        assignedClientIdentifier: name(random),
        serverKeepAlive: below(random, 65_536),
        topicAliasMaximum: 8,
      };
      const connack = seen(encodeConnack(5, 0, bit(random), greeting));
      alike([connack.reasonCode, propertiesOf(connack)], [0, greeting], label);
    } else {
      const connack = seen(encodeConnack(4, 2, false));
      alike([connack.returnCode, connack.sessionPresent], [2, false], label);
    }
    const properties: Properties = {
      contentType: text(random),
      correlationData: bytes(random),
      userProperty: [['k', text(random)]],
    };
    const topic = new TopicEntry(name(random).replaceAll(/[+#]/g, '_'), 'arn');
    const payload = bytes(random, pick(random, [0, 100, 20_000 * below(random, 2)]));
    const qos = below(random, 2);
    const run = batchOfOne({ topic, payload, qos, retain: false, properties: encodeProperties(properties) }, 0);
    const segment = run.encode(level, qos);
    if (qos === 1) segment.bytes.writeUInt16BE(packetId, segment.idAt[0]);
    const message = seen(segment.bytes);
    alike(
      [message.topic, message.payload, message.qos, qos === 1 ? message.messageId : 0, propertiesOf(message)],
      [topic.name, payload, qos, qos === 1 ? packetId : 0, level === 5 ? theirs(properties) : {}],
      label,
    );
  }
});
