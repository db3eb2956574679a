/** A virtual ATECC as its bus sees it, packet by packet, without the driver. */
import assert from 'node:assert/strict';
import { createECDH, createPublicKey, generateKeyPairSync, sign as signWithNode } from 'node:crypto';
import { suite, test } from 'node:test';
import { BusError } from '../../buses/contract.ts';
import { memoryOnly } from '../memory-file.ts';
import { packetChecksum } from './checksum.ts';
import { type AteccState, newAteccState, type VirtualAteccKind } from './silicon.ts';
import { VirtualAtecc } from './virtual-atecc.ts';

const ADDRESS = 0x60;
const WOKEN = '04113343';

class Host {
  readonly chip: VirtualAtecc;
  readonly memory = memoryOnly<AteccState>();

  constructor(kind: VirtualAteccKind, change: (state: AteccState) => AteccState = (state) => state) {
    this.memory.save(change(newAteccState(kind, '0123456789abcdefee')));
    this.chip = new VirtualAtecc(this.memory);
  }

  isAcknowledged(transfer: () => void): boolean {
    try {
      transfer();
      return true;
    } catch (error) {
      assert.ok(error instanceof BusError && error.code === 'nack');
      return false;
    }
  }

  wake(): void {
    assert.equal(
      this.isAcknowledged(() => this.chip.write(0, Buffer.of(0))),
      false,
    );
    this.chip.elapse(1.6);
  }

  packet(opcode: number, mode: number, param: number, data: Buffer = Buffer.alloc(0)): Buffer {
    const body = Buffer.concat([Buffer.of(7 + data.length, opcode, mode, param & 0xff, param >> 8), data]);
    const crc = packetChecksum(body);
    return Buffer.concat([Buffer.of(3), body, Buffer.of(crc & 0xff, crc >> 8)]);
  }

  /** The content of the answer, in hexadecimal; the chip has to be awake. */
  tell(opcode: number, mode: number, param: number, data?: Buffer): string {
    this.chip.write(ADDRESS, this.packet(opcode, mode, param, data));
    this.chip.elapse(120);
    const answer = this.chip.read(ADDRESS, 75);
    const length = answer[0] ?? 0;
    assert.equal(packetChecksum(answer.subarray(0, length - 2)), answer.readUInt16LE(length - 2));
    return answer.toString('hex', 1, length - 2);
  }

  /** The same for a chip that rests before and after. */
  ask(opcode: number, mode: number, param: number, data?: Buffer): string {
    this.wake();
    const answer = this.tell(opcode, mode, param, data);
    this.chip.write(ADDRESS, Buffer.of(2));
    return answer;
  }
}

/** Locks of both zones, and configurations of slots: SlotConfig, KeyConfig. */
const configured =
  (slots: Readonly<Record<number, readonly [number, number]>>) =>
  (state: AteccState): AteccState => {
    const config = Buffer.from(state.config, 'hex');
    config[86] = 0;
    config[87] = 0;
    for (const [slot, [slotConfig, keyConfig]] of Object.entries(slots)) {
      config.writeUInt16LE(slotConfig, 20 + 2 * Number(slot));
      config.writeUInt16LE(keyConfig, 96 + 2 * Number(slot));
    }
    return { ...state, config: config.toString('hex') };
  };

const SIGNS_AND_AGREES = [0x2087, 0x0033] as const;

suite('waking, resting, sleeping', () => {
  test('asleep it acknowledges nothing; woken it says so after its time', () => {
    const { chip, ...host } = new Host('atecc508a');
    const acknowledges = (transfer: () => void): boolean => new Host('atecc508a').isAcknowledged(transfer);
    assert.equal(
      acknowledges(() => chip.read(ADDRESS, 4)),
      false,
    );
    assert.ok(host.memory.load() !== undefined);
    acknowledges(() => chip.write(0, Buffer.of(0)));
    chip.elapse(1);
    assert.equal(
      acknowledges(() => chip.read(ADDRESS, 4)),
      false,
    );
    chip.elapse(0.6);
    assert.equal(chip.read(ADDRESS, 4).toString('hex'), WOKEN);
    // Behind the end the line stays high.
    assert.equal(chip.read(ADDRESS, 2).toString('hex'), 'ffff');
    chip.write(ADDRESS, Buffer.of(0));
    assert.equal(chip.read(ADDRESS, 4).toString('hex'), WOKEN);
    assert.equal(
      acknowledges(() => chip.read(ADDRESS + 1, 4)),
      false,
    );
  });

  test('the watchdog puts it to sleep 1.3 s after it was woken, or 13 s with ChipMode bit 2 of an ATECC608', () => {
    const longer = (state: AteccState): AteccState => ({
      ...state,
      config: `${state.config.slice(0, 38)}04${state.config.slice(40)}`,
    });
    for (const [host, milliseconds] of [
      [new Host('atecc508a'), 1300],
      [new Host('atecc508a', longer), 1300],
      [new Host('atecc608'), 1300],
      [new Host('atecc608', longer), 13_000],
    ] as const) {
      host.wake();
      host.chip.elapse(milliseconds - 10);
      assert.equal(
        host.isAcknowledged(() => host.chip.read(ADDRESS, 1)),
        true,
      );
      host.chip.elapse(10);
      assert.equal(
        host.isAcknowledged(() => host.chip.read(ADDRESS, 1)),
        false,
      );
    }
  });

  test('it does not acknowledge while it works, as long as the command takes', () => {
    for (const [kind, sign] of [
      ['atecc508a', 60],
      ['atecc608', 115],
    ] as const) {
      const host = new Host(kind);
      host.wake();
      host.chip.write(ADDRESS, host.packet(0x41, 0x80, 0));
      host.chip.elapse(sign - 1);
      assert.equal(
        host.isAcknowledged(() => host.chip.write(ADDRESS, Buffer.of(0))),
        false,
      );
      host.chip.elapse(1.1);
      assert.equal(
        host.isAcknowledged(() => host.chip.write(ADDRESS, Buffer.of(0))),
        true,
      );
    }
  });

  test('resting keeps TempKey, sleeping and the watchdog lose it', () => {
    const host = new Host('atecc508a', configured({ 0: SIGNS_AND_AGREES }));
    host.ask(0x40, 4, 0);
    const load = (): string => host.ask(0x16, 3, 0, Buffer.alloc(32, 1));
    assert.equal(load(), '00');
    assert.equal(host.ask(0x30, 2, 0), '00800000');
    assert.equal(host.ask(0x41, 0x80, 0).length, 128);
    // It is gone once it was used.
    assert.equal(host.ask(0x41, 0x80, 0), '0f');
    load();
    host.wake();
    host.chip.write(ADDRESS, Buffer.of(1));
    assert.equal(host.ask(0x41, 0x80, 0), '0f');
    load();
    host.wake();
    host.chip.elapse(1400);
    assert.equal(host.ask(0x41, 0x80, 0), '0f');
  });
});

suite('packets', () => {
  test('a packet that is damaged or of no length is answered with FF', () => {
    const host = new Host('atecc608');
    const whole = host.packet(0x30, 0, 0);
    for (let bit = 8; bit < whole.length * 8; bit += 1) {
      const damaged = Buffer.from(whole);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      host.wake();
      host.chip.write(ADDRESS, damaged);
      host.chip.elapse(5);
      assert.equal(host.chip.read(ADDRESS, 4).toString('hex'), '04ff0142', `bit ${bit}`);
      host.chip.write(ADDRESS, Buffer.of(2));
    }
    for (const bytes of [Buffer.of(3), whole.subarray(0, 5), Buffer.alloc(200, 3), Buffer.of(3, 4, 0, 3, 0x40)]) {
      host.wake();
      host.chip.write(ADDRESS, bytes);
      assert.equal(host.chip.read(ADDRESS, 4).toString('hex'), '04ff0142');
      host.chip.write(ADDRESS, Buffer.of(2));
    }
  });

  test('commands that it does not know, and parameters that no command has, are parse errors', () => {
    const host = new Host('atecc508a');
    for (const opcode of [0x00, 0x01, 0x08, 0x11, 0x13, 0x15, 0x1c, 0x28, 0x46, 0x51, 0x56, 0x77, 0x80, 0xff])
      assert.equal(host.ask(opcode, 0, 0), '03', opcode.toString(16));
    for (const [opcode, mode, param, length] of [
      [0x30, 1, 0, 0],
      [0x02, 0x03, 0, 0],
      [0x02, 0x80, 0x20, 0],
      [0x02, 0x82, 0x0300, 0],
      [0x12, 0x80, 0, 4],
      [0x16, 0x43, 0, 32],
      [0x16, 0x03, 0, 31],
      [0x17, 0x03, 0, 0],
      [0x40, 0x04, 16, 0],
      [0x40, 0x04, 0xffff, 0],
      [0x41, 0x00, 0, 0],
      [0x41, 0xa0, 0, 0],
      [0x43, 0x0d, 0xffff, 64],
      [0x43, 0x0c, 0, 64],
      [0x43, 0x00, 0, 63],
      [0x45, 0x02, 5, 128],
      [0x45, 0x03, 0, 64],
      [0x47, 0x01, 63, 63],
      [0x47, 0x04, 0, 0],
    ] as const)
      assert.equal(host.ask(opcode, mode, param, Buffer.alloc(length)), '03', `${opcode.toString(16)} ${mode.toString(16)}`);
  });
});

suite('locks and slots', () => {
  test('a zone is locked under the checksum of its content alone, and once', () => {
    const host = new Host('atecc508a');
    const config = Buffer.from(host.memory.load()?.config ?? '', 'hex');
    assert.equal(host.ask(0x17, 1, 0), '0f');
    assert.equal(host.ask(0x17, 0, packetChecksum(config) ^ 1), '0f');
    assert.equal(host.ask(0x17, 0, packetChecksum(config)), '00');
    assert.equal(host.ask(0x17, 0x80, 0), '0f');
    assert.equal(host.ask(0x12, 0, 4, Buffer.alloc(4)), '0f');
    const { slots = [], otp = '' } = host.memory.load() ?? {};
    const content = Buffer.from([...slots, otp].join(''), 'hex');
    assert.equal(host.ask(0x02, 0x81, 0), '0f');
    assert.equal(host.ask(0x12, 0x81, 0, Buffer.alloc(32, 7)), '00');
    assert.equal(host.ask(0x17, 1, packetChecksum(content)), '0f');
    Buffer.alloc(32, 7).copy(content, content.length - 64);
    assert.equal(host.ask(0x17, 1, packetChecksum(content)), '00');
    assert.equal(host.ask(0x02, 0x81, 0), '07'.repeat(32));
    assert.equal(host.ask(0x12, 0x81, 0, Buffer.alloc(32)), '0f');
  });

  test("the maker's bytes and both locks are never written, by whatever address", () => {
    const host = new Host('atecc608');
    const before = host.memory.load()?.config;
    for (const [mode, param, length] of [
      [0, 0, 4],
      [0, 3, 4],
      [0, 0x15, 4],
      [0x80, 0, 32],
      [0x80, 0x10, 32],
    ] as const)
      assert.equal(host.ask(0x12, mode, param, Buffer.alloc(length)), '0f');
    assert.equal(host.memory.load()?.config, before);
  });

  test('the secret of ECDH goes into the next slot where SlotConfig says so, and out in the clear where it does not', () => {
    const keeps = [0x208f, 0x0033] as const;
    const host = new Host('atecc608', configured({ 0: keeps, 2: SIGNS_AND_AGREES }));
    const point = Buffer.from(host.ask(0x40, 4, 0), 'hex');
    const peer = createECDH('prime256v1');
    const peerPoint = peer.generateKeys().subarray(1);
    const secret = peer.computeSecret(Buffer.concat([Buffer.of(4), point])).toString('hex');
    assert.equal(host.ask(0x43, 0, 0, peerPoint), '00');
    assert.equal(host.memory.load()?.slots[1]?.slice(0, 64), secret);
    assert.equal(host.ask(0x43, 0x0c, 0, peerPoint), '0f');
    const other = Buffer.from(host.ask(0x40, 4, 2), 'hex');
    const clear = peer.computeSecret(Buffer.concat([Buffer.of(4), other])).toString('hex');
    assert.equal(host.ask(0x43, 0, 2, peerPoint), clear);
    assert.equal(host.ask(0x43, 0x0c, 2, peerPoint), clear);
    const ephemeral = Buffer.from(host.ask(0x40, 4, 0xffff), 'hex');
    const agreed = peer.computeSecret(Buffer.concat([Buffer.of(4), ephemeral])).toString('hex');
    // The second parameter is ignored there: the host library has 0, the Zero Touch kit FFFF.
    assert.equal(host.ask(0x43, 0x0d, 0, peerPoint), agreed);
    assert.equal(host.ask(0x43, 0x0d, 0xffff, peerPoint), agreed);
    assert.equal(host.ask(0x43, 0, 2, Buffer.alloc(64, 1)), '05');
  });

  test('a stored public key verifies; a private key is read by nothing', () => {
    const host = new Host('atecc508a', configured({ 0: SIGNS_AND_AGREES, 11: [0x0f0f, 0x0030] }));
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const point = publicKey.export({ type: 'spki', format: 'der' }).subarray(-64);
    const padding = Buffer.alloc(4);
    const stored = Buffer.concat([padding, point.subarray(0, 32), padding, point.subarray(32), Buffer.alloc(24)]);
    for (let block = 0; block < 3; block += 1)
      assert.equal(host.ask(0x12, 0x82, (block << 8) | (11 << 3), stored.subarray(block * 32, block * 32 + 32)), '00');
    const message = Buffer.from('message');
    const signature = signWithNode('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' });
    const digest = Buffer.from('ab530a13e45914982b79f9b7e3fba994cfd1f3fb22f71cea1afbf02b460c6d1d', 'hex');
    host.ask(0x16, 3, 0, digest);
    assert.equal(host.ask(0x45, 0, 11, signature), '00');
    host.ask(0x16, 3, 0, digest);
    assert.equal(host.ask(0x45, 0, 11, Buffer.alloc(64, 3)), '01');
    host.ask(0x16, 3, 0, digest);
    assert.equal(host.ask(0x45, 0, 0, signature), '0f');

    host.ask(0x40, 4, 0);
    const secret = host.memory.load()?.slots[0]?.slice(8, 72) ?? '';
    const jwk = host.chip.privateKeyForTls(0).export({ format: 'jwk' });
    assert.equal(Buffer.from(jwk.d ?? '', 'base64url').toString('hex'), secret);
    assert.equal(createPublicKey(host.chip.privateKeyForTls(0)).export({ format: 'jwk' }).x?.length, 43);
    for (const [mode, param] of [
      [0x82, 0],
      [0x02, 0],
      [0x82, 0x0100],
    ] as const)
      assert.equal(host.ask(0x02, mode, param), '0f');
  });
});
