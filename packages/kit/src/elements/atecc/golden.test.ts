/** Everything that the driver writes, against the packets of Microchip's host library; and what the virtual chip answers to them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { suite, test } from 'node:test';
import { BusError, type I2cBus } from '../../buses/contract.ts';
import { packetChecksum } from '../../virtual-chips/atecc/checksum.ts';
import { type AteccState, newAteccState } from '../../virtual-chips/atecc/silicon.ts';
import { VirtualAtecc } from '../../virtual-chips/atecc/virtual-atecc.ts';
import { memoryOnly } from '../../virtual-chips/memory-file.ts';
import { AteccChip } from './chip.ts';
import { type AteccKind, commandsOf } from './commands.ts';
import { AteccLink } from './link.ts';
import { ateccCrc, encodeCommand } from './packets.ts';
import { goldenSteps, goldenValue } from './testing/golden-packets.ts';

const KINDS = ['atecc508a', 'atecc608'] as const;
const DIGEST = Buffer.alloc(32, 0x11);
const SIGNATURE = Buffer.alloc(64, 0x22);
const POINT = Buffer.alloc(64, 0x33);

function packet(content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.of(content.length + 3), content]);
  const crc = packetChecksum(body);
  return Buffer.concat([body, Buffer.of(crc & 0xff, crc >> 8)]);
}

/** Lengths of data that answer a command of this opcode and first parameter; a status where it is 0. */
function answerLength(opcode: number, param1: number): number {
  if (opcode === 0x40 || opcode === 0x41) return 64;
  if (opcode === 0x1b || opcode === 0x43) return 32;
  if (opcode === 0x02) return param1 >= 0x80 ? 32 : 4;
  if (opcode === 0x30 || opcode === 0x24) return 4;
  if (opcode === 0x16) return param1 <= 1 ? 32 : 0;
  return opcode === 0x47 && param1 === 2 ? 32 : 0;
}

/** A bus that writes down what is written, and answers with well-formed packets. */
function recordingBus(): { readonly bus: I2cBus; readonly written: string[] } {
  const written: string[] = [];
  let answer: Buffer = Buffer.alloc(0);
  let at = 0;
  const bus: I2cBus = {
    async write(address, bytes) {
      at = 0;
      if (address === 0) {
        answer = Buffer.from('04113343', 'hex');
        throw new BusError('nack', 'asleep');
      }
      assert.equal(address, 0x60);
      const [word, , opcode = 0, param1 = 0] = bytes;
      if (word !== 3) {
        assert.equal(bytes.length, 1);
        written.push(`W wordaddr=0${word}`);
        return;
      }
      written.push(`W 03 ${bytes.toString('hex', 1)}`);
      answer = packet(Buffer.alloc(answerLength(opcode, param1) || 1));
    },
    async read(address, length) {
      assert.equal(address, 0x60);
      at += length;
      return answer.subarray(at - length, at);
    },
    async pause() {},
    async [Symbol.asyncDispose]() {},
  };
  return { bus, written };
}

/** What the driver does for each step of the traces. */
function callsOf(kind: AteccKind): Readonly<Record<string, (chip: AteccChip) => Promise<unknown>>> {
  const commands = commandsOf(kind);
  const padding = Buffer.alloc(4);
  const slotForm = Buffer.concat([padding, POINT.subarray(32), padding, POINT.subarray(32)]);
  const slot = (number: number): Buffer => goldenValue(kind, `slot${number} `);
  return {
    'info 0': (chip) => chip.info(),
    'random 0': (chip) => chip.random(),
    'read_sn 0': (chip) => chip.serialNumber(),
    'is_locked 0': (chip) => chip.zones.readLockWord(),
    'genkey slot0 0': (chip) => chip.keys.generate(0),
    'pubkey slot0 0': (chip) => chip.keys.point(0),
    'sign slot0 0': (chip) => chip.keys.sign(0, DIGEST),
    'verify_extern 0': (chip) => chip.keys.verifyExternal(DIGEST, SIGNATURE, POINT),
    'ecdh slot2 0': (chip) => (kind === 'atecc608' ? chip.keys.agreeEphemeral(POINT) : chip.keys.agree(2, POINT)),
    'write_pubkey slot15 0': (chip) => chip.zones.writeSlot(15, slotForm),
    'read_pubkey slot11 0': (chip) => chip.zones.readPublicKeySlot(11),
    'read slot10 72 bytes 0': (chip) => chip.zones.readSlot(10),
    'write slot8 416.. 0': (chip) => chip.zones.writeSlot(8, Buffer.alloc(64)),
    'write_config 0': (chip) => chip.zones.writeConfig(Buffer.alloc(128, 0x44)),
    'lock cfg 0': (chip) => chip.link.execute(commands.lockConfig()),
    'lock cfg crc 0': (chip) => chip.link.execute(commands.lockConfig(0x1234)),
    'lock data 0': (chip) => chip.link.execute(commands.lockData()),
    'lock slot 5 0': (chip) => chip.link.execute(commands.lockSlot(5)),
    'nonce rand 0': (chip) => chip.randomNonce(Buffer.alloc(20, 0x11)),
    'counter inc0 -26': (chip) => chip.link.execute(commands.incrementCounter(0)),
    'sha 0': (chip) => chip.sha(Buffer.alloc(70, 0x44)),
    // The signer's certificate: compressed, its serial number and dates, its public key. Then the device's.
    'write_cert rc=0 1': async (chip) => {
      await chip.zones.writeSlot(12, slot(12));
      await chip.zones.writeSlot(14, slot(14).subarray(0, 64));
      await chip.zones.writeSlot(11, slot(11));
    },
    'write_cert rc=0 2': (chip) => chip.zones.writeSlot(10, slot(10)),
  };
}

for (const kind of KINDS)
  suite(`golden packets of the ${kind}`, () => {
    const calls = callsOf(kind);
    const isCertificate = ({ name }: { readonly name: string }): boolean => name === 'write_cert rc=0';
    const traced = goldenSteps(kind);
    const certificates = traced.filter(isCertificate);
    const steps = traced.map((step) =>
      isCertificate(step) ? { ...step, name: `${step.name} ${certificates.indexOf(step) + 1}` } : step,
    );

    test('every step of the trace is one of the driver', () => {
      assert.deepEqual(steps.map(({ name }) => name).sort(), Object.keys(calls).sort());
      assert.equal(steps.flatMap(({ writes }) => writes.filter((line) => line.startsWith('W 03'))).length, 59);
    });

    for (const { name, writes } of steps)
      test(`writes byte for byte: ${name}`, async () => {
        const { bus, written } = recordingBus();
        await calls[name]?.(new AteccChip(new AteccLink(bus, 0x60), kind));
        // SHA is asked for twice, and both results compared.
        const expected = name === 'sha 0' ? [...writes, ...writes] : writes;
        assert.deepEqual(written, expected);
      });

    test('the checksums of the driver and of the virtual chip agree with the trace, and with the known check value', () => {
      const known = Buffer.from('123456789');
      assert.equal(ateccCrc(known).toString('hex'), 'ddbc');
      assert.equal(packetChecksum(known), 0xbcdd);
      for (const line of steps.flatMap(({ writes }) => writes.filter((each) => each.startsWith('W 03 ')))) {
        const bytes = Buffer.from(line.slice(5), 'hex');
        assert.equal(packetChecksum(bytes.subarray(0, -2)), bytes.readUInt16LE(bytes.length - 2), line);
      }
    });

    test('the virtual chip answers to the trace, packet by packet, as a new chip does', () => {
      const memory = memoryOnly<AteccState>();
      memory.save(newAteccState(kind, '0123456789abcdefee'));
      const chip = new VirtualAtecc(memory);
      const [done, refused, fault] = ['04000340', '040f2342', '0405c343'];
      const random = packet(Buffer.from('ffff0000'.repeat(8), 'hex')).toString('hex');
      const is608 = kind === 'atecc608';
      const answers: Readonly<Record<string, readonly (string | RegExp)[]>> = {
        'info 0': [is608 ? '07000060028038' : '07000050000391'],
        'random 0': [random],
        'read_sn 0': [/^23012345670000[56]00/],
        'is_locked 0': [packet(Buffer.from('00005555', 'hex')).toString('hex')],
        'genkey slot0 0': [refused],
        'pubkey slot0 0': [refused],
        'sign slot0 0': [random, done, refused],
        // The point of the trace is not on the curve.
        'verify_extern 0': [done, fault],
        'ecdh slot2 0': [refused],
        // No data is written, and none is read, while the configuration is open.
        'write_pubkey slot15 0': [refused, refused, refused],
        'read_pubkey slot11 0': [refused, refused, refused],
        'read slot10 72 bytes 0': [refused, refused, refused, refused],
        'write slot8 416.. 0': [refused, refused],
        'write_config 0': Array.from({ length: 15 }, () => done),
        'lock cfg 0': [done],
        'lock cfg crc 0': [refused],
        'lock data 0': [done],
        // The configuration of the trace lets no slot be locked by itself.
        'lock slot 5 0': [refused],
        'nonce rand 0': [/^23.{68}$/],
        'counter inc0 -26': [packet(Buffer.of(1, 0, 0, 0)).toString('hex')],
        'sha 0': [done, done, packet(createHash('sha256').update(Buffer.alloc(70, 0x44)).digest()).toString('hex')],
        // WriteConfig of the trace's configuration asks for encryption.
        'write_cert rc=0 1': Array.from({ length: 8 }, () => refused),
        'write_cert rc=0 2': Array.from({ length: 3 }, () => refused),
      };
      let place = 0x60;
      for (const { name, writes } of steps) {
        const got = writes.flatMap((line) => {
          if (line.includes('=02')) {
            chip.write(place, Buffer.of(2));
            return [];
          }
          if (line.includes('=00')) {
            chip.elapse(120);
            chip.write(place, Buffer.of(0));
            const head = chip.read(place, 1);
            return [Buffer.concat([head, chip.read(place, (head[0] ?? 0) - 1)]).toString('hex')];
          }
          try {
            chip.write(0, Buffer.of(0));
          } catch (error) {
            assert.ok(error instanceof BusError);
          }
          chip.elapse(2);
          assert.equal(chip.read(place, 4).toString('hex'), '04113343');
          chip.write(place, Buffer.concat([Buffer.of(3), Buffer.from(line.slice(5), 'hex')]));
          return [];
        });
        const expected = answers[name] ?? [];
        assert.equal(got.length, expected.length, name);
        for (const [index, answer] of got.entries()) {
          const want = expected[index];
          if (want instanceof RegExp) assert.match(answer, want, name);
          else assert.equal(answer, want, `${name} ${index}`);
        }
        place = 0x60;
      }
    });
  });

test('commands are put into packets with their parameters in the order of the wire', () => {
  const command = { name: 'x', opcode: 0x17, param1: 0, param2: 0x1234, answer: 0 };
  assert.equal(encodeCommand(command).toString('hex'), '0307170034129d64');
});
