/** Works with an ATECC over a bus that fails, and compares every result with what is in the virtual chip. */
import assert from 'node:assert/strict';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { type AteccState, newAteccState } from '../../../virtual-chips/atecc/silicon.ts';
import { VirtualAtecc } from '../../../virtual-chips/atecc/virtual-atecc.ts';
import { memoryOnly } from '../../../virtual-chips/memory-file.ts';
import { ElementError } from '../../contract.ts';
import { AteccElement } from '../atecc-element.ts';
import type { AteccKind } from '../commands.ts';
import { type ConfigurationName, configurationOn, writeConfiguration } from '../configurations.ts';
import { FaultyBus, numbersFrom } from './faulty-bus.ts';

interface Board {
  readonly bus: FaultyBus;
  readonly element: AteccElement;
  readonly chip: VirtualAtecc;
  /** What the chip holds, from its memory. */
  state(): AteccState;
}

function newBoard(kind: AteccKind, seed: number): Board {
  const memory = memoryOnly<AteccState>();
  memory.save(newAteccState(kind));
  const chip = new VirtualAtecc(memory);
  const bus = new FaultyBus(chip, seed);
  return {
    ...{ bus, chip, element: new AteccElement(bus, kind) },
    state: () => memory.load() ?? assert.fail('the chip has lost its state'),
  };
}

export interface FaultRun {
  readonly faults: Readonly<Record<string, number>>;
  readonly total: number;
  readonly done: number;
  /** Operations that ended with an error, by its code. */
  readonly refused: Readonly<Record<string, number>>;
}

/** Results of operations, counted. */
class Tally {
  done = 0;
  readonly refused = new Map<string, number>();

  /** Runs an operation: its result must stand up to `check`, or it throws ElementError. */
  async try<T>(operation: () => Promise<T>, check: (result: T) => void): Promise<T | undefined> {
    let result: T;
    try {
      result = await operation();
    } catch (error) {
      if (!(error instanceof ElementError)) throw error;
      this.refused.set(error.code, (this.refused.get(error.code) ?? 0) + 1);
      return undefined;
    }
    check(result);
    this.done += 1;
    return result;
  }
}

const SETTINGS: Readonly<
  Record<ConfigurationName, { readonly keys: readonly [string, string]; readonly objects: readonly string[] }>
> = {
  'zero-touch': { keys: ['2', '3'], objects: ['8', '10', '11', '14'] },
  arduino: { keys: ['1', '2'], objects: ['8', '9', '13'] },
};

/** Configures and locks a chip while the bus fails; each step until it is done, and as often without harm. */
async function setUp(board: Board, name: ConfigurationName, tally: Tally): Promise<void> {
  const { element, state } = board;
  const configOf = (): Buffer => Buffer.from(state().config, 'hex');
  const config = configurationOn(name, configOf());
  const until = async (step: () => Promise<void>, isDone: () => boolean): Promise<void> => {
    for (let time = 0; ; time += 1) {
      assert.ok(time < 200, 'a step never got through');
      const result = await tally.try(
        () => step().then(() => true),
        () => assert.equal(isDone(), true, 'a step was said to be done, and is not'),
      );
      if (result) return;
    }
  };
  await until(
    () => element.exclusively((chip) => writeConfiguration(chip.link, chip.zones, config)),
    () => configOf().equals(config),
  );
  await until(
    () => element.exclusively(({ locks }) => locks.lockConfig('for-good', config)),
    () => configOf()[87] === 0,
  );
  await until(
    () => element.exclusively(({ locks }) => locks.lockData('for-good')),
    () => configOf()[86] === 0,
  );
  // Nothing else has changed on the way.
  config.fill(0, 86, 88);
  assert.deepEqual(configOf(), config);
}

/** Works until so many faults have happened. */
export async function runWithFaults(kind: AteccKind, seed: number, wanted: number): Promise<FaultRun> {
  const below = numbersFrom(seed);
  const tally = new Tally();
  const faults = new Map<string, number>();
  let total = 0;
  for (let round = 0; total < wanted; round += 1) {
    const name: ConfigurationName = round % 2 === 0 ? 'arduino' : 'zero-touch';
    const board = newBoard(kind, seed * 1000 + round);
    board.bus.oneIn = [400, 150, 60, 25, 12][below(5)] ?? 60;
    // Setting up takes whole sequences without an interruption that lasts: the worst bus is for what follows.
    const worst = board.bus.oneIn;
    board.bus.oneIn = Math.max(worst, 25);
    await setUp(board, name, tally);
    board.bus.oneIn = worst;
    // Before, a forged address would make the chip unreachable for good.
    board.bus.hasForgeries = true;
    await work(board, name, tally, below);
    for (const [fault, count] of board.bus.counts) faults.set(fault, (faults.get(fault) ?? 0) + count);
    total += board.bus.total;
  }
  return { faults: Object.fromEntries(faults), total, done: tally.done, refused: Object.fromEntries(tally.refused) };
}

const OPERATIONS = 100;

async function work(board: Board, name: ConfigurationName, tally: Tally, below: (below: number) => number): Promise<void> {
  const { element, chip, state } = board;
  const { keys, objects } = SETTINGS[name];
  const spkiInside = (key: string): Buffer =>
    createPublicKey(chip.privateKeyForTls(Number(key))).export({ type: 'spki', format: 'der' });
  const made = new Set<string>();
  let counted = 0;
  for (let time = 0; time < OPERATIONS; time += 1) {
    const key = keys[below(2)] ?? '1';
    const object = objects[below(objects.length)] ?? '8';
    const operation = below(made.has(key) ? 7 : 1);
    const config = state().config;
    if (operation === 0) {
      // Where it fails, the chip may have a new key, or the old one; it never has none that it had.
      await tally.try(
        () => element.generateKey(key),
        (spki) => assert.deepEqual(spki, spkiInside(key)),
      );
      if (Buffer.from(state().slots[Number(key)] ?? '', 'hex')[0] === 0) made.add(key);
    } else if (operation === 1 || operation === 2) {
      const message = Buffer.of(below(256), below(256), time);
      await tally.try(
        () => element.sign(key, createHash('sha256').update(message).digest()),
        (signature) => {
          const inside = createPublicKey({ key: spkiInside(key), type: 'spki', format: 'der' });
          assert.equal(verify('sha256', message, { key: inside, dsaEncoding: 'ieee-p1363' }, signature), true);
        },
      );
    } else if (operation === 3) {
      await tally.try(
        () => element.publicKey(key),
        (spki) => assert.deepEqual(spki, spkiInside(key)),
      );
    } else if (operation === 4) {
      await tally.try(
        () => element.readObject(object),
        (content) => assert.equal(content.toString('hex'), state().slots[Number(object)]),
      );
    } else if (operation === 5) {
      const before = state().slots;
      const content = Buffer.alloc(object === '8' ? 416 : 72, below(256));
      await tally.try(
        () => element.writeObject(object, content),
        () => assert.equal(state().slots[Number(object)], content.toString('hex')),
      );
      for (const [slot, kept] of state().slots.entries()) if (String(slot) !== object) assert.equal(kept, before[slot]);
    } else {
      const now = await tally.try(
        () => element.exclusively((each) => each.incrementCounter(0)),
        (value) => assert.equal(value, state().counters[0]),
      );
      const inside = state().counters[0] ?? 0;
      if (now !== undefined) assert.equal(now, counted + 1);
      assert.ok(inside - counted <= 1, `a counter went from ${counted} to ${inside}`);
      counted = inside;
    }
    assert.equal(state().config, config, 'the configuration has changed');
  }
}
