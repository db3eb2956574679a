/**
 * A driver on a bus that does wrong: flipped bits both ways, transfers that are not acknowledged (also after the chip has taken
 * them), lost and doubled ones, short reads, a chip that seems busy or idle. Each operation gives what is right, which is seen
 * in the chip's own memory, or an ElementError: 100,000 faults.
 */
// suite: long
import assert from 'node:assert/strict';
import {
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  verify,
} from 'node:crypto';
import { test } from 'node:test';
import { virtualBus } from '../../buses/virtual-bus.ts';
import type { ChipMemory } from '../../virtual-chips/contract.ts';
import type { OptigaState } from '../../virtual-chips/optiga/chip-state.ts';
import { openVirtualOptiga, type VirtualOptiga } from '../../virtual-chips/optiga/virtual-optiga.ts';
import { ElementError } from '../contract.ts';
import { OptigaElement } from './optiga-element.ts';
import { faultyBus, seeded } from './testing/faulty-bus.ts';

const WANTED = 100_000;
const KEY = '0xE0F1';
const OBJECTS = ['0xE0E1', '0xF1D5', '0xF1E0'];

/** What the chip has, seen past the bus. */
function visibleMemory() {
  let kept: OptigaState | undefined;
  const memory: ChipMemory<OptigaState> = {
    load: () => kept,
    save: (state) => {
      kept = state;
    },
  };
  const object = (name: string): Buffer => Buffer.from(kept?.objects[name.slice(2).toLowerCase()]?.data ?? '', 'hex');
  return { memory, object };
}

const spkiOf = (key: KeyObject): Buffer =>
  createPublicKey(key.export({ type: 'pkcs8', format: 'pem' })).export({ type: 'spki', format: 'der' });

test('100,000 faults: each is made good or reported', async (t) => {
  for (const [rate, seed] of [
    [0.01, 1],
    [0.03, 2],
    [0.08, 3],
    [0.2, 4],
  ] as const)
    await fuzz(rate, seed, WANTED / 4, (line) => t.diagnostic(line));
});

async function fuzz(rate: number, seed: number, wanted: number, say: (line: string) => void): Promise<void> {
  const random = seeded(seed);
  const { memory, object } = visibleMemory();
  let chip: VirtualOptiga = openVirtualOptiga('optiga-trust-m', memory);
  const outcomes = new Map<string, number>();
  const faults = new Map<string, number>();
  const count = (name: string): void => void outcomes.set(name, (outcomes.get(name) ?? 0) + 1);
  let faultCount = 0;
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;

  const operations: Readonly<Record<string, (element: OptigaElement) => Promise<void>>> = {
    async generateKey(element) {
      const spki = await element.generateKey(KEY, pick([['sign'], ['sign', 'agree']] as const));
      assert.deepEqual(spki, spkiOf(chip.privateKeyForTls(KEY)));
      assert.deepEqual(object('0xF1D1'), spki);
    },
    async publicKey(element) {
      // It is that of the object: what a failed generateKey has left there was reported by it.
      assert.deepEqual(await element.publicKey(KEY), object('0xF1D1'));
    },
    async sign(element) {
      const message = randomBytes(20);
      const signature = await element.sign(KEY, createHash('sha256').update(message).digest());
      const key = createPublicKey({ key: spkiOf(chip.privateKeyForTls(KEY)), format: 'der', type: 'spki' });
      assert.equal(verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature), true);
    },
    async agree(element) {
      const peer = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const secret = await element.agree(KEY, peer.publicKey.export({ type: 'spki', format: 'der' }));
      assert.deepEqual(secret, diffieHellman({ privateKey: chip.privateKeyForTls(KEY), publicKey: peer.publicKey }));
    },
    async writeObject(element) {
      const name = pick(OBJECTS);
      const content = randomBytes(1 + Math.floor(random() * (name === '0xF1D5' ? 140 : 1500)));
      await element.writeObject(name, content);
      assert.deepEqual(object(name), content);
    },
    async readObject(element) {
      const name = pick(OBJECTS);
      assert.deepEqual(await element.readObject(name), object(name));
    },
    async random(element) {
      assert.equal((await element.random(300)).length, 300);
    },
    async identify(element) {
      assert.equal((await element.identify()).serialNumber, object('0xE0C2').toString('hex'));
    },
  };

  while (faultCount < wanted) {
    const { bus, counts } = faultyBus(virtualBus(chip), random, () => rate);
    const element = new OptigaElement(bus, { kind: 'optiga-trust-m' });
    let hasFailed = false;
    for (let done = 0; done < 20 && !hasFailed; done += 1) {
      const name = pick(Object.keys(operations));
      try {
        await operations[name]?.(element);
        count(`${name} done`);
      } catch (error) {
        if (!(error instanceof ElementError)) throw error;
        assert.notEqual(error.message, '');
        count(`${name} ${error.code}`);
        // Once in a while a fault has moved the chip to another address: its power is switched off and on.
        hasFailed = error.code === 'communication';
      }
    }
    for (const [fault, number] of counts) {
      faults.set(fault, (faults.get(fault) ?? 0) + number);
      faultCount += number;
    }
    if (hasFailed) chip = openVirtualOptiga('optiga-trust-m', memory);
  }
  const listed = (of: ReadonlyMap<string, number>): string =>
    [...of]
      .map(([name, number]) => `${name} ${number}`)
      .sort()
      .join(', ');
  say(`rate ${rate}: ${faultCount} faults (${listed(faults)})`);
  say(`rate ${rate}: ${listed(outcomes)}`);
  assert.ok([...outcomes].filter(([name]) => name.endsWith(' done')).length >= 5, listed(outcomes));
}
