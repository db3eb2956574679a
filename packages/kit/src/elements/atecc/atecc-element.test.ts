/** The contract with both kinds of chip under both known configurations, and what is this kind's own. */
import assert from 'node:assert/strict';
import { createHash, createPublicKey, generateKeyPairSync, sign as signWithNode } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import type { I2cBus } from '../../buses/contract.ts';
import { virtualBus } from '../../buses/virtual-bus.ts';
import { openElement } from '../../open-element.ts';
import { type AteccState, newAteccState } from '../../virtual-chips/atecc/silicon.ts';
import { VirtualAtecc } from '../../virtual-chips/atecc/virtual-atecc.ts';
import { makeVirtualChip } from '../../virtual-chips/kinds.ts';
import { memoryFile, memoryOnly } from '../../virtual-chips/memory-file.ts';
import { pointOfSpki } from '../p256.ts';
import { slotFormOfSpki } from '../slot-public-key.ts';
import { contractSuite, refuses } from '../testing/contract-suite.ts';
import { AteccElement } from './atecc-element.ts';
import type { AteccKind } from './commands.ts';
import {
  CONFIGURATION_NAMES,
  type ConfigurationName,
  configurationOn,
  nameOfConfiguration,
  writeConfiguration,
} from './configurations.ts';

const folder = mkdtempSync(join(tmpdir(), 'thingkit-test-'));
after(() => rmSync(folder, { recursive: true }));
const KINDS = ['atecc508a', 'atecc608'] as const;
const SERIAL_NUMBER = '0123456789abcdefee';

function newChip(kind: AteccKind): { readonly chip: VirtualAtecc; readonly element: AteccElement } {
  const memory = memoryOnly<AteccState>();
  memory.save(newAteccState(kind, SERIAL_NUMBER));
  const chip = new VirtualAtecc(memory);
  return { chip, element: new AteccElement(virtualBus(chip), kind) };
}

/** Configures the chip and locks both zones. */
async function configure(element: AteccElement, name: ConfigurationName, { isLocked = true } = {}): Promise<Buffer> {
  return element.exclusively(async (chip) => {
    const config = configurationOn(name, await chip.zones.readConfig());
    await writeConfiguration(chip.link, chip.zones, config);
    if (isLocked) {
      await chip.locks.lockConfig('for-good', config);
      await chip.locks.lockData('for-good');
    }
    return config;
  });
}

const SETTINGS = {
  'zero-touch': { keys: ['2', '3'], address: '0x58' },
  arduino: { keys: ['1', '2'], address: '0x60' },
} as const;

for (const kind of KINDS)
  for (const name of CONFIGURATION_NAMES) {
    const path = join(folder, `${kind}-${name}.json`);
    const { keys, address } = SETTINGS[name];
    let isConfigured = false;
    contractSuite(`${kind}, ${name}`, {
      open: async () => {
        if (!isConfigured) {
          makeVirtualChip(kind, path);
          const first = await openElement(`${kind}:virtual:${path}`);
          assert.ok(first instanceof AteccElement);
          await configure(first, name);
          await first[Symbol.asyncDispose]();
          isConfigured = true;
        }
        return openElement(`${kind}:virtual:${path}?address=${address}&key=${keys[0]}`);
      },
      keys,
      emptyKey: '0',
      malformedKey: '16',
      object: { name: '8', length: 416 },
      malformedObject: '7',
    });
  }

for (const kind of KINDS)
  suite(`${kind}: what is its own`, () => {
    test('says what it is; a chip of the other kind is told apart', async () => {
      const path = join(folder, `${kind}-kind.json`);
      makeVirtualChip(kind, path, SERIAL_NUMBER);
      assert.equal(statSync(path).mode & 0o777, 0o600);
      await using element = await openElement(`${kind}:virtual:${path}`);
      const { serialNumber, revision } = await element.identify();
      assert.equal(serialNumber, SERIAL_NUMBER);
      assert.equal(revision, kind === 'atecc608' ? '00006002' : '00005000');
      const other = kind === 'atecc608' ? 'atecc508a' : 'atecc608';
      await assert.rejects(openElement(`${other}:virtual:${path}`), (error: Error & { hint?: string }) => {
        assert.ok(refuses('invalid')(error));
        assert.match(error.hint ?? '', new RegExp(`use ${kind}:`));
        return true;
      });
      await assert.rejects(openElement(`${kind}:virtual:${path}?address=0x58`), refuses('communication'));
      for (const bad of ['?address=0x80', '?address=x', '?key=16', '?pin=1'])
        await assert.rejects(openElement(`${kind}:virtual:${path}${bad}`), refuses('invalid'));
      await assert.rejects(openElement(`${kind}:virtual:${path}.none`), refuses('not-found'));
    });

    test('before the zones are locked it has no keys and no random numbers, and says what to do', async () => {
      const { element } = newChip(kind);
      assert.deepEqual((await element.lockState()).isReady, false);
      await assert.rejects(element.random(8), refuses('not-ready'));
      await assert.rejects(element.generateKey('0'), refuses('not-ready'));
      await assert.rejects(element.sign('0', Buffer.alloc(32)), refuses('not-ready'));
      await assert.rejects(element.readObject('8'), refuses('not-ready'));
      await assert.rejects(element.writeObject('8', Buffer.alloc(4)), refuses('not-ready'));
    });

    test('a configuration is written, read back, locked under its checksum, and stays', async () => {
      for (const name of CONFIGURATION_NAMES) {
        const { element } = newChip(kind);
        const config = await configure(element, name, { isLocked: false });
        assert.deepEqual(await element.readObject('config'), config);
        assert.equal(nameOfConfiguration(config), name);
        await element.exclusively(async ({ locks }) => {
          const another = Buffer.from(config);
          another[20] = (another[20] ?? 0) ^ 1;
          await assert.rejects(locks.lockConfig('for-good', another), refuses('verification'));
          assert.equal((await locks.state()).config, false);
          await assert.rejects(locks.lockConfig('yes' as 'for-good'), refuses('invalid'));
          await assert.rejects(locks.lockData('for-good'), refuses('not-ready'));
          await assert.rejects(locks.lockSlot(0, 'for-good'), refuses('not-ready'));
          await locks.lockConfig('for-good', config);
          await locks.lockConfig('for-good', config);
          await locks.lockData('for-good');
        });
        const { isReady, parts } = await element.lockState();
        assert.equal(isReady, true);
        assert.deepEqual(parts.slice(0, 3), [
          { name: 'config', isLocked: true },
          { name: 'data', isLocked: true },
          { name: '0', isLocked: false },
        ]);
        const changed = Buffer.from(await element.readObject('config'));
        changed[20] = (changed[20] ?? 0) ^ 1;
        await assert.rejects(element.writeObject('config', changed), refuses('not-permitted'));
      }
    });

    test('the configuration is an object too', async () => {
      const { element } = newChip(kind);
      const present = await element.readObject('config');
      const changed = configurationOn('arduino', present);
      await element.writeObject('config', changed);
      assert.deepEqual(await element.readObject('config'), changed);
      await assert.rejects(element.writeObject('config', Buffer.alloc(127)), refuses('invalid'));
      await assert.rejects(element.writeObject('config', Buffer.alloc(128)), refuses('invalid'));
    });

    test('a lock is believed when it is read back, and not before', async () => {
      for (const lost of [1, Number.POSITIVE_INFINITY]) {
        const { chip } = newChip(kind);
        const bus = virtualBus(chip);
        let left = lost;
        let isAnswered = false;
        // The command gets lost, and something answers that all is well.
        const losing: I2cBus = {
          ...bus,
          async write(address, bytes) {
            const isLost = bytes[0] === 3 && bytes[2] === 0x17 && left > 0;
            if (isLost) left -= 1;
            isAnswered = isLost || (isAnswered && bytes[0] === 0);
            if (!isLost) await bus.write(address, bytes);
          },
          async read(address, length) {
            if (!isAnswered) return bus.read(address, length);
            return Buffer.from('04000340', 'hex').subarray(length === 1 ? 0 : 1, length === 1 ? 1 : 4);
          },
        };
        const element = new AteccElement(losing, kind);
        const lock = element.exclusively(({ locks }) => locks.lockConfig('for-good'));
        if (lost === 1) await lock;
        else await assert.rejects(lock, refuses('verification'));
        assert.equal((await element.lockState()).parts[0]?.isLocked, lost === 1);
      }
    });

    test('a slot that is locked by itself keeps its key', async () => {
      const { element } = newChip(kind);
      await configure(element, 'zero-touch');
      const spki = await element.generateKey('0');
      await element.exclusively(async ({ locks }) => {
        await locks.lockSlot(0, 'for-good');
        assert.deepEqual((await locks.state()).slots[0], true);
        await assert.rejects(locks.lockSlot(2, 'for-good'), refuses('not-permitted'));
      });
      await assert.rejects(element.generateKey('0'), refuses('not-permitted'));
      assert.deepEqual(await element.publicKey('0'), spki);
      assert.equal((await element.sign('0', Buffer.alloc(32, 7))).length, 64);
    });

    test('SlotConfig decides what a key may do', async () => {
      const { element } = newChip(kind);
      await configure(element, 'zero-touch');
      await element.generateKey('7');
      // Slot 7 signs what the chip itself has made, and its ECDH is off.
      await assert.rejects(element.sign('7', Buffer.alloc(32)), refuses('not-permitted'));
      const peer = await element.generateKey('2');
      await assert.rejects(element.agree('7', peer), refuses('not-permitted'));
      await assert.rejects(element.generateKey('1'), refuses('not-permitted'));
      await assert.rejects(element.writeObject('9', Buffer.alloc(72)), refuses('not-permitted'));
    });

    test('a public key in a slot of 72 bytes is read as one', async () => {
      const { element } = newChip(kind);
      await configure(element, 'zero-touch');
      const spki = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'der' });
      await element.writeObject('11', slotFormOfSpki(spki));
      assert.deepEqual(await element.publicKey('11'), spki);
      await assert.rejects(element.publicKey('15'), refuses('not-found'));
      await element.writeObject('10', Buffer.from('short'));
      assert.deepEqual(await element.readObject('10'), Buffer.concat([Buffer.from('short'), Buffer.alloc(67)]));
    });

    test('verifies signatures, counts, and computes SHA-256 in the chip', async () => {
      const { element } = newChip(kind);
      await configure(element, 'arduino');
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const point = pointOfSpki(publicKey.export({ type: 'spki', format: 'der' }));
      const message = Buffer.from('message');
      const signature = signWithNode('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' });
      const digest = createHash('sha256').update(message).digest();
      await element.exclusively(async (chip) => {
        assert.equal(await chip.keys.verifyExternal(digest, signature, point), true);
        assert.equal(await chip.keys.verifyExternal(Buffer.alloc(32), signature, point), false);
        assert.deepEqual([await chip.counter(0), await chip.incrementCounter(0), await chip.incrementCounter(0)], [0, 1, 2]);
        assert.deepEqual([await chip.counter(1), await chip.counter(0)], [0, 2]);
        for (const length of [0, 1, 63, 64, 65, 200]) {
          const bytes = Buffer.alloc(length, length);
          assert.deepEqual(await chip.sha(bytes), createHash('sha256').update(bytes).digest());
        }
        await chip.zones.updateExtra(0, 5);
        assert.equal((await chip.zones.readLockWord()).toString('hex'), '05000000');
      });
      // It is set once.
      await assert.rejects(
        element.exclusively((chip) => chip.zones.updateExtra(0, 6)),
        refuses('not-permitted'),
      );
    });

    test('a key in TempKey agrees on a secret, on an ATECC608', async () => {
      const { element } = newChip(kind);
      await configure(element, 'arduino');
      const peer = await element.generateKey('1');
      const work = element.exclusively(async ({ keys }) => {
        const made = await keys.generateEphemeral();
        return { made, secret: await keys.agreeEphemeral(pointOfSpki(peer)) };
      });
      if (kind === 'atecc508a') return assert.rejects(work, refuses('not-supported'));
      const { made, secret } = await work;
      const spki = Buffer.concat([peer.subarray(0, -64), made]);
      assert.equal(createPublicKey({ key: spki, format: 'der', type: 'spki' }).asymmetricKeyType, 'ec');
      assert.deepEqual(await element.agree('1', spki), secret);
    });
  });

test('the key of a virtual chip is handed to TLS inside its own process alone', async () => {
  const path = join(folder, 'tls.json');
  makeVirtualChip('atecc608', path);
  const chip = new VirtualAtecc(memoryFile(path));
  const element = new AteccElement(virtualBus(chip), 'atecc608');
  await configure(element, 'arduino');
  const spki = await element.generateKey('0');
  assert.deepEqual(createPublicKey(chip.privateKeyForTls(0)).export({ type: 'spki', format: 'der' }), spki);
  assert.throws(() => chip.privateKeyForTls(4), refuses('not-found'));
});
