/** The bus of Linux, as far as there is none: what is said, and to whom. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ElementError } from '../elements/contract.ts';
import { NativeFault } from '../native/native-fault.ts';
import type { NativeProcess } from '../native/native-process.ts';
import { BusError } from './contract.ts';
import { openLinuxBus } from './linux-bus.ts';
import { openBus } from './place.ts';

const folder = mkdtempSync(join(tmpdir(), 'thingkit-bus-'));
after(() => rmSync(folder, { recursive: true }));

const noChip = (): never => assert.fail('no virtual chip is asked for');

test('a bus that is not there is said with the module of the kernel that makes it', async () => {
  await assert.rejects(openBus('/dev/i2c-987654', noChip), (error: unknown) => {
    assert.ok(error instanceof ElementError && error.code === 'communication', String(error));
    assert.match(error.hint ?? '', /modprobe i2c-dev/);
    return true;
  });
});

test('a file that is no bus opens, and the first transfer says so', async () => {
  await using bus = await openBus('/dev/null', noChip);
  const isNone = (error: unknown): boolean =>
    error instanceof BusError && error.code === 'failed' && /no I2C bus \(ENOTTY\)/.test(error.message);
  await assert.rejects(bus.write(0x60, Buffer.of(0)), isNone);
  await assert.rejects(bus.read(0x60, 4), isNone);
  await assert.rejects(bus.read(0x60, 0), BusError);
  const plain = join(folder, 'plain');
  writeFileSync(plain, 'x');
  await using file = await openLinuxBus(plain);
  await assert.rejects(file.read(0x60, 1), isNone);
});

/** A process of native code whose calls end as `outcome` says. */
const answering = (outcome: (name: string, args: unknown[]) => unknown): NativeProcess =>
  ({
    generation: 1,
    call: async (name: string, ...args: unknown[]) => outcome(name, args),
    [Symbol.asyncDispose]: async () => undefined,
  }) as unknown as NativeProcess;

test('what adapters say of a chip that does not acknowledge is a nack, and anything else is none', async () => {
  const codes = { ENXIO: 'nack', EREMOTEIO: 'nack', EIO: 'nack', ETIMEDOUT: 'nack', EBUSY: 'failed', EINVAL: 'failed' };
  for (const [code, expected] of Object.entries(codes)) {
    await using bus = await openLinuxBus(
      '/dev/i2c-1',
      answering((name) => {
        if (name !== 'openBus') throw new NativeFault('system', `write: ${code}`, code);
      }),
    );
    await assert.rejects(
      bus.write(0x60, Buffer.of(3)),
      (error: unknown) => error instanceof BusError && error.code === expected,
      code,
    );
  }
});

test('a user who may not open the bus is told of the group', async () => {
  const native = answering(() => {
    throw new NativeFault('system', 'open: EACCES', 'EACCES');
  });
  await assert.rejects(openLinuxBus('/dev/i2c-1', native), (error: unknown) => {
    assert.ok(error instanceof ElementError && error.code === 'communication');
    assert.match(error.hint ?? '', /group|-aG i2c/);
    return true;
  });
});

test('transfers go to the address that they name, and their bytes come back', async () => {
  const seen: unknown[] = [];
  await using bus = await openLinuxBus(
    '/dev/i2c-1',
    answering((name, args) => {
      seen.push([name, ...args]);
      return name === 'readBus' ? Buffer.of(4, 0x11, 0x33, 0x43) : undefined;
    }),
  );
  await bus.write(0x60, Buffer.of(3, 7));
  assert.deepEqual(await bus.read(0x60, 4), Buffer.of(4, 0x11, 0x33, 0x43));
  await bus.pause(1);
  assert.deepEqual(seen.at(-2), ['writeBus', 0x60, Buffer.of(3, 7)]);
  assert.deepEqual(seen.at(-1), ['readBus', 0x60, 4]);
});
