/** Frames of the vendor's host library and of real chips: the driver sends the same bytes, and the virtual chip answers so. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { I2cBus } from '../../buses/contract.ts';
import { virtualBus } from '../../buses/virtual-bus.ts';
import { memoryOnly } from '../../virtual-chips/memory-file.ts';
import { openVirtualOptiga } from '../../virtual-chips/optiga/virtual-optiga.ts';
import { crcKermit } from '../../virtual-chips/optiga/crc.ts';
import { CommandChannel, OPTIGA_COMMAND } from './command-channel.ts';
import { controlFrame, dataFrame, decodeFrame, frameCheck } from './frame.ts';
import { OptigaCommands } from './optiga-commands.ts';

const GOLDEN = JSON.parse(readFileSync(new URL('testing/ifx-frames.json', import.meta.url), 'utf8'));
const ADDRESS = 0x30;
const hex = (text: string): Buffer => Buffer.from(text, 'hex');

test('check sums', () => {
  const check = GOLDEN.check.fcs;
  assert.equal(frameCheck(Buffer.from(GOLDEN.check.text)).toString(16), check);
  assert.equal(crcKermit(Buffer.from(GOLDEN.check.text)).toString(16), check);
});

/** A driver on a bus that keeps the frames that are written. */
function recorded() {
  const frames: string[] = [];
  const states: string[] = [];
  const chip = virtualBus(openVirtualOptiga('optiga-trust-m', memoryOnly()));
  let register = 0;
  const bus: I2cBus = {
    ...chip,
    async write(address, bytes) {
      register = bytes[0] ?? 0;
      if (register === 0x80 && bytes.length > 1) frames.push(bytes.subarray(1).toString('hex'));
      await chip.write(address, bytes);
    },
    async read(address, length) {
      const bytes = await chip.read(address, length);
      if (register === 0x82) states.push(bytes.toString('hex'));
      return bytes;
    },
  };
  const channel = new CommandChannel(bus, ADDRESS);
  return { frames, states, channel, commands: new OptigaCommands(channel) };
}

test('the driver opens the application, and acknowledges', async () => {
  const { frames, states, commands } = recorded();
  for (let time = 0; time < 4; time += 1) await commands.metadata(0xe0f1);
  assert.equal(frames[0], GOLDEN.openApplication);
  assert.equal(frames[2], GOLDEN.metadataOfE0F1);
  const acknowledgements = frames.filter((_, index) => index % 2 === 1);
  assert.deepEqual(acknowledgements.slice(0, 4), GOLDEN.hostAcknowledges);
  assert.equal(states[0], GOLDEN.states.afterReset);
  assert.ok(states.includes(GOLDEN.states.acknowledgementReady) && states.includes(GOLDEN.states.answerReady));
});

test('the driver reads, makes keys, signs and draws', async () => {
  const read = recorded();
  await read.channel.run({
    command: OPTIGA_COMMAND.getDataObject,
    parameter: 0,
    data: hex('e0c20000ffff'),
    doing: 'read',
  });
  assert.equal(read.frames[2], GOLDEN.readUidAll);
  for (const [usage, golden] of [[0x13, GOLDEN.generateUsage13] as const, [0x10, GOLDEN.generateUsage10] as const]) {
    const { frames, commands } = recorded();
    await commands.generateKeyPair(0xe0f1, usage);
    assert.equal(frames[2], golden);
  }
  // These two were recorded as frames 2 and 3 that acknowledge frame 0: the packets are the driver's, the numbers theirs.
  const { frames, commands } = recorded();
  await commands.generateKeyPair(0xe0f1, 0x10);
  await commands.sign(0xe0f1, Buffer.alloc(32, 0x11));
  await commands.random(32);
  const packet = (frame = '') => decodeFrame(hex(frame))?.packet ?? Buffer.alloc(0);
  assert.equal(dataFrame(2, 0, packet(frames[4])).toString('hex'), GOLDEN.signFrame2);
  assert.equal(dataFrame(3, 0, packet(frames[6])).toString('hex'), GOLDEN.random32Frame3);
});

test('the driver resyncs', () => {
  assert.equal(controlFrame('resync', 0).toString('hex'), GOLDEN.resync);
});

/** A virtual chip that is talked to by hand. */
function byHand() {
  const chip = openVirtualOptiga('optiga-trust-m', memoryOnly());
  const pass = () => chip.elapse(0.1);
  const write = (frame: string): void => {
    pass();
    chip.write(ADDRESS, Buffer.concat([Buffer.of(0x80), hex(frame)]));
  };
  const read = (register: number, length: number): string => {
    pass();
    chip.write(ADDRESS, Buffer.of(register));
    pass();
    return chip.read(ADDRESS, length).toString('hex');
  };
  const state = (): string => read(0x82, 4);
  const frame = (): string => read(0x80, Number.parseInt(state().slice(4), 16));
  /** Sends a golden frame; the answer's frame, which is not acknowledged yet. */
  const ask = (golden: string): string => {
    write(golden);
    assert.equal(frame(), GOLDEN.hostAcknowledges[(Number.parseInt(golden.slice(0, 2), 16) >> 2) & 3]);
    chip.elapse(200);
    return frame();
  };
  return { chip, write, state, frame, ask };
}

test('the chip says when it is busy and what can be read, and opens its application', () => {
  const { chip, write, state, frame } = byHand();
  assert.equal(state(), GOLDEN.states.afterReset);
  write(GOLDEN.openApplication);
  assert.equal(state(), GOLDEN.states.acknowledgementReady);
  assert.equal(frame(), GOLDEN.chipAcknowledges);
  chip.elapse(50);
  assert.equal(state(), GOLDEN.states.answerReady);
  assert.equal(frame(), GOLDEN.opened);
  write(GOLDEN.hostAcknowledges[0]);
  assert.equal(state(), GOLDEN.states.afterReset);
});

const answerOf = (frame: string): string => frame.slice(8, -4);

test('the chip answers the frames of the host library', () => {
  const sizes = { readUid100: 27, readUidAll: 27, metadataOfE0F1: 13, generateUsage13: 71, generateUsage10: 71 } as const;
  for (const [name, size] of Object.entries(sizes)) {
    const { write, ask } = byHand();
    assert.equal(ask(GOLDEN.openApplication), GOLDEN.opened);
    write(GOLDEN.hostAcknowledges[0]);
    const answer = answerOf(ask(GOLDEN[name]));
    assert.equal(answer.slice(0, 8), `0000${size.toString(16).padStart(4, '0')}`, name);
    assert.equal(answer.length, (4 + size) * 2);
    if (name === 'metadataOfE0F1') assert.equal(answer.slice(8), '200bc00101d003e1fc07d30100');
    if (name.startsWith('readUid')) assert.match(answer.slice(8), /^cd16338201/);
    if (name.startsWith('generate')) assert.match(answer.slice(8), /^02004403420004/);
  }
});

test('the chip signs and draws at the frames of the host library', () => {
  const { write, ask } = byHand();
  ask(GOLDEN.openApplication);
  write(GOLDEN.hostAcknowledges[0]);
  ask(GOLDEN.generateUsage10);
  // The recorded host acknowledges frame 0 here, so the answer is none of its concern.
  const signature = answerOf(ask(GOLDEN.signFrame2));
  assert.match(signature, /^000000(44|45|46|43|42)02/);
  const random = answerOf(ask(GOLDEN.random32Frame3));
  assert.equal(random.slice(0, 8), '00000020');
  assert.equal(random.length, 72);
});

test('the chip begins anew at a resync, repeats what is asked for again, and asks again for what is damaged', () => {
  const { write, ask, frame } = byHand();
  ask(GOLDEN.openApplication);
  write(controlFrame('nak', 0).toString('hex'));
  assert.equal(frame(), GOLDEN.opened);
  write(GOLDEN.resync);
  assert.equal(ask(GOLDEN.openApplicationClearingError), GOLDEN.opened);
  write(GOLDEN.hostAcknowledges[0]);
  write(`${GOLDEN.metadataOfE0F1.slice(0, -2)}00`);
  assert.equal(frame(), controlFrame('nak', 1).toString('hex'));
  ask(GOLDEN.metadataOfE0F1);
  // The same frame once more is acknowledged, and not run again.
  write(GOLDEN.metadataOfE0F1);
  assert.equal(frame(), GOLDEN.hostAcknowledges[1]);
});
