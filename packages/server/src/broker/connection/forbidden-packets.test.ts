/**
 * Packets that MQTT calls malformed or a protocol error, packet by packet and in both versions, which the tests of the single
 * packets do not have: each ends the connection, with the reason code in MQTT 5, and leaves one refusal.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hex, type Level, TestBench } from '../test-bench.ts';

/** Name, versions, packet, reason code of MQTT 5. */
type Row = readonly [name: string, levels: readonly Level[], packet: string, reason: number];

const BOTH: readonly Level[] = [4, 5];
const FIVE: readonly Level[] = [5];
const FOUR: readonly Level[] = [4];

const byte = (value: number): string => value.toString(16).padStart(2, '0');
const of = (first: number, body: string): string => byte(first) + byte(hex(body).length) + body;
const text = (value: string): string => `00${byte(Buffer.byteLength(value))}${Buffer.from(value).toString('hex')}`;
const except = (...known: readonly number[]): number[] =>
  Array.from({ length: 256 }, (_, code) => code).filter((code) => !known.includes(code));

const PUBACKS: readonly Row[] = [
  ...except(0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99).map(
    (code): Row => [`PUBACK with reason code 0x${byte(code)} [MQTT-3.4.2-1]`, FIVE, of(0x40, `0001${byte(code)}`), 0x82],
  ),
  ['PUBACK with an unknown reason code and properties [MQTT-3.4.2-1]', FIVE, of(0x40, '0001 05 00'), 0x82],
  ['PUBACK with a reason string twice [MQTT-3.4.2-2]', FIVE, of(0x40, `0001 00 08 1f${text('a')} 1f${text('a')}`), 0x82],
  ['PUBACK with a property of PUBLISH [MQTT5 2.2.2.2]', FIVE, of(0x40, '0001 00 02 0101'), 0x81],
  ['PUBACK with bytes behind its properties', FIVE, of(0x40, '0001 00 00 00'), 0x81],
  ['PUBACK with properties longer than the packet', FIVE, of(0x40, '0001 00 05'), 0x81],
  ['PUBACK with bytes behind its identifier [MQTT311 3.4.1]', FOUR, of(0x40, '0001 00'), 0],
  ...Array.from({ length: 15 }, (_, flags): Row => [`PUBACK with flags ${flags + 1}`, BOTH, of(0x41 + flags, '0001'), 0x81]),
];

const SUBSCRIBES: readonly Row[] = [
  ['SUBSCRIBE with an empty filter [MQTT-4.7.3-1]', FIVE, of(0x82, '0001 00 0000 00'), 0x82],
  ['SUBSCRIBE with an empty filter [MQTT-4.7.3-1]', FOUR, of(0x82, '0001 0000 00'), 0],
  ['SUBSCRIBE with an empty filter behind a good one', FIVE, of(0x82, `0001 00 ${text('a')} 00 0000 00`), 0x82],
  ['SUBSCRIBE with subscription identifier 0 [MQTT5 3.8.2.1.2]', FIVE, of(0x82, `0001 02 0b00 ${text('a')} 00`), 0x82],
  ['SUBSCRIBE with two subscription identifiers', FIVE, of(0x82, `0001 04 0b01 0b02 ${text('a')} 00`), 0x82],
  ['SUBSCRIBE with a property of PUBLISH', FIVE, of(0x82, `0001 02 0101 ${text('a')} 00`), 0x81],
  ['SUBSCRIBE with a filter that is no UTF-8 [MQTT-3.8.3-1]', BOTH, of(0x82, '0001 00 0002 c328 00'), 0x81],
  ['SUBSCRIBE with reserved option bit 7', FIVE, of(0x82, `0001 00 ${text('a')} 80`), 0x81],
  ['SUBSCRIBE with options of MQTT 5 [MQTT-3-8.3-4]', FOUR, of(0x82, `0001 ${text('a')} 04`), 0],
  ['SUBSCRIBE with No Local on a share [MQTT-3.8.3-4]', FIVE, of(0x82, `0001 00 ${text('$share/g/a')} 04`), 0x82],
  ['SUBSCRIBE with half an identifier', BOTH, of(0x82, '00'), 0x81],
  ['SUBSCRIBE of identifier 0', FOUR, of(0x82, `0000 ${text('a')} 00`), 0],
];

const MALFORMED_FILTERS = [
  '',
  'a/#/b',
  'a#',
  '#/a',
  'a+',
  'a/+b',
  '$share/',
  '$share/g',
  '$share/g/',
  '$share//a',
  '$share/g+/a',
  '$share/g/$share/h/a',
];
const UNSUBSCRIBES: readonly Row[] = [
  ...MALFORMED_FILTERS.flatMap((filter): Row[] => [
    [
      `UNSUBSCRIBE of ${JSON.stringify(filter)} [MQTT-4.7.1-1 to 4.7.3-1, 4.8.2-1, 4.8.2-2]`,
      FIVE,
      of(0xa2, `0001 00 ${text(filter)}`),
      0x82,
    ],
    [`UNSUBSCRIBE of ${JSON.stringify(filter)} [MQTT-4.7.1-1 to 4.7.3-1]`, FOUR, of(0xa2, `0001 ${text(filter)}`), 0],
  ]),
  ['UNSUBSCRIBE of a malformed filter behind a good one', FIVE, of(0xa2, `0001 00 ${text('a')} ${text('a#')}`), 0x82],
  ['UNSUBSCRIBE of a filter with U+0000 [MQTT-4.7.3-2]', FIVE, of(0xa2, '0001 00 0001 00'), 0x81],
  ['UNSUBSCRIBE of a filter that is no UTF-8 [MQTT-3.10.3-1]', FIVE, of(0xa2, '0001 00 0002 c328'), 0x81],
  ['UNSUBSCRIBE with a property of SUBSCRIBE [MQTT5 2.2.2.2]', FIVE, of(0xa2, `0001 02 0b01 ${text('a')}`), 0x81],
  ['UNSUBSCRIBE with a filter cut short', BOTH, of(0xa2, '0001 00 0005 61'), 0x81],
  ['UNSUBSCRIBE without filters [MQTT-3.10.3-2]', FOUR, of(0xa2, '0001'), 0],
];

const DISCONNECTS: readonly Row[] = [
  ...except(0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99).map(
    (code): Row => [`DISCONNECT with reason code 0x${byte(code)} [MQTT-3.14.2-1]`, FIVE, of(0xe0, byte(code)), 0x82],
  ),
  ['DISCONNECT with a session expiry twice [MQTT5 3.14.2.2.2]', FIVE, of(0xe0, '00 0a 1100000000 1100000000'), 0x82],
  ['DISCONNECT with a reason string twice', FIVE, of(0xe0, `00 08 1f${text('a')} 1f${text('a')}`), 0x82],
  ['DISCONNECT with bytes behind its properties', FIVE, of(0xe0, '00 00 00'), 0x81],
  ['DISCONNECT with bytes [MQTT-3.14.1-1]', FOUR, of(0xe0, '00'), 0],
  ...Array.from(
    { length: 15 },
    (_, flags): Row => [`DISCONNECT with flags ${flags + 1} [MQTT-3.14.1-1]`, BOTH, of(0xe1 + flags, ''), 0x81],
  ),
];

const PUBLISHES: readonly Row[] = [
  ['PUBLISH of QoS 2', FOUR, of(0x34, `${text('a')} 0001 78`), 0],
  ['PUBLISH of QoS 3 [MQTT-3.3.1-4]', FIVE, of(0x36, `${text('a')} 0001 00 78`), 0x81],
  ['PUBLISH of QoS 0 with DUP [MQTT-3.3.1-2]', FOUR, of(0x38, `${text('a')} 78`), 0],
  ['PUBLISH on + [MQTT-3.3.2-2]', BOTH, of(0x30, `${text('a/+')} 00`), 0x90],
  ['PUBLISH of QoS 1 on a wildcard [MQTT-3.3.2-2]', BOTH, of(0x32, `${text('#')} 0001 00`), 0x90],
  ['PUBLISH with an alias that stands for nothing [MQTT5 3.3.4]', FIVE, of(0x30, '0000 03 230001 78'), 0x82],
  ['PUBLISH with an empty response topic [MQTT5 3.3.2.3.5]', FIVE, of(0x30, `${text('a')} 03 080000`), 0x82],
  ['PUBLISH with an alias twice [MQTT5 3.3.2.3.4]', FIVE, of(0x30, `${text('a')} 06 230001 230001`), 0x82],
  ['PUBLISH with a content type that is no UTF-8 [MQTT-3.3.2-19]', FIVE, of(0x30, `${text('a')} 05 030002c328`), 0x81],
  ['PUBLISH with half a topic length', BOTH, of(0x30, '00'), 0x81],
  ['PUBLISH without anything', BOTH, of(0x30, ''), 0x81],
];

const OTHERS: readonly Row[] = [
  ...Array.from({ length: 15 }, (_, flags): Row => [`PINGREQ with flags ${flags + 1}`, BOTH, of(0xc1 + flags, ''), 0x81]),
  ...[0, 1, 3, 4, 6, 8, 15].flatMap((flags): Row[] => [
    [`SUBSCRIBE with flags ${flags} [MQTT-3.8.1-1]`, BOTH, of(0x80 + flags, `0001 00 ${text('a')} 00`), 0x81],
    [`UNSUBSCRIBE with flags ${flags} [MQTT-3.10.1-1]`, BOTH, of(0xa0 + flags, `0001 00 ${text('a')}`), 0x81],
  ]),
  ['AUTH without a method [MQTT5 4.12]', FIVE, of(0xf0, ''), 0x82],
  ['AUTH to authenticate again [MQTT5 4.12.1]', FIVE, of(0xf0, `19 04 15${text('x')}`), 0x82],
];

for (const [kind, rows] of Object.entries({ PUBACKS, SUBSCRIBES, UNSUBSCRIBES, DISCONNECTS, PUBLISHES, OTHERS }))
  describe(kind, () => {
    test('each ends its connection and leaves one refusal', async () => {
      await using bench = await TestBench.open();
      for (const [name, levels, packet, reason] of rows)
        for (const level of levels) {
          const label = `v${level}: ${name}`;
          const peer = await bench.connected('c', { level });
          bench.refusals.length = 0;
          peer.raw(hex(packet));
          await bench.settle();
          assert.equal(peer.channel.closed, true, label);
          assert.equal(peer.channel.take().toString('hex'), level === 5 ? `e001${byte(reason)}` : '', label);
          assert.deepEqual(
            bench.refusals.map(({ clientId }) => clientId),
            ['c'],
            label,
          );
        }
      assert.deepEqual(bench.faults, []);
    });
  });

describe('what a client may send', () => {
  test('PUBACK with each reason code of a receiver, and for an identifier that is not in use', async () => {
    await using bench = await TestBench.open();
    const peer = await bench.connected('c', { level: 5 });
    for (const code of [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]) peer.raw(hex(of(0x40, `0007${byte(code)}`)));
    peer.raw(hex('c000'));
    await bench.settle();
    assert.equal(peer.channel.take().toString('hex'), 'd000');
  });

  test('UNSUBSCRIBE of a filter beyond the limits, or one that was never subscribed to: 0x11', async () => {
    await using bench = await TestBench.open();
    const peer = await bench.connected('c', { level: 5 });
    peer.raw(hex(of(0xa2, `0001 00 ${text('a/b/c/d/e/f/g/h/i')} ${text('$share/g/a')}`)));
    await bench.settle();
    assert.equal(peer.channel.take().toString('hex'), 'b0050001001111');
  });
});

/** CONNECTs of MQTT 5. One that can't be parsed gets no CONNACK: AWS has no reason code for it (developer guide, page mqtt). */
const fivePacket = (flags: string, properties: string, rest: string): string =>
  of(0x10, `${text('MQTT')} 05 ${flags} 003c ${byte(hex(properties).length)}${properties} ${rest}`);
const CONNECTS: readonly (readonly [name: string, packet: string, reason: number])[] = [
  ['reserved flag [MQTT-3.1.2-3]', fivePacket('03', '', text('c')), 0x81],
  ['will QoS without a will [MQTT-3.1.2-11]', fivePacket('0a', '', text('c')), 0x81],
  ['will retain without a will [MQTT-3.1.2-13]', fivePacket('22', '', text('c')), 0x81],
  ['will QoS 3 [MQTT-3.1.2-12]', fivePacket('1e', '', `${text('c')} 00 ${text('w')} 0000`), 0x81],
  ['Receive Maximum 0 [MQTT5 3.1.2.11.3]', fivePacket('02', '210000', text('c')), 0x82],
  ['Maximum Packet Size 0 [MQTT5 3.1.2.11.4]', fivePacket('02', '2700000000', text('c')), 0x82],
  ['Request Response Information 2 [MQTT5 3.1.2.11.6]', fivePacket('02', '1902', text('c')), 0x82],
  ['Request Problem Information 2 [MQTT5 3.1.2.11.7]', fivePacket('02', '1702', text('c')), 0x82],
  ['Session Expiry Interval twice [MQTT5 3.1.2.11.2]', fivePacket('02', '1100000001 1100000001', text('c')), 0x82],
  ['Topic Alias Maximum twice [MQTT5 3.1.2.11.5]', fivePacket('02', '220001 220001', text('c')), 0x82],
  ['authentication data without a method [MQTT5 3.1.2.11.10]', fivePacket('02', '16000101', text('c')), 0x82],
  ['a property of PUBLISH [MQTT5 2.2.2.2]', fivePacket('02', '230001', text('c')), 0x81],
  ['a will property among its own [MQTT5 2.2.2.2]', fivePacket('02', '1800000001', text('c')), 0x81],
  [
    'Will Delay Interval twice [MQTT5 3.1.3.2.2]',
    fivePacket('06', '', `${text('c')} 0a 1800000001 1800000001 ${text('w')} 0000`),
    0x82,
  ],
  ['a will format indicator of 2 [MQTT5 3.1.3.2.3]', fivePacket('06', '', `${text('c')} 02 0102 ${text('w')} 0000`), 0x82],
  [
    "a will's response topic with a wildcard [MQTT-3.3.2-14]",
    fivePacket('06', '', `${text('c')} 04 08${text('#')} ${text('w')} 0000`),
    0x82,
  ],
  ['a will topic with a wildcard [MQTT-4.7.1-1]', fivePacket('06', '', `${text('c')} 00 ${text('w/#')} 0000`), 0x90],
  ['an empty will topic [MQTT-4.7.3-1]', fivePacket('06', '', `${text('c')} 00 0000 0000`), 0x90],
  ['a will topic that is no UTF-8 [MQTT-3.1.3-11]', fivePacket('06', '', `${text('c')} 00 0002c328 0000`), 0x81],
  ['a client id that is no UTF-8 [MQTT-3.1.3-4]', fivePacket('02', '', '0002c328'), 0x81],
  ['a user name that is no UTF-8 [MQTT-3.1.3-12]', fivePacket('82', '', `${text('c')} 0002c328`), 0x81],
  ['a user name that is missing [MQTT-3.1.2-17]', fivePacket('82', '', text('c')), 0x81],
  ['a password that is missing [MQTT-3.1.2-19]', fivePacket('42', '', text('c')), 0x81],
  ['a will that is missing', fivePacket('06', '', text('c')), 0x81],
  ['bytes behind its fields', fivePacket('02', '', `${text('c')} 00`), 0x81],
  ['a user name without its flag [MQTT-3.1.2-16]', fivePacket('02', '', `${text('c')} ${text('u')}`), 0x81],
];
describe('CONNECT', () => {
  test('each is closed, with no other reason code than its own, and leaves one refusal', async () => {
    await using bench = await TestBench.open();
    for (const [name, packet, reason] of CONNECTS) {
      const peer = bench.peer(5).raw(hex(packet));
      await bench.settle();
      assert.equal(peer.channel.closed, true, name);
      const answer = peer.channel.take().toString('hex');
      assert.ok(answer === '' || answer === `200300${byte(reason)}00`, `${name}: ${answer}`);
      assert.equal(bench.refusals.splice(0).length, 1, name);
    }
    assert.equal(bench.broker.connections.count, 0);
  });

  test('other flags than 0 are malformed, and MQTT 3.1.1 is closed for its own rules [MQTT-2.2.2-2, MQTT-3.1.2-22]', async () => {
    await using bench = await TestBench.open();
    const four = (flags: string, rest: string, first = 0x10): string => of(first, `${text('MQTT')} 04 ${flags} 003c ${rest}`);
    const packets = [
      ...Array.from({ length: 15 }, (_, flags) => four('02', text('c'), 0x11 + flags)),
      ...['03', '0a', '22', '1e', '42'].map((flags) => four(flags, `${text('c')} ${text('w')} ${text('p')}`)),
      four('02', `${text('c')} 00`),
    ];
    for (const packet of packets) {
      const peer = bench.peer().raw(hex(packet));
      await bench.settle();
      assert.deepEqual([peer.channel.closed, peer.channel.take().length], [true, 0], packet);
    }
    assert.equal(bench.refusals.length, packets.length);
  });
});
